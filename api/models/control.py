"""What starts and stops things."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from .base import Id, In, Json, Out

__all__ = ["Launch", "LaunchTasks", "Mark", "Reason", "Rerun", "Resume", "ServiceState", "Taken"]


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


class ServiceState(Out):
    """State, bridges and backlog."""

    model_config = ConfigDict(extra="allow")
    state: Literal["started", "stopped"]
    instances: list[Json]
    lag: int | None
