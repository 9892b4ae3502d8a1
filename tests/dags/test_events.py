"""Events: their form, their ids, what a result is made of."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest

from dags import events
from dags.events import Run
from dags.messages import Request, parse
from tests.support.schemas import check

from .hostile import INSTALLATION, dispatch

NOW = datetime(2026, 11, 22, 3, tzinfo=timezone.utc)
OURS = Run("airflow", "noop", f"orc__{INSTALLATION}__42", 42, INSTALLATION)
THEIRS = Run("airflow", "sales", "scheduled__2026-11-22T00:00:00+00:00", run_key="2026-11-22")


def request() -> Request:
    found = parse(dispatch(), "airflow")
    assert isinstance(found, Request)
    return found


def test_accepted() -> None:
    event = events.accepted(request(), "DAG is paused", NOW)
    check("event", event.value)
    assert event.key == "42"
    assert json.loads(event.value) == {
        "v": 1,
        "installation": INSTALLATION,
        "service": "airflow",
        "process": "noop",
        "task_run_id": 42,
        "status": "ACCEPTED",
        "detail": "DAG is paused",
        "external_id": OURS.run_id,
        "event_id": f"{OURS.run_id}:ACCEPTED",
        "occurred_at": "2026-11-22T03:00:00.000000Z",
    }


def test_accepted_twice_is_one_event() -> None:
    first = events.accepted(request(), None, NOW)
    second = events.accepted(request(), None, NOW + timedelta(hours=1))
    assert first.body["event_id"] == second.body["event_id"]


def test_a_run_of_ours_is_keyed_by_its_task_run() -> None:
    event = events.reported(OURS, "SUCCESS", NOW, result={"move": {"rows": 3}})
    check("event", event.value)
    assert event.key == "42"
    assert event.body["result"] == {"move": {"rows": 3}}
    assert "run_key" not in event.body


def test_a_run_of_airflows_own_is_keyed_by_its_run_id() -> None:
    event = events.reported(THEIRS, "SUCCESS", NOW)
    check("event", event.value)
    assert event.key == THEIRS.run_id
    assert event.body["run_key"] == "2026-11-22"
    assert "task_run_id" not in event.body
    assert "installation" not in event.body


def test_ends_of_a_run_that_was_cleared_are_told_apart() -> None:
    ends = [
        events.reported(OURS, "FAILED", NOW),
        events.reported(OURS, "SUCCESS", NOW + timedelta(minutes=1)),
        events.reported(OURS, "FAILED", NOW + timedelta(minutes=2)),
        events.reported(OURS, "RUNNING", NOW),
        events.gone(OURS, NOW),
    ]
    assert len({event.body["event_id"] for event in ends}) == 5


def test_the_same_end_seen_twice_is_one_event() -> None:
    """Also where one of them was read in another time zone."""
    other = NOW.astimezone(timezone(timedelta(hours=5)))
    first, second = events.reported(OURS, "SUCCESS", NOW), events.reported(OURS, "SUCCESS", other, detail="x")
    assert first.body["event_id"] == second.body["event_id"]


def test_event_ids_of_long_run_ids_fit() -> None:
    run = Run("airflow", "d" * 250, "r" * 250)
    first, second = events.reported(run, "SUCCESS", NOW), events.reported(run, "FAILED", NOW)
    check("event", first.value)
    assert first.body["event_id"] != second.body["event_id"]


def test_gone() -> None:
    event = events.gone(OURS, NOW)
    check("event", event.value)
    assert (event.body["status"], event.body["detail"]) == ("FAILED", "run deleted in Airflow")


@pytest.mark.parametrize(
    ("rows", "result"),
    [
        ([], None),
        ([("a", -1, None)], None),
        ([("a", -1, {"rows": 1})], {"a": {"rows": 1}}),
        (
            [("a", -1, 0), ("b", -1, ""), ("c", -1, []), ("d", -1, False)],
            {"a": 0, "b": "", "c": [], "d": False},
        ),
        ([("b", 1, "y"), ("b", 10, "z"), ("b", 0, "x"), ("a", -1, 1)], {"a": 1, "b": ["x", "y", "z"]}),
        ([("b", 0, None), ("b", 1, "y")], {"b": [None, "y"]}),
        ([("group.a", -1, 1)], {"group.a": 1}),
    ],
)
def test_results(rows: list[tuple[str, int, object]], result: object) -> None:
    assert events.result_of(rows) == result


def test_a_result_that_is_too_large_is_left_out_and_said() -> None:
    event = events.reported(OURS, "SUCCESS", NOW, result={"a": "x" * 262_144})
    check("event", event.value)
    assert "result" not in event.body
    assert event.body["detail"] == "the result has 262152 bytes and is left out; the limit is 262144"


def test_a_result_of_the_largest_size_goes_out_whole() -> None:
    event = events.reported(OURS, "SUCCESS", NOW, result={"a": "x" * (262_144 - 8)})
    assert event.body["result"] == {"a": "x" * (262_144 - 8)}


def test_a_result_that_jsonb_cannot_hold_is_mended() -> None:
    event = events.reported(
        OURS, "SUCCESS", NOW, result={"a\0": ["\ud800", float("nan"), float("-inf"), NOW, {1: (2,)}]}
    )
    found = json.loads(event.value)["result"]
    assert found == {"a\ufffd": ["\ufffd", "nan", "-inf", str(NOW), {"1": [2]}]}


def test_words_are_cut_and_printable() -> None:
    event = events.reported(OURS, "FAILED", NOW, detail="a\0b\n" + "x" * 5_000)
    assert event.body["detail"].startswith("a\\x00b\\nxxx")
    assert len(event.body["detail"]) < 2_050
