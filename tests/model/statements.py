"""SPEC 4.9: plain SQL on run tables."""

from __future__ import annotations

from collections.abc import Mapping

from tests.model.by_hand import graph_run
from tests.model.definitions import RefusedError
from tests.model.ends import effects, put
from tests.model.event import DeadLetterError
from tests.model.flow import dispatch
from tests.model.placing import told_apart
from tests.model.state import ENDED, Cause, Origin, TaskRun, World

__all__ = ["born", "fill_place", "insert_task_run", "update_task_runs"]

_MAY_BECOME = {
    "QUEUED": {"DISPATCHED", "RUNNING", *ENDED},
    "DISPATCHED": {"RUNNING", *ENDED},
    "RUNNING": set(ENDED),
}
_BORN = {"RUNNING", *ENDED}


def born(
    world: World, task: str, status: str, key: str | None, external_id: str | None, *, replayed: bool = False
) -> TaskRun:
    """A task run a tool started, in the state it reported."""
    task_run = world.new_task_run(task, key, status, Origin.TOOL)
    task_run.replayed = replayed
    world.bind(task_run, external_id, news=True)
    task_run.external_id = external_id
    if task_run.ended:
        task_run.tool_ended, task_run.cause = True, Cause.REPORTED
        effects(world, task_run)
    return task_run


def insert_task_run(
    world: World, task: str, status: str, key: str | None, external_id: str | None
) -> TaskRun:
    """INSERT task_run."""
    found = world.catalog.tasks.get(task)
    if found is None:
        raise RefusedError(f"task {task!r} is not known")
    if status == "QUEUED":
        if not found.service.dispatchable:
            raise RefusedError(f"nothing can be sent to the service of {task!r}")
        task_run = world.new_task_run(task, key, "QUEUED", Origin.ALONE)
        world.bind(task_run, external_id, news=True)
        dispatch(world, task_run)
        return task_run
    if status not in _BORN:
        raise RefusedError(f"a task run is not born {status}")
    known = (found.service.name, found.process, external_id) in world.executions
    try:
        if status != "CANCELLED":
            told_apart(world, task, key, status, partial=external_id is not None and not known)
    except DeadLetterError as dead:
        raise RefusedError(str(dead)) from dead
    return born(world, task, status, key, external_id)


def update_task_runs(world: World, statuses: Mapping[int, str]) -> None:
    """UPDATE task_run SET status, one statement over several rows (id → status)."""
    changes: list[tuple[bool, int, TaskRun, str]] = []
    for run_id, status in statuses.items():
        task_run = world.task_run(run_id)
        if task_run is None or status == task_run.status:
            continue
        if status not in _MAY_BECOME.get(task_run.status, set()):
            raise RefusedError(f"task run {run_id} cannot go from {task_run.status} to {status}")
        if status == "DISPATCHED" and world.held(task_run):
            raise RefusedError(f"task run {run_id} is held by a pause")
        changes.append((status == "SUCCESS", run_id, task_run, status))
    for _, _, task_run, status in sorted(changes, key=lambda change: change[:2]):
        had_tool = task_run.status in ("DISPATCHED", "RUNNING")
        if status == "DISPATCHED":
            dispatch(world, task_run)
            continue
        task_run.status = status
        if status == "RUNNING":
            task_run.running, task_run.due = world.now, None
        if task_run.ended:
            task_run.ended_at = world.now
            task_run.ended_by_us, task_run.cause = had_tool, Cause.HAND
            task_run.unsent = task_run.unsent and status != "CANCELLED"
            effects(world, task_run)


def fill_place(world: World, graph_run_id: int, task_run_id: int) -> None:
    """INSERT graph_run_task_run: let a task run stand in an open run's empty place."""
    run, task_run = graph_run(world, graph_run_id), world.task_run(task_run_id)
    if task_run is None:
        raise RefusedError(f"task run {task_run_id} is not known")
    if not run.open or task_run.task not in run.version.tasks or run.current(task_run.task):
        raise RefusedError(f"graph run {graph_run_id} has no empty place for {task_run.task}")
    put(world, run, task_run)
