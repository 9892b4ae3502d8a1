"""The side under test: definitions by plain SQL, events by `report` or `ingest`, states by SPEC's tables and columns.

A script finds the database empty: what the last one left is deleted. Time is the setting `orchestration.clock`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import psycopg
from psycopg import Connection, sql
from psycopg.rows import TupleRow

from tests.equivalence.steps import Shape
from tests.model.definitions import Task
from tests.model.snapshot import GraphRunRow, Snapshot, TaskRunRow, of_rows
from tests.support.graphs import Feed

__all__ = ["BEGINNING", "Side", "functions", "refusal", "told_by"]

BEGINNING = datetime(2026, 12, 1, tzinfo=timezone.utc)
"""The instant 0 of every script."""

_RUN_TABLES = """
select c.relname from pg_class c
where c.relnamespace = 'orchestration'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
  and c.relname !~ '^(_?yoyo|schema_release|setting$|service_state$|installation$|kafka_|bridge_|partition_|reaper)'
order by 1
"""
_SERVICE = """
insert into orchestration.service (name, dispatch_topic, echoes_ids, corrections) values (%s, %s, %s, %s) returning id
"""
_PROCESS = "insert into orchestration.process (service_id, uid) values (%s, %s) returning id"
_TASK = """
insert into orchestration.task (process_id, name, max_attempts, retry_delay, timeout, ack_timeout)
values (%s, %s, %s, make_interval(secs => %s), make_interval(secs => %s), make_interval(secs => %s)) returning id
"""
_REDEFINE = """
update orchestration.task set max_attempts = %s, timeout = make_interval(secs => %s), ack_timeout = make_interval(secs => %s)
where name = %s
"""
_GRAPH = """
insert into orchestration.graph (name, repeat_policy, timeout) values (%s, %s, make_interval(secs => %s)) returning id
"""
_CHAIN = """
with made as (
    insert into orchestration.chain (previous_task_id, next_task_id)
    select %(before)s, %(after)s
    where not exists (
        select from orchestration.chain where previous_task_id = %(before)s and next_task_id = %(after)s
    )
    returning id
), chain as (
    select id from made
    union all
    select id from orchestration.chain where previous_task_id = %(before)s and next_task_id = %(after)s
    limit 1
)
insert into orchestration.graph_chain (graph_id, chain_id) select %(graph)s, id from chain
"""
_UNCHAIN = """
delete from orchestration.graph_chain x using orchestration.chain c
where c.id = x.chain_id and x.graph_id = %(graph)s
  and (c.previous_task_id, c.next_task_id) = (%(before)s, %(after)s)
"""
_STATE = """
select
    (select coalesce(jsonb_agg(jsonb_build_array(
                r.id, g.name, r.run_key, r.status, r.reason, r.replaced_by_id) order by r.id), '[]')
     from orchestration.graph_run r left join orchestration.graph g on g.id = r.graph_id),
    (select coalesce(jsonb_agg(jsonb_build_array(
                r.id, t.name, r.run_key, r.attempt, r.status, r.reason, r.external_id, r.dispatched_at is not null,
                exists (select from orchestration.dispatch d where d.task_run_id = r.id), r.resend_count
             ) order by r.id), '[]')
     from orchestration.task_run r join orchestration.task t on t.id = r.task_id),
    (select coalesce(jsonb_agg(jsonb_build_array(x.graph_run_id, x.task_run_id)), '[]')
     from orchestration.graph_run_task_run x),
    (select coalesce(jsonb_agg(
                reason || case when replayed_at is null then '' else ' replayed' end), '[]')
     from orchestration.dead_letter)
