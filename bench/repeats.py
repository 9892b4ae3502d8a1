"""Batches that are hard to match: one unkeyed root a thousand times, and events without ids; against the core call."""

from __future__ import annotations

import re
import statistics
from itertools import count
from typing import TYPE_CHECKING

import click
import psycopg

from tests.support.graphs import Feed, define_graph

from .core import Engine, Worker, run
from .server import durable_database
from .words import Figure, say, verdict

if TYPE_CHECKING:
    from psycopg.rows import TupleRow

TARGET = 0.3
_PROCESS = re.compile('"process":"([^"]+)"')
BATCH = 1000


class Repeats:
    """Batches of one root of `1 -> 2, [1, 5] -> 3, 1 -> 4`, again and again: each takes over the run before it."""

    def __init__(self, dsn: str, partition: int) -> None:
        self.feed = Feed(psycopg.connect(dsn, autocommit=True), partition)
        self.numbers = count(1)

    def step(self) -> int:
        """One call; the number of hops."""
        self.feed.send(
            [
                b'{"service":"runner","process":"1","status":"SUCCESS","event_id":"r%d"}' % next(self.numbers)
                for _ in range(BATCH)
            ]
        )
        return BATCH


class Nameless:
    """S1 on a tool that cannot echo ids: its answers name service and process only."""

    def __init__(self, dsn: str, partition: int) -> None:
        self.feed = Feed(psycopg.connect(dsn, autocommit=True), partition)
        self.numbers = count(1)
        self.waiting: list[bytes] = []

    def step(self) -> int:
        """One call; the number of hops."""
        events, self.waiting = self.waiting[:BATCH], self.waiting[BATCH:]
        events += [self._event(b"b6") for _ in range(BATCH - len(events))]
        for _, value in self.feed.send(events):
            self.waiting.append(self._event(_PROCESS.findall(str(value))[0].encode()))
        return len(events)

    def _event(self, process: bytes) -> bytes:
        return b'{"service":"blind","process":"%s","status":"SUCCESS","event_id":"b%d"}' % (
            process,
            next(self.numbers),
        )


@click.command()
@click.option("--seconds", default=6.0, show_default=True, help="Length of each of the rounds.")
@click.option("--rounds", default=3, show_default=True, help="Rounds of each; the median counts.")
@click.option("--quick", is_flag=True, help="One round of 3 s.")
def repeats(seconds: float, rounds: int, quick: bool) -> None:
    """Repeats of one root, and events without ids, against the core call."""
    if quick:
        seconds, rounds = 3.0, 1
    with durable_database() as (admin_dsn, app_dsn), psycopg.connect(admin_dsn, autocommit=True) as admin:
        _prepare(admin)
        sides: dict[str, Worker] = {
            "core": Engine(app_dsn, BATCH, 0),
            "repeats": Repeats(app_dsn, 1),
            "no ids": Nameless(app_dsn, 2),
        }
        speeds: dict[str, list[float]] = {name: [] for name in sides}
        for turn in range(rounds + 1):
            for name, worker in sides.items():
                speed = run([worker], seconds if turn else min(2.0, seconds))
                if turn:
                    speeds[name].append(speed)
                    say(f"{name}: {speed:,.0f} hops/s")
    ratios = {
        name: statistics.median(s / c for s, c in zip(speeds[name], speeds["core"], strict=True))
        for name in sides
    }
    verdict(
        "hard batches / core call (batch 1,000, 1 connection)",
        [
            Figure("1,000 repeats of one unkeyed root", ratios["repeats"], TARGET),
            Figure("events without ids", ratios["no ids"], TARGET),
        ],
    )


def _prepare(admin: psycopg.Connection[TupleRow]) -> None:
    define_graph(admin, "load", [("6", "7"), ("7", "8"), ("7", "9")])
    define_graph(admin, "join", [("1", "2"), ("1", "3"), ("5", "3"), ("1", "4")])
    define_graph(admin, "blind", [("b6", "b7"), ("b7", "b8"), ("b7", "b9")])
    admin.execute(
        "insert into orchestration.service (name, dispatch_topic) values ('blind', 'airflow_tasks')"
    )
    admin.execute(
        "update orchestration.process set service_id = (select id from orchestration.service where name = 'blind')"
        " where uid like 'b_'"
    )
