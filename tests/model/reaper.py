"""SPEC 4.6: what time brings. Each look takes what has come due, in the order of its instant."""

from __future__ import annotations

from collections.abc import Iterator

from tests.model.by_hand import end_run
from tests.model.ends import effects
from tests.model.flow import dispatch
from tests.model.state import Cause, GraphRun, TaskRun, World

__all__ = ["next_instant", "reap"]

_MOST_RESENDS = 5


def reap(world: World) -> None:
    """Do all that is due now."""
    while True:
        due = sorted(_instants(world), key=lambda each: each[0])
        if not due or due[0][0] > world.now:
            return
        _, what, subject = due[0]
        if isinstance(subject, GraphRun):
            end_run(world, subject, "FAILED", "timeout")
        elif what == "retry":
            dispatch(world, subject)
        elif what == "resend":
            subject.resent += 1
            subject.unsent, subject.delivered = True, None
        else:
            subject.ended_by_us = True
            subject.status, subject.reason, subject.cause = "FAILED", "timeout", Cause.TIMEOUT
            effects(world, subject)


def next_instant(world: World) -> float | None:
    """The next instant at which something comes due, if nothing else happens."""
    return min((at for at, _, _ in _instants(world)), default=None)


def _instants(world: World) -> Iterator[tuple[float, str, TaskRun | GraphRun]]:
    for task_run in world.task_runs:
        if world.held(task_run):
            continue
        if task_run.status == "QUEUED" and task_run.due is not None:
            yield task_run.due, "retry", task_run
        elif task_run.dispatched and task_run.status in ("DISPATCHED", "RUNNING"):
            yield from _limits(world, task_run)
    for run in world.graph_runs:
        graph = None if run.graph is None else world.catalog.graphs[run.graph]
        if run.open and graph is not None and graph.timeout is not None and not graph.paused:
            stood = graph.paused_between(run.created, world.now)
            yield run.created + graph.timeout + stood, "timeout", run


def _limits(world: World, task_run: TaskRun) -> Iterator[tuple[float, str, TaskRun]]:
    graph = None if task_run.home is None else task_run.home.graph

    def after(begun: float, seconds: int) -> float:
        stood = 0.0 if graph is None else world.catalog.graphs[graph].paused_between(begun, world.now)
        return begun + seconds + stood

    begun = task_run.first_delivered if task_run.running is None else task_run.running
    if task_run.timeout is not None and begun is not None:
        yield after(begun, task_run.timeout), "timeout", task_run
    patience = task_run.patience
    waits = task_run.status == "DISPATCHED" and not task_run.acknowledged and task_run.resent < _MOST_RESENDS
    if waits and patience is not None and task_run.delivered is not None:
        yield after(task_run.delivered, patience), "resend", task_run
