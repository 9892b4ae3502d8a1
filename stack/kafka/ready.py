"""Waiting for a broker, whatever it is."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

from .. import StackError

__all__ = ["await_metadata"]


def await_metadata(
    bootstrap: str, seconds: float, still_starts: Callable[[], None], *, warm_groups: bool = True
) -> None:
    """Wait until the broker answers a metadata request, and until group offsets can be asked for (`warm_groups`).

    The latter makes the broker create its offsets topic now, so that the first consumer joins in 0.1 s, not 3.
    `still_starts` is called again and again and raises where waiting is useless. StackError after `seconds`.
    """
    from confluent_kafka import (  # the rest of stack works without it
        ConsumerGroupTopicPartitions,
        KafkaException,
    )
    from confluent_kafka.admin import AdminClient

    end = time.monotonic() + seconds
    host, _, port = bootstrap.rpartition(":")
    while not _listens(host, int(port)):
        still_starts()
        _check(bootstrap, end)
    # no logger and no error_cb: either makes the client crash now and then when it is dropped
    admin = AdminClient({"bootstrap.servers": bootstrap, "socket.connection.setup.timeout.ms": 1000, "log_level": 0})
    while True:
        still_starts()
        try:
            if admin.list_topics(timeout=1).brokers:
                break
        except KafkaException:
            pass
        _check(bootstrap, end)
    while warm_groups:
        still_starts()
        try:
            asked = admin.list_consumer_group_offsets(
                [ConsumerGroupTopicPartitions("stack-ready")], request_timeout=1
            )
            for answer in asked.values():
                answer.result(timeout=2)
        except (KafkaException, TimeoutError):
            _check(bootstrap, end)
        else:
            break


def _listens(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=0.5).close()
    except OSError:
        return False
    return True


def _check(bootstrap: str, end: float) -> None:
    if time.monotonic() > end:
        raise StackError(f"Kafka does not answer on {bootstrap}")
    time.sleep(0.03)
