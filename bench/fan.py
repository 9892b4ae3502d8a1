"""A task with 10,000 successors, and one with 10,000 predecessors."""

from __future__ import annotations

import time

import click
import psycopg

from tests.support.graphs import Feed, define_graph

from .server import durable_database
from .words import Figure, say, step, verdict

TARGET = 2.0
BATCH = 1000


@click.command()
@click.option("--width", default=10_000, show_default=True)
@click.option("--rounds", default=3, show_default=True, help="Runs; the longest counts.")
@click.option("--seconds", default=60.0, show_default=True, help="At most so long for them.")
@click.option("--quick", is_flag=True, help="A width of 1,000, once.")
def fan(width: int, rounds: int, seconds: float, quick: bool) -> None:
    """Fan-out and fan-in."""
    if quick:
        width, rounds = 1000, 1
    with durable_database() as (admin_dsn, app_dsn), psycopg.connect(admin_dsn, autocommit=True) as admin:
        with step(f"a graph of {width:,} tasks between two"):
            pairs = [(f"m{n}", "last") for n in range(width)] + [("first", f"m{n}") for n in range(width)]
            define_graph(admin, "fan", pairs)
            admin.execute("analyze")
        feed = Feed(psycopg.connect(app_dsn, autocommit=True))
        outs: list[float] = []
        ins: list[float] = []
        root = b'{"service":"runner","process":"first","status":"SUCCESS"}'
        feed.send([root])  # compiles the version
        end = time.monotonic() + seconds
        while len(outs) < rounds and time.monotonic() < end:
            begun = time.perf_counter()
            dispatches = feed.send([root])
            outs.append(time.perf_counter() - begun)
            assert len(dispatches) == width
            events = [b'{"task_run_id":%d,"status":"SUCCESS"}' % id_ for id_, _ in dispatches]
            begun = time.perf_counter()
            answers = [len(feed.send(events[at : at + BATCH])) for at in range(0, width, BATCH)]
            ins.append(time.perf_counter() - begun)
            assert answers == [0] * (len(answers) - 1) + [1]
            say(f"out {outs[-1]:.2f} s, in {ins[-1]:.2f} s (in batches of {BATCH:,})")
    verdict(
        f"fan of {width:,}",
        [
            Figure("out", max(outs), TARGET, at_most=True, unit=" s"),
            Figure("in", max(ins), TARGET, at_most=True, unit=" s"),
        ],
    )
