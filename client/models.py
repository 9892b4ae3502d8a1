"""What the API answers, as dataclasses.

Made by `make client` from the OpenAPI document; not edited by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from .transport import instant, instant_or_none

__all__ = [
    "Chain",
    "Check",
    "CheckRow",
    "DeadLetter",
    "EventAnswer",
    "ExplainRow",
    "Explanation",
    "Graph",
    "GraphChain",
    "GraphRun",
    "GraphRunTaskRun",
    "HistoryRow",
    "Picture",
    "PictureRow",
    "Process",
    "Replayed",
    "ReplayedMany",
    "Service",
    "ServiceState",
    "Shape",
    "ShapeRow",
    "State",
    "StateRow",
    "Taken",
    "Task",
    "TaskRun",
    "Why",
    "WhyRow",
]


@dataclass(frozen=True)
class Service:
    """A system that executes tasks."""

    id: int
    name: str
    dispatch_topic: str | None
    echoes_ids: bool
    corrections: bool
    archived: bool
    created_at: datetime
    updated_at: datetime
    etag: str | None = field(default=None, compare=False)
    """For if_match; only where one object was asked for."""

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Service:
        """From the JSON of the API."""
        return cls(
            id=found["id"],
            name=found["name"],
            dispatch_topic=found["dispatch_topic"],
            echoes_ids=found["echoes_ids"],
            corrections=found["corrections"],
            archived=found["archived"],
            created_at=instant(found["created_at"]),
            updated_at=instant(found["updated_at"]),
            etag=found.get("etag"),
        )


@dataclass(frozen=True)
class Process:
    """One runnable thing of a service."""

    id: int
    service_id: int
    uid: str
    archived: bool
    created_at: datetime
    updated_at: datetime
    etag: str | None = field(default=None, compare=False)
    """For if_match; only where one object was asked for."""

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Process:
        """From the JSON of the API."""
        return cls(
            id=found["id"],
            service_id=found["service_id"],
            uid=found["uid"],
            archived=found["archived"],
            created_at=instant(found["created_at"]),
            updated_at=instant(found["updated_at"]),
            etag=found.get("etag"),
        )


@dataclass(frozen=True)
class Task:
    """A process with a config template: a node of graphs."""

    id: int
    process_id: int
    name: str
    config_template: dict[str, Any]
    timeout: str | None
    ack_timeout: str | None
    max_attempts: int
    retry_delay: str
    archived: bool
    created_at: datetime
    updated_at: datetime
    etag: str | None = field(default=None, compare=False)
    """For if_match; only where one object was asked for."""

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Task:
        """From the JSON of the API."""
        return cls(
            id=found["id"],
            process_id=found["process_id"],
            name=found["name"],
            config_template=found["config_template"],
            timeout=found["timeout"],
            ack_timeout=found["ack_timeout"],
            max_attempts=found["max_attempts"],
            retry_delay=found["retry_delay"],
            archived=found["archived"],
            created_at=instant(found["created_at"]),
            updated_at=instant(found["updated_at"]),
            etag=found.get("etag"),
        )


@dataclass(frozen=True)
class Chain:
    """One edge previous_task -> next_task. graph_id null: it is in no graph and fires nothing by itself."""

    id: int
    previous_task_id: int
    next_task_id: int
    graph_id: int | None
    created_at: datetime
    updated_at: datetime
    etag: str | None = field(default=None, compare=False)
    """For if_match; only where one object was asked for."""

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Chain:
        """From the JSON of the API."""
        return cls(
            id=found["id"],
            previous_task_id=found["previous_task_id"],
            next_task_id=found["next_task_id"],
            graph_id=found["graph_id"],
            created_at=instant(found["created_at"]),
            updated_at=instant(found["updated_at"]),
            etag=found.get("etag"),
        )


@dataclass(frozen=True)
class Graph:
    """A named set of chains."""

    id: int
    name: str
    owner: str | None
    labels: dict[str, Any]
    paused: bool
    repeat_policy: Literal["latest", "queue", "reject"]
    timeout: str | None
    archived: bool
    created_at: datetime
    updated_at: datetime
    etag: str | None = field(default=None, compare=False)
    """For if_match; only where one object was asked for."""

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Graph:
        """From the JSON of the API."""
        return cls(
            id=found["id"],
            name=found["name"],
            owner=found["owner"],
            labels=found["labels"],
            paused=found["paused"],
            repeat_policy=found["repeat_policy"],
            timeout=found["timeout"],
            archived=found["archived"],
            created_at=instant(found["created_at"]),
            updated_at=instant(found["updated_at"]),
            etag=found.get("etag"),
        )


@dataclass(frozen=True)
class GraphChain:
    """Which graph a chain belongs to; at most one."""

    graph_id: int
    chain_id: int
    created_at: datetime
    updated_at: datetime
    etag: str | None = field(default=None, compare=False)
    """For if_match; only where one object was asked for."""

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> GraphChain:
        """From the JSON of the API."""
        return cls(
            graph_id=found["graph_id"],
            chain_id=found["chain_id"],
            created_at=instant(found["created_at"]),
            updated_at=instant(found["updated_at"]),
            etag=found.get("etag"),
        )


@dataclass(frozen=True)
class TaskRun:
    """One execution of a task; one row an attempt."""

    id: int
    task_id: int
    graph_run_id: int | None
    run_key: str | None
    attempt: int
    status: Literal["QUEUED", "DISPATCHED", "RUNNING", "SUCCESS", "FAILED", "SKIPPED", "CANCELLED"]
    reason: str | None
    detail: str | None
    config: dict[str, Any] | None
    result: dict[str, Any] | None
    external_id: str | None
    matched_by: str | None
    created_at: datetime
    updated_at: datetime
    dispatched_at: datetime | None
    accepted_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    etag: str | None = field(default=None, compare=False)
    """For if_match; only where one object was asked for."""

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> TaskRun:
        """From the JSON of the API."""
        return cls(
            id=found["id"],
            task_id=found["task_id"],
            graph_run_id=found["graph_run_id"],
            run_key=found["run_key"],
            attempt=found["attempt"],
            status=found["status"],
            reason=found["reason"],
            detail=found["detail"],
            config=found["config"],
            result=found["result"],
            external_id=found["external_id"],
            matched_by=found["matched_by"],
            created_at=instant(found["created_at"]),
            updated_at=instant(found["updated_at"]),
            dispatched_at=instant_or_none(found["dispatched_at"]),
            accepted_at=instant_or_none(found["accepted_at"]),
            started_at=instant_or_none(found["started_at"]),
            finished_at=instant_or_none(found["finished_at"]),
            etag=found.get("etag"),
        )


@dataclass(frozen=True)
class GraphRun:
    """One pass through a graph, under the version it started with."""

    id: int
    graph_id: int | None
    version_id: int | None
    run_key: str | None
    params: dict[str, Any]
    status: Literal["RUNNING", "SUCCESS", "FAILED", "CANCELLED"]
    reason: str | None
    detail: str | None
    opened_by: str
    replaces_id: int | None
    replaced_by_id: int | None
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None
    etag: str | None = field(default=None, compare=False)
    """For if_match; only where one object was asked for."""

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> GraphRun:
        """From the JSON of the API."""
        return cls(
            id=found["id"],
            graph_id=found["graph_id"],
            version_id=found["version_id"],
            run_key=found["run_key"],
            params=found["params"],
            status=found["status"],
            reason=found["reason"],
            detail=found["detail"],
            opened_by=found["opened_by"],
            replaces_id=found["replaces_id"],
            replaced_by_id=found["replaced_by_id"],
            created_at=instant(found["created_at"]),
            updated_at=instant(found["updated_at"]),
            finished_at=instant_or_none(found["finished_at"]),
            etag=found.get("etag"),
        )


@dataclass(frozen=True)
class GraphRunTaskRun:
    """Which task run stands for a task in which graph run."""

    graph_run_id: int
    task_run_id: int
    task_id: int
    attempt: int
    created_at: datetime
    etag: str | None = field(default=None, compare=False)
    """For if_match; only where one object was asked for."""

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> GraphRunTaskRun:
        """From the JSON of the API."""
        return cls(
            graph_run_id=found["graph_run_id"],
            task_run_id=found["task_run_id"],
            task_id=found["task_id"],
            attempt=found["attempt"],
            created_at=instant(found["created_at"]),
            etag=found.get("etag"),
        )


@dataclass(frozen=True)
class Taken:
    """What a call led to; null: nothing new was opened."""

    graph_run_id: int | None

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Taken:
        """From the JSON of the API."""
        return cls(
            graph_run_id=found["graph_run_id"],
        )


@dataclass(frozen=True)
class ExplainRow:
    """Why a task is where it is."""

    task: str
    status: str | None
    reason: str | None
    detail: str | None

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> ExplainRow:
        """From the JSON of the API."""
        return cls(
            task=found["task"],
            status=found["status"],
            reason=found["reason"],
            detail=found["detail"],
        )


@dataclass(frozen=True)
class PictureRow:
    """A task of a graph run, the tasks before it, and the last task run it has there; status null: none yet."""

    task: str
    service: str
    after: list[str]
    task_run_id: int | None
    attempt: int | None
    status: Literal["QUEUED", "DISPATCHED", "RUNNING", "SUCCESS", "FAILED", "SKIPPED", "CANCELLED"] | None
    reason: str | None
    dispatched_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    graph_run_ids: list[int]

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> PictureRow:
        """From the JSON of the API."""
        return cls(
            task=found["task"],
            service=found["service"],
            after=found["after"],
            task_run_id=found["task_run_id"],
            attempt=found["attempt"],
            status=found["status"],
            reason=found["reason"],
            dispatched_at=instant_or_none(found["dispatched_at"]),
            started_at=instant_or_none(found["started_at"]),
            finished_at=instant_or_none(found["finished_at"]),
            graph_run_ids=found["graph_run_ids"],
        )


@dataclass(frozen=True)
class ShapeRow:
    """A task of a graph, and the tasks before it there."""

    task: str
    service: str
    after: list[str]

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> ShapeRow:
        """From the JSON of the API."""
        return cls(
            task=found["task"],
            service=found["service"],
            after=found["after"],
        )


@dataclass(frozen=True)
class CheckRow:
    """What is wrong with a graph, and what to do."""

    task: str | None
    problem: str
    hint: str | None

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> CheckRow:
        """From the JSON of the API."""
        return cls(
            task=found["task"],
            problem=found["problem"],
            hint=found["hint"],
        )


@dataclass(frozen=True)
class StateRow:
    """The run itself (task null), or a task run it held at that instant."""

    task: str | None
    task_run_id: int | None
    attempt: int | None
    status: str
    since: datetime
    reason: str | None
    detail: str | None

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> StateRow:
        """From the JSON of the API."""
        return cls(
            task=found["task"],
            task_run_id=found["task_run_id"],
            attempt=found["attempt"],
            status=found["status"],
            since=instant(found["since"]),
            reason=found["reason"],
            detail=found["detail"],
        )


@dataclass(frozen=True)
class HistoryRow:
    """One transition, or an event that changed nothing."""

    id: int
    at: datetime
    task_run_id: int | None
    graph_run_id: int | None
    old_status: str | None
    new_status: str | None
    source: str
    actor: str | None
    db_user: str
    matched_by: str | None
    reason: str | None
    detail: str | None

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> HistoryRow:
        """From the JSON of the API."""
        return cls(
            id=found["id"],
            at=instant(found["at"]),
            task_run_id=found["task_run_id"],
            graph_run_id=found["graph_run_id"],
            old_status=found["old_status"],
            new_status=found["new_status"],
            source=found["source"],
            actor=found["actor"],
            db_user=found["db_user"],
            matched_by=found["matched_by"],
            reason=found["reason"],
            detail=found["detail"],
        )


@dataclass(frozen=True)
class ServiceState:
    """State, bridges and backlog."""

    state: Literal["started", "stopped"]
    instances: list[dict[str, Any]]
    lag: int | None
    more: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else was answered."""

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> ServiceState:
        """From the JSON of the API."""
        return cls(
            state=found["state"],
            instances=found["instances"],
            lag=found["lag"],
            more={name: found[name] for name in found if name not in ["instances", "lag", "state"]},
        )


