"""What every view shares: a transaction in the caller's name, Idempotency-Key, and JSON out."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from flask import Response, current_app, json, request
from pydantic import BaseModel

from .auth import caller
from .models import ProblemModel
from .problems import RETRYABLE, Problem

if TYPE_CHECKING:
    from .database import Connection, Database

__all__ = ["ERRORS", "answer", "created", "database", "does", "reading", "writing"]

T = TypeVar("T")
_TRIES = 5

ERRORS: Mapping[int, str] = {
    400: "The body is not JSON.",
    401: "No token, or one that does not count.",
    403: "The token's scope or labels do not allow it.",
    404: "It does not exist.",
    409: "It conflicts with what exists.",
    412: "It was changed meanwhile.",
    413: "The body is too large.",
    415: "The body is not declared as JSON.",
    422: "It breaks a rule; detail names the object, hint says what to do.",
    429: "Too many requests of this token; wait Retry-After seconds.",
    500: "An error nobody foresaw.",
    503: "The database is away or busy; try again after Retry-After seconds.",
}


def does(*statuses: int) -> dict[str | int, type[BaseModel] | dict[Any, Any] | None]:
    """The problems an endpoint may answer, for OpenAPI."""
    common = (401, 403, 422, 429, 500, 503)
    return {
        status: {
            "description": ERRORS[status],
            "content": {
                "application/problem+json": {
                    "schema": {"$ref": f"#/components/schemas/{ProblemModel.__name__}"}
                }
            },
        }
        for status in sorted({*common, *statuses})
    }


def database() -> Database:
    """The application's database."""
    found: Database = current_app.extensions["orchestration"]
    return found


def reading(act: Callable[[Connection], T]) -> T:
    """Run `act` on a connection of the pool; a connection the server cut meanwhile is tried once more."""
    for last in (False, True):
        try:
            with database().reading() as connection:
                return act(connection)
        except psycopg.OperationalError as error:
            if last or isinstance(error, psycopg.errors.QueryCanceled) or not _cut(error):
                raise
    raise AssertionError


def writing(act: Callable[[Connection], Response], *, keyed: bool = True) -> Response:
    """Run `act` in one transaction in the caller's name, again where it was the victim of a deadlock.

    A POST that bears an Idempotency-Key is answered as it was the first time, unless it is one that may be repeated.
    """
    who = caller()
    key = request.headers.get("Idempotency-Key") if request.method == "POST" and keyed else None
    if key is not None and not (0 < len(key) <= 250 and key.isprintable()):
        raise Problem(
            422,
            "Idempotency-Key is empty, too long or has control characters",
            "Use 1 to 250 characters, such as a UUID.",
        )
    for attempt in range(_TRIES):
        try:
            with database().writing(who.name) as connection:
                if key is None:
                    return act(connection)
                return _once(connection, who.id, key, act)
        except psycopg.Error as error:
            if error.sqlstate not in RETRYABLE or attempt == _TRIES - 1:
                raise
            time.sleep(random.uniform(0, 0.02 * 2**attempt))
    raise AssertionError


def _once(connection: Connection, token: int, key: str, act: Callable[[Connection], Response]) -> Response:
    asked = hashlib.sha256(
        b"\0".join((request.method.encode(), request.full_path.encode(), request.get_data()))
    ).digest()
    known = connection.execute(
        "select * from orchestration.recall_answer(%s, %s, %s)", [token, key, asked]
    ).fetchone()
    if known is not None:
        again = Response(known["body"], known["status"], mimetype="application/json")
        again.headers["Idempotent-Replayed"] = "true"
        if known["location"]:
            again.headers["Location"] = known["location"]
        return again
    response = act(connection)
    connection.execute(
        "select orchestration.store_answer(%s, %s, %s, %s, %s)",
        [token, key, response.status_code, response.headers.get("Location"), response.get_data(as_text=True)],
    )
    return response


def answer(body: Any, status: int = 200) -> Response:
    """JSON."""
    return Response(json.dumps(body), status, mimetype="application/json")


def created(body: Any, path: str) -> Response:
    """201 with Location."""
    response = answer(body, 201)
    response.headers["Location"] = f"/api/v1/{path}"
    return response


def _cut(error: psycopg.Error) -> bool:
    return not error.sqlstate or error.sqlstate.startswith(("08", "57P"))
