"""What the demo proves and measures, from what the database and Kafka have of it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from .runs import GraphRun, Remains, Task
from .traffic import Seen

__all__ = ["Check", "Figures", "check", "measure"]

GRAPHS = ("integration", "load")
TASKS = tuple("123456789")
SHARED = "6"


@dataclass(frozen=True)
class Check:
    """One claim, whether it holds, and what was found where it does not."""

    claim: str
    holds: bool
    found: str = ""


@dataclass(frozen=True)
class Figures:
    """Counts, and the latencies from an event to the dispatches it caused (seconds, by Kafka's timestamps).

    `dispatches`: task runs dispatched; `repeats`: how often one was sent again, which receivers take for the same.
    """

    graph_runs: int
    task_runs: int
    events: int
    dispatches: int
    repeats: int
    hops: int
    latencies: tuple[float, ...]
    seconds: float

    def quantile(self, share: float) -> float | None:
        """By nearest rank: of few latencies the p99 is the longest."""
        ordered = sorted(self.latencies)
        return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None


def check(runs: Sequence[GraphRun], remains: Remains, seen: Sequence[Seen]) -> list[Check]:
    """The demo's claims."""
    opened = [run for run in runs if run.id is not None]
    return [
        _all_succeeded(runs, opened),
        _each_once(opened, remains, seen),
        _one_shared(opened),
        _nothing_left(remains),
    ]


def measure(runs: Sequence[GraphRun], seen: Sequence[Seen]) -> Figures:
    """The demo's figures."""
    opened = [run for run in runs if run.id is not None]
    tasks = {task.task_run_id: task for task in _tasks(opened)}
    at = [each.at for each in seen]
    return Figures(
        graph_runs=len(opened),
        task_runs=len(tasks),
        events=sum(each.status is not None for each in seen),
        dispatches=len(_sent(seen)),
        repeats=sum(each.status is None for each in seen) - len(_sent(seen)),
        hops=len(_ends(seen)),
        latencies=tuple(_latencies(opened, seen)),
        seconds=(max(at) - min(at)).total_seconds() if at else 0.0,
    )


def _latencies(runs: Sequence[GraphRun], seen: Sequence[Seen]) -> list[float]:
    """From the last predecessor's SUCCESS to the task's first dispatch, for each that was dispatched."""
    done: dict[str, Seen] = {}
    sent: dict[str, Seen] = {}
    for each in seen:
        if each.status == "SUCCESS":
            done.setdefault(each.task, each)
        elif each.status is None:
            sent.setdefault(each.task, each)
    found = []
    for run in runs:
        for task in run.tasks:
            causes = [done[name].at for name in task.after if name in done]
            if task.name in sent and causes:
                found.append((sent[task.name].at - max(causes)).total_seconds())
    return found


def _all_succeeded(runs: Sequence[GraphRun], opened: Sequence[GraphRun]) -> Check:
    names = sorted(run.graph for run in opened)
    wrong = [f"{run.graph}: {run.status or 'no graph run'}" for run in runs if run.status != "SUCCESS"]
    if names != sorted(GRAPHS) and not wrong:
        wrong = [f"graph runs of {', '.join(names) or 'nothing'}"]
    return Check(f"one graph run each of {' and '.join(GRAPHS)}, both SUCCESS", not wrong, "; ".join(wrong))


def _each_once(opened: Sequence[GraphRun], remains: Remains, seen: Sequence[Seen]) -> Check:
    """One task run in the database, one end at Kafka, and one dispatched there (none that NiFi started)."""
    rows = Counter(name for name, _ in {(task.name, task.task_run_id) for task in _tasks(opened)})
    ends = Counter(name for name, _ in _ends(seen))
    sent = Counter(name for name, _ in _sent(seen))
    own = {task.name for run in opened for task in run.tasks if task.service == "nifi"}
    wrong = [
        f"{name}: {rows[name]} task runs, {sent[name]} dispatched, {ends[name]} ends"
        for name in TASKS
        if (rows[name], sent[name], ends[name]) != (1, 0 if name in own else 1, 1)
    ]
    if remains.task_runs != len(TASKS):
        wrong.append(f"{remains.task_runs} task runs in all")
    return Check(f"each of the {len(TASKS)} tasks ran exactly once", not wrong, "; ".join(wrong))


def _one_shared(opened: Sequence[GraphRun]) -> Check:
    places = [(run.graph, task) for run in opened for task in run.tasks if task.name == SHARED]
    ids = {task.task_run_id for _, task in places}
    graph_runs = tuple(sorted(run.id for run in opened if run.id is not None))
    holds = (
        sorted(graph for graph, _ in places) == sorted(GRAPHS)
        and len(ids) == 1
        and all(tuple(sorted(task.graph_runs)) == graph_runs for _, task in places)
    )
    others = {task.name for task in _tasks(opened) if task.shared} - {SHARED}
    found = (
        [f"task runs {sorted(str(each) for each in ids)} in {len(places)} graph runs"] if not holds else []
    )
    found += [f"{name} is shared too" for name in sorted(others)]
    return Check(f"{SHARED} is one task run that stands in both graph runs", not found, "; ".join(found))


def _nothing_left(remains: Remains) -> Check:
    counts = ((remains.unsent, "dispatches unsent"), (remains.in_flight, "task runs in flight"))
    found = [f"{count} {what}" for count, what in counts if count]
    found += [f"dead letter {words}" for words in remains.dead_letters]
    return Check("nothing is left over: no dispatch unsent, no dead letter", not found, "; ".join(found))


def _ends(seen: Sequence[Seen]) -> set[tuple[str, str | None]]:
    """Executions that were reported to have ended: task and the tool's own id; one may be reported more than once."""
    return {(each.task, each.external_id) for each in seen if each.is_end}


def _sent(seen: Sequence[Seen]) -> set[tuple[str, int | None]]:
    """Task runs that were dispatched; Kafka may have a dispatch more than once."""
    return {(each.task, each.task_run_id) for each in seen if each.status is None}


def _tasks(opened: Sequence[GraphRun]) -> list[Task]:
    return [task for task in chain.from_iterable(run.tasks for run in opened) if task.task_run_id is not None]
