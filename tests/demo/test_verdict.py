"""The demo's claims: each fails when what it claims does not hold; its figures are computed from what was seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from stack.demo.runs import GraphRun, Remains, Task, Wait
from stack.demo.screen import graph_picture
from stack.demo.traffic import Seen
from stack.demo.verdict import check, measure

BEGIN = datetime(2026, 11, 22, 12, tzinfo=timezone.utc)
INTEGRATION = {"1": (), "2": ("1",), "3": ("1", "5"), "4": ("1",), "5": (), "6": ("4",)}
LOAD = {"6": (), "7": ("6",), "8": ("7",), "9": ("7",)}
ENDS = {"1": 0.4, "5": 1.6, "2": 0.9, "4": 1.0, "3": 2.0, "6": 1.5, "7": 2.1, "8": 2.6, "9": 2.7}
LATENCY = {"2": 0.010, "4": 0.011, "3": 0.012, "6": 0.013, "7": 0.014, "8": 0.015, "9": 0.016}
DONE = Remains(task_runs=9, in_flight=0, unsent=0, dead_letters=[])

Case = tuple[list[GraphRun], Remains, list[Seen]]


def at(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def task(name: str, after: tuple[str, ...]) -> Task:
    own = name in "15"
    return Task(
        name, "nifi" if own else "airflow", f"pg_{name}" if own else f"dag_{name}", after, int(name), "SUCCESS",
        started_at=at(ENDS[name] - 0.3), finished_at=at(ENDS[name]),
        graph_runs=(1, 2) if name == "6" else (2,) if name in "789" else (1,),
    )  # fmt: skip


def graph_run(number: int, graph: str, tasks: dict[str, tuple[str, ...]]) -> GraphRun:
    made = tuple(task(name, after) for name, after in tasks.items())
    return GraphRun(number, graph, "SUCCESS", None, at(0.4), at(2.7), made)


def message(name: str, seconds: float, status: str | None) -> Seen:
    topic = "airflow_tasks" if status is None else "etl_finished_tasks"
    service = "nifi" if name in "15" else "airflow"
    return Seen(at(seconds), topic, 0, 0, name, service, name, int(name), f"x{name}", status)


def good() -> Case:
    seen = [message(name, seconds, "SUCCESS") for name, seconds in ENDS.items()]
    for after in (INTEGRATION, LOAD):
        for name, before in after.items():
            if before:
                seen.append(message(name, max(ENDS[each] for each in before) + LATENCY[name], None))
    return [graph_run(1, "integration", INTEGRATION), graph_run(2, "load", LOAD)], DONE, seen


def with_task(run: GraphRun, name: str, **changes: object) -> GraphRun:
    tasks = tuple(replace(each, **changes) if each.name == name else each for each in run.tasks)  # type: ignore[arg-type]
    return replace(run, tasks=tasks)


def fails(case: Case) -> list[str]:
    return [each.claim for each in check(*case) if not each.holds]


def test_all_claims_hold() -> None:
    assert fails(good()) == []
    assert len(check(*good())) == 4


ALL_SUCCEEDED, ONCE, SHARED, NOTHING_LEFT = (each.claim for each in check(*good()))


def one_failed(case: Case) -> Case:
    (integration, load), remains, seen = case
    return [integration, replace(load, status="FAILED")], remains, seen


def one_not_opened(case: Case) -> Case:
    (integration, load), remains, seen = case
    return [integration, replace(load, id=None, status=None)], remains, seen


def one_too_many(case: Case) -> Case:
    runs, remains, seen = case
    return [*runs, replace(runs[1], id=3)], remains, seen


def executed_twice(case: Case) -> Case:
    runs, remains, seen = case
    return runs, remains, [*seen, replace(message("7", 3, "SUCCESS"), external_id="another")]


def never_ended(case: Case) -> Case:
    runs, remains, seen = case
    return runs, remains, [each for each in seen if (each.task, each.status) != ("8", "SUCCESS")]


def dispatched_as_another(case: Case) -> Case:
    runs, remains, seen = case
    return runs, remains, [*seen, replace(message("7", 3, None), task_run_id=70)]


def one_dispatched_to_nifi(case: Case) -> Case:
    runs, remains, seen = case
    return runs, remains, [*seen, message("1", 3, None)]


def task_run_too_many(case: Case) -> Case:
    runs, remains, seen = case
    return runs, replace(remains, task_runs=10), seen


def not_shared(case: Case) -> Case:
    (integration, load), remains, seen = case
    load = with_task(load, "6", task_run_id=60, graph_runs=(2,))
    return [with_task(integration, "6", graph_runs=(1,)), load], remains, seen


def another_shared(case: Case) -> Case:
    (integration, load), remains, seen = case
    return [integration, with_task(load, "9", graph_runs=(1, 2))], remains, seen


def unsent(case: Case) -> Case:
    return case[0], replace(DONE, unsent=1), case[2]


def in_flight(case: Case) -> Case:
    return case[0], replace(DONE, in_flight=1), case[2]


def dead_letter(case: Case) -> Case:
    return case[0], replace(DONE, dead_letters=["unknown: no task"]), case[2]


@pytest.mark.parametrize(
    ("spoil", "claims"),
    [
        (one_failed, {ALL_SUCCEEDED}),
        (one_not_opened, {ALL_SUCCEEDED, ONCE, SHARED}),
        (one_too_many, {ALL_SUCCEEDED, SHARED}),
        (executed_twice, {ONCE}),
        (never_ended, {ONCE}),
        (dispatched_as_another, {ONCE}),
        (one_dispatched_to_nifi, {ONCE}),
        (task_run_too_many, {ONCE}),
        (not_shared, {SHARED, ONCE}),
        (another_shared, {SHARED}),
        (unsent, {NOTHING_LEFT}),
        (in_flight, {NOTHING_LEFT}),
        (dead_letter, {NOTHING_LEFT}),
    ],
)
def test_a_claim_fails(spoil: Callable[[Case], Case], claims: set[str]) -> None:
    assert set(fails(spoil(good()))) == claims
    assert all(each.found for each in check(*spoil(good())) if not each.holds)


def test_a_message_sent_again_is_no_second_execution() -> None:
    runs, remains, seen = good()
    again = [message("7", 3, "SUCCESS"), message("7", 3, None)]
    assert fails((runs, remains, [*seen, *again])) == []
    assert measure(runs, [*seen, *again]).repeats == 1


def test_the_figures() -> None:
    runs, _, seen = good()
    figures = measure(runs, seen)
    assert (figures.graph_runs, figures.task_runs, figures.events) == (2, 9, 9)
    assert (figures.dispatches, figures.repeats, figures.hops) == (7, 0, 9)
    assert sorted(figures.latencies) == pytest.approx(sorted(LATENCY.values()))
    assert figures.quantile(0.5) == pytest.approx(0.013)
    assert figures.quantile(0.99) == pytest.approx(0.016)
    assert figures.seconds == pytest.approx(2.3)


def test_figures_of_nothing() -> None:
    figures = measure([], [])
    assert figures.quantile(0.5) is None
    assert (figures.hops, figures.seconds) == (0, 0)


def test_who_waited_for_whom() -> None:
    (run, _), _, _ = good()
    assert run.wait(run.task("3")) == Wait("5", 1.2)
    assert run.wait(run.task("2")) is None
    waiting = with_task(run, "5", status=None, finished_at=None)
    assert waiting.wait(waiting.task("3")) == Wait(None, None, ("5",))


def test_the_picture_of_a_run() -> None:
    (run, load), _, _ = good()
    lines = graph_picture(run).plain.splitlines()
    assert any("waited 1.20 s for 5" in line for line in lines)
    assert any("║ 6  dag_6  shared ║" in line for line in lines)
    assert any("║ 6  dag_6  shared ╟" in line for line in graph_picture(load).plain.splitlines())
