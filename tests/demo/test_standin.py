"""The stand-in executor: one execution a dispatch, however often it is sent, and its answers in order."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition

from stack.layout import ROOT
from stack.process import await_true
from stack.standin import Executor, Progress
from tests.support.servers import KafkaServer
from tests.support.topics import EVENTS, PARTITIONS

DISPATCH = {
    "v": 1, "type": "start", "installation": "i", "task_run_id": 42, "attempt": 1, "graph_run_ids": [7],
    "graph": "load", "run_key": "2026-11-22", "service": "airflow", "process": "dag_7", "task": "7", "config": {},
    "created_at": "",
}  # fmt: skip


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def dispatch(**changes: Any) -> bytes:
    return json.dumps({**DISPATCH, **changes}).encode()


def executor(*failing: str) -> tuple[Executor, Clock]:
    clock = Clock()
    return Executor((1.0, 2.0), frozenset(failing), clock), clock


def test_accepted_running_success() -> None:
    made, clock = executor()
    accepted = made.take(dispatch(), (0, 5))
    assert accepted is not None
    assert accepted.key == "42"
    expected = {
        name: DISPATCH[name]
        for name in ("installation", "service", "process", "task", "task_run_id", "run_key")
    }
    assert expected.items() <= accepted.event.items()
    assert made.due() == []
    clock.now += 0.1
    (running,) = made.due()
    clock.now += 1.99
    (success,) = made.due()
    events = [answer.event for answer in (accepted, running, success)]
    assert [event["status"] for event in events] == ["ACCEPTED", "RUNNING", "SUCCESS"]
    assert len({event["external_id"] for event in events}) == 1
    assert len({event["event_id"] for event in events}) == 3
    assert events[2]["result"]["executor"] == "stand-in executor, not Airflow"
    assert 1 <= events[2]["result"]["seconds"] <= 2
    assert [answer.is_end for answer in (accepted, running, success)] == [False, False, True]
    clock.now += 100
    assert made.due() == []


def test_a_repeat_gets_the_last_answer_and_no_execution() -> None:
    made, clock = executor()
    accepted = made.take(dispatch(), (0, 5))
    assert made.take(dispatch(), (1, 9)) == accepted
    clock.now += 3
    _, success = made.due()
    assert made.take(dispatch(attempt=1, created_at="later"), (2, 1)) == success
    clock.now += 100
    assert made.due() == []


def test_the_same_id_of_another_installation_is_another_dispatch() -> None:
    made, clock = executor()
    first = made.take(dispatch(), (0, 5))
    other = made.take(dispatch(installation="j"), (0, 6))
    assert first is not None
    assert other is not None
    assert first.event["external_id"] != other.event["external_id"]
    clock.now += 3
    assert len(made.due()) == 4


def test_told_to_fail() -> None:
    made, clock = executor("7")
    made.take(dispatch(), (0, 5))
    clock.now += 3
    assert [answer.event["status"] for answer in made.due()] == ["RUNNING", "FAILED"]


def test_what_is_no_dispatch_is_passed_over() -> None:
    made, _ = executor()
    for value in (
        None,
        b"",
        b"{",
        b"[]",
        b"1",
        dispatch(type="stop"),
        dispatch(task_run_id="42"),
        dispatch(process=None),
    ):
        assert made.take(value, (0, 0)) is None
    assert made.pause(0.1) == 0.1


def test_progress_is_the_first_dispatch_that_has_not_ended() -> None:
    progress = Progress()
    for offset in (3, 4, 5):
        progress.taken(0, offset)
    progress.taken(1, 9)
    assert progress.offsets() == {0: 3, 1: 9}
    progress.ended(0, 4)
    assert progress.offsets() == {0: 3, 1: 9}
    progress.ended(0, 3)
    assert progress.offsets() == {0: 5, 1: 9}
    progress.ended(0, 5)
    progress.ended(1, 9)
    assert progress.offsets() == {0: 6, 1: 10}
    progress.forget([1])
    assert progress.offsets() == {0: 6}


@contextmanager
def standin(broker: KafkaServer, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        **os.environ,
        "ORCHESTRATION_KAFKA_BOOTSTRAP": broker.bootstrap,
        "ORCHESTRATION_ENV": "dev",
    }
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "stack.standin", "--pace", "0.1", "0.2"],
            cwd=ROOT,
            env=environment,
            stderr=out,
        )
    try:
        assert await_true(lambda: b'"event": "ready"' in log.read_bytes(), 20), log.read_text()
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def answers(broker: KafkaServer, ends: int) -> list[dict[str, Any]]:
    """All events in the topic, once so many ends are among them and nothing has come for a second."""
    settings = {"bootstrap.servers": broker.bootstrap, "group.id": "test", "enable.auto.commit": "false"}
    consumer = Consumer(settings)
    consumer.assign([TopicPartition(EVENTS, number, 0) for number in range(PARTITIONS)])
    found: list[dict[str, Any]] = []
    limit = time.monotonic() + 20
    quiet = 0.0
    while time.monotonic() < limit and (
        quiet < 1 or sum(event["status"] == "SUCCESS" for event in found) < ends
    ):
        messages = consumer.consume(100, 0.1)
        quiet = 0.0 if messages else quiet + 0.1
        found += [json.loads(message.value() or b"") for message in messages if message.error() is None]
    consumer.close()
    return found


def test_over_kafka_and_again_after_a_restart(topics: KafkaServer, tmp_path: Path) -> None:
    """What was sent before the first start is not its own; what was sent while it was away it does when it is back."""
    producer = Producer({"bootstrap.servers": topics.bootstrap})

    def send(*ids: int) -> None:
        for number in ids:
            producer.produce("airflow_tasks", dispatch(task_run_id=number), str(number))
        assert producer.flush(10) == 0

    send(1)
    with standin(topics, tmp_path / "one.log"):
        send(2, 3, 2)
        first = answers(topics, 2)
    send(4)
    with standin(topics, tmp_path / "two.log"):
        both = answers(topics, 3)
    assert {event["task_run_id"] for event in first} == {2, 3}
    assert {event["task_run_id"] for event in both} == {2, 3, 4}
    for number in (2, 3, 4):
        own = [event for event in both if event["task_run_id"] == number]
        assert len({event["external_id"] for event in own}) == 1
        distinct = list(dict.fromkeys(event["event_id"] for event in own))
        assert [event_id.rpartition("-")[2] for event_id in distinct] == ["ACCEPTED", "RUNNING", "SUCCESS"]


def test_wrong_settings_are_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "stack.standin"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: ORCHESTRATION_KAFKA_BOOTSTRAP is not set")
    assert len(done.stderr.splitlines()) == 1
