"""Graph runs, task runs, and which stands where."""

from __future__ import annotations

from pydantic import Field

from .base import GraphRunStatus, Id, In, Json, Out, TaskRunStatus, Time

__all__ = [
    "GraphRun",
    "GraphRunCreate",
    "GraphRunPatch",
    "GraphRunTaskRun",
    "GraphRunTaskRunCreate",
    "TaskRun",
    "TaskRunCreate",
    "TaskRunPatch",
]


class GraphRun(Out):
    """One pass through a graph, under the version it started with."""

    id: Id
    graph_id: Id | None
    version_id: Id | None
    run_key: str | None
    params: Json
    status: GraphRunStatus
    reason: str | None
    detail: str | None
    opened_by: str
    replaces_id: Id | None
    replaced_by_id: Id | None
    created_at: Time
    updated_at: Time
    finished_at: Time | None


class GraphRunCreate(In):
    """Launches a whole graph."""

    graph_id: Id | None = None
    graph: str | None = Field(None, examples=["integration"])
    run_key: str | None = None
    params: Json = Field(default_factory=dict)


class GraphRunPatch(In):
    """Only CANCELLED, which cancels the run."""

    status: GraphRunStatus
    reason: str | None = None


class TaskRun(Out):
    """One execution of a task; one row an attempt."""

    id: Id
    task_id: Id
    graph_run_id: Id | None
    run_key: str | None
    attempt: int
    status: TaskRunStatus
    reason: str | None
    detail: str | None
    config: Json | None
    result: Json | None
    external_id: str | None
    matched_by: str | None
    created_at: Time
    updated_at: Time
    dispatched_at: Time | None
    accepted_at: Time | None
    started_at: Time | None
    finished_at: Time | None


class TaskRunCreate(In):
    """QUEUED runs the task alone; RUNNING or an end is work the tool started by itself."""

    task_id: Id | None = None
    task: str | None = Field(None, examples=["stg_to_ods"])
    run_key: str | None = None
    status: TaskRunStatus = "QUEUED"
    result: Json | None = None
    external_id: str | None = None
    detail: str | None = None


class TaskRunPatch(In):
    """A transition with all its effects, as a DBA's UPDATE."""

    status: TaskRunStatus | None = None
    reason: str | None = None
    detail: str | None = None
    result: Json | None = None


class GraphRunTaskRun(Out):
    """Which task run stands for a task in which graph run."""

    graph_run_id: Id
    task_run_id: Id
    task_id: Id
    attempt: int
    created_at: Time


class GraphRunTaskRunCreate(In):
    """Fills the still empty place of an open run."""

    graph_run_id: Id
    task_run_id: Id
