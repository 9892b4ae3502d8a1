"""The graph runs of the demo as the database has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.rows import class_row, dict_row

from orchestration.db.errors import server_words

from .. import StackError

if TYPE_CHECKING:
    from psycopg.rows import TupleRow

__all__ = [
    "GraphRun",
    "Remains",
    "Task",
    "Wait",
    "database_time",
    "load_graphs",
    "read_remains",
    "read_runs",
    "seconds_between",
]

_GRAPHS_SQL = Path(__file__).with_name("graphs.sql")
_LOADED = "select exists (select from orchestration.graph where labels @> '{\"demo\": true}')"

# graphs that no run was opened of yet stand here too, as planned
_RUNS = """
select r.id as run_id, g.name as graph, r.status as run_status, r.reason as run_reason,
       r.created_at as run_created_at, r.finished_at as run_finished_at,
       t.name, s.name as service, p.uid as process, v.after,
       q.id as task_run_id, q.status, q.reason, q.dispatched_at, q.started_at, q.finished_at,
       array(select l.graph_run_id from orchestration.graph_run_task_run l
              where l.task_run_id = q.id order by l.graph_run_id) as graph_runs
  from orchestration.graph g
  left join orchestration.graph_run r on r.graph_id = g.id and r.run_key = %(key)s
  cross join lateral (
      select x.task_id, array(select y.name from orchestration.task y
                               where y.id = any (x.predecessor_ids) order by y.id)
        from orchestration.graph_version_task x
       where x.version_id = r.version_id
      union all
      select y.id, array(select z.name from orchestration.chain c
                           join orchestration.graph_chain gc on gc.chain_id = c.id and gc.graph_id = g.id
                           join orchestration.task z on z.id = c.previous_task_id
                          where c.next_task_id = y.id order by z.id)
        from orchestration.task y
       where r.id is null
         and exists (select from orchestration.chain c join orchestration.graph_chain gc on gc.chain_id = c.id
                      where gc.graph_id = g.id and y.id in (c.previous_task_id, c.next_task_id))
  ) v (task_id, after)
  join orchestration.task t on t.id = v.task_id
  join orchestration.process p on p.id = t.process_id
  join orchestration.service s on s.id = p.service_id
  left join lateral (
      select x.* from orchestration.graph_run_task_run l join orchestration.task_run x on x.id = l.task_run_id
       where l.graph_run_id = r.id and l.task_id = v.task_id order by l.attempt desc limit 1
  ) q on true
 where g.labels @> '{"demo": true}'
 order by r.id nulls last, g.id, t.id
"""
_REMAINS = """
select (select count(*) from orchestration.task_run t where t.run_key = %(key)s)::int as task_runs,
       (select count(*) from orchestration.task_run t
         where t.run_key = %(key)s and t.status in ('QUEUED', 'DISPATCHED', 'RUNNING'))::int as in_flight,
       (select count(*) from orchestration.dispatch d
          join orchestration.task_run t on t.id = d.task_run_id and t.run_key = %(key)s)::int as unsent,
       array(select d.reason || ': ' || d.detail from orchestration.dead_letter d where d.created_at >= %(since)s
              order by d.id) as dead_letters
"""


@dataclass(frozen=True)
class Wait:
    """`seconds` from the first to the last end among several predecessors, `last`; both None while it lasts."""

    last: str | None
    seconds: float | None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Task:
    """A task in a graph run, with its last task run there (all None before it has one). Times are UTC."""

    name: str
    service: str
    process: str
    after: tuple[str, ...]
    task_run_id: int | None = None
    status: str | None = None
    reason: str | None = None
    dispatched_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    graph_runs: tuple[int, ...] = ()

    @property
    def begin(self) -> datetime | None:
        """When it was reported to run; else, when it was dispatched."""
        return self.started_at or self.dispatched_at

    @property
    def seconds(self) -> float | None:
        """How long it ran."""
        return seconds_between(self.begin, self.finished_at)

    @property
    def shared(self) -> bool:
        return len(self.graph_runs) > 1


@dataclass(frozen=True)
class GraphRun:
    """A graph run, or (id None) a graph of which none was opened yet."""

    id: int | None
    graph: str
    status: str | None
    reason: str | None
    created_at: datetime | None
    finished_at: datetime | None
    tasks: tuple[Task, ...]

    @property
    def edges(self) -> list[tuple[str, str]]:
        return [(previous, task.name) for task in self.tasks for previous in task.after]

    def task(self, name: str) -> Task:
        return next(task for task in self.tasks if task.name == name)

    def wait(self, task: Task) -> Wait | None:
        """How long one predecessor of it waited for another; None for a task with fewer than two, or none done."""
        before = [self.task(name) for name in task.after]
        ended = sorted((each.finished_at, each.name) for each in before if each.finished_at is not None)
        if len(before) < 2 or not ended:
            return None
        missing = tuple(each.name for each in before if each.finished_at is None)
        if missing:
            return Wait(None, None, missing)
        return Wait(ended[-1][1], seconds_between(ended[0][0], ended[-1][0]))


@dataclass(frozen=True)
class Remains:
    """What the demo has made and what is still under way; `dead_letters` in words."""

    task_runs: int
    in_flight: int
    unsent: int
    dead_letters: list[str]


def database_time(connection: psycopg.Connection[TupleRow]) -> datetime:
    """What the database's clock shows now, in UTC."""
    row = connection.execute("select clock_timestamp()").fetchone()
    assert row is not None
    moment: datetime = row[0]
    return moment.astimezone(timezone.utc)


def load_graphs(connection: psycopg.Connection[TupleRow]) -> bool:
    """Load the demo's graphs in one transaction; False where an earlier demo has. Raises StackError."""
    row = connection.execute(_LOADED).fetchone()
    if row and row[0]:
        return False
    try:
        with connection.transaction():
            connection.execute(_GRAPHS_SQL.read_bytes())
    except psycopg.Error as error:
        raise StackError(
            f"the demo's graphs cannot be loaded ({server_words(error)}): it needs a database without services"
        ) from None
    return True


def read_runs(connection: psycopg.Connection[TupleRow], key: str) -> list[GraphRun]:
    """Every graph run with that run key, oldest first, then the graphs that have none."""
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_RUNS, {"key": key}).fetchall()
    return [
        _graph_run(list(group)) for _, group in groupby(rows, key=lambda row: (row["graph"], row["run_id"]))
    ]


def read_remains(connection: psycopg.Connection[TupleRow], key: str, since: datetime) -> Remains:
    """Task runs with that run key, and dead letters since then."""
    with connection.cursor(row_factory=class_row(Remains)) as cursor:
        row = cursor.execute(_REMAINS, {"key": key, "since": since}).fetchone()
    assert row is not None
    return row


def seconds_between(begin: datetime | None, end: datetime | None) -> float | None:
    return (end - begin).total_seconds() if begin and end else None


def _graph_run(rows: Sequence[dict[str, Any]]) -> GraphRun:
    first = rows[0]
    names = (
        "name", "service", "process", "task_run_id", "status", "reason", "dispatched_at", "started_at", "finished_at"
    )  # fmt: skip
    tasks = tuple(
        Task(
            **{name: row[name] for name in names},
            after=tuple(row["after"]),
            graph_runs=tuple(row["graph_runs"]),
        )
        for row in rows
    )
    return GraphRun(
        first["run_id"], first["graph"], first["run_status"], first["run_reason"],
        first["run_created_at"], first["run_finished_at"], tasks,
    )  # fmt: skip
