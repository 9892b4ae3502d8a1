"""Both processors in a real NiFi with a real Kafka: kill -9 of NiFi and of Python, the broker away, repeats, bad properties."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from stack.nifi.server import Nifi
from stack.process import await_true, identity
from tests.nifi.live import Flow, eventually
from tests.nifi.schema import matches
from tests.nifi.test_consume import INSTALLATION, dispatch
from tests.support import topics as topic_tools
from tests.support.servers import KafkaServer, start_kafka

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("nifi")]


class Road:
    """nifi_tasks -> ConsumeTaskDispatch -> PublishTaskEvent -> etl_finished_tasks."""

    def __init__(self, nifi: Nifi, kafka: KafkaServer) -> None:
        self.nifi, self.kafka = nifi, kafka
        self.flow = Flow(nifi)
        brokers = {"Kafka Brokers": kafka.bootstrap, "heartbeat.interval.ms": "200"}
        self.flow.add(
            "take", "ConsumeTaskDispatch",
            {**brokers, "session.timeout.ms": "6000", "State Directory": str(nifi.folder / "memory")}, every="50 ms",
        )  # fmt: skip
        self.flow.add("name", "UpdateAttribute", {"external_id": "${uuid}"})
        self.flow.add(
            "report", "PublishTaskEvent",
            {
                "Kafka Brokers": kafka.bootstrap, "Process": "load_stg", "Delivery Timeout": "5 sec",
                "Result From": "attributes", "Result Attributes": "rows=dispatch.config.rows:json",
            },
            ends=("success", "original", "invalid"),
        )  # fmt: skip
        self.flow.connect("take", "success", "name")
        self.flow.connect("name", "success", "report")
        self.flow.connect("report", "failure", "report")
        self.flow.run("take", "name", "report")
        self._producer = Producer({"bootstrap.servers": kafka.bootstrap, "acks": "all", "log_level": 0})
        self._last = 0

    def send(self, task_run_id: int | None = None, **changes: Any) -> int:
        if task_run_id is None:
            self._last += 1
            task_run_id = self._last
        value = json.dumps(dispatch(task_run_id, **changes))
        self._producer.produce("nifi_tasks", value, str(task_run_id))
        assert self._producer.flush(30) == 0
        return task_run_id

    def events(self, task_run_id: int) -> list[dict[str, Any]]:
        """All events so far of a task run, from the topic's begin."""
        reader = Consumer(
            {"bootstrap.servers": self.kafka.bootstrap, "group.id": "reader", "enable.auto.commit": "false"}
        )
        found = []
        try:
            parts = (
                reader.list_topics("etl_finished_tasks", timeout=10).topics["etl_finished_tasks"].partitions
            )
            reader.assign([TopicPartition("etl_finished_tasks", each, 0) for each in parts])
            left = {}
            for each in parts:
                low, high = reader.get_watermark_offsets(
                    TopicPartition("etl_finished_tasks", each), timeout=10
                )
                if high > low:
                    left[each] = high
            while left:
                message = reader.poll(5)
                assert message is not None
                assert message.error() is None
                event = json.loads(message.value() or b"")
                if event["task_run_id"] == task_run_id:
                    assert matches("event", event)
                    found.append(event)
                if (message.offset() or 0) + 1 >= left.get(message.partition(), 0):
                    left.pop(message.partition(), None)
        finally:
            reader.close()
        return found

    def statuses(self, task_run_id: int) -> list[str]:
        return sorted(each["status"] for each in self.events(task_run_id))

    def done(self, task_run_id: int, seconds: float = 60) -> None:
        eventually(lambda: {"ACCEPTED", "SUCCESS"} <= set(self.statuses(task_run_id)), seconds)

    def python(self, kind: str) -> list[int]:
        """The Python processes of a kind of processor."""
        found = []
        for pid in self.nifi.python_processes():
            environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            if any(each.startswith(b"ENV_HOME=") and kind.encode() in each for each in environment):
                found.append(pid)
        return found


@pytest.fixture(scope="module")
def road() -> Iterator[Road]:
    kafka = start_kafka()
    try:
        topic_tools.renew(kafka.bootstrap)
        nifi = Nifi.throwaway()
        try:
            yield Road(nifi, kafka)
        finally:
            nifi.drop()
    finally:
        kafka.drop()


