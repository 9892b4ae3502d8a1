"""The Kafka of stack and tests: what was acknowledged outlives kill -9, at the same address."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from stack import StackError
from stack.kafka import Broker, FallbackBroker
from stack.kafka import jars as kafka_jars
from tests.support.servers import KafkaServer


@pytest.fixture(scope="module")
def own() -> Iterator[Broker]:
    with Broker.throwaway() as made:
        yield made


def cluster_id(broker: KafkaServer) -> str:
    return str(AdminClient({"bootstrap.servers": broker.bootstrap}).list_topics(timeout=10).cluster_id)


def make_topic(broker: KafkaServer, name: str) -> None:
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})  # must outlive the future
    admin.create_topics([NewTopic(name, 1, 1)])[name].result(10)


def produce(broker: KafkaServer, topic: str, *values: bytes) -> None:
    failed: list[object] = []
    producer = Producer({"bootstrap.servers": broker.bootstrap, "acks": "all"})
    for value in values:
        producer.produce(topic, value, on_delivery=lambda error, _: failed.append(error) if error else None)
    assert producer.flush(20) == 0
    assert not failed


def read(broker: KafkaServer, topic: str, count: int) -> list[bytes | None]:
    consumer = Consumer(
        {"bootstrap.servers": broker.bootstrap, "group.id": "t", "auto.offset.reset": "earliest"}
    )
    consumer.assign([TopicPartition(topic, 0, 0)])
    try:
        return [message.value() for message in consumer.consume(count, timeout=20) if not message.error()]
    finally:
        consumer.close()


def test_acknowledged_messages_outlive_kill(own: Broker) -> None:
    make_topic(own, "kept")
    produce(own, "kept", b"1", b"2")
    identity, port = cluster_id(own), own.port
    own.kill()
    assert not own.running
    own.start()
    assert (cluster_id(own), own.port) == (identity, port)
    assert read(own, "kept", 2) == [b"1", b"2"]


def test_topics_are_not_made_by_mistake(own: Broker) -> None:
    consumer = Consumer(
        {"bootstrap.servers": own.bootstrap, "group.id": "t", "allow.auto.create.topics": True}
    )
    consumer.list_topics("mistyped", timeout=10)
    consumer.close()
    assert "mistyped" not in AdminClient({"bootstrap.servers": own.bootstrap}).list_topics(timeout=10).topics


def test_snapshot_and_restore(own: Broker) -> None:
    make_topic(own, "state")
    produce(own, "state", b"before")
    own.snapshot("s")
    produce(own, "state", b"after")
    own.restore("s")
    assert read(own, "state", 1) == [b"before"]
    low, high = watermarks(own, "state")
    assert (low, high) == (0, 1)
    with pytest.raises(StackError, match="no snapshot 'x'"):
        own.restore("x")


def test_wiped_it_is_another_cluster(own: Broker) -> None:
    identity = cluster_id(own)
    own.wipe()
    assert cluster_id(own) != identity


def test_a_taken_port_is_named_with_its_holder(own: Broker) -> None:
    own.stop()
    try:
        with (
            socket.create_server(("127.0.0.1", own.port)),
            pytest.raises(StackError, match=f"pid {os.getpid()}"),
        ):
            own.start()
    finally:
        own.start()


def test_the_broker_sees_no_setting_of_ours(own: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORCHESTRATION_DSN", "postgresql://u:canary@h/d")
    own.restart()
    assert b"canary" not in Path(f"/proc/{own.process.pid}/environ").read_bytes()


def test_a_wrong_setting_is_told_in_one_line() -> None:
    with pytest.raises(StackError, match=r"Kafka (ended while starting|cannot format)") as told:
        Broker.throwaway(settings={"num.network.threads": "none"})
    assert "\n" not in str(told.value)


def test_where_java_is_too_old(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    old = tmp_path / "bin" / "java"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n")
    old.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    kafka_jars.java.cache_clear()
    try:
        with pytest.raises(StackError, match=r"too old for Kafka .*11\.0\.2"):
            kafka_jars.fetch()
        monkeypatch.setenv("JAVA_HOME", str(tmp_path / "nowhere"))
        kafka_jars.java.cache_clear()
        with pytest.raises(StackError, match="Java 17 or newer is missing"):
            kafka_jars.fetch()
    finally:
        monkeypatch.undo()
        kafka_jars.java.cache_clear()


@pytest.mark.parametrize(
    ("maven", "expected"),
    [
        (None, "Maven is missing"),
        ("echo '[ERROR] Unknown host'; exit 1", "Maven cannot bring Kafka .*Unknown host"),
    ],
)
def test_where_maven_does_not_help(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, maven: str | None, expected: str
) -> None:
    java = kafka_jars.java()
    monkeypatch.setenv("JAVA_HOME", str(java.parent.parent))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    if maven:
        fake = tmp_path / "mvn"
        fake.write_text(f"#!/bin/sh\n{maven}\n")
        fake.chmod(0o755)
    with pytest.raises(StackError, match=expected):
        kafka_jars.fetch()
    assert not list((tmp_path / "cache").rglob("*.jar"))


def test_the_fallback_carries_messages() -> None:
    broker = FallbackBroker.throwaway()
    try:
        make_topic(broker, "t")
        produce(broker, "t", b"x")
        assert read(broker, "t", 1) == [b"x"]
        broker.restart()
        assert "t" not in AdminClient({"bootstrap.servers": broker.bootstrap}).list_topics(timeout=10).topics
    finally:
        broker.drop()


def watermarks(broker: KafkaServer, topic: str) -> tuple[int, int]:
    consumer = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": "t"})
    try:
        low, high = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=10)
        return low, high
    finally:
        consumer.close()
