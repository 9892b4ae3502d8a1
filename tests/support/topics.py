"""Our topics on a test broker, new and empty."""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic, sleep

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

__all__ = ["EVENTS", "PARTITIONS", "renew"]

EVENTS = "etl_finished_tasks"
DISPATCHES = ("airflow_tasks", "nifi_tasks")
PARTITIONS = 6


def renew(bootstrap: str, names: Iterable[str] = (EVENTS, *DISPATCHES), seconds: float = 30) -> None:
    """Delete the topics where they are, and create them as `orchestration topics create` does in DEV."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    wanted = set(names)
    end = monotonic() + seconds
    there = wanted & set(admin.list_topics(timeout=10).topics)
    if there:
        for gone in admin.delete_topics(sorted(there)).values():
            gone.result(timeout=10)
    config = {"max.message.bytes": str(2 * 2**20), "retention.ms": str(14 * 86_400_000)}
    while wanted:
        new = [NewTopic(name, PARTITIONS, 1, config=config) for name in sorted(wanted)]
        for name, made in admin.create_topics(new).items():
            try:
                made.result(timeout=10)
                wanted.discard(name)
            except KafkaException as error:
                # a deletion is answered before it is done
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS or monotonic() > end:
                    pytest.fail(f"topic {name} cannot be made: {error}", pytrace=False)
        sleep(0.02 if wanted else 0)
