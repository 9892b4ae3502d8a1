"""The side under test: definitions by plain SQL, events by `report` or `ingest`, states by SPEC's tables and columns.

Every script gets names of its own (`x7_a`), so that one database serves thousands of scripts and holds the rows of the
others while it runs the next.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow

from tests.equivalence.shapes import Shape
from tests.model.snapshot import GraphRunRow, Snapshot, TaskRunRow, of_rows
from tests.support.graphs import Feed

__all__ = ["Side", "refusal", "told_by"]

_SERVICE = (
    "insert into orchestration.service (name, dispatch_topic, echoes_ids) values (%s, %s, %s) returning id"
)
_PROCESS = "insert into orchestration.process (service_id, uid) values (%s, %s) returning id"
_TASK = "insert into orchestration.task (process_id, name) values (%s, %s) returning id"
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
_GRAPH_RUNS = """
select r.id, g.name, r.run_key, r.status, r.reason, r.replaced_by_id
from orchestration.graph_run r join orchestration.graph g on g.id = r.graph_id
where g.id = any (%s) order by r.id
"""
_TASK_RUNS = """
select r.id, t.name, r.run_key, r.attempt, r.status, r.reason, r.external_id, r.dispatched_at is not null
from orchestration.task_run r join orchestration.task t on t.id = r.task_id
where t.id = any (%s) order by r.id
"""
_PLACES = """
select x.graph_run_id, x.task_run_id
from orchestration.graph_run_task_run x join orchestration.graph_run r on r.id = x.graph_run_id
where r.graph_id = any (%s)
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

    def __init__(self, connection: Connection[TupleRow], feed: Feed, number: int, shape: Shape) -> None:
        self.connection = connection
        self.feed = feed
        self.prefix = f"x{number}_"
        self.tasks: dict[str, int] = {}
        self.graphs: dict[str, int] = {}
        self._first_dead_letter: int = self._value(
            "select coalesce(max(id), 0) from orchestration.dead_letter"
        )
        with connection.transaction():
            self._define(shape)

    def _define(self, shape: Shape) -> None:
        processes: dict[tuple[str, str], int] = {}
        services = {
            service.name: self._value(
                _SERVICE,
                self.prefix + service.name,
                "airflow_tasks" if service.dispatchable else None,
                service.echoes_ids,
            )
            for service in {task.service for task in shape.tasks}
        }
        for task in shape.tasks:
            place = (task.service.name, task.process)
            if place not in processes:
                processes[place] = self._value(_PROCESS, services[task.service.name], task.process)
            self.tasks[task.name] = self._value(_TASK, processes[place], self.prefix + task.name)
        for name, chains in shape.graphs.items():
            self.graphs[name] = self._value(
                "insert into orchestration.graph (name, repeat_policy) values (%s, %s) returning id",
                self.prefix + name,
                shape.policies.get(name, "latest"),
            )
            self.edit(name, add=chains)

    # events

    def event(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """An event in this script's names."""
        named = {
            name: self.prefix + value
            for name, value in fields.items()
            if name in ("service", "task") and isinstance(value, str) and value
        }
        return {**fields, **named}

    def report(self, value: object) -> int | None:
        """`report(event)`: the task run's id, or None for a dead letter."""
        found: int | None = self._value("select orchestration.report(%s::jsonb)", json.dumps(value))
        return found

    def ingest(self, payloads: Sequence[bytes]) -> list[int]:
        """One batch, as the bridge hands it in; the task runs whose dispatches it answers."""
        return [task_run for task_run, _ in self.feed.send(payloads)]

    def matched_by(self, task_run: int) -> str | None:
        """How history says the last event of a task run was matched."""
        row = self.connection.execute(_MATCHED_BY, [task_run]).fetchone()
        return None if row is None else row[0]

    # statements

    def edit(
        self, name: str, add: Iterable[tuple[str, str]] = (), remove: Iterable[tuple[str, str]] = ()
    ) -> None:
        """Change a graph's chains in one transaction."""
        with self.connection.transaction():
            for statement, chains in ((_UNCHAIN, remove), (_CHAIN, add)):
                for before, after in chains:
                    ends = {"before": self.tasks[before], "after": self.tasks[after]}
                    self.connection.execute(statement, {"graph": self.graphs[name], **ends})

    def set_policy(self, graph: str, policy: str) -> None:
        self.connection.execute(
            "update orchestration.graph set repeat_policy = %s where id = %s", (policy, self.graphs[graph])
        )

    def launch(self, graph: str, key: str | None) -> None:
        self._value("select orchestration.launch_graph(graph => %s, run_key => %s)", self.prefix + graph, key)

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

    # states

    def snapshot(self) -> Snapshot:
        """All of this script's state, by SPEC's tables."""
        execute, graphs = self.connection.execute, list(self.graphs.values())
        dead = execute(
            "select reason from orchestration.dead_letter where id > %s", [self._first_dead_letter]
        )
        return of_rows(
            [
                GraphRunRow(row[0], self._bare(row[1]), *row[2:])
                for row in execute(_GRAPH_RUNS, [graphs]).fetchall()
            ],
            [
                TaskRunRow(row[0], self._bare(row[1]), *row[2:])
                for row in execute(_TASK_RUNS, [list(self.tasks.values())]).fetchall()
            ],
            [(row[0], row[1]) for row in execute(_PLACES, [graphs]).fetchall()],
            [row[0] for row in dead.fetchall()],
        )

    def _bare(self, name: str) -> str:
        return name.removeprefix(self.prefix)

    def _value(self, statement: str, *values: Any) -> Any:
        row = self.connection.execute(statement.encode(), values).fetchone()
        assert row is not None
        return row[0]


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
