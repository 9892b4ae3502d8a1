"""The whole path for benchmarks: durable PostgreSQL, a real Kafka broker, real bridge processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import click
import psycopg
from confluent_kafka import OFFSET_END, Consumer, KafkaException, Producer, TopicPartition
from psycopg.rows import TupleRow

from stack import StackError
from stack.kafka.broker import Broker
from stack.scratch import scratch_folder
from tests.support.topics import renew

from .server import durable_database
from .words import step

__all__ = ["DISPATCHES", "EVENTS", "PARTITIONS", "BridgeProcess", "World", "whole_path"]

EVENTS, DISPATCHES, PARTITIONS = "etl_finished_tasks", "airflow_tasks", 6


class BridgeProcess:
    """One `orchestration bridge`, as a user starts it."""

    def __init__(self, environment: dict[str, str], log: Path, *words: str) -> None:
        self.log = log
        self.begun = time.monotonic()
        command = Path(sys.executable).with_name("orchestration")
        with log.open("wb") as out:
            self._child = subprocess.Popen(
                [command, "bridge", *words],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    @property
    def memory(self) -> float:
        """Resident MB."""
        status = Path(f"/proc/{self._child.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    @property
    def last_words(self) -> str:
        """The last line it logged."""
        lines = self.log.read_text(errors="replace").splitlines()
        return lines[-1] if lines else "nothing"

    @property
    def pid(self) -> int:
        return self._child.pid

    def wait_for(self, event: str, seconds: float = 60) -> None:
        """Until it has logged such a line."""
        end = time.monotonic() + seconds
        while not any(json.loads(line)["event"] == event for line in self._lines()):
            if self._child.poll() is not None or time.monotonic() > end:
                raise click.ClickException(
                    f"the bridge did not log {event}; its last line: {self.last_words}"
                )
            time.sleep(0.05)

    def _lines(self) -> list[str]:
        return [line for line in self.log.read_text().splitlines() if line.endswith("}")]

    def kill(self) -> None:
        """kill -9."""
        self._child.kill()
        self._child.wait()

    def end(self) -> None:
        """SIGTERM, and -9 after 12 s."""
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)
            try:
                self._child.wait(12)
            except subprocess.TimeoutExpired:
                self.kill()


@dataclass
class World:
    """Addresses of the servers, and the bridges that were started."""

    admin_dsn: str
    app_dsn: str
    broker: Broker
    folder: Path
    admin: psycopg.Connection[TupleRow]
    bridges: list[BridgeProcess] = field(default_factory=list)

    def bridge(self, *words: str, **more: str) -> BridgeProcess:
        """Start one more; `more` are environment variables."""
        own = {
            name: value for name, value in os.environ.items() if not name.startswith(("ORCHESTRATION_", "PG"))
        }
        environment = {
            **own,
            "ORCHESTRATION_DSN": self.app_dsn,
            "ORCHESTRATION_KAFKA_BOOTSTRAP": self.broker.bootstrap,
            "ORCHESTRATION_ENV": "dev",
            **more,
        }
        made = BridgeProcess(environment, self.folder / f"bridge-{len(self.bridges)}.log", *words)
        self.bridges.append(made)
        return made

    def working(self, count: int = 1) -> list[BridgeProcess]:
        """So many bridges that have their partitions; the first begins at the earliest offset."""
        made = []
        for number in range(count):
            made.append(self.bridge(*(("--from", "earliest") if not number and not self.bridges else ())))
            made[-1].wait_for("assigned")
        return made

    def producer(self, **more: str | int) -> Producer:
        """A producer that sends at once."""
        return Producer({"bootstrap.servers": self.broker.bootstrap, "linger.ms": 0, "log_level": 0, **more})

    def reader(self, topic: str = DISPATCHES, partitions: int = PARTITIONS) -> Consumer:
        """A consumer at the end of a topic, ready to hear the next message."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.broker.bootstrap,
                "group.id": "bench",
                "enable.auto.commit": False,
                "log_level": 0,
            }
        )
        places = [TopicPartition(topic, number, OFFSET_END) for number in range(partitions)]
        for place in places:  # the end as it is now, not as it is when the first fetch comes
            place.offset = _end(consumer, place)
        consumer.assign(places)
        consumer.poll(0.5)
        return consumer

    def applied(self) -> int:
        """Events taken in so far."""
        row = self.admin.execute(
            "select coalesce(sum(next_offset), 0) from orchestration.kafka_offset"
        ).fetchone()
        assert row is not None
        return int(row[0])

    def cpu(self, answerer: int) -> dict[str, float]:
        """Seconds of CPU used so far, by program."""
        row = self.admin.execute("select array_agg(pid) from pg_stat_activity").fetchone()
        assert row is not None
        return {
            "PostgreSQL": sum(map(_seconds, row[0])),
            "bridges": sum(_seconds(bridge.pid) for bridge in self.bridges),
            "Kafka": _seconds(self.broker.process.pid or 0),
            "answerer": _seconds(answerer),
        }


def _end(consumer: Consumer, place: TopicPartition) -> int:
    """The end of a partition; a topic made just now may have no leader for a moment."""
    for _ in range(50):
        with suppress(KafkaException):
            return int(consumer.get_watermark_offsets(place, timeout=20)[1])
        time.sleep(0.1)
    raise click.ClickException(f"the end of {place.topic} cannot be read")


def _seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def whole_path(*, quick_groups: bool = True, topics: tuple[str, ...] = ()) -> Iterator[World]:
    """Servers with the topics made; everything that was started is ended after it."""
    folder = scratch_folder("bench")
    with durable_database() as (admin_dsn, app_dsn):
        with step("starting Kafka"):
            try:
                broker = Broker.throwaway(warm=True, memory="512m", quick_groups=quick_groups)
            except StackError as problem:
                raise click.ClickException(f"no Kafka to measure with: {problem}") from None
        try:
            renew(broker.bootstrap, (EVENTS, DISPATCHES, *topics))
            with psycopg.connect(admin_dsn, autocommit=True) as admin:
                world = World(admin_dsn, app_dsn, broker, folder, admin)
                try:
                    yield world
                finally:
                    for bridge in world.bridges:
                        bridge.end()
        finally:
            broker.drop()