@dataclass(frozen=True)
class EventAnswer:
    """Where the event led; a dead letter's id where it could not be applied (202)."""

    task_run_id: int | None
    dead_letter_id: int | None

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> EventAnswer:
        """From the JSON of the API."""
        return cls(
            task_run_id=found["task_run_id"],
            dead_letter_id=found["dead_letter_id"],
        )


@dataclass(frozen=True)
class DeadLetter:
    """A message that could not be applied. Bytes of the value that are no UTF-8 are in value_base64."""

    id: int
    topic: str
    partition: int | None
    offset: int | None
    key: str | None
    value: str | None
    value_base64: str | None
    reason: str
    detail: str
    created_at: datetime
    replayed_at: datetime | None

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> DeadLetter:
        """From the JSON of the API."""
        return cls(
            id=found["id"],
            topic=found["topic"],
            partition=found["partition"],
            offset=found["offset"],
            key=found["key"],
            value=found["value"],
            value_base64=found["value_base64"],
            reason=found["reason"],
            detail=found["detail"],
            created_at=instant(found["created_at"]),
            replayed_at=instant_or_none(found["replayed_at"]),
        )


@dataclass(frozen=True)
class Replayed:
    """The task run a replay led to."""

    task_run_id: int | None

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Replayed:
        """From the JSON of the API."""
        return cls(
            task_run_id=found["task_run_id"],
        )


