"""One pass through the demo's graphs: what NiFi reports, and everything that follows, told as it happens."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from .runs import GraphRun, read_remains, read_runs
from .screen import Screen
from .traffic import NiFi, Observer, Seen

if TYPE_CHECKING:
    import psycopg
    from psycopg.rows import TupleRow

__all__ = ["Play"]

# what NiFi reports: seconds after the first, task, status
REPORTS = ((0.0, "1", "RUNNING"), (0.2, "5", "RUNNING"), (0.4, "1", "SUCCESS"), (1.6, "5", "SUCCESS"))
LOOK = 0.05  # seconds between two looks at the database
LATE = 0.6  # seconds by which what happened is told late, so that all of it can be put in order
PATIENCE = 5.0  # seconds for Kafka to show what the database has applied already


class Play:
    """`key`: the run key of everything that belongs to this pass; `since`: the database's time before it."""

    def __init__(
        self,
        screen: Screen,
        connection: psycopg.Connection[TupleRow],
        observer: Observer,
        nifi: NiFi,
        key: str,
        since: datetime,
    ) -> None:
        self._screen = screen
        self._connection = connection
        self._observer = observer
        self._nifi = nifi
        self._key = key
        self._since = since
        self._told: dict[int, str | None] = {}
        self._reports = list(REPORTS)
        self._ended_at: float | None = None

    def run(self, limit: float, require_alive: Callable[[], None]) -> list[GraphRun]:
        """Report, and tell what happens until every graph run has ended, or `limit` seconds are over.

        `require_alive` is called again and again and raises where waiting is useless.
        """
        first = datetime.now(timezone.utc)
        begin = time.monotonic()
        with self._screen.live():
            while True:
                while self._reports and time.monotonic() - begin >= self._reports[0][0]:
                    _, task, status = self._reports.pop(0)
                    self._nifi.report(task, status)
                for seen in self._observer.look(LOOK):
                    self._tell_message(seen)
                runs = read_runs(self._connection, self._key)
                self._tell_changes(runs)
                self._screen.show(runs)
                over = self._is_over(runs)
                if over or time.monotonic() - begin > limit:
                    break
                self._screen.flush(first, datetime.now(timezone.utc) - timedelta(seconds=LATE))
                require_alive()
            self._screen.flush(first, datetime.now(timezone.utc))
        if not over:
            self._screen.say(f"not over after {limit:g} s: this is how far it came", "bold red")
        return runs

    def _is_over(self, runs: list[GraphRun]) -> bool:
        """Nothing is under way in the database, and Kafka has shown the end of all that was executed, or is late."""
        if self._reports or not self._told or any(run.status == "RUNNING" for run in runs):
            return False
        if self._ended_at is None:
            remains = read_remains(self._connection, self._key, self._since)
            if remains.in_flight or remains.unsent:
                return False
            self._ended_at = time.monotonic()
        shown = {seen.task for seen in self._observer.seen if seen.is_end}
        executed = {task.name for run in runs for task in run.tasks if task.status in ("SUCCESS", "FAILED")}
        return executed <= shown or time.monotonic() - self._ended_at > PATIENCE

    def _tell_message(self, seen: Seen) -> None:
        if seen.status is None:
            words = f"{seen.task} dispatched: task run {seen.task_run_id} to {seen.process}"
            self._screen.tell(seen.at, "bridge", words)
        elif seen.is_end:
            who = "nifi" if seen.service == "nifi" else "stand-in"
            self._screen.tell(seen.at, who, f"{seen.task} {seen.status}", self._screen.style_of(seen.status))

    def _tell_changes(self, runs: list[GraphRun]) -> None:
        """Graph runs that were opened or have ended."""
        for run in runs:
            if run.id is None or self._told.get(run.id) == run.status or run.created_at is None:
                continue
            if run.id not in self._told:
                self._screen.tell(run.created_at, "graph run", f"{run.id} of {run.graph} opened", "bold")
            if run.finished_at is not None:
                self._screen.tell(
                    run.finished_at, "graph run", f"{run.id} of {run.graph} {run.status}", "bold"
                )
            self._told[run.id] = run.status
