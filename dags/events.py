"""Events for the orchestrator, as bytes: what became of a dispatch, of a DAG run, of a message that is none."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from .messages import Junk, Refusal, Request, visible

__all__ = [
    "ENDS", "Event", "Run", "accepted", "gone", "refused", "reported", "result_of", "unreadable",
]  # fmt: skip

ENDS = ("SUCCESS", "FAILED")
MAX_RESULT = 256 * 1024
MAX_DETAIL = 2000
_LIMIT = 250
_CEILING = 900 * 1024


@dataclass(frozen=True)
class Event:
    """One message for etl_finished_tasks."""

    key: str
    body: Mapping[str, Any] = field(repr=False)

    @property
    def value(self) -> bytes:
        """UTF-8 JSON, at most 1 MiB."""
        return _dumps(self.body)


@dataclass(frozen=True)
class Run:
    """A DAG run as it stands. `task_run_id` and `installation` only where it was made for a task run of ours."""

    service: str
    dag_id: str
    run_id: str
    task_run_id: int | None = None
    installation: str | None = None
    run_key: str | None = None


def accepted(request: Request, detail: str | None, now: datetime) -> Event:
    """The DAG run is there; `detail` says what it waits for."""
    body = {
        "installation": request.installation,
        "service": request.service,
        "process": request.dag_id,
        "task_run_id": request.task_run_id,
        "status": "ACCEPTED",
        "detail": detail,
        "external_id": request.run_id,
        "event_id": f"{request.run_id}:ACCEPTED",
        "occurred_at": _instant(now),
    }
    return _event(str(request.task_run_id), body)


def refused(what: Request | Refusal, reason: str, now: datetime) -> Event:
    """There will be no DAG run."""
    process = what.dag_id if isinstance(what, Request) else what.process
    body = {
        "installation": what.installation,
        "service": what.service,
        "process": process if what.service is not None else None,
        "task_run_id": what.task_run_id,
        "status": "FAILED",
        "detail": visible(reason, MAX_DETAIL),
        "event_id": f"{what.installation or ''}:{what.task_run_id}:refused"[-_LIMIT:],
        "occurred_at": _instant(now),
    }
    return _event(str(what.task_run_id), body)


def unreadable(
    junk: Junk,
    service: str,
    place: tuple[str, int, int],
    key: bytes | None,
    value: bytes | None,
    now: datetime,
) -> Event:
    """A message that names no task run, told so that the orchestrator keeps it as a dead letter: its process is the
    dispatch topic, which no DAG is named after.
    """
    topic, partition, offset = place
    where = f"{topic}/{partition}/{offset}"
    body = {
        "service": service,
        "process": topic,
        "status": "FAILED",
        "detail": f"no dispatch at {where}: {visible(junk.reason, 500)}",
        "event_id": f"unreadable:{where}"[-_LIMIT:],
        "occurred_at": _instant(now),
        "unreadable": {
            "topic": topic,
            "partition": partition,
            "offset": offset,
            "bytes": len(value or b""),
            "key": None if key is None else visible(key, 200),
            "value": visible(value or b"", 4000),
        },
    }
    return _event(f"{service}/{topic}", body)


def reported(
    run: Run,
    status: str,
    at: datetime | None,
    *,
    detail: str | None = None,
    result: Mapping[str, Any] | None = None,
) -> Event:
    """What Airflow says of a run. `at`: when it started or ended, which tells the ends of a run that was cleared and
    ran again from one another.
    """
    kept, problem = _fitting(result)
    words = "; ".join(word for word in (detail, problem) if word)
    body = {
        "installation": run.installation,
        "service": run.service,
        "process": run.dag_id,
        "task_run_id": run.task_run_id,
        "status": status,
        "detail": visible(words, MAX_DETAIL) if words else None,
        "result": kept,
        "run_key": run.run_key if run.task_run_id is None else None,
        "external_id": run.run_id,
        "event_id": _event_id(run.run_id, status, at),
        "occurred_at": None if at is None else _instant(at),
    }
    return _event(run.run_id if run.task_run_id is None else str(run.task_run_id), body)


def gone(run: Run, now: datetime) -> Event:
    """The run is no more in Airflow, and never said how it ended."""
    event = reported(run, "FAILED", None, detail="run deleted in Airflow")
    body = {**event.body, "event_id": _event_id(run.run_id, "deleted", None), "occurred_at": _instant(now)}
    return Event(event.key, body)


def result_of(rows: Sequence[tuple[str, int, Any]]) -> dict[str, Any] | None:
    """The result of a run: what each task returned (its XCom `return_value`), by task_id; a mapped task's is the list
    of what its instances returned, in their order. `rows`: task_id, map_index (-1: not mapped), value. Tasks that
    returned nothing are left out; no task did: None.
    """
    single: dict[str, Any] = {}
    mapped: dict[str, list[tuple[int, Any]]] = {}
    for task_id, map_index, value in rows:
        if map_index < 0:
            single[task_id] = value
        else:
            mapped.setdefault(task_id, []).append((map_index, value))
    lists = {
        task_id: [value for _, value in sorted(found, key=lambda each: each[0])]
        for task_id, found in mapped.items()
    }
    result = {task_id: value for task_id, value in {**single, **lists}.items() if value is not None}
    return dict(sorted(result.items())) or None


def _fitting(result: Mapping[str, Any] | None) -> tuple[Mapping[str, Any] | None, str | None]:
    """The result, if an event can hold it; else why not."""
    if result is None:
        return None, None
    cleaned = _cleaned(result, 0)
    size = len(_dumps(cleaned))
    if size > MAX_RESULT:
        return None, f"the result has {size} bytes and is left out; the limit is {MAX_RESULT}"
    return cleaned, None


def _cleaned(value: Any, depth: int) -> Any:
    """What the orchestrator's database can hold: no NUL, no half of a surrogate pair, no infinite number."""
    if depth > 200:
        return visible(value, 200)
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= c <= "\udfff" for c in value):
            return "".join("\ufffd" if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in value)
        return value
    if isinstance(value, Mapping):
        return {str(_cleaned(str(key), depth)): _cleaned(each, depth + 1) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_cleaned(each, depth + 1) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return visible(value, 2000)


def _event_id(run_id: str, status: str, at: datetime | None) -> str:
    made = f"{run_id}:{status}:{'' if at is None else _instant(at)}"
    return made if len(made) <= _LIMIT else hashlib.sha256(made.encode()).hexdigest()


def _event(key: str, body: Mapping[str, Any]) -> Event:
    return Event(key, {"v": 1, **{name: value for name, value in body.items() if value is not None}})


def _instant(at: datetime) -> str:
    return at.astimezone(timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _dumps(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
