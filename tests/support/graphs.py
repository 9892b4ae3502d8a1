"""Graphs for tests, defined by plain SQL as a DBA would."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from psycopg import Connection
from psycopg.rows import TupleRow

__all__ = ["Feed", "define_graph"]

_DEFINE = """
with made as (
    insert into orchestration.service (name, dispatch_topic, echoes_ids)
    select 'runner', 'airflow_tasks', true
    where not exists (select from orchestration.service s where s.name = 'runner')
    returning id
), service as (
    select m.id from made m union all select s.id from orchestration.service s where s.name = 'runner'
), process as (
    insert into orchestration.process (service_id, uid)
    select s.id, t.name from service s, unnest(%(tasks)s::text[]) t(name)
    where not exists (select from orchestration.task x where x.name = t.name)
    returning id, uid
)
insert into orchestration.task (process_id, name) select p.id, p.uid from process p
"""
_INGEST = """
select task_run_id, value
from orchestration.ingest(%s, 'etl_finished_tasks', %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_CHAINS = """
with made as (
    insert into orchestration.chain (previous_task_id, next_task_id)
    select a.id, b.id
    from unnest(%(previous)s::text[], %(next)s::text[]) c(previous, next)
    join orchestration.task a on a.name = c.previous
    join orchestration.task b on b.name = c.next
    returning id
), graph as (
    insert into orchestration.graph (name) values (%(graph)s) returning id
)
insert into orchestration.graph_chain (graph_id, chain_id) select g.id, m.id from graph g, made m
"""


def define_graph(
    connection: Connection[TupleRow],
    name: str,
    chains: Iterable[tuple[str, str]],
    extra_tasks: Sequence[str] = (),
) -> None:
    """Define graph `name` of (previous, next) task names.

    Tasks that do not exist run on service `runner`, process = task name.
    """
    pairs = list(chains)
    tasks = sorted({task for pair in pairs for task in pair} | set(extra_tasks))
    connection.execute(_DEFINE, {"tasks": tasks})
    connection.execute(
        _CHAINS, {"graph": name, "previous": [p for p, _ in pairs], "next": [n for _, n in pairs]}
    )


class Feed:
    """One partition of etl_finished_tasks without Kafka: hands batches to `ingest` as a bridge does."""

    def __init__(self, connection: Connection[TupleRow], partition: int = 0) -> None:
        self.connection = connection
        self.partition = partition
        self.offset = 0
        topic = ("etl_finished_tasks", "cluster", "topic")
        row = connection.execute("select orchestration.register_bridge('test', 1, '0')").fetchone()
        assert row is not None
        self.bridge: int = row[0]
        connection.execute(
            "select orchestration.seed_offsets(%s, %s, %s, %s, %s)", (*topic, [partition], [0])
        )
        row = connection.execute(
            "select epoch from orchestration.claim_partitions(%s, %s, %s, %s, %s)",
            (self.bridge, *topic, [partition]),
        ).fetchone()
        assert row is not None
        self.epoch: int = row[0]
        self.confirmed: list[int] = []

    def send(self, events: Sequence[bytes]) -> list[tuple[int, bytes]]:
        """Take in one batch; answer its dispatches as (task run id, value)."""
        count = len(events)
        rows = self.connection.execute(
            _INGEST,
            (
                self.bridge, [self.partition] * count, list(range(self.offset, self.offset + count)),
                [None] * count, list(events),
                [self.partition], [self.epoch], [self.offset], [self.offset + count], self.confirmed,
            ),
            binary=True,
        ).fetchall()  # fmt: skip
        self.offset += count
        self.confirmed = [row[0] for row in rows]
        return [(row[0], row[1]) for row in rows]
