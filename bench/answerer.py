"""A stand-in executor for the whole path: answers each dispatch SUCCESS at once, and keeps graph runs coming.

    python -m bench.answerer BOOTSTRAP SHAPE RUNS SECONDS

It keeps RUNS graph runs of SHAPE (s1 or s2) in flight: for each that it has answered to the end it reports the roots
of the next, as a tool would. It does no work; it is a process of its own and shares the machine with what is measured.
"""

from __future__ import annotations

import sys
import time
from itertools import count

from confluent_kafka import Consumer, Producer, TopicPartition

from .world import DISPATCHES, EVENTS, PARTITIONS

ROOTS = {"s1": (b"6",), "s2": (b"1", b"5")}
DISPATCHES_OF_A_RUN = 3  # in both shapes
_MARK = b'"task_run_id":'


class Answerer:
    """One consumer, one producer."""

    def __init__(self, bootstrap: str, shape: str) -> None:
        self._roots = ROOTS[shape]
        self._numbers = count(1)
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "linger.ms": 5,
                "queue.buffering.max.messages": 500_000,
                "batch.num.messages": 10_000,
                "log_level": 0,
            }
        )
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "answerer",
                "enable.auto.commit": False,
                "log_level": 0,
            }
        )
        self._consumer.assign([TopicPartition(DISPATCHES, number, 0) for number in range(PARTITIONS)])

    def open(self, runs: int) -> None:
        """Report the roots of so many new runs; where a graph has several, under a key of their own."""
        produce = self._producer.produce
        for _ in range(runs):
            number = next(self._numbers)
            for root in self._roots:
                event = b'{"service":"runner","process":"%s","status":"SUCCESS","event_id":"%s-%d"' % (
                    root,
                    root,
                    number,
                )
                event += b',"run_key":"%d"}' % number if len(self._roots) > 1 else b"}"
                produce(EVENTS, event, b"%d" % number)
            if not number % 1000:
                self._producer.poll(0)

    def run(self, runs: int, seconds: float) -> None:
        """Keep `runs` in flight so long."""
        self.open(runs)
        produce, poll = self._producer.produce, self._producer.poll
        answered = opened = 0
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for message in self._consumer.consume(2000, 0.02):
                value = message.value()
                if value is None or message.error() is not None:
                    continue
                begin = value.index(_MARK) + len(_MARK)
                id_ = value[begin : value.index(b",", begin)]
                produce(
                    EVENTS,
                    b'{"task_run_id":%s,"status":"SUCCESS","event_id":"%s","result":{"rows":123}}'
                    % (id_, id_),
                    id_,
                )
                answered += 1
            poll(0)
            due = answered // DISPATCHES_OF_A_RUN - opened
            self.open(due)
            opened += due


def main() -> None:
    bootstrap, shape, runs, seconds = sys.argv[1:]
    Answerer(bootstrap, shape).run(int(runs), float(seconds))


if __name__ == "__main__":
    main()
