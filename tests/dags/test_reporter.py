"""What the plugin says of runs, in a process that must never wait, fail, or be forked into a hang."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from dags.messages import RESERVED
from dags.reporter import DagRun, Reporter
from tests.support.servers import KafkaServer

from .conftest import Desk
from .hostile import INSTALLATION

START = datetime(2026, 11, 22, 3, tzinfo=timezone.utc)
END = datetime(2026, 11, 22, 4, tzinfo=timezone.utc)
ENV = {"ORCHESTRATION_ENV": "dev", "ORCHESTRATION_KAFKA_BOOTSTRAP": "127.0.0.1:9"}


@dataclass
class FakeRun:
    dag_id: str = "work"
    run_id: str = f"orc__{INSTALLATION}__42"
    conf: Any = field(
        default_factory=lambda: {
            RESERVED: {"installation": INSTALLATION, "task_run_id": 42, "service": "airflow", "run_key": "k"}
        }
    )
    start_date: datetime | None = START
    end_date: datetime | None = END
    logical_date: datetime | None = None
    partition_key: str | None = None


class FakeRows:
    def __init__(self, rows: list[tuple[str, int, Any]] | None = None, size: int = 100) -> None:
        self.rows = rows or []
        self.size = size

    def returned(self, run: DagRun, most: int) -> tuple[list[tuple[str, int, Any]], int]:
        return ([], self.size) if self.size > most else (self.rows, self.size)

    def failed(self, run: DagRun) -> list[str]:
        return ["load", "move"]


class BrokenRows(FakeRows):
    def returned(self, run: DagRun, most: int) -> tuple[list[tuple[str, int, Any]], int]:
        raise RuntimeError("no such table")


def reporter(desk: Desk, rows: FakeRows | None = None, **more: str) -> Reporter:
    return Reporter(
        rows or FakeRows(), {**ENV, "ORCHESTRATION_KAFKA_BOOTSTRAP": desk.broker.bootstrap, **more}
    )


def test_a_run_of_ours(desk: Desk) -> None:
    own = reporter(desk, FakeRows([("move", -1, {"rows": 3}), ("each", 0, 1), ("each", 1, 2)]))
    own.tell(FakeRun(end_date=None), "RUNNING", "started")
    own.tell(FakeRun(), "FAILED", "task_failure")
    own.tell(FakeRun(end_date=END.replace(minute=30)), "SUCCESS", "success")
    assert own.flush(10) == 0
    running, failed, success = sorted(desk.events(), key=lambda event: event["occurred_at"])
    for event in (running, failed, success):
        assert (event["task_run_id"], event["installation"], event["key"]) == (42, INSTALLATION, "42")
        assert (event["service"], event["process"], event["external_id"]) == (
            "airflow",
            "work",
            FakeRun().run_id,
        )
        assert "run_key" not in event
    assert (running["status"], running["occurred_at"]) == ("RUNNING", "2026-11-22T03:00:00.000000Z")
    assert "result" not in running
    assert (failed["status"], failed["detail"]) == ("FAILED", "task_failure: load, move")
    assert (success["status"], success["result"]) == ("SUCCESS", {"move": {"rows": 3}, "each": [1, 2]})
    assert len({event["event_id"] for event in (running, failed, success)}) == 3


def test_a_result_over_the_limit(desk: Desk) -> None:
    own = reporter(desk, FakeRows([("a", -1, "x")], size=300_000))
    own.tell(FakeRun(), "SUCCESS", "success")
    assert own.flush(10) == 0
    (event,) = desk.events()
    assert "result" not in event
    assert event["detail"] == "the result has 300000 bytes and is left out; the limit is 262144"


def test_runs_of_airflows_own_are_told_by_the_list(desk: Desk) -> None:
    own = reporter(
        desk, ORCHESTRATION_AIRFLOW_REPORT_DAGS="sales_*=%Y%m%d,*_too", ORCHESTRATION_AIRFLOW_SERVICE="two"
    )
    run = FakeRun("sales_eu", "scheduled__2026-11-22T00:00:00+00:00", {}, logical_date=START)
    own.tell(run, "SUCCESS", "success")
    own.tell(FakeRun("other", run.run_id, {}, logical_date=START), "SUCCESS", "success")
    own.tell(FakeRun("me_too", "manual__1", None), "SUCCESS", "success")
    assert own.flush(10) == 0
    first, second = sorted(desk.events(), key=lambda event: event["process"])[::-1]
    assert (first["service"], first["process"], first["run_key"]) == ("two", "sales_eu", "20261122")
    assert (first["external_id"], first["key"]) == (run.run_id, run.run_id)
    assert "task_run_id" not in first
    assert "installation" not in first
    assert second["process"] == "me_too"
    assert "run_key" not in second


@pytest.mark.parametrize(
    "run",
    [
        FakeRun("work", "manual__x"),  # started by a person with a copied conf
        FakeRun("work", "manual__x", {}),
        FakeRun("work", conf=None),
        FakeRun("work", conf={RESERVED: "x"}),
        FakeRun("orchestration_listener", "scheduled__x", {}),
        FakeRun("orchestration_listener_2", "scheduled__x", {}),
    ],
)
def test_runs_that_are_none_of_our_business(desk: Desk, run: FakeRun) -> None:
    own = reporter(desk, ORCHESTRATION_AIRFLOW_REPORT_DAGS="orchestration*")
    own.tell(run, "SUCCESS", "success")
    assert own.flush(10) == 0
    assert desk.events() == []


def test_nothing_gets_out(caplog: pytest.LogCaptureFixture) -> None:
    Reporter(BrokenRows(), ENV).tell(FakeRun(), "SUCCESS", "success")
    assert "SUCCESS of run orc__" in caplog.text
    assert "no such table" in caplog.text


def test_wrong_settings_are_said_once_and_loudly(caplog: pytest.LogCaptureFixture) -> None:
    own = Reporter(FakeRows(), {})
    for _ in range(3):
        own.tell(FakeRun(), "SUCCESS", "success")
    assert caplog.text.count("NOTHING IS REPORTED") == 1
    assert "ORCHESTRATION_KAFKA_BOOTSTRAP is not set" in caplog.text


def test_a_property_librdkafka_does_not_know_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    own = Reporter(FakeRows(), {**ENV, "ORCHESTRATION_KAFKA_NO_SUCH": "1"})
    for _ in range(3):
        own.tell(FakeRun(), "SUCCESS", "success")
    assert caplog.text.count("NOTHING IS REPORTED") == 1


def test_no_broker_costs_no_time_and_a_full_buffer_no_memory(caplog: pytest.LogCaptureFixture) -> None:
    own = Reporter(FakeRows(), {**ENV, "ORCHESTRATION_KAFKA_QUEUE_BUFFERING_MAX_MESSAGES": "50"})
    own.tell(FakeRun(), "SUCCESS", "success")  # makes the producer
    begin = time.monotonic()
    for _ in range(500):
        own.tell(FakeRun(), "SUCCESS", "success")
    assert time.monotonic() - begin < 2.0
    assert caplog.text.count("events were not sent (the buffer is full)") == 1
    assert own.flush(0) == 50


def test_what_was_said_while_the_broker_was_away_arrives(own_broker: KafkaServer) -> None:
    desk = Desk(own_broker)
    own = reporter(desk)
    own_broker.stop()
    for number in range(20):
        own.tell(FakeRun(end_date=END.replace(minute=number)), "FAILED", "task_failure")
    own_broker.start()
    assert own.flush(60) == 0
    assert len({event["event_id"] for event in desk.events()}) == 20


_FORK = """
import os, sys, time
from datetime import datetime, timezone
sys.path.insert(0, {root!r})
from dags.reporter import Reporter
from tests.dags.test_reporter import FakeRows, FakeRun
own = Reporter(FakeRows(), {env!r})
own.tell(FakeRun(), "FAILED", "parent")
assert own.flush(10) == 0
child = os.fork()
if child == 0:
    own.tell(FakeRun(end_date=datetime(2026, 11, 22, 5, tzinfo=timezone.utc)), "SUCCESS", "child")
    sys.exit(own.flush(10))
_, status = os.waitpid(child, 0)
own.tell(FakeRun(end_date=datetime(2026, 11, 22, 6, tzinfo=timezone.utc)), "FAILED", "again")
sys.exit(status or own.flush(10))
"""


def test_a_fork_neither_hangs_nor_loses(desk: Desk) -> None:
    """The executor forks from the scheduler: the child reports with a producer of its own, and ends as it likes."""
    env = {**ENV, "ORCHESTRATION_KAFKA_BOOTSTRAP": desk.broker.bootstrap}
    root = str(Path(__file__).parent.parent.parent)
    done = subprocess.run(
        [sys.executable, "-c", _FORK.format(root=root, env=env)],
        timeout=60, check=False, capture_output=True, text=True, cwd=root, env={**os.environ, "PYTHONPATH": root},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [event["status"] for event in sorted(desk.events(), key=lambda e: e["occurred_at"])] == [
        "FAILED",
        "SUCCESS",
        "FAILED",
    ]