@dataclass(frozen=True)
class ReplayedMany:
    """How many were replayed, refused because their executions have gone on, and cannot be applied still."""

    replayed: int
    refused: int
    failing: int

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> ReplayedMany:
        """From the JSON of the API."""
        return cls(
            replayed=found["replayed"],
            refused=found["refused"],
            failing=found["failing"],
        )


@dataclass(frozen=True)
class WhyRow:
    """What was recorded of an event, or what it would do now."""

    what: str
    detail: str

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> WhyRow:
        """From the JSON of the API."""
        return cls(
            what=found["what"],
            detail=found["detail"],
        )


@dataclass(frozen=True)
class Explanation:
    """One row a task."""

    items: list[ExplainRow]

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Explanation:
        """From the JSON of the API."""
        return cls(
            items=[ExplainRow.of(each) for each in found["items"]],
        )


@dataclass(frozen=True)
class Picture:
    """One row a task."""

    items: list[PictureRow]

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Picture:
        """From the JSON of the API."""
        return cls(
            items=[PictureRow.of(each) for each in found["items"]],
        )


@dataclass(frozen=True)
class Shape:
    """One row a task."""

    items: list[ShapeRow]

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Shape:
        """From the JSON of the API."""
        return cls(
            items=[ShapeRow.of(each) for each in found["items"]],
        )


@dataclass(frozen=True)
class Check:
    """One row a problem; none: the graph is sound."""

    items: list[CheckRow]

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Check:
        """From the JSON of the API."""
        return cls(
            items=[CheckRow.of(each) for each in found["items"]],
        )


@dataclass(frozen=True)
class State:
    """The state of a run at an instant."""

    items: list[StateRow]

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> State:
        """From the JSON of the API."""
        return cls(
            items=[StateRow.of(each) for each in found["items"]],
        )


@dataclass(frozen=True)
class Why:
    """In words, why an event did nothing or something else than expected."""

    items: list[WhyRow]

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Why:
        """From the JSON of the API."""
        return cls(
            items=[WhyRow.of(each) for each in found["items"]],
        )
