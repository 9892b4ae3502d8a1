"""The model against SPEC 3 and 4.1: which execution an event belongs to, and what becomes of one that fits none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.model.definitions import Service
from tests.model.play import AIRFLOW, FIRST, RUNNER, SECOND, Play

GOOD: dict[str, Any] = {"service": "nifi", "process": "6", "status": "SUCCESS"}


@pytest.mark.parametrize(
    "change",
    [
        {"status": None},
        {"status": "success"},
        {"status": "CANCELLED"},
        {"status": 1},
        {"status": ["SUCCESS"]},
        {"v": 2},
        {"v": True},
        {"v": "1"},
        {"service": 7},
        {"service": ""},
        {"service": None},
        {"process": None},
        {"process": {"uid": "6"}},
        {"process": "6\n"},
        {"task": False},
        {"task_run_id": "1"},
        {"task_run_id": 1.5},
        {"task_run_id": True},
        {"task_run_id": [1]},
        {"run_key": 20261122},
        {"run_key": ""},
        {"run_key": "k" * 251},
        {"run_key": "a\tb"},
        {"external_id": 5},
        {"event_id": {}},
        {"detail": ["DAG is paused"]},
        {"detail": "\u0000"},
        {"result": "rows: 5"},
        {"result": [1]},
        {"result": {"text": "x" * (256 * 1024)}},
        {"occurred_at": 5},
        {"installation": 5},
        {"note": {"deep": ["\u0000"]}},
    ],
)
def test_malformed(change: dict[str, Any]) -> None:
    play = Play(FIRST)
    assert play.engine.report({**GOOD, **change}).reason == "malformed"
    assert play.picture == []


@pytest.mark.parametrize("value", [None, 5, "SUCCESS", [GOOD], {}])
def test_malformed_whole(value: object) -> None:
    assert Play(FIRST).engine.report(value).reason == "malformed"


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b"[1", b'{"v": NaN}', b" " * (1024 * 1024 + 1)])
def test_malformed_bytes(raw: bytes) -> None:
    assert Play(FIRST).engine.receive(raw).reason == "malformed"


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"v": 1},
        {"task": "6", "task_run_id": None, "run_key": None},
        {"detail": "", "occurred_at": "2026-11-22T00:00:00Z", "result": {"rows": [1, None]}},
        {"note": {"status": 5}, "Status": 7},
        {"run_key": "k" * 250},
        {"result": {"text": "x" * 200_000}},
    ],
)
def test_well_formed(change: dict[str, Any]) -> None:
    assert Play(FIRST).engine.receive(json.dumps({**GOOD, **change}).encode()).kind == "applied"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"installation": "another"}, "foreign"),
        ({"service": "nobody"}, "unknown"),
        ({"process": "66"}, "unknown"),
        ({"task": "7"}, "unknown"),
        ({"task_run_id": 99}, "unknown"),
        ({"task_run_id": 0}, "unknown"),
        ({"task_run_id": -1}, "malformed"),
        ({"task_run_id": 10**30}, "malformed"),
        ({"task_run_id": 2}, "mismatch"),
        ({"task_run_id": 2, "service": "runner"}, "mismatch"),
        ({"task_run_id": 2, "service": "runner", "process": "7", "task": "8"}, "mismatch"),
    ],
)
def test_dead_letters(change: dict[str, Any], reason: str) -> None:
    play = Play(FIRST)
    play.engine.world.installation = "ours"
    before = play("6").picture
    assert play.engine.report({**GOOD, **change}).reason == reason
    assert play.picture == before
    assert [letter.reason for letter in play.engine.dead_letters] == [reason]


def outcome(play: Play, word: str) -> tuple[str, str | None]:
    """What became of a word: dead letters by their reason, others by kind and way of matching."""
    found = play.word(word)
    return (found.kind, found.reason if found.kind == "dead" else found.matched_by)


def test_rule_1_beats_the_external_id() -> None:
    play = Play(FIRST)
    play("6@a 6@b first[a]#1/7?")
    play("7?@b:x")
    run = play.task_run("first[a]#1/7")
    found = play.engine.report({"task_run_id": run, "external_id": "x", "status": "SUCCESS"})
    assert (found.task_run, found.matched_by) == (run, "task_run_id")
    assert play.picture[1] == "first[b]#1 RUNNING 6S 7R 8. 9."


def test_rule_2_binds_an_execution_for_good() -> None:
    play = Play(FIRST)
    play("6@a 6@b 7?@b:x")
    assert outcome(play, "7@a:x") == ("applied", "external_id")
    assert play.picture[1] == "first[b]#1 RUNNING 6S 7S 8D 9D"
    assert outcome(play, "7!@a:x") == ("recorded", "external_id")
    assert outcome(play, "7@a:y") == ("applied", "in_flight")


def test_a_late_event_binds_too() -> None:
    play = Play(FIRST)("6 7")
    run = play.task_run("first#1/7")
    play.engine.report({"task_run_id": run, "external_id": "x", "status": "RUNNING"})
    assert play.report("7", "SUCCESS", external_id="x").task_run == run


def test_rule_2_another_task_is_named() -> None:
    play = Play({"g": "a-b b-c"})
    play.engine.catalog.add_task("b2", RUNNER, "b")
    play("a b?:x")
    assert outcome(play, "b:x") == ("applied", "external_id")
    found = play.report("b2", "FAILED", external_id="x")
    assert (found.kind, found.matched_by) == ("recorded", "external_id")


def test_accepted_binds_and_changes_nothing() -> None:
    play = Play(FIRST)
    play("6@a 6@b")
    run = play.task_run("first[b]#1/7")
    found = play.engine.report({"task_run_id": run, "external_id": "x", "status": "ACCEPTED"})
    assert (found.kind, found.task_run) == ("recorded", run)
    assert play.picture[1] == "first[b]#1 RUNNING 6S 7D 8. 9."
    assert play.report("7", "SUCCESS", external_id="x").task_run == run


def test_accepted_by_nobody_is_unexpected() -> None:
    play = Play(FIRST)
    assert play.report("6", "ACCEPTED").reason == "unexpected"
    assert play.report("7", "ACCEPTED", external_id="x").reason == "unexpected"


@pytest.mark.parametrize(
    ("script", "word", "found"),
    [
        ("6 6", "7", ("applied", "in_flight")),
        ("6@a 6@b", "7@b", ("applied", "in_flight")),
        ("6@a", "7", ("applied", "in_flight")),
        ("6@a", "7@z", ("applied", "in_flight")),
        ("6@a 6@b", "7", ("dead", "ambiguous")),
        ("6@a 6@b", "7@z", ("dead", "ambiguous")),
        ("6@a 6@b 7?@a:x 7?@b:y", "7@a:z", ("applied", "started")),
        ("6 7", "7", ("dead", "unexpected")),
        ("6 7", "7:x", ("applied", "started")),
        ("6 7?:x", "7", ("applied", "in_flight")),
    ],
)
def test_rule_4(script: str, word: str, found: tuple[str, str]) -> None:
    assert outcome(Play(FIRST)(script), word) == found


def test_rule_4_takes_the_oldest() -> None:
    play = Play(FIRST)
    assert play("6 6 7!").picture == ["first#1 FAILED 6S 7F 8X 9X", "first#2 RUNNING 6S 7D 8. 9."]


def test_rule_4_does_not_hold_where_ids_are_echoed() -> None:
    play = Play(FIRST, {"7": AIRFLOW})
    assert outcome(play("6"), "7") == ("dead", "unexpected")
    assert outcome(play, "7:manual") == ("applied", "started")
    assert play.picture == ["first#1 RUNNING 6S 7D 8. 9.", "first#2 RUNNING 7S 8D 9D"]


def several() -> Play:
    """Process p of two tasks: a is a root, b comes after r."""
    service = Service("both")
    play = Play({"g": "a-x r-b b-y"}, {"a": service, "b": service})
    for name in ("a", "b"):
        del play.engine.catalog.tasks[name]
        play.engine.catalog.add_task(name, service, "p")
    return play


def unnamed(play: Play, **fields: str) -> tuple[str, str | None]:
    found = play.engine.report({"service": "both", "process": "p", "status": "SUCCESS", **fields})
    if found.task_run is None:
        return ("dead", found.reason)
    return (play.engine.world.task_runs[found.task_run - 1].task, found.matched_by)


def test_rule_3() -> None:
    play = several()
    assert unnamed(play) == ("a", "started"), "the only root"
    play = several()("r")
    assert unnamed(play) == ("b", "in_flight"), "the only one in flight"
    play = several()("r a?")
    assert unnamed(play) == ("a", "in_flight"), "two in flight: the only root"
    play = several()
    play.engine.catalog.add_task("c", play.engine.catalog.tasks["a"].service, "p")
    play.engine.catalog.edit("g", add=[("c", "y")])
    assert unnamed(play) == ("dead", "ambiguous")
    play("c?")
    assert unnamed(play) == ("c", "in_flight")


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("7", ("recorded", "ended")),
        ("7?", ("recorded", "ended")),
        ("7:x", ("recorded", "ended")),
        ("7@z", ("dead", "unexpected")),
    ],
)
def test_rule_5(word: str, found: tuple[str, str]) -> None:
    play = Play(FIRST)("6")
    play.engine.update_task_runs({play.task_run("first#1/7"): "SUCCESS"})
    before = play.picture
    assert outcome(play, word) == found
    assert play.picture == before


def test_rule_5_is_used_up_by_an_end() -> None:
    play = Play(FIRST)("6")
    play.engine.update_task_runs({play.task_run("first#1/7"): "FAILED"})
    assert outcome(play, "7?:x") == ("recorded", "ended")
    assert outcome(play, "7:x") == ("recorded", "external_id")
    assert outcome(play, "7:y") == ("applied", "started")
    assert play.picture == ["first#1 FAILED 6S 7F 8X 9X", "first#2 RUNNING 7S 8D 9D"]


def test_the_first_end_wins() -> None:
    play = Play(FIRST)("6 7")
    for status in ("FAILED", "SKIPPED", "RUNNING", "ACCEPTED", "SUCCESS"):
        found = play.engine.report({"task_run_id": play.task_run("first#1/7"), "status": status})
        assert (found.kind, found.reason) == ("recorded", "late")
    assert play.picture == ["first#1 RUNNING 6S 7S 8D 9D"]


@pytest.mark.parametrize(
    ("graphs", "with_running", "without"),
    [
        (SECOND, "1? 1 5? 5", "1 5"),
        (SECOND, "1?@k 1@k", "1@k"),
        (SECOND, "1?@a 1@b 1@a", "1@b 1@a"),
        (SECOND, "1?@a 1", "1"),
        (SECOND, "1? 1@a", "1@a"),
        (SECOND, "1?:x 1?:y 1:x 1:y", "1:x 1:y"),
        (SECOND, "1?:x 1 1", "1 1"),
        (FIRST, "6 7? 7 8? 8", "6 7 8"),
        (FIRST, "7?:x 7:x", "7:x"),
        (FIRST, "7?:x 7!:x", "7!:x"),
    ],
)
def test_running_changes_no_outcome(graphs: dict[str, str], with_running: str, without: str) -> None:
    assert Play(graphs)(with_running).picture == Play(graphs)(without).picture


def test_running_of_an_unexpected_task_is_unexpected() -> None:
    play = Play(FIRST)
    assert outcome(play, "7?") == ("dead", "unexpected")
    assert outcome(play, "7") == ("dead", "unexpected")


def test_a_partial_run() -> None:
    play = Play(FIRST)
    assert play("7:x").picture == ["first#1 RUNNING 7S 8D 9D"]
    assert play("7:y").picture[1:] == ["first#2 RUNNING 7S 8D 9D"]
    assert play("6").picture[2:] == ["first#3 RUNNING 6S 7D 8. 9."], "no policy compares partial runs"


def test_a_partial_run_needs_what_lies_outside_to_have_succeeded_once() -> None:
    graphs = {"g": "a-b b-d c-d d-e"}
    play = Play(graphs)
    assert outcome(play, "b:x") == ("dead", "unexpected")
    play("c@k")
    assert outcome(play, "b:x") == ("applied", "started")
    assert play.picture == ["g[k]#1 RUNNING a. b. cS d. e.", "g#1 RUNNING bS dD e."]


def test_a_partial_run_in_every_graph_of_the_task() -> None:
    play = Play({"g": "a-b b-c", "h": "x-b b-y"})
    assert play("b:x").picture == ["g#1 RUNNING bS cD", "h#1 RUNNING bS=g#1 yD"]
    play = Play({"g": "a-b b-c", "h": "x-b b-y z-y"})
    assert outcome(play, "b:x") == ("dead", "unexpected"), "refused by one, refused whole"


def test_a_task_in_no_graph_is_only_recorded() -> None:
    play = Play(FIRST)
    play.engine.catalog.add_task("free", RUNNER)
    play("free free!:x free?:y")
    assert play.picture == []
    assert [run.status for run in play.engine.world.task_runs] == ["SUCCESS", "FAILED", "RUNNING"]


def test_duplicates() -> None:
    play = Play(FIRST)
    first = play.word("6#e")
    again = play.word("6#e")
    assert (again.kind, again.task_run) == ("duplicate", first.task_run)
    assert len(play.picture) == 1
    assert play.word("6!#e").kind == "applied", "another status is another event"
    assert play.word("7#e").kind == "applied", "another process too"
    assert play.word("7#e").kind == "duplicate"
    found = play.engine.report(
        {"task_run_id": play.task_run("first#1/7"), "event_id": "e", "status": "SUCCESS"}
    )
    assert found.kind == "duplicate", "with an id the process is the execution's"


def test_a_dead_letter_does_not_count_as_seen() -> None:
    play = Play(FIRST)
    assert play.word("7#e").reason == "unexpected"
    play("6")
    assert play.word("7#e").kind == "applied"
