"""Large graphs: 200 layers of 500 tasks, 100,000 chains; and a path of 100,000 tasks."""

from __future__ import annotations

import random
import time

import click
import psycopg
from psycopg.rows import TupleRow

from .server import durable_database
from .words import Figure, percentile, say, step, verdict

_TASKS = """
with made as (
    insert into orchestration.process (service_id, uid)
    select s.id, %(prefix)s || n from orchestration.service s, generate_series(%(from)s::int, %(to)s::int) n
    where s.name = 'runner'
    returning id, uid
)
insert into orchestration.task (process_id, name) select id, uid from made order by id
"""
_LAYERS = """
with made as (
    insert into orchestration.chain (previous_task_id, next_task_id)
    select a.id, b.id
    from generate_series(0, %(chains)s::int - 1) e(n)
    cross join lateral (select e.n / (%(layers)s - 1) as i, e.n %% (%(layers)s - 1) as layer) x
    join orchestration.task a on a.name = 'l' || (x.layer * %(width)s + x.i %% %(width)s)
    join orchestration.task b on b.name = 'l' || ((x.layer + 1) * %(width)s
                                                  + (x.i * (1 + x.i / %(width)s * 6) + x.i / %(width)s) %% %(width)s)
    on conflict do nothing
    returning id
)
insert into orchestration.graph_chain (graph_id, chain_id)
select g.id, m.id from orchestration.graph g, made m where g.name = 'layers'
"""
_PATH = """
insert into orchestration.chain (previous_task_id, next_task_id)
select a.id, b.id from generate_series(0, %(to)s::int - 1) e(n)
join orchestration.task a on a.name = 'p' || e.n join orchestration.task b on b.name = 'p' || (e.n + 1)
"""
_CHAIN = """
insert into orchestration.chain (previous_task_id, next_task_id)
select a.id, b.id from orchestration.task a, orchestration.task b where a.name = %s and b.name = %s
on conflict do nothing
"""


@click.command()
@click.option("--inserts", default=1000, show_default=True, help="Chains inserted between neighbours.")
@click.option("--seconds", default=60.0, show_default=True, help="At most so long for them.")
@click.option("--quick", is_flag=True, help="A tenth of the size.")
def graphs(inserts: int, seconds: float, quick: bool) -> None:
    """Edits and a run's start in graphs of 100,000 chains."""
    layers, width, chains, length = (20, 500, 10_000, 10_000) if quick else (200, 500, 100_000, 100_000)
    inserts = 100 if quick else inserts
    with durable_database() as (admin_dsn, _), psycopg.connect(admin_dsn, autocommit=True) as admin:
        admin.execute(
            "insert into orchestration.service (name, dispatch_topic, echoes_ids)"
            " values ('runner', 'airflow_tasks', true)"
        )
        admin.execute("insert into orchestration.graph (name) values ('layers')")
        _check_rows(admin, False)
        with step(f"{layers * width:,} tasks, {chains:,} chains in {layers} layers"):
            admin.execute(_TASKS.encode(), {"prefix": "l", "from": 0, "to": layers * width - 1})
            admin.execute("analyze")
            admin.execute(_LAYERS.encode(), {"layers": layers, "width": width, "chains": chains})
            admin.execute("analyze")
        _check_rows(admin, True)
        neighbours = _neighbours(admin, layers, width, inserts, seconds)
        start, again = _start(admin)
        _check_rows(admin, False)
        with step(f"a path of {length:,} tasks"):
            admin.execute(_TASKS.encode(), {"prefix": "p", "from": 0, "to": length})
            admin.execute("analyze")
            admin.execute(_PATH.encode(), {"to": length})
            admin.execute("analyze")
        _check_rows(admin, True)
        head = _head(admin)
    click.echo(
        f"a run's start with its version compiled {start:.2f} s, another root joining it {again * 1e3:.1f} ms"
    )
    verdict(
        f"graphs of {chains:,} chains",
        [
            Figure("chain between neighbours p99", neighbours, 5, at_most=True, unit=" ms"),
            Figure("at the head of the path, worst", head, 300, at_most=True, unit=" ms"),
            Figure("next run's start", start, 3, at_most=True, unit=" s"),
        ],
    )


def _check_rows(admin: psycopg.Connection[TupleRow], on: bool) -> None:
    """Leave out the checks of single rows while much is loaded; everything else is kept as always."""
    for table in ("process", "task", "chain", "graph_chain"):
        admin.execute(
            f"alter table orchestration.{table} {'enable' if on else 'disable'} trigger _100_validate".encode()
        )


def _neighbours(
    admin: psycopg.Connection[TupleRow], layers: int, width: int, inserts: int, seconds: float
) -> float:
    """p99 in ms of inserting one chain from a layer to the next, each its own transaction."""
    choose = random.Random(1)
    taken: list[float] = []
    end = time.monotonic() + seconds
    while len(taken) < inserts and time.monotonic() < end:
        layer = choose.randrange(layers - 1)
        pair = (
            f"l{layer * width + choose.randrange(width)}",
            f"l{(layer + 1) * width + choose.randrange(width)}",
        )
        begun = time.perf_counter()
        done = admin.execute(_CHAIN.encode(), pair)
        if done.rowcount:
            taken.append((time.perf_counter() - begun) * 1e3)
    say(f"{len(taken)} chains between neighbours: p50 {percentile(taken, 0.5):.2f} ms, most {max(taken):.2f}")
    return percentile(taken, 0.99)


def _start(admin: psycopg.Connection[TupleRow]) -> tuple[float, float]:
    """Seconds of the first run's start after the edits, and of the next root that joins it."""
    seconds = []
    for root in ("l0", "l1"):
        begun = time.perf_counter()
        admin.execute(
            "select orchestration.report(jsonb_build_object("
            "'service', 'runner', 'process', %s::text, 'status', 'SUCCESS'))",
            (root,),
        )
        seconds.append(time.perf_counter() - begun)
    return seconds[0], seconds[1]


def _head(admin: psycopg.Connection[TupleRow]) -> float:
    """The longest in ms of three kinds of chains to the first task of the path.

    From a new task; from one that stands behind the path in the order, alone; from one there that has predecessors.
    """
    admin.execute(_TASKS.encode(), {"prefix": "h", "from": 0, "to": 9})
    admin.execute(_CHAIN.encode(), ("h1", "h2"))
    admin.execute(_CHAIN.encode(), ("h3", "h4"))
    most = 0.0
    for previous, words in (
        ("h0", "new"),
        ("h1", "alone behind it"),
        ("h4", "behind it, with a predecessor"),
    ):
        begun = time.perf_counter()
        admin.execute(_CHAIN.encode(), (previous, "p0"))
        taken = (time.perf_counter() - begun) * 1e3
        say(f"at the head of the path, {words}: {taken:.1f} ms")
        most = max(most, taken)
    return most
