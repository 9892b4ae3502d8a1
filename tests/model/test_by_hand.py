"""The model against SPEC 4.4 (first line) and 4.9: what people do with functions and plain SQL."""

from __future__ import annotations

import pytest

from tests.model.definitions import RefusedError
from tests.model.play import FIRST, RUNNER, SECOND, Play

THREE = {"three": "1-2 1-3 5-3 5-6 9-3"}


def test_launch() -> None:
    play = Play(SECOND, {"5": RUNNER})
    play.engine.launch_graph("second", "k")
    assert play.picture == ["second[k]#1 RUNNING 1. 2. 3. 4. 5D"]
    play("1@k")
    assert play.picture == ["second[k]#1 RUNNING 1S 2D 3. 4D 5D"]
    with pytest.raises(RefusedError):
        play.engine.launch_graph("nothing")


def test_launched_runs_wait_behind_those_that_events_opened_and_are_never_coalesced() -> None:
    play = Play(SECOND)
    play.engine.launch_graph("second")
    play.engine.launch_graph("second")
    play("5 1 1")
    assert play.picture == [
        "second#1 RUNNING 1S 2D 3D 4D 5S",
        "second#2 RUNNING 1S 2D 3. 4D 5.",
    ]
    play("1 5 1 1")
    assert play.picture == [
        "second#1 RUNNING 1S 2D 3D 4D 5S",
        "second#2 RUNNING 1S 2D 3. 4D 5.",
        "second#3 RUNNING 1S 2D 3D 4D 5S",
        "second#4 RUNNING(coalesced) 1S 2D 3x 4D 5x",
        "second#5 RUNNING 1S 2D 3. 4D 5.",
    ]


def test_insert_task_run() -> None:
    play = Play(FIRST)
    play.engine.insert_task_run("6", "SUCCESS", "k")
    assert play.picture == ["first[k]#1 RUNNING 6S 7D 8. 9."]
    alone = play.engine.insert_task_run("7")
    assert play.engine.world.task_runs[alone - 1].status == "DISPATCHED"
    play.engine.report({"task_run_id": alone, "status": "SUCCESS"})
    assert play.picture == ["first[k]#1 RUNNING 6S 7D 8. 9."]
    for task, status in (("7", "SUCCESS"), ("6", "DISPATCHED"), ("6", "QUEUED"), ("66", "SUCCESS")):
        with pytest.raises(RefusedError):
            play.engine.insert_task_run(task, status)


def test_update_task_run() -> None:
    play = Play(SECOND)("1 2?")
    two, four = play.task_run("second#1/2"), play.task_run("second#1/4")
    play.engine.update_task_runs({four: "CANCELLED", two: "RUNNING"})
    assert play.picture == ["second#1 RUNNING 1S 2R 3. 4C 5."]
    for status in ("SUCCESS", "RUNNING", "QUEUED"):
        with pytest.raises(RefusedError):
            play.engine.update_task_runs({two: "SUCCESS", four: status})
    assert play.picture == ["second#1 RUNNING 1S 2R 3. 4C 5."], "refused whole"
    play("5 3 2")
    assert play.picture == ["second#1 CANCELLED 1S 2S 3S 4C 5S"]


def test_failures_count_before_successes() -> None:
    play = Play({"g": "a-b a-c b-d c-d"})("a")
    play.engine.update_task_runs({play.task_run("g#1/b"): "SUCCESS", play.task_run("g#1/c"): "FAILED"})
    assert play.picture == ["g#1 FAILED aS bS cF dX"]


def test_cancel() -> None:
    play = Play(THREE)("1 5 1 2?")
    play.engine.cancel_graph_run(play.graph_run("three#1"))
    assert play.picture == [
        "three#1 CANCELLED(cancelled) 1S 2C 3x 5S 6D 9x",
        "three#2 RUNNING 1S 2D 3. 5S=three#1 6D=three#1 9.",
    ], "6 is shared with a run that is open"
    assert play.word("2").matched_by == "in_flight"
    assert play.word("2").matched_by == "ended"
    play("6")
    play.engine.cancel_graph_run(play.graph_run("three#1"))
    play.engine.cancel_graph_run(play.graph_run("three#2"))
    assert play.picture[1] == "three#2 CANCELLED(cancelled) 1S 2S 3x 5S=three#1 6S=three#1 9x"
    with pytest.raises(RefusedError):
        play.engine.cancel_graph_run(99)


def test_fill_a_place() -> None:
    play = Play(SECOND)("1@k 5")
    keyed, free = play.graph_run("second[k]#1"), play.task_run("second#1/5")
    play.engine.fill_place(keyed, free)
    assert play.picture[0] == "second[k]#1 RUNNING 1S 2D 3D 4D 5S"
    with pytest.raises(RefusedError):
        play.engine.fill_place(keyed, free)
