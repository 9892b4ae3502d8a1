"""A stand-in executor, not Airflow: it does no work, it answers dispatches over Kafka as an executor would.

    python -m stack.standin --topic airflow_tasks

Each dispatch is answered ACCEPTED and RUNNING and, after a short random time, SUCCESS with a small result. It is
executed once, however often it is sent: known by its installation and task_run_id for as long as this process lives
(of the last 100,000); a repeat gets the last answer again. Offsets are committed once the end is delivered, so a
stand-in that was killed goes on with what it had not ended.
"""

from __future__ import annotations

import argparse
import heapq
import json
import os
import random
import signal
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial
from types import FrameType
from typing import Any
from uuid import uuid4

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from orchestration.bridge import log as logs
from orchestration.bridge.errors import DeployError
from orchestration.bridge.kafka import make
from orchestration.bridge.settings import EVENTS_TOPIC, Properties, kafka_properties, secrets

__all__ = ["Answer", "Executor", "StandIn"]

NAME = "stand-in executor, not Airflow"
READY = "ready"
GROUP = "stand-in-executor"
REMEMBERED = 100_000
_ENDS = ("SUCCESS", "FAILED")
_START_UP = 0.02, 0.08  # seconds between ACCEPTED and RUNNING
_POLL = 0.1

log = logs.logger("standin")


@dataclass(frozen=True)
class Answer:
    """An event to be sent. `place`: partition and offset of the dispatch that was first to ask for it."""

    key: str
    event: dict[str, Any]
    place: tuple[int, int]

    @property
    def is_end(self) -> bool:
        return self.event["status"] in _ENDS


@dataclass
class _Execution:
    dispatch: Mapping[str, Any]
    place: tuple[int, int]
    seconds: float
    id: str = field(default_factory=lambda: f"stand-in-{uuid4()}")
    last: Answer | None = None


@dataclass
class Executor:
    """What becomes of dispatches, without Kafka. `pace`: the least and the most seconds an execution takes;
    `failing`: tasks whose executions end FAILED.
    """

    pace: tuple[float, float]
    failing: frozenset[str] = frozenset()
    clock: Callable[[], float] = time.monotonic
    _known: OrderedDict[tuple[str, int], _Execution] = field(default_factory=OrderedDict)
    _steps: list[tuple[float, int, str, _Execution]] = field(default_factory=list)

    def take(self, value: bytes | None, place: tuple[int, int]) -> Answer | None:
        """The answer to a dispatch; None for what is none. `value` is the message."""
        dispatch = _parse(value)
        if dispatch is None:
            log.warning("no_dispatch", partition=place[0], offset=place[1])
            return None
        key = dispatch["installation"], dispatch["task_run_id"]
        known = self._known.get(key)
        if known is not None:
            log.info("repeated", task=dispatch["task"], task_run_id=key[1])
            assert known.last is not None
            return known.last
        execution = _Execution(dispatch, place, random.uniform(*self.pace))
        self._known[key] = execution
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        begin = self.clock() + random.uniform(*_START_UP)
        end = "FAILED" if dispatch["task"] in self.failing else "SUCCESS"
        heapq.heappush(self._steps, (begin, key[1], "RUNNING", execution))
        heapq.heappush(self._steps, (begin + execution.seconds, key[1], end, execution))
        return self._answer(execution, "ACCEPTED")

    def due(self) -> list[Answer]:
        """What is to be said by now, in its order."""
        answers = []
        while self._steps and self._steps[0][0] <= self.clock():
            _, _, status, execution = heapq.heappop(self._steps)
            answers.append(self._answer(execution, status))
        return answers

    def pause(self, most: float) -> float:
        """Seconds until something is due, at most `most`."""
        return min(most, max(0.0, self._steps[0][0] - self.clock())) if self._steps else most

    def _answer(self, execution: _Execution, status: str) -> Answer:
        dispatch = execution.dispatch
        task_run_id = dispatch["task_run_id"]
        event = {
            "v": 1,
            "installation": dispatch["installation"],
            "service": dispatch["service"],
            "process": dispatch["process"],
            "task": dispatch["task"],
            "task_run_id": task_run_id,
            "status": status,
            "run_key": dispatch.get("run_key"),
            "external_id": execution.id,
            "event_id": f"{execution.id}-{status}",
            "occurred_at": datetime.now(timezone.utc)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z"),
        }
        if status == "SUCCESS":
            event["result"] = {
                "executor": NAME,
                "seconds": round(execution.seconds, 3),
                "rows": random.randrange(1000),
            }
        else:
            event["detail"] = f"{NAME}: told to fail" if status == "FAILED" else NAME
        log.info("answer", status=status, task=dispatch["task"], task_run_id=task_run_id)
        execution.last = Answer(str(task_run_id), event, execution.place)
        if execution.last.is_end:
            execution.dispatch = {}
        return execution.last


class Progress:
    """Per partition, how far all dispatches have been answered to their end."""

    def __init__(self) -> None:
        self._open: dict[int, set[int]] = {}
        self._next: dict[int, int] = {}

    def taken(self, partition: int, offset: int) -> None:
        self._open.setdefault(partition, set()).add(offset)
        self._next[partition] = max(offset + 1, self._next.get(partition, 0))

    def ended(self, partition: int, offset: int) -> None:
        self._open.get(partition, set()).discard(offset)

    def offsets(self) -> dict[int, int]:
        """By partition, the first offset that a restart has to read."""
        return {partition: min(self._open[partition], default=end) for partition, end in self._next.items()}

    def forget(self, partitions: Sequence[int]) -> None:
        for partition in partitions:
            self._open.pop(partition, None)
            self._next.pop(partition, None)


