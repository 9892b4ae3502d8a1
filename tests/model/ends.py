"""What follows from the end of a task run, whoever ended it."""

from __future__ import annotations

from tests.model.definitions import RefusedError
from tests.model.flow import fill, retry, settle
from tests.model.placing import by_task_run, cross, current_version, place
from tests.model.state import Cause, GraphRun, OpenedBy, Origin, TaskRun, World

__all__ = ["correct", "effects", "mark_again", "succeed_late"]


def effects(world: World, task_run: TaskRun) -> None:
    """Retry, next tasks, skips, ends of runs, other graphs."""
    task_run.due = None
    if task_run.status == "FAILED":
        retry(world, task_run)
    for run in world.runs_of(task_run):
        settle(world, run)
    if task_run.origin is Origin.TOOL:
        if task_run.status != "CANCELLED":
            place(world, task_run)
    elif task_run.status == "SUCCESS":
        cross(world, task_run)


def succeed_late(world: World, failed: TaskRun) -> bool:
    """SUCCESS for an attempt that has failed: ends a later attempt that still waits (SPEC 4.6)."""
    last = failed
    while last.later is not None:
        last = last.later
    if last is failed or last.status != "QUEUED":
        return False
    last.status, last.reason = "SUCCESS", "late"
    effects(world, last)
    return True


def mark_again(world: World, ended: TaskRun, *, by_event: bool) -> GraphRun:
    """Take the runs of an ended task run over with its task as a new one, SUCCESS; answers the first that did."""
    runs = [run for run in world.runs_of(ended) if run.current(ended.task) is ended]
    free = [run for run in runs if run.replaced_by is None]
    if not runs:
        raise RefusedError(f"task run {ended.id} stands for its task in no graph run")
    if not free:
        raise RefusedError(f"graph run {runs[-1].id} was taken over already")
    for run in free:
        if ended.task not in current_version(world, run).tasks:
            raise RefusedError(f"task {ended.task} is in graph {run.graph} no more")
    made = world.new_task_run(ended.task, ended.key, "SUCCESS", Origin.RUN)
    made.reason = "marked"
    taken = []
    for run in free:
        opened_by = run.opened_by if by_event else OpenedBy.HAND
        taken.append(by_task_run(world, made, run, opened_by, "coalesced" if by_event else "superseded"))
        taken[-1].redone |= {ended.task}
        made.home = made.home or taken[0]
    cross(world, made)
    return taken[0]


def correct(world: World, failed: TaskRun) -> bool:
    """SUCCESS reported after a reported FAILED of the same execution; False where it is only recorded as late."""
    service = world.catalog.tasks[failed.task].service
    if failed.cause is not Cause.REPORTED or failed.later is not None or not service.corrections:
        return False
    try:
        mark_again(world, failed, by_event=True)
    except RefusedError:
        return False
    return True


def put(world: World, run: GraphRun, task_run: TaskRun) -> None:
    """Let a task run stand in an empty place, as if it had got there by itself."""
    fill(run, task_run)
    settle(world, run)
