"""Services, processes, tasks, chains, graphs."""

from __future__ import annotations

from pydantic import Field

from .base import Duration, DurationIn, Id, In, Json, Out, Policy, Time

__all__ = [
    "Chain",
    "ChainCreate",
    "ChainPatch",
    "Graph",
    "GraphChain",
    "GraphChainCreate",
    "GraphCreate",
    "GraphPatch",
    "Process",
    "ProcessCreate",
    "ProcessPatch",
    "ProcessReference",
    "Service",
    "ServiceCreate",
    "ServicePatch",
    "Task",
    "TaskCreate",
    "TaskPatch",
]


class ProcessReference(In):
    """A process by its service's name and its uid."""

    service: str
    uid: str


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
