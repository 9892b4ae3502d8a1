"""What the sweeper says, of what is in flight and what Airflow holds."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone

import pytest

from dags.errors import TransientError
from dags.events import Event
from dags.sweeper import InFlight, Sweeper
from dags.trigger import RunState

from .fakes import FakeAirflow
from .hostile import INSTALLATION

START = datetime(2026, 11, 22, 3, tzinfo=timezone.utc)
END = datetime(2026, 11, 22, 4, tzinfo=timezone.utc)


@dataclass
class Ours:
    runs: list[InFlight]
    failing: list[Exception] = field(default_factory=list)

    def in_flight(self, older_than: datetime) -> list[InFlight]:
        if self.failing:
            raise self.failing.pop(0)
        return self.runs


@dataclass
class Box:
    events: list[Event] = field(default_factory=list)
    flushed: int = 0
    after: Callable[[], None] = lambda: None

    def send(self, event: Event) -> None:
        self.events.append(event)

    def flush(self) -> None:
        self.flushed += 1
        self.after()


def left(number: int, status: str = "RUNNING") -> InFlight:
    return InFlight(number, status, "work", f"orc__{INSTALLATION}__{number}")


def test_what_differs_is_reported_as_the_plugin_would_have() -> None:
    states = {
        1: RunState("success", START, END),
        2: RunState("failed", START, END),
        3: RunState("running", START, None),
        4: RunState("running", START, None),
        5: RunState("queued", None, None),
    }
    runs = [left(1), left(2), left(3), left(4, "DISPATCHED"), left(5, "DISPATCHED")]
    airflow = FakeAirflow(
        states={f"orc__{INSTALLATION}__{number}": state for number, state in states.items()},
        values=[("move", -1, {"rows": 3})],
    )
    box = Box()
    assert Sweeper("airflow", Ours(runs), airflow, box).sweep() == 3
    told = {event.body["task_run_id"]: event.body for event in box.events}
    assert {number: body["status"] for number, body in told.items()} == {
        1: "SUCCESS",
        2: "FAILED",
        4: "RUNNING",
    }
    assert told[1]["result"] == {"move": {"rows": 3}}
    assert told[1]["installation"] == INSTALLATION
    assert told[1]["event_id"] == f"orc__{INSTALLATION}__1:SUCCESS:2026-11-22T04:00:00.000000Z"
    assert box.flushed == 1


def test_a_run_that_is_gone_is_said_at_the_second_look() -> None:
    box = Box()
    sweeper = Sweeper("airflow", Ours([left(1)]), FakeAirflow(), box)
    assert sweeper.sweep() == 0
    assert sweeper.sweep() == 1
    assert (box.events[0].body["status"], box.events[0].body["detail"]) == (
        "FAILED",
        "run deleted in Airflow",
    )


def test_it_goes_on_after_errors() -> None:
    stop = threading.Event()
    ours = Ours([], [TransientError("away"), RuntimeError("a bug")])
    Sweeper("airflow", ours, FakeAirflow(), Box(after=stop.set)).run(0.01, stop)
    assert ours.failing == []


def test_no_api_is_said_loudly(caplog: pytest.LogCaptureFixture) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=Sweeper("airflow", None, FakeAirflow(), Box()).run, args=(0.001, stop))
    with caplog.at_level(logging.ERROR):
        thread.start()
        while not caplog.records and thread.is_alive():
            stop.wait(0.01)
        stop.set()
        thread.join(10)
    assert "NO SWEEPER: ORCHESTRATION_API_URL" in caplog.text
