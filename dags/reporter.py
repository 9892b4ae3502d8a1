"""What the plugin does when Airflow says that a run began or ended; `plugin.py` only listens.

It works inside the scheduler, in the middle of its transaction, so: no session of its own (only the one the run belongs
to, for two SELECTs), no Connection or Variable, no waiting, no exception that gets out. Events go into librdkafka's
bounded memory and from there to the brokers; what is lost with the process is the sweeper's to find.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Protocol

from . import events
from .errors import ListenerError
from .events import Event, Run
from .log import hide_secrets, logger
from .messages import is_ours
from .rules import find_rule, run_key_of
from .settings import EVENTS_TOPIC, Settings, secrets

if TYPE_CHECKING:
    from confluent_kafka import Producer

__all__ = ["DagRun", "Reporter", "Rows"]

LISTENER = "orchestration_listener"
_AT_EXIT = 3.0
_SAY_EVERY = 60.0
_ABANDONED: list[object] = []
"""Producers of the process we were forked from: freeing one here would wait for threads that do not exist."""

log = logger("plugin")


class DagRun(Protocol):
    """What is read of Airflow's DagRun."""

    dag_id: str
    run_id: str
    conf: Any
    start_date: datetime | None
    end_date: datetime | None
    logical_date: datetime | None
    partition_key: str | None


class Rows(Protocol):
    """What is read of Airflow's database, over the run's own session."""

    def returned(self, run: DagRun, most: int) -> tuple[list[tuple[str, int, Any]], int]:
        """task_id, map_index, value of every XCom return_value, and their size; none of them if it is over `most`."""

    def failed(self, run: DagRun) -> list[str]:
        """The tasks that failed."""


class Reporter:
    """One a process. `tell` never raises and never waits."""

    def __init__(self, rows: Rows, environ: Mapping[str, str] | None = None) -> None:
        self._rows = rows
        self._environ = environ
        self._lock = threading.Lock()
        self._settings: Settings | None = None
        self._producer: Producer | None = None
        self._broken = False
        self._lost = 0
        self._said_at = -_SAY_EVERY
        os.register_at_fork(after_in_child=self._forked)

    def tell(self, run: DagRun, status: str, words: str) -> None:
        """Report that `run` is RUNNING, SUCCESS or FAILED, if it is any of our business. `words`: Airflow's."""
        try:
            settings = self._ready()
            if settings is not None and (told := self._whose(run, settings)) is not None:
                self._produce(self._event(run, told, status, words), settings)
        except Exception:
            log.exception("%s of run %s, DAG %s, was not reported", status, run.run_id, run.dag_id)

    def flush(self, seconds: float = _AT_EXIT) -> int:
        """Wait for what is on its way; how many are left."""
        producer = self._producer
        return 0 if producer is None else int(producer.flush(seconds))

    # -- what to say ------------------------------------------------------------------------------------

    def _whose(self, run: DagRun, settings: Settings) -> Run | None:
        context = is_ours(run.run_id, run.conf)
        if context is not None:
            service = context.get("service")
            return Run(
                service if isinstance(service, str) else settings.service,
                run.dag_id,
                run.run_id,
                context["task_run_id"],
                context["installation"],
            )
        if run.dag_id.startswith(LISTENER) or (rule := find_rule(settings.report, run.dag_id)) is None:
            return None
        key = run_key_of(rule, settings.timezone, run.logical_date, run.partition_key)
        return Run(settings.service, run.dag_id, run.run_id, run_key=key)

    def _event(self, run: DagRun, told: Run, status: str, words: str) -> Event:
        if status == "RUNNING":
            return events.reported(told, status, run.start_date or _now())
        at = run.end_date or _now()
        if status == "FAILED":
            failed = ", ".join(self._rows.failed(run))
            detail = f"{words}: {failed}" if failed else words
            result, problem = self._result(run)
            return events.reported(
                told, status, at, detail="; ".join(filter(None, (detail, problem))), result=result
            )
        result, problem = self._result(run)
        return events.reported(told, status, at, detail=problem, result=result)

    def _result(self, run: DagRun) -> tuple[dict[str, Any] | None, str | None]:
        rows, size = self._rows.returned(run, events.MAX_RESULT)
        if size > events.MAX_RESULT:
            return None, f"the result has {size} bytes and is left out; the limit is {events.MAX_RESULT}"
        return events.result_of(rows), None

    # -- how to send it ---------------------------------------------------------------------------------

    def _ready(self) -> Settings | None:
        if self._settings is None and not self._broken:
            with self._lock:
                try:
                    self._settings = Settings.from_env(self._environ)
                    hide_secrets(secrets(self._settings), "plugin")
                except ListenerError as error:
                    self._give_up(error)
        return self._settings

    def _produce(self, event: Event, settings: Settings) -> None:
        producer = self._producer or self._make(settings)
        if producer is None:
            return
        try:
            producer.produce(EVENTS_TOPIC, event.value, event.key, on_delivery=self._delivered)
        except BufferError:
            self._lose("the buffer is full")
        producer.poll(0)

    def _make(self, settings: Settings) -> Producer | None:
        from confluent_kafka import Producer

        from .outbox import make

        with self._lock:
            if self._producer is None and not self._broken:
                try:
                    self._producer = make(
                        Producer,
                        settings.plugin_producer(),
                        lambda error: log.debug("Kafka: %s", error.str()),
                        log,
                    )
                    atexit.register(self.flush)
                except ListenerError as error:
                    self._give_up(error)
            return self._producer

    def _give_up(self, error: ListenerError) -> None:
        self._broken = True
        log.error("NOTHING IS REPORTED to the orchestrator by this process: %s", error)

    def _delivered(self, error: object, _message: object) -> None:
        if error is not None:
            self._lose(str(error))

    def _lose(self, why: str) -> None:
        self._lost += 1
        now = time.monotonic()
        if now - self._said_at >= _SAY_EVERY:
            self._said_at = now
            log.error("%s events were not sent (%s); the sweeper has to find them", self._lost, why)

    def _forked(self) -> None:
        if self._producer is not None:
            _ABANDONED.append(self._producer)
            self._producer = None
            atexit.unregister(self.flush)
        self._lock = threading.Lock()


def _now() -> datetime:
    return datetime.now(timezone.utc)
