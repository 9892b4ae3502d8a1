"""One event alone: from its production to its dispatch consumed, against Kafka without a database plus one commit."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import count

import click
from confluent_kafka import Consumer, Producer

from stack.layout import ROOT
from tests.support.graphs import define_graph

from .core import prepare_yardstick
from .path import BareWrites
from .words import Figure, percentile, say, verdict
from .world import DISPATCHES, EVENTS, World, whole_path

TARGET_P50, TARGET_P99 = 2.0, 2.5
ECHO_IN, ECHO_OUT = "bench_echo_in", "bench_echo_out"
Sample = list[float]
_numbers = count(1)


@click.command()
@click.option("--events", default=1000, show_default=True, help="Events of a round.")
@click.option("--rounds", default=5, show_default=True, help="Rounds; the median counts.")
@click.option("--seconds", default=0.0, help="Ends after so many seconds instead of --rounds (0: never).")
@click.option("--quick", is_flag=True, help="2 rounds of 100.")
def latency(events: int, rounds: int, seconds: float, quick: bool) -> None:
    """One event alone, warm, quiet: produced to dispatch consumed."""
    if quick:
        events, rounds = 100, 2
    with whole_path(topics=(ECHO_IN, ECHO_OUT)) as world:
        define_graph(world.admin, "load", [("6", "7"), ("7", "8"), ("7", "9")])
        prepare_yardstick(world.admin)
        world.working()
        echo = subprocess.Popen(
            [sys.executable, "-m", "bench.echo", world.broker.bootstrap, ECHO_IN, ECHO_OUT], cwd=ROOT
        )
        try:
            ours, echoed, committed = _sides(world)
            for side in (ours, echoed, committed):
                _take(side, max(50, events // 2))  # warm up
            turns: list[tuple[Sample, Sample, Sample]] = []
            end = time.monotonic() + (seconds or 1e9)
            while len(turns) < rounds and time.monotonic() < end:
                turns.append((_take(ours, events), _take(echoed, events), _take(committed, events)))
                words = (f"p50 {percentile(s, 0.5):.2f} p99 {percentile(s, 0.99):.2f}" for s in turns[-1])
                say("ms: ours, Kafka alone, one commit: " + "; ".join(words))
        finally:
            echo.kill()
            echo.wait()
    figures = []
    for share, target in ((0.5, TARGET_P50), (0.99, TARGET_P99)):
        a, b, c = (statistics.median(percentile(turn[n], share) for turn in turns) for n in range(3))
        name = f"p{share * 100:.0f}"
        click.echo(
            f"{name}: event to dispatch {a:.2f} ms; Kafka alone {b:.2f} + one commit {c:.2f}: {a / (b + c):.2f} x"
        )
        figures.append(Figure(name, a / (b + c), target, at_most=True, unit=" x"))
    verdict("latency of one event", figures)


def _sides(world: World) -> tuple[Callable[[], None], Callable[[], None], Callable[[], None]]:
    producer = world.producer(acks="all")
    dispatches, echoes = world.reader(DISPATCHES), world.reader(ECHO_OUT)
    bare = BareWrites(world.admin_dsn, 1)

    def ours() -> None:
        number = next(_numbers)
        event = b'{"service":"runner","process":"6","status":"SUCCESS","event_id":"l%d"}' % number
        _round_trip(producer, EVENTS, event, b"%d" % number, dispatches)

    def echoed() -> None:
        number = next(_numbers)
        _round_trip(producer, ECHO_IN, b"x" * 100, b"%d" % number, echoes)

    def committed() -> None:
        with bare.connection.pipeline():
            bare.step()

    return ours, echoed, committed


def _round_trip(producer: Producer, topic: str, value: bytes, key: bytes, reader: Consumer) -> None:
    producer.produce(topic, value, key)
    producer.poll(0)
    end = time.monotonic() + 30
    while time.monotonic() < end:
        message = reader.poll(0.2)
        if message is not None and message.error() is None:
            return
    raise click.ClickException(f"nothing came back for a message on {topic} within 30 s")


def _take(side: Callable[[], None], events: int) -> Sample:
    """Milliseconds of each of so many events, one after the other."""
    sample = []
    for _ in range(events):
        begun = time.perf_counter()
        side()
        sample.append((time.perf_counter() - begun) * 1e3)
    return sample
