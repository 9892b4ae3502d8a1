"""Our topics on a test broker, new and empty."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future
from time import monotonic, sleep

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

__all__ = ["DISPATCHES", "EVENTS", "PARTITIONS", "renew"]

EVENTS = "etl_finished_tasks"
DISPATCHES = ("airflow_tasks", "nifi_tasks")
PARTITIONS = 6
_CONFIG = {"max.message.bytes": str(2 * 2**20), "retention.ms": str(14 * 86_400_000)}


def renew(bootstrap: str, names: Iterable[str] = (EVENTS, *DISPATCHES), seconds: float = 30) -> None:
    """Delete the topics where they are, create them as `orchestration topics create` does in DEV, await leaders."""
    wanted = list(names)
    end = monotonic() + seconds
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    missing = set(wanted)
    _settle(admin.delete_topics(sorted(missing)), KafkaError.UNKNOWN_TOPIC_OR_PART)
    while missing:
        new = [NewTopic(name, PARTITIONS, 1, config=_CONFIG) for name in sorted(missing)]
        # a topic is there for the controller before it is in the metadata, and longer
        missing = _settle(admin.create_topics(new), KafkaError.TOPIC_ALREADY_EXISTS)
        if missing:
            _settle(admin.delete_topics(sorted(missing)), KafkaError.UNKNOWN_TOPIC_OR_PART)
        _check(end, f"topics {missing} cannot be made")
    while not all(_led(admin, name) for name in wanted):
        _check(end, f"topics {wanted} have no leaders")


def _settle(asked: dict[str, Future[None]], expected: int) -> set[str]:
    """The topics that answer with error `expected`; any other error is raised."""
    met = set()
    for name, future in asked.items():
        try:
            future.result(timeout=20)
        except KafkaException as error:
            if error.args[0].code() != expected:
                raise
            met.add(name)
    return met


def _led(admin: AdminClient, name: str) -> bool:
    topic = admin.list_topics(name, timeout=10).topics[name]
    return len(topic.partitions) == PARTITIONS and all(part.leader >= 0 for part in topic.partitions.values())


def _check(end: float, what: str) -> None:
    if monotonic() > end:
        pytest.fail(what, pytrace=False)
    sleep(0.01)
