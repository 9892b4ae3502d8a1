"""Waiting for a broker, whatever it is."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

from .. import StackError

__all__ = ["await_ready"]

_GROUP = "stack-ready"


def await_ready(
    bootstrap: str, seconds: float, still_starts: Callable[[], None], *, warm_groups: bool = True
) -> None:
    """Wait until the broker answers a metadata request, and until group offsets can be asked for (`warm_groups`).

    The latter makes the broker create its offsets topic now, so that the first consumer joins in 0.1 s, not 3.
    `still_starts` is called again and again and raises where waiting is useless. StackError after `seconds`.
    """
    from confluent_kafka import Consumer, KafkaException, TopicPartition  # the rest of stack works without it

    end = time.monotonic() + seconds
    host, _, port = bootstrap.rpartition(":")
    while not _listens(host, int(port)):
        still_starts()
        _check(bootstrap, end)
    # a consumer, not an AdminClient: dropping that one right after its first answers crashed Python now and then
    client = Consumer({"bootstrap.servers": bootstrap, "group.id": _GROUP, "log_level": 0})
    try:
        while True:
            still_starts()
            try:
                if client.list_topics(timeout=1).brokers:
                    if warm_groups:
                        client.committed([TopicPartition(_GROUP, 0)], timeout=1)
                    return
            except KafkaException:
                pass
            _check(bootstrap, end)
    finally:
        client.close()


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