"""
_MATCHED_BY = """
select matched_by from orchestration.task_run_event
where task_run_id = %s and matched_by is not null order by id desc limit 1
"""
_UPDATE = """
update orchestration.task_run r set status = n.status
from unnest(%s::bigint[], %s::text[]) n(id, status) where r.id = n.id
"""


class Side:
    """One script's world in the database. `feed` takes batches; without batches it stays untouched."""

    def __init__(self, connection: Connection[TupleRow], shape: Shape, feed: Feed | None = None) -> None:
        self.connection = connection
        self._feed = feed
        self.tasks: dict[str, int] = {}
        self.graphs: dict[str, int] = {}
        self._processes: dict[tuple[str, str], int] = {}
        _empty(connection)
        self.clock(0)
        with connection.transaction():
            self._define(shape)

    def _define(self, shape: Shape) -> None:
        services = {
            service.name: self.value(
                _SERVICE,
                service.name,
                "airflow_tasks" if service.dispatchable else None,
                service.echoes_ids,
                service.corrections,
            )
            for service in {task.service for task in shape.tasks}
        }
        for task in shape.tasks:
            self._define_task(task, services[task.service.name])
        for name, chains in shape.graphs.items():
            policy, timeout = shape.policies.get(name, "latest"), shape.timeouts.get(name, 7 * 86_400)
            self.graphs[name] = self.value(_GRAPH, name, policy, timeout)
            self.edit(name, add=chains)

    def _define_task(self, task: Task, service: int) -> None:
        place = (task.service.name, task.process)
        if place not in self._processes:
            self._processes[place] = self.value(_PROCESS, service, task.process)
        times = (task.retry_delay, task.timeout, task.ack_timeout)
        self.tasks[task.name] = self.value(
            _TASK, self._processes[place], task.name, task.max_attempts, *times
        )

    # events

    def report(self, value: object) -> int | None:
        """`report(event)`: the task run's id, or None for a dead letter."""
        found: int | None = self.value("select orchestration.report(%s::jsonb)", json.dumps(value))
        return found

    def ingest(self, payloads: Sequence[bytes]) -> list[int]:
        """One batch, as the bridge hands it in; the task runs whose dispatches it answers."""
        assert self._feed is not None
        self._feed.confirmed = []  # deliveries are steps of their own
        return [task_run for task_run, _ in self._feed.send(payloads)]

    def matched_by(self, task_run: int) -> str | None:
        """How history says the last event of a task run was matched."""
        row = self.connection.execute(_MATCHED_BY, [task_run]).fetchone()
        return None if row is None else row[0]

    # statements

    def clock(self, now: float) -> None:
        """Set the one clock."""
        at = (BEGINNING + timedelta(seconds=now)).isoformat()
        self.connection.execute("select set_config('orchestration.clock', %s, false)", [at])

    def edit(
        self, name: str, add: Iterable[tuple[str, str]] = (), remove: Iterable[tuple[str, str]] = ()
    ) -> None:
        """Change a graph's chains in one transaction."""
        with self.connection.transaction():
            for statement, chains in ((_UNCHAIN, remove), (_CHAIN, add)):
                for before, after in chains:
                    ends = {"before": self.tasks[before], "after": self.tasks[after]}
                    self.connection.execute(statement, {"graph": self.graphs[name], **ends})

    def chain(self, chain: tuple[str, str]) -> int | None:
        """The id of a chain."""
        row = self.connection.execute(
            "select id from orchestration.chain where previous_task_id = %s and next_task_id = %s",
            [self.tasks.get(task) for task in chain],
        ).fetchone()
        return None if row is None else row[0]

    def call(self, function: str, **arguments: Any) -> Any:
        """A public function, by name and names of arguments."""
        statement = sql.SQL("select orchestration.{}({})").format(
            sql.Identifier(function),
            sql.SQL(", ").join(sql.SQL("{} => %s").format(sql.Identifier(name)) for name in arguments),
        )
        row = self.connection.execute(statement, list(arguments.values())).fetchone()
        return None if row is None else row[0]

    def insert(self, task: str, status: str, key: str | None, external_id: str | None) -> None:
        self.connection.execute(
            "insert into orchestration.task_run (task_id, status, run_key, external_id) values (%s, %s, %s, %s)",
            (self.tasks[task], status, key, external_id),
        )

    def update(self, statuses: Mapping[int, str]) -> None:
        self.connection.execute(_UPDATE, (list(statuses), list(statuses.values())))

    def cancel(self, graph_run: int) -> None:
        self.connection.execute(
            "update orchestration.graph_run set status = 'CANCELLED' where id = %s", [graph_run]
        )

    def fill(self, graph_run: int, task_run: int) -> None:
        self.connection.execute(
            "insert into orchestration.graph_run_task_run (graph_run_id, task_run_id) values (%s, %s)",
            (graph_run, task_run),
        )

    def deliver(self) -> None:
        """The broker took all that stands in the outbox."""
        self.connection.execute(
            "select orchestration.confirm_dispatches(0, array(select task_run_id from orchestration.dispatch))"
        )

    def archive(self, graph: str, archived: bool) -> None:
        self.connection.execute(
            "update orchestration.graph set archived = %s where name = %s", [archived, graph]
        )

    def policy(self, graph: str, policy: str) -> None:
        self.connection.execute(
            "update orchestration.graph set repeat_policy = %s where name = %s", [policy, graph]
        )

    def redefine(self, task: str, max_attempts: int, timeout: int | None, ack_timeout: int | None) -> None:
        self.connection.execute(_REDEFINE, (max_attempts, timeout, ack_timeout, task))

    # states

    def snapshot(self) -> Snapshot:
        """All of this script's state, by SPEC's tables."""
        row = self.connection.execute(_STATE).fetchone()
        assert row is not None
        graph_runs, task_runs, places, dead = row
        return of_rows(
            [GraphRunRow(*each) for each in graph_runs],
            [TaskRunRow(*each) for each in task_runs],
            [(graph_run, task_run) for graph_run, task_run in places],
            dead,
        )

    def dead_letters(self) -> list[int]:
        """Their ids, the oldest first."""
        found = self.connection.execute("select id from orchestration.dead_letter order by id").fetchall()
        return [row[0] for row in found]

    def value(self, statement: str, *values: Any) -> Any:
        row = self.connection.execute(statement, values).fetchone()
        assert row is not None
        return row[0]


def functions(connection: Connection[TupleRow]) -> set[str]:
    """What can be called."""
    found = connection.execute(
        "select proname from pg_proc where pronamespace = 'orchestration'::regnamespace"
    ).fetchall()
    return {row[0] for row in found}


def _empty(connection: Connection[TupleRow]) -> None:
    tables = [row[0] for row in connection.execute(_RUN_TABLES).fetchall()]
    with connection.transaction():
        connection.execute("set local session_replication_role = replica")
        for table in tables:
            connection.execute(sql.SQL("delete from orchestration.{}").format(sql.Identifier(table)))


def refusal(error: psycopg.Error) -> str | None:
    """The SQLSTATE of a refusal of ours; None for an error nobody foresaw."""
    state = error.sqlstate
    return state if state is not None and state.startswith("OR") else None


def told_by(error: psycopg.Error) -> str:
    """An error in a line: SQLSTATE, message, detail, and where in our functions it came from first."""
    said = error.diag
    where = (said.context or "").splitlines()
    inner = next((line for line in where if line.startswith("PL/pgSQL function")), "")
    return " ".join(filter(None, (error.sqlstate, said.message_primary, said.message_detail, inner)))
