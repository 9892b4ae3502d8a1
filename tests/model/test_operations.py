"""The model against SPEC 4.3 to 4.6, sentence by sentence: policies, runs by hand, attempts, time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.model.definitions import RefusedError
from tests.model.play import FIRST, NIFI, RUNNER, SECOND, Play

MEETING = {"first": FIRST["first"], "second": f"{SECOND['second']} 4-6"}


def policy(play: Play, graph: str, word: str) -> Play:
    play.engine.set_policy(graph, word)
    return play


def tune(play: Play, task: str, **facts: Any) -> Play:
    tasks = play.engine.catalog.tasks
    tasks[task] = replace(tasks[task], **facts)
    return play


def statuses(play: Play, task: str) -> list[str]:
    return [
        f"{run.attempt} {run.status}{f' {run.reason}' if run.reason else ''}"
        for run in play.engine.world.task_runs
        if run.task == task
    ]


# 4.3


def test_queue() -> None:
    """A and B both wait; 5a completes A, 5b completes B."""
    play = policy(Play(SECOND), "second", "queue")
    assert play("1 1").picture == [
        "second#1 RUNNING 1S 2D 3. 4D 5.",
        "second#2 RUNNING 1S 2D 3. 4D 5.",
    ]
    assert play("5").picture[0] == "second#1 RUNNING 1S 2D 3D 4D 5S"
    assert play("5").picture[1] == "second#2 RUNNING 1S 2D 3D 4D 5S"


def test_reject() -> None:
    """1b is a dead letter while A waits."""
    play = policy(Play(SECOND), "second", "reject")("1")
    assert play.word("1").reason == "rejected"
    assert play("5 1").picture == ["second#1 RUNNING 1S 2D 3D 4D 5S", "second#2 RUNNING 1S 2D 3. 4D 5."]


def test_rejected_only_if_no_graph_took_it() -> None:
    play = policy(Play({"one": "a-b c-b", "two": "a-d"}), "one", "reject")("a")
    assert play.word("a").kind == "applied"
    assert play.picture == ["one#1 RUNNING aS b. c.", "two#1 RUNNING aS=one#1 dD", "two#2 RUNNING aS dD"]


@pytest.mark.parametrize("word", ["latest", "queue", "reject"])
def test_a_root_that_did_not_succeed_is_no_repeat_under_any_policy(word: str) -> None:
    play = policy(Play(SECOND), "second", word)
    assert play("1! 1").picture == [
        "second#1 FAILED(coalesced) 1F 2X 3X 4X 5x",
        "second#2 RUNNING 1S 2D 3. 4D 5.",
    ]
    play = policy(Play(SECOND), "second", word)
    assert play("1!@k 5@k 1@k").picture[1] == "second[k]#2 RUNNING 1S 2D 3D 4D 5S=second[k]#1"


# 4.4


def test_launch_tasks() -> None:
    """Given tasks start unconditionally; predecessors outside count by their latest success; none ever: refused."""
    play = Play({"g": "a-b b-d c-d d-e"}, {"a": RUNNER, "c": RUNNER})
    with pytest.raises(RefusedError, match="c never succeeded"):
        play.engine.launch_tasks("g", ["b"])
    play("c").engine.launch_tasks("g", ["b"], "k")
    assert play.picture[1] == "g[k]#1 RUNNING bD d. e."
    play.engine.launch_tasks("g", ["b", "d"])
    assert play.picture[2] == "g#2 RUNNING bD dD e."
    for tasks in ([], ["x"]):
        with pytest.raises(RefusedError):
            play.engine.launch_tasks("g", tasks)


def test_launch_chain() -> None:
    """Its previous task (its next where the previous cannot be dispatched), its next, what is downstream of that."""
    play = Play({"g": "a-b a-c b-d"}, {"a": RUNNER})
    play.engine.launch_chain(("a", "b"))
    assert play.picture == ["g#1 RUNNING aD b. d."]
    play = Play({"g": "a-b a-c b-d"}, {"a": NIFI})
    play.engine.launch_chain(("a", "b"))
    assert play.picture == ["g#1 RUNNING bD d."]
    play.engine.catalog.edit("g", remove=[("a", "b")])
    play.engine.launch_chain(("a", "b"))
    assert play.picture[1] == "no graph#1 RUNNING bD"


def test_rerun() -> None:
    """A take-over: what failed, and all downstream, anew; the rest is shared, also what is in flight."""
    play = Play(SECOND)("1 5 second#1/2! second#1/3")
    run = play.engine.rerun(play.graph_run("second#1"))
    assert play.picture == [
        "second#1 RUNNING 1S 2F 3S 4D 5S",
        "second#2 RUNNING 1S=second#1 2D 3S=second#1 4D=second#1 5S=second#1",
    ]
    play("second#2/2 second#2/4")
    assert play.picture[0] == "second#1 FAILED 1S 2F 3S 4S 5S", "what A had started ends there"
    with pytest.raises(RefusedError):
        play.engine.rerun(run)
    with pytest.raises(RefusedError):
        play.engine.rerun(99)


def test_rerun_from_a_root_that_only_reports_awaits_it() -> None:
    play = Play(SECOND)("1 5 2 3 4")
    play.engine.rerun(play.graph_run("second#1"), ["1"])
    assert play.picture[1] == "second#2 RUNNING 1. 2. 3. 4. 5S=second#1"
    assert play("1").picture[1] == "second#2 RUNNING 1S 2D 3D 4D 5S=second#1"


def test_rerun_where_graphs_meet() -> None:
    """Where a redone task run stood in a run P of another graph, that graph's new run takes over P from it."""
    play = Play(MEETING)("1 4 6")
    play.engine.rerun(play.graph_run("second#1"), ["4"])
    assert play.picture[0] == "second#1 RUNNING(superseded) 1S 2D 3s 4S 5s 6S"
    play("second#2/4 second#2/6")
    assert play.picture[1] == "first#1 RUNNING(coalesced) 6S=second#1 7D 8x 9x"
    assert play.picture[3] == "first#2 RUNNING 6S=second#2 7D 8. 9."


