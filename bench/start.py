"""From the start of a bridge to its first dispatch: on the local stack, after a kill -9, on a broker as shipped."""

from __future__ import annotations

import statistics
import time
from itertools import count

import click
from confluent_kafka import Consumer

from tests.support.graphs import define_graph

from .words import Figure, say, verdict
from .world import EVENTS, World, whole_path

SESSION = 6.0  # seconds, the bridge's default session time-out
_numbers = count(1)


@click.command()
@click.option("--rounds", default=3, show_default=True, help="Starts and kills; the median counts.")
@click.option("--seconds", default=60.0, show_default=True, help="At most so long for one dispatch.")
@click.option("--quick", is_flag=True, help="Once.")
def start(rounds: int, seconds: float, quick: bool) -> None:
    """The first dispatch after start, after kill -9, and on a broker with default settings."""
    rounds = 1 if quick else rounds
    starts, kills = [], []
    with whole_path() as world:
        define_graph(world.admin, "load", [("6", "7"), ("7", "8"), ("7", "9")])
        world.working()[0].end()
        reader = world.reader()
        for _ in range(rounds):
            _produce(world)
            begun = time.monotonic()
            bridge = world.bridge()
            starts.append(_first(world, reader, begun, seconds))
            bridge.kill()
            _produce(world)
            begun = time.monotonic()
            bridge = world.bridge()
            kills.append(_first(world, reader, begun, seconds))
            bridge.end()
            say(f"after start {starts[-1]:.2f} s, after kill -9 and a new start {kills[-1]:.2f} s")
    with whole_path(quick_groups=False) as world:
        define_graph(world.admin, "load", [("6", "7"), ("7", "8"), ("7", "9")])
        reader = world.reader()
        _produce(world)
        begun = time.monotonic()
        world.bridge("--from", "earliest")
        default = _first(world, reader, begun, seconds)
    verdict(
        "first dispatch",
        [
            Figure("after start", statistics.median(starts), 1.0, at_most=True, unit=" s"),
            Figure("after kill -9", statistics.median(kills), SESSION + 3, at_most=True, unit=" s"),
            Figure("on a broker as shipped", default, 10.0, at_most=True, unit=" s"),
        ],
    )


def _produce(world: World) -> None:
    """One event of a root, delivered."""
    producer = world.producer()
    event = b'{"service":"runner","process":"6","status":"SUCCESS","event_id":"s%d"}' % next(_numbers)
    producer.produce(EVENTS, event)
    if producer.flush(20):
        raise click.ClickException("the broker took no event within 20 s")


def _first(world: World, reader: Consumer, begun: float, seconds: float) -> float:
    """Seconds from `begun` to the next dispatch."""
    while time.monotonic() - begun < seconds:
        message = reader.poll(0.1)
        if message is not None and message.error() is None:
            return time.monotonic() - begun
    words = world.bridges[-1].last_words
    raise click.ClickException(f"no dispatch within {seconds:.0f} s; the bridge's last line: {words}")
