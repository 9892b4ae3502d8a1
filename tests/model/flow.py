"""When does a next task start, and when does a run end? SPEC 4.2, inside one graph run."""

from __future__ import annotations

from tests.model.state import GraphRun, Origin, TaskRun, World

__all__ = ["fill", "settle", "skip", "start"]


def start(world: World, run: GraphRun, task: str) -> TaskRun:
    """Dispatch a task in a run; the caller has found it ready."""
    made = world.new_task_run(task, run.key, "DISPATCHED", Origin.RUN)
    made.dispatched = True
    fill(run, made)
    return made


def skip(world: World, run: GraphRun, task: str, reason: str) -> None:
    """End a place without an execution."""
    made = world.new_task_run(task, run.key, "SKIPPED", Origin.RUN)
    made.reason = reason
    fill(run, made)


def fill(run: GraphRun, task_run: TaskRun) -> None:
    """Let a task run stand for its task in this run, from now on."""
    run.places.setdefault(task_run.task, []).append(task_run)


def settle(world: World, run: GraphRun) -> None:
    """Bring a run to where its places say it is: start what is ready, skip what cannot come, end it when all has.

    Asking the whole run again after each change is what makes "exactly once" plain: a place that holds something
    is never filled again.
    """
    if not run.open:
        return
    progress = True
    while progress:
        progress = False
        for task in run.empty():
            before = [run.current(other) for other in run.version.predecessors(task)]
            if any(other is not None and other.ended and other.status != "SUCCESS" for other in before):
                skip(world, run, task, "upstream")
                progress = True
            elif before and all(other is not None and other.status == "SUCCESS" for other in before):
                start(world, run, task)
                progress = True
    _end(run)


def _end(run: GraphRun) -> None:
    states = [run.current(task) for task in run.version.tasks]
    if any(state is None or not state.ended for state in states):
        return
    words = {state.status for state in states if state is not None}
    run.status = next((word for word in ("FAILED", "CANCELLED") if word in words), "SUCCESS")
