"""`orchestration topics create`: made where missing, compared where there, never altered."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from orchestration.bridge.topics import wanted
from tests.support.databases import orchestration
from tests.support.servers import KafkaServer


@pytest.fixture
def name(broker: KafkaServer) -> Iterator[str]:
    made = f"tasks-{uuid4().hex[:8]}"
    yield made
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    if made in admin.list_topics(timeout=10).topics:
        admin.delete_topics([made])[made].result(10)


def environment(broker: KafkaServer, **more: str) -> dict[str, str]:
    own = {"ORCHESTRATION_KAFKA_BOOTSTRAP": broker.bootstrap, "ORCHESTRATION_ENV": "dev", **more}
    return {variable: value for variable, value in own.items() if value}


def test_the_shape_in_dev_and_outside() -> None:
    dev, production = wanted(dev=True), wanted(dev=False)
    assert (dev.partitions, dev.replication) == (6, 1)
    assert "min.insync.replicas" not in dev.config
    assert (production.partitions, production.replication) == (6, 3)
    assert production.config["min.insync.replicas"] == "2"
    for shape in (dev, production):
        assert shape.config["retention.ms"] == str(14 * 24 * 3600 * 1000)
        assert shape.config["max.message.bytes"] == str(2 * 1024 * 1024)


def test_a_missing_topic_is_made_and_found_again(broker: KafkaServer, name: str) -> None:
    made = orchestration("topics", "create", name, environment=environment(broker))
    assert f"{name}: created" in made.stdout
    topic = AdminClient({"bootstrap.servers": broker.bootstrap}).list_topics(timeout=10).topics[name]
    assert len(topic.partitions) == 6
    again = orchestration("topics", "create", name, environment=environment(broker))
    assert again.stdout.startswith(f"{name}: is there, partitions 6, replication 1, retention.ms 1209600000")


def test_an_existing_topic_is_compared_and_left_alone(broker: KafkaServer, name: str) -> None:
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    admin.create_topics([NewTopic(name, 2, 1, config={"retention.ms": "1000"})])[name].result(10)
    for _ in range(2):
        said = orchestration("topics", "create", name, environment=environment(broker)).stdout
        assert f"{name}: is there, nothing changed, but partitions are 2, not 6" in said
        assert "retention.ms is 1000, not 1209600000" in said
        assert "max.message.bytes is 1048588 (default), not 2097152" in said
    assert len(admin.list_topics(timeout=10).topics[name].partitions) == 2


def test_without_names_it_is_our_three(topics: KafkaServer) -> None:
    lines = orchestration("topics", "create", environment=environment(topics)).stdout.splitlines()
    assert {line.partition(":")[0] for line in lines} == {"etl_finished_tasks", "airflow_tasks", "nifi_tasks"}


def test_too_few_brokers_is_one_line_with_the_remedy(broker: KafkaServer, name: str) -> None:
    production = environment(broker, ORCHESTRATION_ENV="", ORCHESTRATION_ALLOW_PLAINTEXT="kafka")
    refused = orchestration("topics", "create", name, environment=production, check=False)
    assert refused.returncode == 2
    assert len(refused.stderr.splitlines()) == 1
    assert name in refused.stderr
    assert "--replication" in refused.stderr
    orchestration("topics", "create", name, "--replication", "1", environment=production)


def test_wrong_settings_are_one_line(broker: KafkaServer, name: str) -> None:
    for env, words in (
        (environment(broker, ORCHESTRATION_ENV=""), "would be plaintext"),
        (environment(broker, ORCHESTRATION_KAFKA_BOOTSTRAP=""), "ORCHESTRATION_KAFKA_BOOTSTRAP is not set"),
        (environment(broker, ORCHESTRATION_KAFKA_NO_SUCH_THING="1"), "no.such.thing"),
    ):
        refused = orchestration("topics", "create", name, environment=env, check=False)
        assert refused.returncode == 2
        assert words in refused.stderr
        assert len(refused.stderr.splitlines()) == 1


def test_a_name_kafka_does_not_allow_is_one_line(broker: KafkaServer) -> None:
    refused = orchestration("topics", "create", "no/such", environment=environment(broker), check=False)
    assert refused.returncode == 2
    assert "no/such" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_brokers_that_are_away_are_waited_for_in_one_line(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("orchestration")), "topics", "create"]
    environment = {
        "ORCHESTRATION_KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "ORCHESTRATION_ENV": "dev",
        "PATH": "/usr/bin:/bin",
    }
    with pytest.raises(subprocess.TimeoutExpired) as waiting:
        subprocess.run(command, env=environment, capture_output=True, timeout=15, check=False)
    said = (waiting.value.stderr or b"").decode()
    assert len(said.splitlines()) == 1, said
    assert "Kafka at 127.0.0.1:1 does not answer" in said
