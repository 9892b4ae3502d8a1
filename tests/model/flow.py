"""When does a next task start, and when does a run end? SPEC 4.2, inside one graph run; attempts of 4.6."""

from __future__ import annotations

from tests.model.state import Cause, GraphRun, Origin, TaskRun, World

__all__ = ["dispatch", "fill", "retry", "settle", "skip", "start"]

_LONGEST_DELAY = 3600


def start(world: World, run: GraphRun, task: str) -> TaskRun:
    """Give a task of a run its task run; the caller has found it ready. Sent at once, unless the graph is paused."""
    made = world.new_task_run(task, run.key, "QUEUED", Origin.RUN)
    made.home = run
    fill(run, made)
    if not world.held(made):
        dispatch(world, made)
    return made


def dispatch(world: World, task_run: TaskRun) -> None:
    """Send a QUEUED task run; its definition counts as it is now (SPEC 4.5)."""
    task_run.status, task_run.dispatched, task_run.due = "DISPATCHED", True, None
    task_run.sent = world.now
    task, task_run.unsent = world.catalog.tasks[task_run.task], True
    task_run.timeout, task_run.patience = task.timeout, task.patience


def skip(world: World, run: GraphRun, task: str, reason: str) -> None:
    """End a place without an execution."""
    made = world.new_task_run(task, run.key, "SKIPPED", Origin.RUN)
    made.reason = reason
    made.home = run
    fill(run, made)


def fill(run: GraphRun, task_run: TaskRun) -> None:
    """Let a task run stand for its task in this run, from now on."""
    run.places.setdefault(task_run.task, []).append(task_run)


def retry(world: World, failed: TaskRun) -> None:
    """A new attempt after a failure that is not final, in the same open runs (SPEC 4.6)."""
    task, runs = world.catalog.tasks[failed.task], world.runs_of(failed)
    still = [run for run in runs if run.open]
    ours = failed.dispatched and failed.cause in (Cause.REPORTED, Cause.TIMEOUT)
    if not ours or failed.attempt >= task.max_attempts or (runs and not still):
        return
    made = world.new_task_run(failed.task, failed.key, "QUEUED", failed.origin)
    made.attempt = failed.attempt + 1
    made.due = world.now + min(task.retry_delay * 2 ** (failed.attempt - 1), _LONGEST_DELAY)
    made.home = failed.home if failed.home in still else still[0] if still else None
    failed.later = made
    for run in still:
        fill(run, made)


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
