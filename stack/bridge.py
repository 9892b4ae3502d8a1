"""The supervised bridge of the local stack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from .layout import Layout
from .supervised import Supervised, ours

if TYPE_CHECKING:
    import psycopg
    from psycopg.rows import TupleRow

__all__ = ["Bridge"]

FRESH = 5  # seconds: a bridge that has sent a heartbeat within them lives
_STORED = "select exists (select from orchestration.kafka_offset where topic = 'etl_finished_tasks')"
_WORKS = """
select exists (select from orchestration.bridge_instance b
                 join orchestration.kafka_offset o on o.bridge_id = b.id and o.topic = 'etl_finished_tasks'
                where b.pid = %s and b.retired_at is null and b.heartbeat_at > now() - make_interval(secs => %s))
"""


class Bridge:
    """One bridge; it works when it has its partitions."""

    def __init__(self, layout: Layout, say: Callable[[str], None]) -> None:
        self._say = say
        self._program = Supervised(layout, "bridge", "the bridge", say)

    @property
    def pid(self) -> int | None:
        """The bridge's pid; None where none runs, or one that nobody would start again."""
        return self._program.pid

    def up(self, command: Path, programs: Mapping[str, str], *, empty_broker: bool) -> None:
        """Start it if it does not run, or runs with other settings; wait until it has its partitions.

        `command` is `orchestration`, `programs` its environment. `empty_broker`: the broker was started now and keeps
        nothing, so what is stored of it no longer holds.
        """
        import psycopg

        with psycopg.connect(programs["ORCHESTRATION_ADMIN_DSN"], autocommit=True) as connection:
            row = connection.execute(_STORED).fetchone()
            stored = bool(row and row[0]) and not empty_broker
            runs = stored and self._program.runs_with(ours(programs))
            if not runs:
                # only where no offset is stored: a topic made anew must stop the bridge, not be passed over
                first = [] if stored else ["--from", "earliest" if empty_broker else "latest"]
                self._program.start([command, "bridge"], programs, ours(programs), once=first)
            self._program.await_true(lambda: self._has_partitions(connection), "has no partition")
            if not runs:
                self._say(f"bridge: works (pid {self.pid})")

    def down(self) -> None:
        """End it wholly."""
        self._program.down()

    def _has_partitions(self, connection: psycopg.Connection[TupleRow]) -> bool:
        row = connection.execute(_WORKS, (self.pid, FRESH)).fetchone()
        return bool(row and row[0])
