"""Every error becomes a problem document; nothing of SQL, paths or secrets in it."""

from __future__ import annotations

import logging

import psycopg
from flask import Flask, Response, g, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from .database import Database
from .problems import Problem, Refusals, render

__all__ = ["invalid", "register"]

log = logging.getLogger("orchestration.api")
_AWAY = Refusals({}, {})


def register(app: Flask, database: Database) -> None:
    """Add the handlers."""

    @app.errorhandler(Problem)
    def problem(error: Problem) -> Response:
        return render(error)

    @app.errorhandler(psycopg.Error)
    def database_error(error: psycopg.Error) -> Response:
        try:
            found = database.refusals.problem(error)
        except psycopg.Error as away:
            found = _AWAY.problem(away)
        if found.status == 500:
            log.error("database_error", exc_info=error, extra={"request_id": g.get("request_id")})
        return render(found)

    @app.errorhandler(UnicodeEncodeError)
    def not_text(_error: UnicodeEncodeError) -> Response:
        return render(
            Problem(422, "a text holds half a surrogate pair, which is no character", "Send valid Unicode.")
        )

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        if error.response is not None:  # abort() with an answer that is ready
            return error.response  # type: ignore[return-value]
        status = error.code or 500
        found = Problem(status, _words(status, error), _HINTS.get(status))
        if status == 405 and getattr(error, "valid_methods", None):
            found.headers["Allow"] = ", ".join(sorted(error.valid_methods))  # type: ignore[attr-defined]
        return render(found)

    @app.errorhandler(Exception)
    def unforeseen(error: Exception) -> Response:
        log.error("crashed", exc_info=error, extra={"request_id": g.get("request_id")})
        return render(Problem(500, "an error nobody foresaw; the log has it under the request id"))


def invalid(error: ValidationError) -> Response:
    """What pydantic found wrong, field by field."""
    found = [
        {"loc": [str(part) for part in each["loc"]], "msg": each["msg"]}
        for each in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    first = found[0]
    where = ".".join(first["loc"]) or "the body"
    unknown = [".".join(each["loc"]) for each in found if each["msg"] == "Extra inputs are not permitted"]
    if unknown:
        problem = Problem(
            422,
            f"unknown: {', '.join(unknown)}",
            "Names are column names; see /api/v1/openapi.json.",
            errors=found,
        )
    else:
        problem = Problem(422, f"{where}: {first['msg']}", "See /api/v1/openapi.json.", errors=found)
    return render(problem)


_HINTS = {
    404: "See /api/v1/openapi.json for what there is.",
    405: "See /api/v1/openapi.json for the methods of each path.",
    413: "Send less; the limit is ORCHESTRATION_API_BODY_LIMIT.",
}


def _words(status: int, error: HTTPException) -> str:
    if status == 404:
        return f"there is nothing at {request.path}"
    if status == 405:
        return f"{request.method} is not possible at {request.path}"
    return (error.description or "").split("\n")[0]
