"""The road a data engineer takes: define, report, look, launch."""

from __future__ import annotations

import pytest

from tests.api.conftest import Asker


@pytest.fixture(scope="module")
def daily(ask: Asker) -> int:
    """The graph daily: load_stg -> stg_to_ods -> report; its id."""
    services: list[dict[str, object]] = [
        {"name": "airflow", "dispatch_topic": "airflow_tasks", "echoes_ids": True},
        {"name": "nifi"},
    ]
    for each in services:
        assert ask("POST", "/services", each).status == 201
    for service, uid in (("nifi", "load_stg"), ("airflow", "stg_to_ods"), ("airflow", "report")):
        made = ask("POST", "/processes", {"service": service, "uid": uid})
        assert made.status == 201
        task = {"process": {"service": service, "uid": uid}, "name": uid, "retry_delay": 90}
        made = ask("POST", "/tasks", task)
        assert made.body["retry_delay"] == "PT1M30S"
    graph = ask("POST", "/graphs", {"name": "daily", "labels": {"team": "dwh"}})
    assert graph.headers["Location"] == f"/api/v1/graphs/{graph.body['id']}"
    for previous, following in (("load_stg", "stg_to_ods"), ("stg_to_ods", "report")):
        chain = ask("POST", "/chains", {"previous_task": previous, "next_task": following})
        assert chain.body["graph_id"] is None
        assert ask("POST", "/graph-chains", {"graph": "daily", "chain_id": chain.body["id"]}).status == 201
    return int(graph.body["id"])


@pytest.fixture(scope="module")
def run(ask: Asker, daily: int) -> int:
    """A run of it that an event has opened; its id."""
    done = ask(
        "POST", "/events", {"service": "nifi", "process": "load_stg", "status": "SUCCESS", "run_key": "k"}
    )
    assert (done.status, done.body["dead_letter_id"]) == (200, None)
    runs = ask("GET", "/graph-runs?graph=daily&run_key=k").body["items"]
    assert [(run["status"], run["graph_id"]) for run in runs] == [("RUNNING", daily)]
    return int(runs[0]["id"])


def test_define_report_look_launch(ask: Asker, daily: int, run: int) -> None:
    started = ask("GET", "/task-runs?task=stg_to_ods").body["items"]
    assert [(run["status"], run["graph_run_id"]) for run in started] == [("DISPATCHED", run)]

    launched = ask("POST", f"/graphs/{daily}/launch", {"run_key": "by hand", "params": {"n": 1}})
    assert (launched.status, launched.body["params"]) == (201, {"n": 1})
    history = ask("GET", f"/graph-runs/{launched.body['id']}/history").body["items"]
    assert {(row["source"], row["actor"]) for row in history} == {("rest", "tester")}


def test_an_event_nobody_knows_is_a_dead_letter(ask: Asker) -> None:
    sent = ask("POST", "/events", {"service": "nifi", "process": "nobody", "status": "SUCCESS"})
    assert (sent.status, sent.body["task_run_id"]) == (202, None)
    letter = ask("GET", f"/dead-letters/{sent.body['dead_letter_id']}")
    assert (letter.body["topic"], letter.body["reason"]) == ("rest", "unknown")


def test_a_post_sent_twice_with_one_key_happens_once(ask: Asker, daily: int) -> None:
    first = ask("POST", f"/graphs/{daily}/launch", {"run_key": "once"}, Idempotency_Key="abc")
    again = ask("POST", f"/graphs/{daily}/launch", {"run_key": "once"}, Idempotency_Key="abc")
    assert (first.status, again.status) == (201, 201)
    assert again.body == first.body
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(ask("GET", f"/graph-runs?graph_id={daily}&run_key=once").body["items"]) == 1
    other = ask("POST", f"/graphs/{daily}/launch", {"run_key": "other"}, Idempotency_Key="abc")
    assert (other.status, other.body["code"]) == (422, "OR502")


def test_without_a_body_the_defaults_hold(ask: Asker, daily: int) -> None:
    assert ask("POST", f"/graphs/{daily}/launch").status == 201


def test_why_did_nothing_happen(ask: Asker) -> None:
    event = {"service": "nifi", "process": "nobody", "status": "SUCCESS"}
    letter = ask("POST", "/events", event).body["dead_letter_id"]
    before = len(ask("GET", "/dead-letters").body["items"])
    rows = ask("POST", "/events/explain", event).body["items"]
    assert any("nobody" in row["detail"] for row in rows)
    assert ask("GET", f"/dead-letters/{letter}/explain").body["items"]
    assert len(ask("GET", "/dead-letters").body["items"]) == before, "explaining changes nothing"


def test_dead_letters_are_replayed_once_their_cause_is_mended(ask: Asker) -> None:
    ask("POST", "/services", {"name": "lake"})
    sent = ask("POST", "/events", {"service": "lake", "process": "late", "status": "SUCCESS"})
    assert ask("POST", f"/dead-letters/{sent.body['dead_letter_id']}/replay").status == 409
    ask("POST", "/processes", {"service": "lake", "uid": "late"})
    ask("POST", "/tasks", {"name": "late", "process": {"service": "lake", "uid": "late"}})
    assert ask("POST", "/dead-letters/replay", {"reason": "unknown"}).body["replayed"] == 1
    assert ask("POST", f"/dead-letters/{sent.body['dead_letter_id']}/replay").body["code"] == "OR406"


def test_as_of(ask: Asker, run: int) -> None:
    rows = ask("GET", f"/graph-runs/{run}/as-of?at=2100-01-01T00:00:00Z").body["items"]
    assert {row["task"] for row in rows} == {None, "load_stg", "stg_to_ods"}
    assert ask("GET", f"/graph-runs/{run}/as-of?at=2000-01-01T00:00:00Z").status == 404
