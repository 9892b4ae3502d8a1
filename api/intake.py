"""Events without Kafka, and the messages that could not be applied."""

from __future__ import annotations

import base64
from typing import Any, Literal

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict, Field

from .auth import caller
from .control import ById
from .database import Connection
from .models import DeadLetter, Event, EventAnswer, Id, Out, ReplayedMany, ReplayMany, Why
from .problems import Problem
from .views import answer, does, reading, writing

__all__ = ["blueprint"]

api = APIBlueprint("intake", __name__, url_prefix="/api/v1")
EVENTS = [Tag(name="events", description="What tools report.")]
LETTERS = [Tag(name="dead-letters", description="Messages that could not be applied.")]
_COLUMNS = 'id, topic, partition, "offset", key, value, reason, detail, created_at, replayed_at'


class LetterQuery(BaseModel):
    """Which dead letters, and which page."""

    model_config = ConfigDict(extra="forbid")
    limit: int = Field(100, ge=1, le=1000)
    cursor: Id | None = Field(None, description="next_cursor of the page before.")
    reason: str | None = None
    topic: str | None = None
    state: Literal["open", "replayed", "all"] = "open"


class LetterList(Out):
    """A page, newest first."""

    items: list[DeadLetter]
    next_cursor: int | None


class Replayed(Out):
    """The task run a replay led to."""

    task_run_id: Id | None


def blueprint() -> APIBlueprint:
    """Events and dead letters under /api/v1."""
    return api


@api.post("/events", tags=EVENTS, responses={200: EventAnswer, 202: EventAnswer, **does(400, 404, 409, 413, 415)},
          operation_id="send_event", openapi_extensions={"x-scope": "operate"})  # fmt: skip
def send_event(body: Event) -> Response:
    """An event exactly as from Kafka. 202: it became a dead letter, whose id is answered. Scope: operate."""
    caller().require_unlimited("report events")

    def act(connection: Connection) -> Response:
        row = connection.execute(
            "select orchestration.report(%s) as id", [Jsonb(body.model_extra or {})]
        ).fetchone()
        assert row is not None
        if row["id"] is not None:
            return answer({"task_run_id": row["id"], "dead_letter_id": None})
        letter = connection.execute(
            "select id from orchestration.dead_letter where xmin = pg_current_xact_id()::xid order by id desc limit 1"
        ).fetchone()
        assert letter is not None
        return answer({"task_run_id": None, "dead_letter_id": letter["id"]}, 202)

    return writing(act)


@api.get("/dead-letters", tags=LETTERS, responses={200: LetterList, **does()}, operation_id="list_dead_letters",
         openapi_extensions={"x-scope": "read"})  # fmt: skip
def list_dead_letters(query: LetterQuery) -> Response:
    """Newest first. Scope: read."""
    caller().require_unlimited("see dead letters")

    def act(connection: Connection) -> list[dict[str, Any]]:
        return connection.execute(
            f"select {_COLUMNS} from orchestration.dead_letter where (%(cursor)s::bigint is null or id < %(cursor)s) "
            "and (%(reason)s::text is null or reason = %(reason)s) and (%(topic)s::text is null or topic = %(topic)s) "
            "and case %(state)s when 'open' then replayed_at is null when 'replayed' then replayed_at is not null "
            "else true end order by id desc limit %(limit)s + 1".encode(),
            query.model_dump(),
        ).fetchall()

    rows = reading(act)
    more = len(rows) > query.limit
    rows = rows[: query.limit]
    return answer({"items": [_letter(row) for row in rows], "next_cursor": rows[-1]["id"] if more else None})


@api.get("/dead-letters/<id>", tags=LETTERS, responses={200: DeadLetter, **does(404)}, operation_id="get_dead_letter",
         openapi_extensions={"x-scope": "read"})  # fmt: skip
def get_dead_letter(path: ById) -> Response:
    """One message with its reason. Scope: read."""
    caller().require_unlimited("see dead letters")
    row = reading(
        lambda connection: connection.execute(
            f"select {_COLUMNS} from orchestration.dead_letter where id = %s".encode(), [path.id]
        ).fetchone()
    )
    if row is None:
        raise Problem(
            404, f"dead letter {path.id} does not exist", "List them: GET /api/v1/dead-letters.", "OR405"
        )
    return answer(_letter(row))


@api.post("/dead-letters/<id>/replay", tags=LETTERS, responses={200: Replayed, **does(404, 409)},
          operation_id="replay_dead_letter", openapi_extensions={"x-scope": "operate"})  # fmt: skip
def replay(path: ById) -> Response:
    """Apply it now, under the present rules, once. Scope: operate."""
    caller().require_unlimited("replay dead letters")

    def act(connection: Connection) -> Response:
        row = connection.execute("select orchestration.replay(%s) as id", [path.id]).fetchone()
        assert row is not None
        return answer({"task_run_id": row["id"]})

    return writing(act)


@api.post("/dead-letters/replay", tags=LETTERS, responses={200: ReplayedMany, **does(400, 413, 415)},
          operation_id="replay_dead_letters", openapi_extensions={"x-scope": "operate"})  # fmt: skip
def replay_many(body: ReplayMany) -> Response:
    """Apply every open one that matches, once each, oldest first; what still cannot be stays open. Scope: operate."""
    caller().require_unlimited("replay dead letters")
    total = {"replayed": 0, "refused": 0, "failing": 0}
    after = 0
    while True:
        found: dict[str, Any] = {}

        def act(connection: Connection, after: int = after, found: dict[str, Any] = found) -> Response:
            row = connection.execute(
                "select * from orchestration.replay_all(reason => %s, topic => %s, after => %s)",
                [body.reason, body.topic, after],
            ).fetchone()
            found.update(row or {})
            return answer(row)

        writing(act, keyed=False)
        for name in total:
            total[name] += found[name]
        if found["last_id"] is None:
            return answer(total)
        after = found["last_id"]


@api.get("/dead-letters/<id>/explain", tags=LETTERS, responses={200: Why, **does(404)},
         operation_id="explain_dead_letter", openapi_extensions={"x-scope": "read"})  # fmt: skip
def explain_dead_letter(path: ById) -> Response:
    """Why it is a dead letter, and what a replay would do. Scope: read."""
    caller().require_unlimited("see dead letters")
    rows = reading(
        lambda connection: connection.execute(
            "select what, detail from orchestration.explain_dead_letter(%s)", [path.id]
        ).fetchall()
    )
    return answer({"items": rows})


@api.post("/events/explain", tags=EVENTS, responses={200: Why, **does(400, 413, 415)},
          operation_id="explain_event", openapi_extensions={"x-scope": "read"})  # fmt: skip
def explain_event(body: Event) -> Response:
    """Why did an event do nothing? What was recorded of it, and what it would do now; nothing is changed. Scope: read."""
    caller().require_unlimited("see events")
    rows = reading(
        lambda connection: connection.execute(
            "select what, detail from orchestration.explain_event(%s)", [Jsonb(body.model_extra or {})]
        ).fetchall()
    )
    return answer({"items": rows})


def _letter(row: dict[str, Any]) -> dict[str, Any]:
    value, raw = row["value"], None
    if value is not None:
        try:
            value = value.decode()
        except UnicodeDecodeError:
            value, raw = None, base64.b64encode(row["value"]).decode()
    key = row["key"].decode("utf-8", "replace") if row["key"] is not None else None
    found = {**row, "key": key, "value": value, "value_base64": raw}
    return DeadLetter(**found).model_dump(mode="json")
