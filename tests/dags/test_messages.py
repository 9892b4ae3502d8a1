"""What a message of the dispatch topic becomes, and what is said back."""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone

import pytest

from dags import events
from dags.messages import Junk, Refusal, Request, is_dag_id, is_ours, is_run_id, parse
from tests.support.schemas import check, problems

from .hostile import GOOD, HOSTILE, INSTALLATION, dispatch

NOW = datetime(2026, 11, 22, 3, tzinfo=timezone.utc)
KINDS = {Junk: "junk", Refusal: "refusal", Request: "request"}


def test_a_dispatch_is_what_the_schema_says() -> None:
    check("dispatch", dispatch())


def test_a_good_dispatch_becomes_a_request() -> None:
    found = parse(dispatch(), "airflow")
    assert isinstance(found, Request)
    assert found.run_id == f"orc__{INSTALLATION}__42"
    assert found.conf == {
        "batch_id": "b-1",
        "rows": 3,
        "orchestration": {
            "installation": INSTALLATION,
            "task_run_id": 42,
            "attempt": 1,
            "run_key": "2026-11-22",
            "graph": "integration",
            "graph_run_ids": [7],
            "task": "seven",
            "service": "airflow",
            "process": "noop",
        },
    }
    assert is_ours(found.run_id, found.conf) == found.context


def test_there_are_enough_hostile_messages() -> None:
    assert len(HOSTILE) > 250
    assert {kind for _, kind in HOSTILE} == {"junk", "refusal", "request"}


@pytest.mark.parametrize(("value", "kind"), HOSTILE, ids=range(len(HOSTILE)))
def test_hostile(value: bytes, kind: str) -> None:
    """Never an exception; what is said back is an event that the orchestrator can read and place; what is let through
    can do no harm.
    """
    found = parse(value, "airflow")
    assert KINDS[type(found)] == kind, found
    if isinstance(found, Request):
        assert re.fullmatch(r"orc__[0-9a-f-]{36}__[0-9]{1,19}", found.run_id)
        assert "/" not in found.dag_id
        text = json.dumps(found.conf, ensure_ascii=False, allow_nan=False)
        assert "\0" not in text.encode().decode()
    elif isinstance(found, Refusal):
        assert found.task_run_id == 42
        event = events.refused(found, found.reason, NOW)
        check("event", event.value)
        assert len(event.value) < 8_000
        assert event.body["status"] == "FAILED"
        assert event.body["task_run_id"] == found.task_run_id
        assert event.body["detail"].isprintable()
        assert event.body.get("installation", INSTALLATION) == INSTALLATION or _is_foreign(
            event.body["installation"]
        )
    else:
        assert isinstance(found, Junk)
        event = events.unreadable(found, "airflow", ("airflow_tasks", 3, 17), b"\xff42\x00", value, NOW)
        check("event", event.value)
        assert "task_run_id" not in event.body
        assert len(event.value) < 40_000


def _is_foreign(installation: str) -> bool:
    """Nobody's uuid, so that no orchestrator takes the event for its own."""
    return re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", installation) is None


def test_a_dispatch_for_another_service_names_the_remedy() -> None:
    found = parse(dispatch(service="airflow_two"), "airflow")
    assert isinstance(found, Refusal)
    assert "serves airflow, the dispatch is for 'airflow_two'" in found.reason
    assert "ORCHESTRATION_AIRFLOW_SERVICE" in found.reason


def test_depth_counts_what_the_dag_run_would_hold() -> None:
    def nested(levels: int) -> bytes:
        return dispatch(config={"a": "HERE"}).replace(b'"HERE"', b"[" * levels + b"]" * levels)

    assert isinstance(parse(nested(62), "airflow"), Request)
    found = parse(nested(70), "airflow")
    assert isinstance(found, Refusal)
    assert "nested deeper than 64 levels" in found.reason


@pytest.mark.parametrize(
    ("run_id", "conf"),
    [
        ("manual__2026-11-22", {"orchestration": {"installation": INSTALLATION, "task_run_id": 42}}),
        (f"orc__{INSTALLATION}__42", {}),
        (f"orc__{INSTALLATION}__42", None),
        (f"orc__{INSTALLATION}__42", {"orchestration": {"installation": INSTALLATION, "task_run_id": 43}}),
        (f"orc__{INSTALLATION}__42", {"orchestration": {"installation": INSTALLATION, "task_run_id": "42"}}),
        (f"orc__{INSTALLATION}__42", {"orchestration": {"task_run_id": 42}}),
        (f"orc__{INSTALLATION}__42", {"orchestration": [42]}),
        (f"orc__{INSTALLATION}__1", {"orchestration": {"installation": INSTALLATION, "task_run_id": True}}),
    ],
)
def test_runs_that_were_not_made_for_a_task_run(run_id: str, conf: object) -> None:
    assert is_ours(run_id, conf) is None


@pytest.mark.parametrize("text", ["", ".", "..", "a/b", "a b", "a..b", "a%2fb", "x" * 251, "ä", "a\n"])
def test_no_run_ids(text: str) -> None:
    assert not is_run_id(text)


def test_ids_of_airflow_itself() -> None:
    assert is_run_id("scheduled__2026-11-22T00:00:00+00:00")
    assert is_dag_id("a.b-c_1")


def test_good_is_as_the_schema_asks_field_by_field() -> None:
    """Each field that the schema requires is missed by it."""
    for name in GOOD:
        value = {field: each for field, each in GOOD.items() if field != name}
        assert problems("dispatch", json.dumps(value).encode()), name
