"""What an ended root joins, opens or takes over: SPEC 4.1.6 and 4.3."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tests.model.definitions import Graph, RefusedError, Version
from tests.model.event import DeadLetterError
from tests.model.flow import fill, settle, skip, start
from tests.model.state import ENDED, GraphRun, OpenedBy, Part, TaskRun, World

__all__ = ["by_starting", "by_task_run", "cross", "current_version", "place", "take_over", "told_apart"]


@dataclass(frozen=True)
class _Verdict:
    """What a root meets in one graph: `joins` a run, takes over `old` (and ends `others`), is `rejected`; else new."""

    joins: GraphRun | None = None
    old: GraphRun | None = None
    others: tuple[GraphRun, ...] = ()
    rejected: GraphRun | None = None


def told_apart(world: World, task: str, key: str | None, status: str, *, partial: bool) -> None:
    """Refuse work nobody takes: `unexpected`, unless a root, in no graph, or a partial run (readings 17, 23).

    `partial`: a partial run may be opened. An end that every graph rejects is `rejected` (4.3).
    """
    if world.is_root(task, key) or not world.catalog.holding(task):
        verdicts = [_judge(world, graph, task, key, status) for graph in world.catalog.graphs.values()]
        met = [verdict for verdict in verdicts if verdict is not None]
        if status in ENDED and met and all(verdict.rejected for verdict in met):
            raise DeadLetterError("rejected", f"a run that awaits roots has {task}")
        return
    if not partial:
        raise DeadLetterError("unexpected", f"{task} is a root nowhere")
    if not all(_may_start(world, graph, task) for graph in world.catalog.holding(task)):
        raise DeadLetterError("unexpected", f"{task}: a task beside it never succeeded")


def place(world: World, task_run: TaskRun) -> None:
    """Rule 6 for work a tool did by itself, now ended: join every graph in which it is a root, or open partial runs."""
    task = task_run.task
    if world.is_root(task, task_run.key):
        for graph in world.catalog.graphs.values():
            _enter(world, graph, task_run)
        return
    graphs = world.catalog.holding(task)
    if world.runs_of(task_run) or not (task_run.external_id or task_run.replayed):
        return  # put into a place by hand, or ended by a person though it fits nowhere (reading 41)
    for graph in graphs if all(_may_start(world, graph, task) for graph in graphs) else ():
        part = Part(frozenset({task}))
        run = world.new_graph_run(graph.name, task_run.key, part.of(graph.version), OpenedBy.PARTIAL, part)
        fill(run, task_run)
        settle(world, run)


def cross(world: World, task_run: TaskRun) -> None:
    """SPEC 4.2: a success in a run of one graph starts or joins runs of the others in which its task is a root."""
    home = world.runs_of(task_run)
    for graph in world.catalog.graphs.values() if home else ():
        _enter(world, graph, task_run)


def current_version(world: World, run: GraphRun) -> Version:
    """What a run that takes this one over is of: the same part of the graph's current version."""
    if run.graph is None:
        return run.version
    graph = world.catalog.graphs[run.graph]
    version = graph.version
    if graph.archived:
        raise RefusedError(f"graph {graph.name} is archived")
    if run.part is None:
        return version
    chain = run.part.chain
    if not run.part.given & version.tasks or (chain is not None and chain not in version.chains):
        raise RefusedError(f"what graph run {run.id} started from is in graph {run.graph} no more")
    part = run.part.within(version).of(version)
    for task in sorted(version.missing(part)):
        if not world.ever_succeeded(task):
            raise RefusedError(f"task {task} never succeeded")
    return part


def take_over(
    world: World,
    old: GraphRun,
    begin: Callable[[GraphRun, str], None],
    given: frozenset[str],
    key: str | None,
    opened_by: OpenedBy,
    reason: str,
    beside: frozenset[str] = frozenset(),
    others: Iterable[GraphRun] = (),
) -> GraphRun:
    """Run B replaces `old` from `given`; answers B (readings 32–34). `begin` fills a given place, or leaves it;
    also those of `beside`, which the old version did not have. `others` end as `old` does; a root B awaits is that
    of the newest of them that has it (reading 46).
    """
    version = current_version(world, old)
    run = world.new_graph_run(old.graph, key, version, opened_by, old.part and old.part.within(version))
    run.redone = version.downstream(given)
    for other in sorted(version.tasks - run.redone - given):
        shared = old.current(other)
        if shared is not None:
            fill(run, shared)
    for task in sorted((given | beside) - run.redone):
        begin(run, task)
    for ended in others:
        for root in [root for root in sorted(version.roots) if run.awaits(root)]:
            shared = ended.current(root)
            if shared is not None:
                fill(run, shared)
    run.replaces = old
    for ended in (old, *others):
        ended.replaced_by = run
        if ended.open:
            _let_go(world, ended, reason)
            settle(world, ended)
    settle(world, run)
    return run


