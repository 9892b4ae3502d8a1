"""`orchestration topics create`: the topics this installation lives on, made where they are missing, else compared."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click
from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient, ConfigResource, ConfigSource, NewTopic, ResourceType

from orchestration.db.settings import Settings as DatabaseSettings
from orchestration.db.settings import redact

from .errors import BrokerError, DeployError
from .kafka import KafkaAwayError, is_refusing, make, refusal_error, says_no_topic
from .settings import (
    DISPATCH_TOPICS,
    EVENTS_TOPIC,
    MAX_MESSAGE_BYTES,
    Properties,
    admin_properties,
    kafka_properties,
    secrets,
)

TOPICS = (EVENTS_TOPIC, *DISPATCH_TOPICS)
PARTITIONS = 6
REPLICATION = 3
RETENTION_MS = 14 * 24 * 3600 * 1000
_TIMEOUT = 10.0
_SAY_EVERY = 60.0
_WRONG = {
    KafkaError.INVALID_REPLICATION_FACTOR: "add brokers, or choose fewer replicas by --replication",
    KafkaError.TOPIC_EXCEPTION: "choose a name of letters, digits, dots, underscores and hyphens",
    KafkaError.POLICY_VIOLATION: "ask the cluster's administrators",
    KafkaError.INVALID_CONFIG: "look at the broker's limits",
    KafkaError.INVALID_PARTITIONS: "choose another number by --partitions",
    KafkaError.INVALID_REQUEST: "look at the broker's log",
}


@dataclass(frozen=True)
class Wanted:
    """How a topic shall be."""

    partitions: int
    replication: int
    config: Mapping[str, str]


def wanted(*, dev: bool, partitions: int = PARTITIONS, replication: int | None = None) -> Wanted:
    """6 partitions, 14 days, messages to 2 MiB; outside DEV three replicas, two of which confirm a write."""
    copies = replication or (1 if dev else REPLICATION)
    config = {
        "retention.ms": str(RETENTION_MS),
        "max.message.bytes": str(MAX_MESSAGE_BYTES),
        "cleanup.policy": "delete",
    }
    if not dev:
        config["min.insync.replicas"] = str(min(2, copies))
    return Wanted(partitions, copies, config)


@click.group()
def topics() -> None:
    """Make and compare the Kafka topics."""


@topics.command()
@click.argument("names", nargs=-1)
@click.option(
    "--partitions", type=click.IntRange(1), default=PARTITIONS, show_default=True,
    envvar="ORCHESTRATION_TOPIC_PARTITIONS", show_envvar=True, help="Partitions of a topic that is made.",
)  # fmt: skip
@click.option(
    "--replication", type=click.IntRange(1), envvar="ORCHESTRATION_TOPIC_REPLICATION", show_envvar=True,
    help="Replicas of a topic that is made.  [default: 3; 1 in DEV]",
)  # fmt: skip
def create(names: tuple[str, ...], partitions: int, replication: int | None) -> None:
    """Make the topics that are missing; compare those that are there, and change nothing in them.

    NAMES: topics of your own services; without any: etl_finished_tasks, airflow_tasks, nifi_tasks.

    \b
    Examples:
      orchestration topics create
      orchestration topics create spark_tasks
    """
    env = os.environ
    kafka: Properties = {}
    try:
        kafka = kafka_properties(env)
        shape = wanted(dev=DatabaseSettings.from_env(env).dev, partitions=partitions, replication=replication)
        for line in ensure(kafka, names or TOPICS, shape):
            click.echo(line)
    except DeployError as error:
        click.echo(redact(f"orchestration: {error}", secrets(env, kafka)), err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        click.echo("orchestration: interrupted", err=True)
        sys.exit(130)


def ensure(kafka: Properties, names: tuple[str, ...], shape: Wanted) -> list[str]:
    """One line a topic; brokers that are away are waited for. Raises DeployError."""
    topics = _Topics(kafka)
    said = -_SAY_EVERY
    delay = 0.2
    while True:
        try:
            return [line for name in names for line in topics.ensure(name, shape)]
        except KafkaAwayError as error:
            now = time.monotonic()
            if now - said >= _SAY_EVERY:
                server = kafka["bootstrap.servers"]
                remedy = "start it, or correct ORCHESTRATION_KAFKA_BOOTSTRAP"
                click.echo(f"Kafka at {server} does not answer ({error}): {remedy}; trying again", err=True)
                said = now
            time.sleep(delay)
            delay = min(delay * 2, 5.0)


class _Topics:
    """Topics of one cluster. Raises KafkaAwayError or DeployError."""

    def __init__(self, kafka: Properties) -> None:
        self._server = kafka["bootstrap.servers"]
        self._refusal: KafkaError | None = None
        self._admin = make(AdminClient, admin_properties(kafka), self._on_error)

    def ensure(self, name: str, shape: Wanted) -> list[str]:
        """What was done, or how the topic differs from `shape`: lines for a person."""
        there = self._describe(name)
        if there is None:
            new = NewTopic(name, shape.partitions, shape.replication, config=dict(shape.config))
            if self._ask(self._admin.create_topics([new], request_timeout=_TIMEOUT)[name], name):
                return [f"{name}: created, {_describe(shape)}"]
            there = self._describe(name)
        if there is None:
            raise KafkaAwayError(f"topic {name} is being made")
        differences = list(_differences(there, shape))
        if not differences:
            return [f"{name}: is there, {_describe(shape)}"]
        return [f"{name}: is there, nothing changed, but {difference}" for difference in differences]

    def _describe(self, name: str) -> Wanted | None:
        futures = self._admin.describe_topics(TopicCollection([name]), request_timeout=_TIMEOUT)
        topic = self._ask(futures[name], name)
        if topic is None:
            return None
        resource = ConfigResource(ResourceType.TOPIC, name)
        entries = (
            self._ask(self._admin.describe_configs([resource], request_timeout=_TIMEOUT)[resource], name)
            or {}
        )
        config = {entry.name: _value(entry) for entry in entries.values()}
        replication = min((len(partition.replicas) for partition in topic.partitions), default=0)
        return Wanted(len(topic.partitions), replication, config)

    def _ask(self, future: Any, name: str) -> Any:
        """The answer; None where the topic is missing; True for an answer without content."""
        try:
            return future.result(timeout=_TIMEOUT + 1) or True
        except TimeoutError:
            raise KafkaAwayError("no answer") from None
        except KafkaException as raised:
            error = raised.args[0]
        self._admin.poll(0)
        if says_no_topic(error) or error.code() == KafkaError.TOPIC_ALREADY_EXISTS:
            return None
        refusal = error if is_refusing(error) else self._refusal
        if refusal is not None:
            raise refusal_error(self._server, refusal)
        if error.code() in _WRONG:
            raise BrokerError(f"topic {name} cannot be made: {error.str()}", _WRONG[error.code()])
        raise KafkaAwayError(error.str())

    def _on_error(self, error: KafkaError) -> None:
        if is_refusing(error):
            self._refusal = error


def _value(entry: Any) -> str:
    default = entry.source == ConfigSource.DEFAULT_CONFIG.value
    return f"{entry.value}{' (default)' if default else ''}"


def _differences(there: Wanted, shape: Wanted) -> list[str]:
    found = []
    if there.partitions != shape.partitions:
        found.append(f"partitions are {there.partitions}, not {shape.partitions}")
    if there.replication < shape.replication:
        found.append(f"replication is {there.replication}, not {shape.replication}")
    for name, value in shape.config.items():
        have = there.config.get(name, "unknown")
        if have.removesuffix(" (default)") != value:
            found.append(f"{name} is {have}, not {value}")
    return found


def _describe(shape: Wanted) -> str:
    return ", ".join(
        [f"partitions {shape.partitions}", f"replication {shape.replication}"]
        + [f"{name} {value}" for name, value in shape.config.items()]
    )
