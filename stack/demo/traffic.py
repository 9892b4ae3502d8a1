"""The demo at Kafka: it reports as NiFi would, and writes down every message it sees."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any
from uuid import uuid4

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)

from orchestration.bridge.kafka import make
from orchestration.bridge.settings import EVENTS_TOPIC, Properties

from .. import StackError

__all__ = ["DISPATCHES_TOPIC", "NiFi", "Observer", "Seen"]

DISPATCHES_TOPIC = "airflow_tasks"
_PATIENCE = 10.0


@dataclass(frozen=True)
class Seen:
    """One message with the demo's run key. `at`: its Kafka timestamp (ms). `status`: None for a dispatch."""

    at: datetime
    topic: str
    partition: int
    offset: int
    task: str
    service: str
    process: str
    task_run_id: int | None
    external_id: str | None
    status: str | None

    @property
    def is_end(self) -> bool:
        return self.status in ("SUCCESS", "FAILED", "SKIPPED")


class Observer:
    """Reads both topics from their ends at the time it is made, in no consumer group. Raises StackError."""

    def __init__(self, kafka: Properties, key: str) -> None:
        self._key = key
        self.seen: list[Seen] = []
        """Everything seen so far, in the order of arrival."""
        settings = {**kafka, "group.id": f"demo-{uuid4()}", "enable.auto.commit": "false"}
        self._consumer = make(Consumer, settings, lambda _: None)
        try:
            self._consumer.assign(
                [place for topic in (EVENTS_TOPIC, DISPATCHES_TOPIC) for place in self._ends(topic)]
            )
        except KafkaException as error:
            raise StackError(
                f"Kafka at {kafka['bootstrap.servers']} does not answer: {error.args[0].str()}"
            ) from None

    def look(self, seconds: float) -> list[Seen]:
        """What has come since the last call, in the order of Kafka's timestamps; waits at most so long for one."""
        messages = self._consumer.consume(1, seconds) + self._consumer.consume(500, 0)
        found = sorted(
            (seen for message in messages for seen in self._read(message)), key=lambda seen: seen.at
        )
        self.seen += found
        return found

    def close(self) -> None:
        self._consumer.close()

    def _ends(self, topic: str) -> Iterable[TopicPartition]:
        known = self._consumer.list_topics(topic, timeout=_PATIENCE).topics[topic]
        for number in known.partitions:
            place = TopicPartition(topic, number)
            watermarks = self._consumer.get_watermark_offsets(place, timeout=_PATIENCE)
            place.offset = watermarks[1] if watermarks else OFFSET_BEGINNING
            yield place

    def _read(self, message: Message) -> Iterable[Seen]:
        if message.error() is not None:
            return
        try:
            body = json.loads(message.value() or b"")
        except ValueError:
            return
        if isinstance(body, dict) and body.get("run_key") == self._key:
            yield Seen(
                at=datetime.fromtimestamp(message.timestamp()[1] / 1000, timezone.utc),
                topic=str(message.topic()),
                partition=message.partition() or 0,
                offset=message.offset() or 0,
                task=str(body.get("task")),
                service=str(body.get("service")),
                process=str(body.get("process")),
                task_run_id=body.get("task_run_id"),
                external_id=body.get("external_id"),
                status=body.get("status"),
            )


class NiFi:
    """Reports as a NiFi flow does: by the first flow file's uuid, without knowing any task run. Raises StackError."""

    def __init__(self, kafka: Properties, key: str) -> None:
        self._key = key
        self._server = kafka["bootstrap.servers"]
        self._executions: dict[str, str] = {}
        self._lost: list[str] = []
        self._producer = make(
            Producer, {**kafka, "linger.ms": "0", "enable.idempotence": "true"}, lambda _: None
        )

    def report(self, task: str, status: str) -> None:
        """Produce the event and wait until the broker has it."""
        external_id = self._executions.setdefault(task, str(uuid4()))
        event: dict[str, Any] = {
            "v": 1,
            "service": "nifi",
            "process": f"pg_{task}",
            "task": task,
            "status": status,
            "run_key": self._key,
            "external_id": external_id,
            "event_id": f"{external_id}-{status}",
            "occurred_at": datetime.now(timezone.utc)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z"),
        }
        if status == "SUCCESS":
            event["result"] = {"rows": 500}
        self._producer.produce(
            EVENTS_TOPIC, json.dumps(event).encode(), external_id, on_delivery=self._delivered
        )
        if self._producer.flush(_PATIENCE) or self._lost:
            reason = self._lost[0] if self._lost else "no answer"
            raise StackError(f"Kafka at {self._server} does not take the report of task {task}: {reason}")

    def _delivered(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._lost.append(error.str())