def test_mark() -> None:
    play = Play(FIRST)("6")
    assert play.engine.mark(play.task_run("first#1/7"), "FAILED") is None
    assert play.picture == ["first#1 FAILED 6S 7F 8X 9X"]
    assert play.engine.mark(play.task_run("first#1/7"), "SUCCESS") == play.graph_run("first#2")
    assert play.picture[1] == "first#2 RUNNING 6S=first#1 7S 8D 9D"
    for name, status in (("first#1/7", "SUCCESS"), ("first#1/7", "FAILED"), ("first#2/7", "SUCCESS")):
        with pytest.raises(RefusedError):
            play.engine.mark(play.task_run(name), status)


def test_pause_and_resume() -> None:
    """Events keep joining and opening runs, dispatches stay QUEUED; skip cancels what was held."""
    play = Play(SECOND)
    play.engine.pause("second")
    assert play("1 5").picture == ["second#1 RUNNING 1S 2Q 3Q 4Q 5S"]
    with pytest.raises(RefusedError):
        play.engine.launch_graph("second")
    play.engine.resume("second")
    assert play.picture == ["second#1 RUNNING 1S 2D 3D 4D 5S"]
    play = Play(FIRST)
    play.engine.pause("first")
    play("6").engine.resume("first", skip=True)
    assert play.picture == ["first#1 CANCELLED 6S 7C 8X 9X"]


# 4.6


def test_a_retry_waits_and_doubles_up_to_an_hour() -> None:
    play = tune(Play(FIRST), "7", max_attempts=9, retry_delay=60)("6 7!")
    for delay in (60, 120, 240, 480, 960, 1920, 3600, 3600):
        play.engine.wait(delay - 1)
        play.engine.reap()
        assert play.picture == ["first#1 RUNNING 6S 7Q 8. 9."], delay
        play.engine.wait(1)
        play.engine.reap()
        assert play.picture == ["first#1 RUNNING 6S 7D 8. 9."], delay
        play("first#1/7!")
    assert play.picture == ["first#1 FAILED 6S 7F 8X 9X"]
    assert len(statuses(play, "7")) == 9