def _let_go(world: World, old: GraphRun, reason: str) -> None:
    """Skip what a replaced run had not started, also what waits in it alone for time or a pause (reading H5)."""
    for other in old.empty():
        skip(world, old, other, reason)
        old.reason = reason
    for task in sorted(old.version.tasks):
        held = old.current(task)
        waits = held is not None and held.status == "QUEUED"
        if held is not None and waits and [run for run in world.runs_of(held) if run.open] == [old]:
            held.status, held.reason, held.due = "SKIPPED", reason, None
            old.reason = reason


def by_task_run(
    world: World,
    task_run: TaskRun,
    old: GraphRun,
    opened_by: OpenedBy,
    reason: str,
    others: Iterable[GraphRun] = (),
) -> GraphRun:
    """Take over from the task of a task run, which stands in B."""
    return take_over(
        world,
        old,
        lambda run, _: fill(run, task_run),
        frozenset({task_run.task}),
        task_run.key,
        opened_by,
        reason,
        others=others,
    )


def by_starting(world: World, old: GraphRun, given: frozenset[str], at_once: frozenset[str]) -> GraphRun:
    """Take over by doing tasks again, some of them `at_once`, the others in their turn; a root that only reports
    is awaited.
    """
    sent = {task for task in at_once if world.catalog.tasks[task].service.dispatchable}

    def begin(run: GraphRun, task: str) -> None:
        if task in sent:
            start(world, run, task)

    run = take_over(world, old, begin, given, old.key, OpenedBy.HAND, "superseded", at_once - given)
    run.redone |= {task for task in given if world.catalog.tasks[task].service.dispatchable}
    return run


def _enter(world: World, graph: Graph, task_run: TaskRun) -> None:
    """Join, take over or open in one graph, if the task is a root there and the task run is in none of its runs."""
    if any(run.graph == graph.name for run in world.runs_of(task_run)):
        return
    verdict = _judge(world, graph, task_run.task, task_run.key, task_run.status, task_run)
    if verdict is None or verdict.rejected is not None:
        return
    if verdict.old is not None:
        by_task_run(world, task_run, verdict.old, OpenedBy.EVENT, "coalesced", verdict.others)
        return
    run = verdict.joins or world.new_graph_run(graph.name, task_run.key, graph.version, OpenedBy.EVENT)
    fill(run, task_run)
    settle(world, run)


def _judge(
    world: World, graph: Graph, task: str, key: str | None, status: str, task_run: TaskRun | None = None
) -> _Verdict | None:
    """What an end of the task meets in one graph; None: nothing of it there (readings 21, 35–38, 46–49)."""
    current = not graph.archived and task in graph.version.roots
    redone = _redone(world, graph.name, task_run) if current and task_run is not None else None
    if redone is not None:
        return _Verdict(old=redone)
    waiting = world.awaiting(graph.name, task, key)
    if waiting is not None:
        return _Verdict(joins=waiting)
    if not current:
        return None
    compared = [
        run
        for run in world.graph_runs
        if (run.graph, run.key, run.opened_by) == (graph.name, key, OpenedBy.EVENT)
    ]
    waits = [run for run in compared if run.awaits_any()]
    if graph.policy == "latest":
        old = compared[-1:] if key is not None else waits[-1:]
        if old:
            return _Verdict(old=old[0], others=tuple(run for run in reversed(waits) if run is not old[0]))
    failed = _failed(compared, task, status)
    if failed is not None:
        return _Verdict(old=failed)
    if graph.policy == "reject":
        holding = [
            run
            for run in waits
            if run.current(task) is not None and any(run.awaits(root) for root in graph.version.roots)
        ]
        if holding:
            return _Verdict(rejected=holding[0])
    return _Verdict()


def _failed(compared: Sequence[GraphRun], task: str, status: str) -> GraphRun | None:
    """The run in which this root did not succeed and that its next report takes over, under every policy.

    It is the newest that has the task: a SUCCESS takes it over while it is open, with a key ever; another report
    while it awaits roots.
    """
    having = [run for run in compared if run.current(task) is not None]
    if not having:
        return None
    run, before = having[-1], having[-1].current(task)
    if before is None or not before.ended or before.status == "SUCCESS" or run.replaced_by is not None:
        return None
    fits = run.open or run.key is not None if status == "SUCCESS" else run.awaits_any()
    return run if fits else None


def _redone(world: World, graph: str, task_run: TaskRun) -> GraphRun | None:
    """The run of `graph` whose task run this one was started to replace (readings 38, 39)."""
    task = task_run.task
    for run in world.runs_of(task_run):
        if task not in run.redone:
            continue
        old = run.replaces
        while old is not None:
            before = old.current(task)
            stood = [other for other in world.runs_of(before) if other.graph == graph] if before else []
            if stood:
                newest = stood[-1]
                while newest.replaced_by is not None:
                    newest = newest.replaced_by
                return newest if newest.opened_by is OpenedBy.EVENT else None
            old = old.replaces
    return None


def _may_start(world: World, graph: Graph, task: str) -> bool:
    """Whether a partial run from the task could go on: all it needs from outside succeeded once (reading 23)."""
    return all(world.ever_succeeded(other) for other in graph.version.outside([task]))
