"""The JSON of the API as typed models. Names and rules of columns are the database's; here is only their form."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

__all__ = [
    "Chain",
    "ChainCreate",
    "ChainPatch",
    "Check",
    "CheckRow",
    "DeadLetter",
    "Event",
    "EventAnswer",
    "ExplainRow",
    "Graph",
    "GraphChain",
    "GraphChainCreate",
    "GraphCreate",
    "GraphPatch",
    "GraphRun",
    "GraphRunCreate",
    "GraphRunPatch",
    "GraphRunTaskRun",
    "GraphRunTaskRunCreate",
    "HistoryRow",
    "Launch",
    "LaunchTasks",
    "Mark",
    "Picture",
    "PictureRow",
    "ProblemModel",
    "Process",
    "ProcessCreate",
    "ProcessPatch",
    "Reason",
    "ReplayMany",
    "ReplayedMany",
    "Rerun",
    "Resume",
    "Service",
    "ServiceCreate",
    "ServicePatch",
    "ServiceState",
    "Shape",
    "ShapeRow",
    "State",
    "StateRow",
    "Task",
    "TaskCreate",
    "TaskPatch",
    "TaskRun",
    "TaskRunCreate",
    "TaskRunPatch",
    "Why",
    "WhyRow",
]  # fmt: skip

Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
Json = dict[str, Any]
Time = Annotated[
    datetime,
    PlainSerializer(lambda at: at.isoformat().replace("+00:00", "Z"), when_used="always"),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-22T03:12:00.5Z"]}),
]
Duration = Annotated[str, Field(description="ISO 8601 duration", examples=["PT5M"])]
DurationIn = Annotated[
    str | int | float, Field(description="ISO 8601 duration, or seconds", examples=["PT5M", 300])
]
TaskRunStatus = Literal["QUEUED", "DISPATCHED", "RUNNING", "SUCCESS", "FAILED", "SKIPPED", "CANCELLED"]
GraphRunStatus = Literal["RUNNING", "SUCCESS", "FAILED", "CANCELLED"]
Policy = Literal["latest", "queue", "reject"]


class Out(BaseModel):
    """What is answered."""

    model_config = ConfigDict(extra="ignore")


class In(BaseModel):
    """What is taken: an unknown field is an error that names it."""

    model_config = ConfigDict(extra="forbid", strict=True)


class ProcessReference(In):
    """A process by its service's name and its uid."""

    service: str
    uid: str


# -- definitions ------------------------------------------------------------------------------------


class Service(Out):
    """A system that executes tasks."""

    id: Id
    name: str
    dispatch_topic: str | None
    echoes_ids: bool
    corrections: bool
    archived: bool
    created_at: Time
    updated_at: Time


class ServiceCreate(In):
    """A new service; without dispatch_topic it only reports."""

    name: str = Field(examples=["airflow"])
    dispatch_topic: str | None = Field(None, examples=["airflow_tasks"])
    echoes_ids: bool = False
    corrections: bool = True
    archived: bool = False


class ServicePatch(In):
    """What may change of a service."""

    name: str | None = None
    dispatch_topic: str | None = None
    echoes_ids: bool | None = None
    corrections: bool | None = None
    archived: bool | None = None


class Process(Out):
    """One runnable thing of a service."""

    id: Id
    service_id: Id
    uid: str
    archived: bool
    created_at: Time
    updated_at: Time


class ProcessCreate(In):
    """A new process; its service by id or by name."""

    service_id: Id | None = None
    service: str | None = Field(None, examples=["airflow"])
    uid: str = Field(examples=["stg_to_ods"])
    archived: bool = False


class ProcessPatch(In):
    """What may change of a process."""

    service_id: Id | None = None
    service: str | None = None
    uid: str | None = None
    archived: bool | None = None


class Task(Out):
    """A process with a config template: a node of graphs."""

    id: Id
    process_id: Id
    name: str
    config_template: Json
    timeout: Duration | None
    ack_timeout: Duration | None
    max_attempts: int
    retry_delay: Duration
    archived: bool
    created_at: Time
    updated_at: Time


class TaskCreate(In):
    """A new task; its process by id, or by service and uid."""

    process_id: Id | None = None
    process: ProcessReference | None = Field(None, examples=[{"service": "airflow", "uid": "stg_to_ods"}])
    name: str = Field(examples=["stg_to_ods"])
    config_template: Json = Field(default_factory=dict, examples=[{"day": "{{ run.run_key }}"}])
    timeout: DurationIn | None = None
    ack_timeout: DurationIn | None = None
    max_attempts: int = 1
    retry_delay: DurationIn = "PT1M"
    archived: bool = False


class TaskPatch(In):
    """What may change of a task."""

    process_id: Id | None = None
    process: ProcessReference | None = None
    name: str | None = None
    config_template: Json | None = None
    timeout: DurationIn | None = None
    ack_timeout: DurationIn | None = None
    max_attempts: int | None = None
    retry_delay: DurationIn | None = None
    archived: bool | None = None


