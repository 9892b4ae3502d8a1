"""What every model is made of."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

__all__ = [
    "Duration",
    "DurationIn",
    "GraphRunStatus",
    "Id",
    "In",
    "Json",
    "Out",
    "Policy",
    "ProblemModel",
    "TaskRunStatus",
    "Time",
]


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
