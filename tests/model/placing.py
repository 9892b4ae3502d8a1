"""What an ended root joins, opens or takes over: SPEC 4.1.6 and 4.3 with policy `latest`."""

from __future__ import annotations

from tests.model.definitions import Graph
from tests.model.event import DeadLetterError
from tests.model.flow import fill, settle, skip
from tests.model.state import GraphRun, OpenedBy, TaskRun, World

__all__ = ["cross", "place", "take_over", "told_apart"]


def told_apart(world: World, task: str, key: str | None, *, has_external_id: bool) -> None:
    """Refuse work nobody waits for: `unexpected`, unless a root, in no graph, or a partial run (readings 17, 23)."""
    if world.is_root(task, key) or not world.catalog.holding(task):
        return
    if not has_external_id:
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
    if world.runs_of(task_run) or not _opens_partial(world, task_run):
        return
    for graph in world.catalog.holding(task):
        run = world.new_graph_run(graph.name, task_run.key, graph.version.cut([task]), OpenedBy.PARTIAL)
        fill(run, task_run)
        settle(world, run)


def cross(world: World, task_run: TaskRun) -> None:
    """SPEC 4.2: a success in a run of one graph starts or joins runs of the others in which its task is a root."""
    home = world.runs_of(task_run)
    for graph in world.catalog.graphs.values() if home else ():
        _enter(world, graph, task_run)


def take_over(world: World, old: GraphRun, task_run: TaskRun) -> GraphRun:
    """Run B replaces `old` from the task of `task_run`, which stands in B; answers B (readings 32–34)."""
    task = task_run.task
    version = world.catalog.graphs[old.graph].version
    run = world.new_graph_run(old.graph, task_run.key, version, OpenedBy.EVENT)
    run.redone = version.downstream([task])
    for other in sorted(version.tasks - run.redone - {task}):
        shared = old.current(other)
        if shared is not None:
            fill(run, shared)
    fill(run, task_run)
    run.replaces, old.replaced_by = old, run
    if old.open:
        for other in old.empty():
            skip(world, old, other, "coalesced")
            old.reason = "coalesced"
        settle(world, old)
    settle(world, run)
    return run


def _enter(world: World, graph: Graph, task_run: TaskRun) -> None:
    """Join, take over or open in one graph, if the task is a root there and the task run is in none of its runs."""
    task, key = task_run.task, task_run.key
    if any(run.graph == graph.name for run in world.runs_of(task_run)):
        return
    waiting = world.awaiting(graph.name, task, key)
    if waiting is not None:
        fill(waiting, task_run)
        settle(world, waiting)
        return
    if graph.archived or task not in graph.version.roots:
        return
    old = _redone(world, graph.name, task_run) or _repeated(world, graph.name, task_run)
    if old is not None:
        take_over(world, old, task_run)
        return
    run = world.new_graph_run(graph.name, key, graph.version, OpenedBy.EVENT)
    fill(run, task_run)
    settle(world, run)


def _repeated(world: World, graph: str, task_run: TaskRun) -> GraphRun | None:
    """The run that `latest` lets this root take over (readings 35, 36)."""
    compared = [
        run
        for run in world.graph_runs
        if (run.graph, run.key, run.opened_by) == (graph, task_run.key, OpenedBy.EVENT)
    ]
    if task_run.key is not None:
        return compared[-1] if compared else None
    for run in compared:
        if run.awaits_any():
            return run
    having = [run for run in compared if run.current(task_run.task) is not None]
    if having and having[-1].open and task_run.status == "SUCCESS":
        before = having[-1].current(task_run.task)
        if before is not None and before.status != "SUCCESS":
            return having[-1]
    return None


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


def _opens_partial(world: World, task_run: TaskRun) -> bool:
    """False for what a person ended though it fits nowhere (reading 41), or put into a place by hand."""
    graphs = world.catalog.holding(task_run.task)
    return task_run.external_id is not None and all(
        _may_start(world, graph, task_run.task) for graph in graphs
    )


def _may_start(world: World, graph: Graph, task: str) -> bool:
    """Whether a partial run from the task could go on: all it needs from outside succeeded once (reading 23)."""
    return all(world.ever_succeeded(other) for other in graph.version.outside([task]))