def test_dispatched_executed_reported(road: Road) -> None:
    task_run_id = road.send()
    road.done(task_run_id)
    accepted, success = sorted(road.events(task_run_id), key=lambda each: str(each["status"]))
    assert accepted["status"] == "ACCEPTED"
    assert (success["status"], success["installation"]) == ("SUCCESS", INSTALLATION)
    assert success["result"] == {"rows": 500}
    assert len(success["external_id"]) == len(success["event_id"]) == 36
    assert (success["run_key"], success["task"]) == ("2026-11-22", "load")


def test_a_repeat_is_accepted_and_not_executed(road: Road) -> None:
    task_run_id = road.send()
    road.done(task_run_id)
    road.send(task_run_id)
    eventually(lambda: road.statuses(task_run_id) == ["ACCEPTED", "ACCEPTED", "SUCCESS"])
    road.done(road.send())
    assert road.statuses(task_run_id).count("SUCCESS") == 1


def test_python_killed(road: Road) -> None:
    for kind in ("ConsumeTaskDispatch", "PublishTaskEvent"):
        for pid in road.python(kind):
            os.kill(pid, signal.SIGKILL)
        road.done(road.send())


def test_nifi_killed(road: Road) -> None:
    known = road.send()
    road.done(known)
    left = road.python("ConsumeTaskDispatch") + road.python("PublishTaskEvent")
    assert left
    road.nifi.kill()
    meanwhile = road.send()
    road.send(known)
    # they notice, and give their partitions back
    assert await_true(lambda: not any(identity(pid) for pid in left), 10, 0.1)
    road.nifi.start()
    road.done(meanwhile, 120)
    eventually(lambda: road.statuses(known).count("ACCEPTED") == 2)
    assert road.statuses(known).count("SUCCESS") == 1


def test_broker_away(road: Road) -> None:
    task_run_id = road.send()
    road.done(task_run_id)
    road.flow.run("report", state="STOPPED")
    waits = road.send()
    eventually(lambda: road.flow.waiting("name") == 1)
    road.kafka.stop()
    road.flow.run("report")
    time.sleep(6)  # longer than one delivery timeout: it fails at least once
    road.kafka.start()
    road.done(waits, 120)
    ids = {each["event_id"] for each in road.events(waits) if each["status"] == "SUCCESS"}
    assert len(ids) == 1


def test_bad_properties_are_named(road: Road) -> None:
    brokers = {"Kafka Brokers": road.kafka.bootstrap}
    road.flow.add("bad", "PublishTaskEvent", {**brokers}, ends=("success", "failure", "original", "invalid"))
    assert any(
        "'Process' is required" in each or "Process" in each
        for each in eventually(lambda: road.flow.errors("bad"))
    )
    road.flow.configure("bad", {"Process": "p", "Status": "DONE"})
    eventually(lambda: any("must be one of ACCEPTED" in each for each in road.flow.errors("bad")))
    road.flow.configure("bad", {"Status": "SUCCESS", "no.such.property": "1"})
    eventually(lambda: any("No such configuration property" in each for each in road.flow.errors("bad")))
    road.flow.configure("bad", {"no.such.property": None, "acks": "1"})
    eventually(lambda: any("must be all" in each for each in road.flow.errors("bad")))


def test_what_cannot_be_an_event_goes_to_invalid(road: Road) -> None:
    road.flow.add("make", "GenerateFlowFile", {"File Size": "0B"}, every="1 day")
    road.flow.add(
        "refuse", "PublishTaskEvent",
        {"Kafka Brokers": road.kafka.bootstrap, "Process": "p", "Task Run Id": "forty"}, ends=("success", "failure", "original"),
    )  # fmt: skip
    road.flow.add("look", "UpdateAttribute", {}, ends=("success",))
    road.flow.connect("make", "success", "refuse")
    road.flow.connect("refuse", "invalid", "look")
    road.flow.run("refuse")
    road.flow.run("make", state="RUN_ONCE")
    attributes = eventually(lambda: road.flow.attributes("refuse"))
    assert "task run id 'forty' is no number" in attributes[0]["event.invalid"]
