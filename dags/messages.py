"""A dispatch, from bytes to something that may be given to Airflow, or the reason why not. Nothing is trusted.

    parse(b'{"v":1,"type":"start",…}', "airflow")  ->  Request | Refusal | Junk

The dag_id and run_id of a Request are safe in a path, and its conf is JSON that Airflow's channel, its database and any
DAG can hold. A Refusal names a task run, which is told why. Junk names none.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from typing import Any, TypeGuard

__all__ = [
    "RESERVED", "Junk", "Refusal", "Request", "conf_problem", "is_dag_id", "is_ours", "is_run_id", "parse", "run_id_of",
    "visible",
]  # fmt: skip

RESERVED = "orchestration"
"""The key of conf that is ours."""
MAX_BYTES = 1024 * 1024
MAX_DEPTH = 64
_LIMIT = 250
_MAX_ID = 10**18 - 1  # as the orchestrator's events
_MOST_GRAPH_RUNS = 10_000

_DAG_ID = re.compile(r"[\w.-]{1,250}")  # Airflow's own rule
_RUN_ID = re.compile(r"[A-Za-z0-9_.~:+-]{1,250}")
_INSTALLATION = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)
_DIGITS = 20  # no number of 64 bits has more


class _Unholdable:
    """Stands for a number that JSON can write and nobody can hold."""

    def __init__(self, text: str) -> None:
        self.text = text


@dataclass(frozen=True)
class Request:
    """A DAG run to be made. `context` is what stands under the reserved key of its conf."""

    installation: str
    task_run_id: int
    service: str
    dag_id: str
    config: dict[str, Any] = field(repr=False)
    context: dict[str, Any] = field(repr=False)

    @property
    def run_id(self) -> str:
        return run_id_of(self.installation, self.task_run_id)

    @property
    def conf(self) -> dict[str, Any]:
        return {**self.config, RESERVED: self.context}


@dataclass(frozen=True)
class Refusal:
    """A dispatch that cannot be done. `installation`, `service` and `process` are what may be said back, or None."""

    task_run_id: int
    reason: str
    installation: str | None = None
    service: str | None = None
    process: str | None = None


@dataclass(frozen=True)
class Junk:
    """A message that names no task run."""

    reason: str


class _RefusedError(Exception):
    pass


def run_id_of(installation: str, task_run_id: int) -> str:
    """The one run_id of a task run."""
    return f"orc__{installation}__{task_run_id}"


def is_dag_id(text: str) -> bool:
    """Whether Airflow could have a DAG of this id; such a text is safe in a path."""
    return bool(_DAG_ID.fullmatch(text)) and ".." not in text and text != "."


def is_run_id(text: str) -> bool:
    """Whether Airflow could have a run of this id; such a text is safe in a path."""
    return bool(_RUN_ID.fullmatch(text)) and ".." not in text and text != "."


def is_ours(run_id: str, conf: object) -> dict[str, Any] | None:
    """What stands under the reserved key, if this run was made for a task run: conf names it and run_id is derived
    from it. A run that a person started with a copied conf is none.
    """
    context = conf.get(RESERVED) if isinstance(conf, dict) else None
    if not isinstance(context, dict):
        return None
    installation, task_run_id = context.get("installation"), context.get("task_run_id")
    if not isinstance(installation, str) or not _is_id(task_run_id):
        return None
    return context if run_id == run_id_of(installation, task_run_id) else None


def parse(value: bytes | None, service: str) -> Request | Refusal | Junk:
    """What a message of the dispatch topic asks `service` for."""
    found = _load(value or b"")
    if isinstance(found, Junk):
        return found
    message, too_deep = found
    task_run_id = message.get("task_run_id")
    if not _is_id(task_run_id):
        return Junk(f"task_run_id {_shown(task_run_id)} is not a positive whole number")
    try:
        if len(value or b"") > MAX_BYTES:
            raise _RefusedError(f"the dispatch has {len(value or b'')} bytes; the limit is 1 MiB")
        if too_deep:
            raise _RefusedError(f"the dispatch is nested deeper than {MAX_DEPTH} levels")
        return _request(message, task_run_id, service)
    except _RefusedError as refused:
        return Refusal(
            task_run_id,
            str(refused),
            _said_back(message, "installation"),
            _said_back(message, "service"),
            _said_back(message, "process"),
        )


def conf_problem(conf: object) -> str | None:
    """Why a DAG run cannot hold this conf; None: it can."""
    level: list[object] = [conf]
    for _ in range(MAX_DEPTH + 1):
        below: list[object] = []
        for value in level:
            problem = _value_problem(value)
            if problem is not None:
                return problem
            if isinstance(value, dict):
                for key in value:
                    if (problem := _value_problem(key)) is not None:
                        return problem
                below += value.values()
            elif isinstance(value, list):
                below += value
        if not below:
            return None
        level = below
    return f"it is nested deeper than {MAX_DEPTH} levels"


def visible(value: object, limit: int = 2000) -> str:
    """Text for people and JSON: control characters, NUL and lone surrogates are written out, and it is cut."""
    whole = value[: limit + 1].decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
    text = whole[: limit + 1]
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:limit])
    return shown if len(text) <= limit else shown + " …"


# -- reading --------------------------------------------------------------------------------------------


def _load(value: bytes) -> tuple[dict[str, Any], bool] | Junk:
    """The message and whether something in it was nested too deep to be read."""
    too_deep = False
    try:
        value.decode("utf-8")
        try:
            found = _json(value)
        except RecursionError:
            too_deep = True
            found = _json(_pruned(value))
    except UnicodeDecodeError as error:
        return Junk(f"the message is not UTF-8: {error.reason} at byte {error.start}")
    except (ValueError, RecursionError) as error:
        return Junk(f"the message is not JSON: {visible(error, 200)}" if value else "the message is empty")
    if not isinstance(found, dict):
        return Junk("the message is JSON, but not an object")
    return found, too_deep


def _json(value: bytes) -> Any:
    def whole(text: str) -> object:
        return int(text) if len(text) <= _DIGITS else _Unholdable(text)

    return json.loads(value.decode("utf-8"), parse_int=whole, parse_constant=_Unholdable)


def _pruned(value: bytes) -> bytes:
    """The text with null for whatever is nested deeper than MAX_DEPTH."""
    pieces, depth, kept = [], 0, 0
    for token in _TOKEN.finditer(value):
        if token[0] in (b"[", b"{"):
            depth += 1
            if depth == MAX_DEPTH + 1:
                pieces += [value[kept : token.start()], b"null"]
        elif token[0] in (b"]", b"}"):
            if depth == MAX_DEPTH + 1:
                kept = token.end()
            depth -= 1
    if depth > MAX_DEPTH:
        raise ValueError("brackets are left open")
    return b"".join([*pieces, value[kept:]])


# -- checking -------------------------------------------------------------------------------------------


def _request(message: dict[str, Any], task_run_id: int, service: str) -> Request:
    version, kind = message.get("v"), message.get("type")
    if version != 1 or isinstance(version, bool):
        raise _RefusedError(f"version {_shown(version)} of the dispatch format is not known; this is 1")
    if kind != "start":
        raise _RefusedError(f"a dispatch of type {_shown(kind)} is not known; this listener knows start")
    installation = message.get("installation")
    if not isinstance(installation, str) or not _INSTALLATION.fullmatch(installation):
        raise _RefusedError(f"installation {_shown(installation)} is not a uuid in lower case")
    named = message.get("service", service)
    if named != service:
        raise _RefusedError(
            f"this listener serves {service}, the dispatch is for {_shown(named)}: set ORCHESTRATION_AIRFLOW_SERVICE, "
            "and give every service a dispatch topic of its own"
        )
    dag_id = message.get("process")
    if not isinstance(dag_id, str) or not is_dag_id(dag_id):
        raise _RefusedError(
            f"process {_shown(dag_id)} is no dag_id: 1 to 250 letters, digits, dashes, underscores and single dots"
        )
    config = message.get("config", {})
    if not isinstance(config, dict):
        raise _RefusedError("config is not a JSON object")
    if RESERVED in config:
        raise _RefusedError(
            f"config holds the key {RESERVED}, which is reserved: rename it in the task's template"
        )
    if (problem := conf_problem(config)) is not None:
        raise _RefusedError(f"config cannot be the conf of a DAG run: {problem}")
    context = {
        "installation": installation,
        "task_run_id": task_run_id,
        "attempt": _attempt(message),
        "run_key": _text(message, "run_key"),
        "graph": _text(message, "graph"),
        "graph_run_ids": _graph_runs(message),
        "task": _text(message, "task"),
        "service": service,
        "process": dag_id,
    }
    return Request(installation, task_run_id, service, dag_id, config, context)


def _text(message: dict[str, Any], name: str) -> str | None:
    value = message.get(name)
    if value is None or _is_text(value):
        return value
    raise _RefusedError(
        f"{name} {_shown(value)} is not text of 1 to {_LIMIT} characters without control characters"
    )


def _attempt(message: dict[str, Any]) -> int:
    value = message.get("attempt", 1)
    if not _is_id(value):
        raise _RefusedError(f"attempt {_shown(value)} is not a positive whole number")
    return value


def _graph_runs(message: dict[str, Any]) -> list[int]:
    value = message.get("graph_run_ids", [])
    if not isinstance(value, list) or len(value) > _MOST_GRAPH_RUNS or not all(map(_is_id, value)):
        raise _RefusedError("graph_run_ids is not a list of positive whole numbers")
    return value


def _value_problem(value: object) -> str | None:
    if isinstance(value, str):
        if "\0" in value:
            return "it holds a NUL character (\\u0000)"
        if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
            return "it holds half of a surrogate pair"
    elif isinstance(value, _Unholdable):
        return f"it holds the number {visible(value.text, 30)}, which is beyond 64 bits or no number"
    elif isinstance(value, bool):
        return None
    elif isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            return f"it holds the number {value}, which is beyond 64 bits"
    elif isinstance(value, float) and not math.isfinite(value):
        return "it holds a number that is beyond what a float can be"
    return None


def _is_id(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _MAX_ID


def _is_text(value: object) -> TypeGuard[str]:
    return (
        isinstance(value, str)
        and 0 < len(value) <= _LIMIT
        and not any(c < " " or "\x7f" <= c <= "\x9f" or "\ud800" <= c <= "\udfff" for c in value)
    )


def _said_back(message: dict[str, Any], name: str) -> str | None:
    """The field as it may stand in an event. An installation that is none is said in words, so that no installation
    takes the event for its own.
    """
    value = message.get(name)
    if _is_text(value):
        return value
    return f"not an installation: {_shown(value)}" if name == "installation" and value is not None else None


def _shown(value: object) -> str:
    if value is None:
        return "(missing)"
    if isinstance(value, str):
        return f"'{visible(value, 80)}'"
    if isinstance(value, (dict, list)):
        return "(a JSON object)" if isinstance(value, dict) else "(a JSON list)"
    return visible(value.text if isinstance(value, _Unholdable) else json.dumps(value), 80)
