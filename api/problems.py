"""RFC 9457: every error of the API, from one table SQLSTATE -> status that the database itself holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import psycopg
from flask import Response, g, json
from psycopg_pool import PoolTimeout

__all__ = ["Problem", "Refusals", "render"]

TITLES = {
    400: "Bad request", 401: "Not authenticated", 403: "Not allowed", 404: "Not found", 405: "Method not allowed",
    409: "Conflict", 412: "Precondition failed", 413: "Too large", 415: "Unsupported media type",
    422: "Breaks a rule", 429: "Too many requests", 500: "Internal error", 503: "Unavailable",
}  # fmt: skip
AWAY = ("08", "53", "57P")
_BAD_VALUE = "OR501"
RETRYABLE = ("40001", "40P01", "55P03")


@dataclass
class Problem(Exception):  # noqa: N818 - the RFC's word
    """One answer of `application/problem+json`."""

    status: int
    detail: str
    hint: str | None = None
    code: str | None = None
    errors: list[dict[str, Any]] | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.detail


@dataclass(frozen=True)
class Refusals:
    """The database's table of refusals: `orchestration.error_codes()`."""

    status_of: dict[str, int]
    code_of_constraint: dict[str, str]

    @classmethod
    def read(cls, connection: psycopg.Connection[Any]) -> Refusals:
        """Read it; it changes with releases only."""
        rows = connection.execute(
            "select code, http_status, constraints from orchestration.error_codes()"
        ).fetchall()
        return cls(
            {row["code"]: row["http_status"] for row in rows},
            {name: row["code"] for row in rows for name in row["constraints"]},
        )

    def problem(self, error: psycopg.Error) -> Problem:
        """What to answer for an error of the database; never its SQL."""
        state = error.sqlstate or ""
        code = self.code_of_constraint.get(error.diag.constraint_name or "", state)
        if code in self.status_of:
            words = error.diag.message_primary if state == code else _second_net(error, code)
            return Problem(self.status_of[code], words or code, error.diag.message_hint, code)
        if state in RETRYABLE:
            return _later("somebody else works on the same rows", state, 1)
        if state == "57014":
            return _later("the database took too long over it", state, 5)
        if isinstance(error, PoolTimeout):
            return _later("every connection to the database is in use", None, 1)
        if state.startswith(AWAY) or (not state and isinstance(error, psycopg.OperationalError)):
            return _later("the database is away", state or None, 5)
        if state.startswith("22") or (not state and isinstance(error, psycopg.DataError)):
            words = error.diag.message_primary or "a value the database cannot hold, such as a NUL character"
            return Problem(422, words, "Correct the value.", _BAD_VALUE)
        if state in ("23502", "23514"):
            name = error.diag.column_name or error.diag.constraint_name
            return Problem(
                422,
                f"{name} of {error.diag.table_name} cannot have this value",
                "Correct the value.",
                _BAD_VALUE,
            )
        if state.startswith("23"):
            return Problem(409, "it does not fit what exists", "Look at what it names.", state)
        return Problem(
            500, "an error nobody foresaw; the log has it under the request id", code=state or None
        )


def _second_net(error: psycopg.Error, code: str) -> str:
    return f"{error.diag.table_name or 'a row'}: {error.diag.constraint_name} ({code})"


def _later(words: str, code: str | None, seconds: int) -> Problem:
    return Problem(503, words, "Try again.", code, headers={"Retry-After": str(seconds)})


def render(problem: Problem) -> Response:
    """The answer. Members without a value are left out."""
    body = {
        "type": f"urn:orchestration:{problem.code}" if problem.code else "about:blank",
        "title": TITLES.get(problem.status, "Error"),
        "status": problem.status,
        "detail": problem.detail,
        "hint": problem.hint,
        "code": problem.code,
        "errors": problem.errors,
        "request_id": g.get("request_id"),
    }
    response = Response(
        json.dumps({name: value for name, value in body.items() if value is not None}),
        problem.status,
        mimetype="application/problem+json",
    )
    response.headers.update(problem.headers)
    return response
