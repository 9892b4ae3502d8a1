"""A real Kafka, a listener in a thread, and what it said."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition

from dags.listener import Counts, Listener
from dags.settings import Settings
from tests.support import topics as topic_tools
from tests.support.schemas import check
from tests.support.servers import KafkaServer

from .fakes import FakeAirflow

PARTITIONS = 6


@dataclass
class Desk:
    """Dispatches in, events out, listeners between them."""

    broker: KafkaServer
    airflow: FakeAirflow = field(default_factory=FakeAirflow)
    group: str = field(default_factory=lambda: f"test-{uuid4().hex[:8]}")
    topic: str = field(default_factory=lambda: f"tasks_{uuid4().hex[:8]}")
    stop: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)
    counts: list[Counts] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)

    def settings(self, **more: str) -> Settings:
        return Settings.from_env(
            {
                "ORCHESTRATION_ENV": "dev",
                "ORCHESTRATION_KAFKA_BOOTSTRAP": self.broker.bootstrap,
                "ORCHESTRATION_KAFKA_SESSION_TIMEOUT_MS": "6000",
                "ORCHESTRATION_KAFKA_HEARTBEAT_INTERVAL_MS": "300",
                "ORCHESTRATION_AIRFLOW_GROUP": self.group,
                "ORCHESTRATION_AIRFLOW_TOPIC": self.topic,
                **more,
            }
        )

    def send(self, *values: bytes | None, key: str | None = None, partition: int = 0) -> None:
        producer = Producer(
            {
                "bootstrap.servers": self.broker.bootstrap,
                "message.max.bytes": 3_000_000,
                "enable.idempotence": True,
            }
        )
        for value in values:
            producer.produce(self.topic, value, key, partition=partition)
            producer.poll(0)
        assert producer.flush(20) == 0

    def start(
        self, airflow: FakeAirflow | None = None, stop: threading.Event | None = None, **more: str
    ) -> Listener:
        """A listener at work."""
        listener = Listener(self.settings(**more), airflow or self.airflow, stop or self.stop)

        def run() -> None:
            try:
                self.counts.append(listener.run())
            except BaseException as error:
                self.errors.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        self.threads.append(thread)
        return listener

    def events(self) -> list[dict[str, Any]]:
        """Every event so far, each as the schema asks."""
        consumer = Consumer({"bootstrap.servers": self.broker.bootstrap, "group.id": "reader"})
        try:
            places = [TopicPartition("etl_finished_tasks", p, OFFSET_BEGINNING) for p in range(PARTITIONS)]
            missing = sum(_end(consumer, place) for place in places)
            consumer.assign(places)
            found: list[dict[str, Any]] = []
            end = time.monotonic() + 20
            while len(found) < missing and time.monotonic() < end:
                for message in consumer.consume(missing, timeout=0.2):
                    assert message.error() is None
                    value = message.value()
                    assert value is not None
                    check("event", value)
                    key = message.key()
                    found.append({**json.loads(value), "key": None if key is None else key.decode()})
            return found
        finally:
            consumer.close()

    def await_events(self, count: int, seconds: float = 30) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []

        def there() -> bool:
            found[:] = self.events()
            return len(found) >= count

        self.eventually(there, f"{count} events", seconds)
        return found

    def committed(self) -> int:
        """How many dispatches the group has behind it."""
        consumer = Consumer({"bootstrap.servers": self.broker.bootstrap, "group.id": self.group})
        try:
            places = [TopicPartition(self.topic, p) for p in range(PARTITIONS)]
            return sum(max(0, place.offset) for place in consumer.committed(places, timeout=10))
        finally:
            consumer.close()

    def eventually(self, condition: Callable[[], Any], what: str, seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while not condition():
            if self.errors:
                raise self.errors[0]
            if time.monotonic() > end:
                pytest.fail(f"not within {seconds} s: {what}", pytrace=False)
            time.sleep(0.05)

    def end(self) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join(30)
            assert not thread.is_alive()


def _end(consumer: Consumer, place: TopicPartition) -> int:
    """Where the log ends; a topic that was just made anew may have no leader for a moment."""
    for _ in range(100):
        with suppress(KafkaException):
            return int(consumer.get_watermark_offsets(place, timeout=10)[1])
        time.sleep(0.1)
    pytest.fail(f"no end of {place}", pytrace=False)


@pytest.fixture
def desk(topics: KafkaServer) -> Iterator[Desk]:
    made = Desk(topics)
    topic_tools.renew(topics.bootstrap, [made.topic])
    yield made
    made.end()
