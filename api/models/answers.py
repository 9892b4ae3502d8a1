"""What is told of graphs and runs."""

from __future__ import annotations

from .base import Id, Out, TaskRunStatus, Time

__all__ = [
    "Check",
    "CheckRow",
    "ExplainRow",
    "Explanation",
    "HistoryRow",
    "Picture",
    "PictureRow",
    "Shape",
    "ShapeRow",
    "State",
    "StateRow",
]


class ExplainRow(Out):
    """Why a task is where it is."""

    task: str
    status: str | None
    reason: str | None
    detail: str | None


class Explanation(Out):
    """One row a task."""

    items: list[ExplainRow]


class ShapeRow(Out):
    """A task of a graph, and the tasks before it there."""

    task: str
    service: str
    after: list[str]


class Shape(Out):
    """One row a task."""

    items: list[ShapeRow]


class PictureRow(Out):
    """A task of a graph run, the tasks before it, and the last task run it has there; status null: none yet."""

    task: str
    service: str
    after: list[str]
    task_run_id: Id | None
    attempt: int | None
    status: TaskRunStatus | None
    reason: str | None
    dispatched_at: Time | None
    started_at: Time | None
    finished_at: Time | None
    graph_run_ids: list[Id]


class Picture(Out):
    """One row a task."""

    items: list[PictureRow]


class CheckRow(Out):
    """What is wrong with a graph, and what to do."""

    task: str | None
    problem: str
    hint: str | None


class Check(Out):
    """One row a problem; none: the graph is sound."""

    items: list[CheckRow]


class StateRow(Out):
    """The run itself (task null), or a task run it held at that instant."""

    task: str | None
    task_run_id: Id | None
    attempt: int | None
    status: str
    since: Time
    reason: str | None
    detail: str | None


class State(Out):
    """The state of a run at an instant."""

    items: list[StateRow]


class HistoryRow(Out):
    """One transition, or an event that changed nothing."""

    id: Id
    at: Time
    task_run_id: Id | None
    graph_run_id: Id | None
    old_status: str | None
    new_status: str | None
    source: str
    actor: str | None
    db_user: str
    matched_by: str | None
    reason: str | None
    detail: str | None