class Chain(Out):
    """One edge previous_task -> next_task. graph_id null: it is in no graph and fires nothing by itself."""

    id: Id
    previous_task_id: Id
    next_task_id: Id
    graph_id: Id | None
    created_at: Time
    updated_at: Time


class ChainCreate(In):
    """A new chain; tasks by id or by name."""

    previous_task_id: Id | None = None
    previous_task: str | None = Field(None, examples=["load_stg"])
    next_task_id: Id | None = None
    next_task: str | None = Field(None, examples=["stg_to_ods"])


class ChainPatch(In):
    """What may change of a chain."""

    previous_task_id: Id | None = None
    previous_task: str | None = None
    next_task_id: Id | None = None
    next_task: str | None = None


class Graph(Out):
    """A named set of chains."""

    id: Id
    name: str
    owner: str | None
    labels: Json
    paused: bool
    repeat_policy: Policy
    timeout: Duration | None
    archived: bool
    created_at: Time
    updated_at: Time


class GraphCreate(In):
    """A new graph; chains join it through graph-chains."""

    name: str = Field(examples=["integration"])
    owner: str | None = None
    labels: Json = Field(default_factory=dict, examples=[{"team": "dwh"}])
    paused: bool = False
    repeat_policy: Policy = "latest"
    timeout: DurationIn | None = "P7D"
    archived: bool = False


class GraphPatch(In):
    """What may change of a graph."""

    name: str | None = None
    owner: str | None = None
    labels: Json | None = None
    paused: bool | None = None
    repeat_policy: Policy | None = None
    timeout: DurationIn | None = None
    archived: bool | None = None


class GraphChain(Out):
    """Which graph a chain belongs to; at most one."""

    graph_id: Id
    chain_id: Id
    created_at: Time
    updated_at: Time


class GraphChainCreate(In):
    """Puts a chain into a graph."""

    graph_id: Id | None = None
    graph: str | None = Field(None, examples=["integration"])
    chain_id: Id


# -- runs -------------------------------------------------------------------------------------------


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


# -- control ----------------------------------------------------------------------------------------


class Launch(In):
    """How to launch. `graph` only where a task is in several."""

    params: Json = Field(default_factory=dict, examples=[{"limit": 10}])
    run_key: str | None = Field(None, examples=["2026-11-22"])
    graph: str | None = None


class LaunchTasks(In):
    """Which tasks of the graph to start from; none: the whole graph."""

    params: Json = Field(default_factory=dict)
    run_key: str | None = Field(None, examples=["2026-11-22"])
    tasks: list[str] | None = Field(None, examples=[["stg_to_ods"]])


class Resume(In):
    """skip: cancel what was held."""

    skip: bool = False


class Rerun(In):
    """Which tasks to do anew with all that follows them; none: what failed."""

    from_tasks: list[str] | None = Field(None, examples=[["stg_to_ods"]])


class Mark(In):
    """The status to mark a task run with, and why."""

    status: Literal["SUCCESS", "FAILED"]
    reason: str | None = Field(None, examples=["loaded by hand"])


class Reason(In):
    """Why."""

    reason: str | None = Field(None, examples=["wrong file"])


class Taken(Out):
    """What a call led to; null: nothing new was opened."""

    graph_run_id: Id | None


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


class WhyRow(Out):
    """What was recorded of an event, or what it would do now."""

    what: str
    detail: str


class Why(Out):
    """In words, why an event did nothing or something else than expected."""

    items: list[WhyRow]


class ReplayMany(In):
    """Which open dead letters to replay; none: all."""

    reason: str | None = Field(None, examples=["unknown"])
    topic: str | None = None


class ReplayedMany(Out):
    """How many were replayed, refused because their executions have gone on, and cannot be applied still."""

    replayed: int
    refused: int
    failing: int


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


class ServiceState(Out):
    """State, bridges and backlog."""

    model_config = ConfigDict(extra="allow")
    state: Literal["started", "stopped"]
    instances: list[Json]
    lag: int | None


class DeadLetter(Out):
    """A message that could not be applied. Bytes of the value that are no UTF-8 are in value_base64."""

    id: Id
    topic: str
    partition: int | None
    offset: int | None
    key: str | None
    value: str | None
    value_base64: str | None
    reason: str
    detail: str
    created_at: Time
    replayed_at: Time | None


class Event(BaseModel):
    """An event as it would come from Kafka; unknown fields are kept."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {"service": "nifi", "process": "load_stg", "status": "SUCCESS", "run_key": "2026-11-22"}
            ]
        },
    )


class EventAnswer(Out):
    """Where the event led; a dead letter's id where it could not be applied (202)."""

    task_run_id: Id | None
    dead_letter_id: Id | None


class ProblemModel(BaseModel):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    hint: str | None = None
    code: str | None = None
    errors: list[Json] | None = None
    request_id: str | None = None
