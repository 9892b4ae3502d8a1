"""Events, and the messages that could not be applied."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from .base import Id, In, Out, Time

__all__ = ["DeadLetter", "Event", "EventAnswer", "ReplayMany", "ReplayedMany", "Why", "WhyRow"]


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
