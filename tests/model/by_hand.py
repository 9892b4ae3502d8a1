"""SPEC 4.4: what people launch, rerun, mark, cancel and pause."""

from __future__ import annotations

from collections.abc import Iterable

from tests.model.definitions import Graph, RefusedError, Version
from tests.model.ends import effects, mark_again
from tests.model.flow import dispatch, skip, start
from tests.model.placing import by_starting, current_version
from tests.model.state import Cause, GraphRun, OpenedBy, Part, TaskRun, World

__all__ = [
    "cancel_graph_run",
    "cancel_task_run",
    "end_run",
    "launch_chain",
    "launch_graph",
    "launch_tasks",
    "mark",
    "pause",
    "rerun",
    "resume",
]


def launch_graph(world: World, name: str, key: str | None) -> GraphRun:
    """Dispatchable roots are dispatched, the others awaited."""
    graph = _launchable(world, name)
    run = world.new_graph_run(name, key, graph.version, OpenedBy.HAND)
    _begin(world, run)
    return run


def launch_tasks(world: World, name: str, tasks: Iterable[str], key: str | None) -> GraphRun:
    """A partial run from given tasks."""
    graph, given = _launchable(world, name), frozenset(tasks)
    if not given or not given <= graph.version.tasks:
        raise RefusedError(f"graph {name!r} does not have {sorted(given - graph.version.tasks)}")
    return _launch_part(world, graph, Part(given), key)


def launch_chain(world: World, chain: tuple[str, str], key: str | None) -> GraphRun:
    """From one chain: its previous task, its next, and what is downstream of that."""
    if chain not in world.catalog.chains:
        raise RefusedError(f"chain {chain} is not known")
    before, after = chain
    first = before if world.catalog.tasks[before].service.dispatchable else after
    part = Part(frozenset({first}), chain)
    owner = next((graph for graph in world.catalog.graphs.values() if chain in graph.version.chains), None)
    if owner is not None:
        return _launch_part(world, _launchable(world, owner.name), part, key)
    version = part.of(Version.of([chain]))
    run = world.new_graph_run(None, key, version, OpenedBy.HAND, part)
    _begin(world, run)
    return run


def rerun(world: World, run_id: int, from_tasks: Iterable[str] | None) -> GraphRun:
    """Take a run over from tasks, or from what failed (readings H3, H4)."""
    old = graph_run(world, run_id)
    version = current_version(world, old)
    given = frozenset(from_tasks or ())
    failed = frozenset(task for task in version.tasks if _failed(old.current(task)))
    if not (given or failed) or not given <= version.tasks:
        raise RefusedError(f"graph run {run_id}: nothing to redo")
    new_roots = version.roots - old.version.tasks
    return by_starting(world, old, given or failed, (given or failed & version.roots) | new_roots)


def _failed(task_run: TaskRun | None) -> bool:
    """Whether a rerun of what failed does it again."""
    if task_run is None:
        return False
    kept = task_run.status == "SKIPPED" and task_run.reason in ("cancelled", "timeout")
    return kept or task_run.status in ("FAILED", "CANCELLED")


def mark(world: World, task_run_id: int, status: str) -> GraphRun | None:
    """SUCCESS or FAILED by hand; answers the run that took over, where the task run had ended."""
    task_run = known(world, task_run_id)
    if status not in ("SUCCESS", "FAILED"):
        raise RefusedError(f"nothing is marked {status}")
    if task_run.ended:
        if status == "FAILED" or task_run.status == "SUCCESS":
            raise RefusedError(f"task run {task_run_id} has ended {task_run.status}")
        return mark_again(world, task_run, by_event=False)
    _end(world, task_run, status, "marked")
    return None


def cancel_task_run(world: World, task_run_id: int) -> None:
    """It ends at once."""
    task_run = known(world, task_run_id)
    if task_run.ended:
        raise RefusedError(f"task run {task_run_id} has ended")
    task_run.unsent = False
    _end(world, task_run, "CANCELLED", "cancelled")


def cancel_graph_run(world: World, run_id: int) -> None:
    """It ends at once, with what it had not started and what no other open run shares."""
    run = graph_run(world, run_id)
    if run.status == "CANCELLED":
        return
    if not run.open:
        raise RefusedError(f"graph run {run_id} has ended")
    end_run(world, run, "CANCELLED", "cancelled")


def end_run(world: World, run: GraphRun, status: str, reason: str) -> None:
    """End an open run before its tasks have."""
    run.status, run.reason = status, reason
    for task in run.empty():
        skip(world, run, task, reason)
    for task in sorted(run.version.tasks):
        task_run = run.current(task)
        if task_run is None or task_run.ended:
            continue
        if not any(other.open for other in world.runs_of(task_run)):
            task_run.ended_by_us = task_run.status in ("DISPATCHED", "RUNNING")
            task_run.status, task_run.reason = "CANCELLED", reason
            task_run.due, task_run.unsent = None, False


def pause(world: World, name: str) -> None:
    """Nothing of the graph is sent until it is resumed."""
    graph = _graph(world, name)
    if not graph.paused:
        graph.pauses.append([world.now, None])


def resume(world: World, name: str, *, skip: bool) -> None:
    """Send what was held, the oldest run first; or cancel it."""
    graph = _graph(world, name)
    if not graph.paused:
        return
    held = [
        run
        for run in world.task_runs
        if run.status == "QUEUED" and run.home is not None and run.home.graph == name
    ]
    begun = graph.pauses[-1][0] or 0
    graph.pauses[-1][1] = world.now
    for task_run in held:
        if task_run.due is not None:
            task_run.due += world.now - max(begun, task_run.made)
    for task_run in sorted(held, key=lambda run: (run.home.id if run.home else 0, run.id)):
        if task_run.status != "QUEUED":
            continue
        if skip:
            _end(world, task_run, "CANCELLED", "cancelled")
        elif task_run.due is None or task_run.due <= world.now:
            dispatch(world, task_run)


def _end(world: World, task_run: TaskRun, status: str, reason: str) -> None:
    """A person ends a task run."""
    task_run.ended_by_us = task_run.status in ("DISPATCHED", "RUNNING")
    task_run.status, task_run.reason = status, reason
    task_run.cause = Cause.HAND
    effects(world, task_run)


def _begin(world: World, run: GraphRun) -> None:
    for root in sorted(run.version.roots):
        if world.catalog.tasks[root].service.dispatchable:
            start(world, run, root)


def _launch_part(world: World, graph: Graph, part: Part, key: str | None) -> GraphRun:
    version = part.of(graph.version)
    for task in sorted(graph.version.missing(version)):
        if not world.ever_succeeded(task):
            raise RefusedError(f"task {task} never succeeded")
    run = world.new_graph_run(graph.name, key, version, OpenedBy.HAND, part)
    _begin(world, run)
    return run


def _graph(world: World, name: str) -> Graph:
    found = world.catalog.graphs.get(name)
    if found is None:
        raise RefusedError(f"graph {name!r} is not known")
    return found


def _launchable(world: World, name: str) -> Graph:
    graph = _graph(world, name)
    if graph.archived or graph.paused or not graph.version.tasks:
        raise RefusedError(f"graph {name!r} cannot be launched")
    return graph


def graph_run(world: World, run_id: int) -> GraphRun:
    if not 0 < run_id <= len(world.graph_runs):
        raise RefusedError(f"graph run {run_id} is not known")
    return world.graph_runs[run_id - 1]


def known(world: World, task_run_id: int) -> TaskRun:
    found = world.task_run(task_run_id)
    if found is None:
        raise RefusedError(f"task run {task_run_id} is not known")
    return found
