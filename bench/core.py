"""The core call: batches of S1 events (`6 -> 7 -> [8, 9]`) through `ingest`, against bare statements writing the same.

Both run on the same server, turn and turn about, with the same batch size and number of connections; a hop is one
completion processed with its successors dispatched.
"""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Protocol

import click
import psycopg
from psycopg.rows import TupleRow

from tests.support.graphs import Feed, define_graph

from .old import load_old
from .server import durable_database
from .words import Figure, percentile, verdict

TARGET = 0.7

TABLES = ("task_run", "graph_run", "graph_run_task_run", "dispatch")
PARTITIONED = ("task_run_event", "event_seen")


def _statements() -> list[str]:
    text = (Path(__file__).parent / "yardstick.sql").read_text()
    return [part.split("\n", 1)[1].strip() for part in re.split(r"^-- name: ", text, flags=re.MULTILINE)[1:]]


class Yardstick:
    """The bare writer of one connection. One batch = a quarter roots, three quarters ends, as S1 has them."""

    _ids = count(1)

    def __init__(self, dsn: str, batch: int) -> None:
        self.connection = psycopg.connect(dsn, autocommit=True)
        self.connection.execute("set enable_seqscan = off")
        self.batch = batch
        self.statements = _statements()
        self.flying: list[int] = []
        self.runs: list[int] = []

    def step(self) -> int:
        """Write one batch; the number of hops."""
        quarter = max(1, self.batch // 4)
        roots = [next(self._ids) for _ in range(quarter)]
        born = [next(self._ids) for _ in range(3 * quarter)]
        ends, self.flying = self.flying, born
        self.runs = (self.runs + roots)[-4 * quarter :]
        values = {"roots": roots, "born": born, "ends": ends, "touched": self.runs}
        with self.connection.transaction():
            for statement in self.statements:
                self.connection.execute(statement, values)
        return 4 * quarter


class Engine:
    """One bridge without Kafka: feeds roots and answers its dispatches."""

    def __init__(self, dsn: str, batch: int, partition: int) -> None:
        self.feed = Feed(psycopg.connect(dsn, autocommit=True), partition)
        self.batch = batch
        self.waiting: list[bytes] = []
        self.numbers = count(1)
        self.calls: list[float] = []

    def step(self) -> int:
        """One call; the number of hops."""
        events, self.waiting = self.waiting[: self.batch], self.waiting[self.batch :]
        while len(events) < self.batch:
            number = b"%d-%d" % (self.feed.bridge, next(self.numbers))
            events.append(b'{"service":"runner","process":"6","status":"SUCCESS","event_id":"%s"}' % number)
        begun = time.perf_counter()
        for id_, _ in self.feed.send(events):
            self.waiting.append(
                b'{"task_run_id":%d,"status":"SUCCESS","event_id":"%d","result":{"rows":123}}' % (id_, id_)
            )
        self.calls.append(time.perf_counter() - begun)
        return len(events)


class Worker(Protocol):
    """What `run` drives."""

    def step(self) -> int:
        """One batch; the number of hops."""


def run(workers: Sequence[Worker], seconds: float) -> float:
    """Hops a second of all workers together."""
    until = time.perf_counter() + seconds

    def work(worker: Worker) -> int:
        hops = 0
        while time.perf_counter() < until:
            hops += worker.step()
        return hops

    begun = time.perf_counter()
    with ThreadPoolExecutor(len(workers)) as pool:
        hops = sum(pool.map(work, workers))
    return hops / (time.perf_counter() - begun)


def prepare_yardstick(admin: psycopg.Connection[TupleRow]) -> None:
    """Tables of the same form, with the same keys and indexes, for the bare statements."""
    admin.execute("create schema yardstick")
    for table in TABLES:
        admin.execute(f"create table yardstick.{table} (like orchestration.{table} including all)")
    for table in PARTITIONED:
        admin.execute(
            f"create table yardstick.{table} (like orchestration.{table} including all) partition by range (at)"
        )
        admin.execute(
            f"create table yardstick.{table}_1 partition of yardstick.{table}"
            " for values from ('2020-01-01') to ('2100-01-01')"
        )


@click.command()
@click.option("--connections", default=2, show_default=True, help="Bridges, and bare writers, at once.")
@click.option("--seconds", default=6.0, show_default=True, help="Length of each of the rounds.")
@click.option("--rounds", default=3, show_default=True, help="Rounds of each; the median counts.")
@click.option("--batch", "batches", multiple=True, type=int, default=(100, 1000), show_default=True)
@click.option(
    "--old",
    multiple=True,
    type=int,
    default=(0, 5_000_000),
    show_default=True,
    help="Old task runs in place.",
)
@click.option("--quick", is_flag=True, help="2 s a round, 200,000 old task runs.")
def core(
    connections: int, seconds: float, rounds: int, batches: tuple[int, ...], old: tuple[int, ...], quick: bool
) -> None:
    """The core call against bare statements that write the same rows."""
    if quick:
        seconds, rounds, old = 2.0, 1, (0, 200_000)
    figures = []
    for number in old:
        with durable_database() as (admin_dsn, app_dsn), psycopg.connect(admin_dsn, autocommit=True) as admin:
            define_graph(admin, "load", [("6", "7"), ("7", "8"), ("7", "9")])
            prepare_yardstick(admin)
            if number:
                load_old(admin, number)
            partitions = count()
            for batch in batches:
                engines = [Engine(app_dsn, batch, next(partitions)) for _ in range(connections)]
                bare = [Yardstick(admin_dsn, batch) for _ in range(connections)]
                ratio = _compare(engines, bare, seconds, rounds, number)
                figures.append(Figure(f"batch {batch} over {number:,} old", ratio, TARGET))
    verdict("core call / bare statements", figures)


def _compare(engines: list[Engine], bare: list[Yardstick], seconds: float, rounds: int, number: int) -> float:
    """The median ratio of `rounds` turns; prints what was measured."""
    run(engines, min(2, seconds))
    run(bare, min(2, seconds))
    for engine in engines:
        engine.calls.clear()
    pairs = [(run(engines, seconds), run(bare, seconds)) for _ in range(rounds)]
    calls = [call * 1e3 for engine in engines for call in engine.calls]
    ours, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(e / b for e, b in pairs)
    click.echo(
        f"core call, batch {engines[0].batch}, {len(engines)} connections, {number:,} old task runs: "
        f"{ours:,.0f} hops/s, "
        f"bare statements {theirs:,.0f}, ratio {ratio:.2f}; "
        f"call p50 {percentile(calls, 0.5):.1f} ms, p99 {percentile(calls, 0.99):.1f} ms"
    )
    return ratio
