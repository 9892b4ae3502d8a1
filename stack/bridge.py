"""The supervised bridge of the local stack."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from . import StackError
from .layout import ROOT, Layout
from .process import Process, await_true, tail
from .supervisor import ENDED

if TYPE_CHECKING:
    import psycopg
    from psycopg.rows import TupleRow

__all__ = ["Bridge"]

FRESH = 5  # seconds: a bridge that has sent a heartbeat within them lives
FAILED_STARTS = 3  # so many in a row mean that waiting does not help
_STORED = "select exists (select from orchestration.kafka_offset where topic = 'etl_finished_tasks')"
_WORKS = """
select exists (select from orchestration.bridge_instance b
                 join orchestration.kafka_offset o on o.bridge_id = b.id and o.topic = 'etl_finished_tasks'
                where b.pid = %s and b.retired_at is null and b.heartbeat_at > now() - make_interval(secs => %s))
"""


class Bridge:
    """One bridge under one supervisor; both are found again by their pid files."""

    def __init__(self, layout: Layout, say: Callable[[str], None]) -> None:
        self._say = say
        self._log = layout.log("bridge")
        self._program = Process("bridge", layout.run / "bridge.pid")
        self._supervisor = Process("the bridge's supervisor", layout.run / "bridge-supervisor.pid")
        self._settings = layout.run / "bridge-settings"

    @property
    def pid(self) -> int | None:
        """The bridge's pid; None where none runs, or one that nobody would start again."""
        return self._program.pid if self._supervisor.pid else None

    def up(self, command: Path, programs: Mapping[str, str], *, empty_broker: bool) -> None:
        """Start it if it does not run, or runs with other settings; wait until it has its partitions.

        `command` is `orchestration`, `programs` its environment. `empty_broker`: the broker was started now and keeps
        nothing, so what is stored of it no longer holds.
        """
        import psycopg

        settings = sha256(
            repr(sorted(pair for pair in programs.items() if "ORCHESTRATION_" in pair[0])).encode()
        )
        with psycopg.connect(programs["ORCHESTRATION_ADMIN_DSN"], autocommit=True) as connection:
            row = connection.execute(_STORED).fetchone()
            stored = bool(row and row[0]) and not empty_broker
            if not (self._supervisor.pid and stored and self._runs_with(settings.hexdigest())):
                self.down()
                # only where no offset is stored: a topic made anew must stop the bridge, not be passed over
                first = (
                    [] if stored else ["--once=--from", f"--once={'earliest' if empty_broker else 'latest'}"]
                )
                self._start(command, programs, first)
                self._settings.write_text(settings.hexdigest())
                self._await(connection)
                self._say(f"bridge: works (pid {self.pid})")
            else:
                self._await(connection)

    def down(self) -> None:
        """SIGTERM to the supervisor, which ends the bridge and then itself."""
        if self._supervisor.pid:
            self._say("bridge: stopping")
        if not self._supervisor.end(signal.SIGTERM, 20):
            self._supervisor.kill()
        if not self._program.end(signal.SIGTERM, 12):
            self._program.kill()

    def _runs_with(self, settings: str) -> bool:
        return self._settings.exists() and self._settings.read_text() == settings

    def _start(self, command: Path, programs: Mapping[str, str], first: list[str]) -> None:
        self._supervisor.spawn(
            [
                sys.executable, "-m", "stack.supervisor", "--name", "bridge",
                "--pid-file", self._program.pid_file, "--log", self._log, *first, "--", command, "bridge",
            ],
            log=self._log,
            env=programs,
            cwd=ROOT,
        )  # fmt: skip

    def _await(self, connection: psycopg.Connection[TupleRow], seconds: float = 40) -> None:
        begin = self._log.stat().st_size

        def works() -> bool:
            if self._supervisor.pid is None:
                raise StackError(f"the bridge's supervisor ended: {tail(self._log)} (see {self._log})")
            if self._failed_starts(begin) >= FAILED_STARTS:
                raise StackError(f"the bridge does not start: {self._last_words()} (see {self._log})")
            row = connection.execute(_WORKS, (self.pid, FRESH)).fetchone()
            return bool(row and row[0])

        if not await_true(works, seconds, 0.05):
            raise StackError(
                f"the bridge has no partition after {seconds:.0f} s: {tail(self._log)} (see {self._log})"
            )

    def _failed_starts(self, begin: int) -> int:
        with self._log.open("rb") as log:
            log.seek(begin)
            return log.read().count(ENDED.encode())

    def _last_words(self) -> str:
        """The last line the bridge itself wrote."""
        lines = [line for line in self._log.read_text(errors="replace").splitlines() if ENDED not in line]
        return lines[-1].strip() if lines else "it says nothing"