def test_a_late_success_ends_a_later_attempt_that_waits() -> None:
    play = tune(Play(FIRST), "7", max_attempts=2)("6")
    first = play.task_run("first#1/7")
    play("first#1/7!")
    assert play.engine.report({"task_run_id": first, "status": "SUCCESS"}).kind == "applied"
    assert statuses(play, "7") == ["1 FAILED", "2 SUCCESS late"]
    assert play.picture == ["first#1 RUNNING 6S 7S 8D 9D"]


def test_once_the_later_attempt_is_dispatched_it_is_only_recorded() -> None:
    play = tune(Play(FIRST), "7", max_attempts=2)("6")
    first = play.task_run("first#1/7")
    play("first#1/7!").engine.wait(60)
    play.engine.reap()
    assert play.engine.report({"task_run_id": first, "status": "SUCCESS"}).reason == "late"
    assert statuses(play, "7") == ["1 FAILED", "2 DISPATCHED"]


def test_a_correction() -> None:
    play = Play(FIRST)("6")
    run = play.task_run("first#1/7")
    play("first#1/7!")
    assert play.engine.report({"task_run_id": run, "status": "SUCCESS"}).kind == "applied"
    assert play.picture == ["first#1 FAILED 6S 7F 8X 9X", "first#2 RUNNING 6S=first#1 7S 8D 9D"]
    assert play.engine.report({"task_run_id": run, "status": "SUCCESS"}).reason == "late"
    play = Play(FIRST, {"7": replace(RUNNER, corrections=False)})("6")
    run = play.task_run("first#1/7")
    play("first#1/7!")
    assert play.engine.report({"task_run_id": run, "status": "SUCCESS"}).reason == "late"


def test_a_time_out_counts_from_delivery_and_running_restarts_it() -> None:
    play = tune(Play(FIRST), "7", timeout=100)("6")
    play.engine.wait(1000)
    play.engine.reap()
    assert statuses(play, "7") == ["1 DISPATCHED"], "not delivered"
    play.engine.deliver()
    play.engine.wait(60)
    play("first#1/7?").engine.wait(60)
    play.engine.reap()
    assert statuses(play, "7") == ["1 RUNNING"]
    play.engine.wait(40)
    play.engine.reap()
    assert statuses(play, "7") == ["1 FAILED timeout"]
    assert play.word("7").matched_by == "ended", "the tool's own end is late"


def test_the_same_dispatch_again_at_most_five_times() -> None:
    play = tune(Play(FIRST), "7", ack_timeout=10)("6")
    task_run = play.engine.world.task_runs[-1]
    for count in (1, 2, 3, 4, 5, 5):
        play.engine.deliver()
        play.engine.wait(10)
        play.engine.reap()
        assert task_run.resent == count


def test_a_graph_run_past_its_time_out_ends_as_a_cancel_does() -> None:
    play = Play(SECOND)("1 second#1/2")
    play.engine.wait(7 * 86_400)
    play.engine.reap()
    assert play.picture == ["second#1 FAILED(timeout) 1S 2S 3t 4C 5t"]


def test_the_clocks_of_a_paused_graph_stand_still() -> None:
    play = tune(Play(FIRST), "7", timeout=100, max_attempts=2)("6")
    play.engine.deliver()
    play.engine.wait(50)
    play.engine.pause("first")
    play.engine.wait(30 * 86_400)
    play.engine.reap()
    play.engine.resume("first")
    play.engine.wait(49)
    play.engine.reap()
    assert statuses(play, "7") == ["1 DISPATCHED"]
    play.engine.wait(1)
    play.engine.reap()
    assert statuses(play, "7") == ["1 FAILED timeout", "2 QUEUED"]


# dead letters


def test_replay_opens_the_partial_run_and_only_once() -> None:
    play = Play(FIRST)
    assert play.word("7").reason == "unexpected"
    play.engine.replay(0)
    assert play.picture == ["first#1 RUNNING 7S 8D 9D"]
    with pytest.raises(RefusedError):
        play.engine.replay(0)
    assert play.report("7", "RUNNING").reason == "unexpected"
    with pytest.raises(RefusedError):
        play.engine.replay(1)
