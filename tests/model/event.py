"""The form of an event (SPEC 3): from bytes or a JSON value to fields that can be relied on."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from typing import Any, NoReturn

__all__ = ["STATUSES", "DeadLetterError", "Event", "decode", "parse"]

STATUSES = ("ACCEPTED", "RUNNING", "SUCCESS", "FAILED", "SKIPPED")
MESSAGE_BYTES = 1024 * 1024
RESULT_BYTES = 256 * 1024
NAME_LENGTH = 250
_NAMES = ("service", "process", "task", "run_key", "external_id", "event_id")
_WORDS = ("detail", "installation", "occurred_at")


class DeadLetterError(Exception):
    """The event becomes a dead letter; nothing was changed. `reason` is SPEC's word."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class Event:
    """An event of good form. Absent fields are None."""

    status: str
    task_run_id: int | None = None
    service: str | None = None
    process: str | None = None
    task: str | None = None
    run_key: str | None = None
    external_id: str | None = None
    event_id: str | None = None
    installation: str | None = None


def decode(raw: bytes) -> object:
    """The JSON value of a message; `malformed` where it is none, or holds text no database can keep."""
    if len(raw) > MESSAGE_BYTES:
        raise DeadLetterError("malformed", f"{len(raw)} bytes")
    try:
        value: object = json.loads(raw.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise DeadLetterError("malformed", str(error)) from error
    _check_text(value)
    return value


def parse(value: object) -> Event:
    """The event in a JSON value; `malformed` where it breaks a rule of form (readings 2, 3)."""
    if not isinstance(value, dict):
        raise DeadLetterError("malformed", "not an object")
    _check_text(value)
    given: dict[str, Any] = {name: held for name, held in value.items() if held is not None}
    if type(given.get("v", 1)) not in (int, float) or given.get("v", 1) != 1:
        raise DeadLetterError("malformed", "v")
    for name in (*_NAMES, *_WORDS):
        if name in given and not isinstance(given[name], str):
            raise DeadLetterError("malformed", f"{name} is no text")
    for name in _NAMES:
        if name in given and not _is_name(given[name]):
            raise DeadLetterError("malformed", f"{name} is empty, too long, or has a control character")
    if given.get("status") not in STATUSES:
        raise DeadLetterError("malformed", "status")
    if "task_run_id" in given and not _is_id(given["task_run_id"]):
        raise DeadLetterError("malformed", "task_run_id is no id")
    if "task_run_id" not in given and not ("service" in given and "process" in given):
        raise DeadLetterError("malformed", "neither task_run_id nor service and process")
    result = given.get("result", {})
    if not isinstance(result, dict) or len(json.dumps(result, ensure_ascii=False).encode()) > RESULT_BYTES:
        raise DeadLetterError("malformed", "result is no object, or too large")
    fields = ("status", "task_run_id", *_NAMES, "installation")
    return Event(**{name: given[name] for name in fields if name in given})


def _is_id(value: object) -> bool:
    return type(value) is int and 0 <= value < 10**18


def _is_name(text: str) -> bool:
    return 0 < len(text) <= NAME_LENGTH and not any(unicodedata.category(sign) == "Cc" for sign in text)


def _check_text(value: object) -> None:
    """Refuse U+0000 and halves of surrogate pairs anywhere."""
    left = [value]
    while left:
        item = left.pop()
        if isinstance(item, dict):
            left += [*item.keys(), *item.values()]
        elif isinstance(item, list):
            left += item
        elif isinstance(item, str) and any(sign == "\0" or "\ud800" <= sign <= "\udfff" for sign in item):
            raise DeadLetterError("malformed", "text that cannot be stored")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