class StandIn:
    """An `Executor` at a dispatch topic, until `stop` is set. Brokers that are away are waited for."""

    def __init__(
        self, kafka: Properties, topic: str, group: str, executor: Executor, stop: threading.Event
    ) -> None:
        self._topic = topic
        self._executor = executor
        self._stop = stop
        self._outage = logs.Outage(log, f"Kafka at {kafka['bootstrap.servers']}")
        self._progress = Progress()
        self._committed: dict[int, int] = {}
        reading = {
            "group.id": group,
            "enable.auto.commit": "false",
            "auto.offset.reset": "latest",
            "session.timeout.ms": "6000",
            "heartbeat.interval.ms": "1000",
        }
        self._consumer = make(Consumer, {**kafka, **reading}, self._on_error)
        self._producer = make(
            Producer, {**kafka, "linger.ms": "0", "enable.idempotence": "true"}, self._on_error
        )

    def run(self) -> None:
        self._consumer.subscribe([self._topic], on_assign=self._on_assign, on_revoke=self._on_revoke)
        try:
            while not self._stop.is_set():
                message = self._consumer.poll(self._executor.pause(_POLL))
                if message is not None:
                    self._take(message)
                for answer in self._executor.due():
                    self._send(answer)
                self._producer.poll(0)
                self._commit()
        finally:
            self._producer.flush(5)
            self._commit()
            self._consumer.close()

    def _take(self, message: Message) -> None:
        error = message.error()
        if error is not None:
            self._outage.failed(error.str(), topic=self._topic)
            return
        self._outage.over()
        partition, offset = message.partition(), message.offset()
        assert partition is not None
        assert offset is not None
        self._progress.taken(partition, offset)
        answer = self._executor.take(message.value(), (partition, offset))
        if answer is None:
            self._progress.ended(partition, offset)
        else:
            self._send(answer)
            if answer.place != (partition, offset):
                self._progress.ended(partition, offset)

    def _send(self, answer: Answer) -> None:
        value = json.dumps(answer.event, ensure_ascii=False).encode()
        while True:
            try:
                self._producer.produce(
                    EVENTS_TOPIC, value, answer.key, on_delivery=partial(self._delivered, answer)
                )
            except BufferError:
                self._producer.poll(_POLL)
            else:
                return

    def _delivered(self, answer: Answer, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._outage.failed(error.str(), lost=answer.event["status"])
        elif answer.is_end:
            self._progress.ended(*answer.place)

    def _commit(self) -> None:
        offsets = self._progress.offsets()
        if offsets != self._committed:
            try:
                self._consumer.commit(
                    offsets=[
                        TopicPartition(self._topic, partition, offset)
                        for partition, offset in offsets.items()
                    ],
                    asynchronous=True,
                )
                self._committed = offsets
            except KafkaException as error:
                log.debug("commit_failed", error=error.args[0].str())

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Where the group has no offset it begins at the end, for good, and before `ready` is said."""
        try:
            places = consumer.committed(partitions, timeout=10)
            new = [place for place in places if place.offset < 0]
            for place in new:
                _, place.offset = consumer.get_watermark_offsets(place, timeout=10)
            consumer.assign(places)
            if new:
                consumer.commit(offsets=new, asynchronous=False)
        except KafkaException as error:  # librdkafka assigns by itself then, by auto.offset.reset
            log.warning("offsets_unknown", error=error.args[0].str())
        log.info(
            READY,
            executor=NAME,
            topic=self._topic,
            partitions=sorted(place.partition for place in partitions),
        )

    def _on_revoke(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._progress.forget([place.partition for place in partitions])

    def _on_error(self, error: KafkaError) -> None:
        self._outage.failed(error.str())


def _parse(value: bytes | None) -> dict[str, Any] | None:
    """The dispatch, if it is one."""
    try:
        dispatch = json.loads(value or b"")
    except ValueError:
        return None
    if not isinstance(dispatch, dict) or dispatch.get("type") != "start":
        return None
    texts = all(
        isinstance(dispatch.get(name), str) for name in ("installation", "service", "process", "task")
    )
    return dispatch if texts and isinstance(dispatch.get("task_run_id"), int) else None


def main() -> int:
    """0 after SIGTERM or SIGINT; 2 for wrong settings, with one line."""
    parser = argparse.ArgumentParser(
        prog="python -m stack.standin", description=NAME, epilog="Kafka: ORCHESTRATION_KAFKA_…"
    )
    parser.add_argument("--topic", default="airflow_tasks", help="the dispatch topic (%(default)s)")
    parser.add_argument("--group", default=GROUP, help="the consumer group (%(default)s)")
    parser.add_argument(
        "--pace",
        nargs=2,
        type=float,
        default=(0.3, 0.8),
        metavar=("LEAST", "MOST"),
        help="seconds an execution takes",
    )
    parser.add_argument(
        "--fail", action="append", default=[], metavar="TASK", help="end executions of it FAILED"
    )
    asked = parser.parse_args()
    if not 0 <= asked.pace[0] <= asked.pace[1]:
        parser.error("--pace: LEAST must be at least 0 and at most MOST")
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    logs.configure()
    try:
        kafka = kafka_properties(os.environ)
        logs.redact_in_logs(secrets(os.environ, kafka))
        executor = Executor((asked.pace[0], asked.pace[1]), frozenset(asked.fail))
        StandIn(kafka, asked.topic, asked.group, executor, stop).run()
    except DeployError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
