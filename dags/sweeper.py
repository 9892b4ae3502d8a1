"""What the plugin could not tell: task runs in flight whose DAG run has ended, or is gone, or has begun.

Asks the orchestrator's API which task runs of our service are in flight, Airflow what became of each, and reports the
difference as the plugin would have: the same event, so that both together are one.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Protocol

from . import events
from .errors import TransientError
from .events import Event, Run
from .log import Outage, logger
from .messages import is_dag_id, is_run_id
from .trigger import Airflow, RunState

__all__ = ["InFlight", "Orchestrator", "Sweeper", "orchestrator"]

_SETTLE = timedelta(seconds=5)
_OURS = re.compile(r"orc__([0-9a-f-]{36})__([0-9]{1,19})")
_ENDS = {"success": "SUCCESS", "failed": "FAILED"}
_LEFT = {"DISPATCHED": ("queued",), "RUNNING": ("queued", "running")}
"""Airflow's states in which a run is as the orchestrator knows it."""
_SAY_AGAIN = 600.0

log = logger("sweeper")


@dataclass(frozen=True)
class InFlight:
    """A task run of ours that has not ended, and the DAG run it is."""

    task_run_id: int
    status: str
    dag_id: str
    run_id: str


class Orchestrator(Protocol):
    """What is asked of the orchestrator. Raises TransientError."""

    def in_flight(self, older_than: datetime) -> list[InFlight]:
        """Task runs of our service DISPATCHED or RUNNING since before `older_than` whose DAG run is known."""


class Outgoing(Protocol):
    """Where events go."""

    def send(self, event: Event) -> None: ...
    def flush(self) -> None: ...


class Sweeper:
    """`sweep` looks once; `run` again and again until told to stop."""

    def __init__(self, service: str, ours: Orchestrator | None, airflow: Airflow, outbox: Outgoing) -> None:
        self._service = service
        self._ours = ours
        self._airflow = airflow
        self._outbox = outbox
        self._missing: set[str] = set()
        self._away = Outage(log, "the sweeper")

    def run(self, every: float, stop: threading.Event) -> None:
        """Never raises."""
        said = -_SAY_AGAIN
        while not stop.wait(every):
            if self._ours is None:
                if time.monotonic() - said >= _SAY_AGAIN:
                    said = time.monotonic()
                    log.error(
                        "NO SWEEPER: ORCHESTRATION_API_URL and ORCHESTRATION_API_TOKEN are not set; what the plugin "
                        "cannot send is never found"
                    )
                continue
            try:
                self.sweep()
            except TransientError as error:
                self._away.failed(str(error))
            except Exception:
                log.exception("a sweep failed; the next one begins anew")
            else:
                self._away.over()

    def sweep(self) -> int:
        """Report what differs; how many were reported. Raises TransientError."""
        assert self._ours is not None
        now = datetime.now(timezone.utc)
        missing: set[str] = set()
        told = 0
        for (dag_id, status), runs in _grouped(self._ours.in_flight(now - _SETTLE)).items():
            for run_id in self._airflow.moved(dag_id, list(runs), _LEFT[status]):
                event = self._event(runs[run_id], now, missing)
                if event is not None:
                    self._outbox.send(event)
                    told += 1
        self._outbox.flush()
        self._missing = missing
        return told

    def _event(self, left: InFlight, now: datetime, missing: set[str]) -> Event | None:
        ours = _OURS.fullmatch(left.run_id)
        run = Run(
            self._service, left.dag_id, left.run_id, left.task_run_id, installation=ours[1] if ours else None
        )
        state = self._airflow.look(left.dag_id, left.run_id)
        if state is None:
            missing.add(left.run_id)
            if left.run_id not in self._missing:  # said only once it is missing twice
                return None
            log.warning("task run %s: run %s of DAG %s is gone", left.task_run_id, left.run_id, left.dag_id)
            return events.gone(run, now)
        return self._difference(left, run, state)

    def _difference(self, left: InFlight, run: Run, state: RunState) -> Event | None:
        if state.state == "running" and left.status == "DISPATCHED":
            return events.reported(run, "RUNNING", state.start_date)
        status = _ENDS.get(state.state)
        if status is None:
            return None
        log.warning(
            "task run %s: run %s of DAG %s is %s, which was not reported", left.task_run_id, left.run_id,
            left.dag_id, state.state,
        )  # fmt: skip
        result = events.result_of(self._airflow.returned(left.dag_id, left.run_id))
        detail = "found by the sweeper" if status == "FAILED" else None
        return events.reported(run, status, state.end_date, detail=detail, result=result)


def orchestrator(url: str, token: str | None, service: str) -> Orchestrator:
    """The orchestrator behind its REST API."""
    return _Api(url, token, service)


class _Api:
    def __init__(self, url: str, token: str | None, service: str) -> None:
        from orchestration.client import OrchestrationServiceClient

        self._client = OrchestrationServiceClient(url, token, timeout=15.0, tries=2)
        self._service = service
        self._dags: dict[int, str | None] = {}

    def in_flight(self, older_than: datetime) -> list[InFlight]:
        from orchestration.client import OrchestrationError

        try:
            return list(self._found(older_than))
        except OrchestrationError as error:
            raise TransientError(f"the orchestrator's API: {error}") from error

    def _found(self, older_than: datetime) -> Iterable[InFlight]:
        dag_of = _once(self._tasks)
        for status in ("DISPATCHED", "RUNNING"):
            for each in self._client.list_task_runs(status=status, limit=500):
                if each.task_id not in self._dags:
                    self._dags = dag_of()
                dag_id = self._dags.get(each.task_id)
                since = each.dispatched_at or each.created_at
                if dag_id is None or each.external_id is None or since > older_than:
                    continue
                if is_dag_id(dag_id) and is_run_id(each.external_id):
                    yield InFlight(each.id, status, dag_id, each.external_id)

    def _tasks(self) -> dict[int, str | None]:
        """Each task's DAG; None for those of other services."""
        processes = {
            each.id: each.uid for each in self._client.list_processes(service=self._service, limit=500)
        }
        return {each.id: processes.get(each.process_id) for each in self._client.list_tasks(limit=500)}


def _once(ask: Callable[[], Any]) -> Callable[[], Any]:
    """Ask at most once."""
    answers: list[Any] = []

    def answer() -> Any:
        if not answers:
            answers.append(ask())
        return answers[0]

    return answer


def _grouped(found: Iterable[InFlight]) -> dict[tuple[str, str], dict[str, InFlight]]:
    groups: dict[tuple[str, str], dict[str, InFlight]] = {}
    for each in found:
        groups.setdefault((each.dag_id, each.status), {})[each.run_id] = each
    return groups
