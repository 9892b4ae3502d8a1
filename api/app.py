"""Puts the API together."""

from __future__ import annotations

import logging
import secrets
import time
from importlib.metadata import PackageNotFoundError, version

from flask import Response, g, request
from flask_openapi3 import Info, OpenAPI
from werkzeug.exceptions import HTTPException

from . import collections, control, errors, health, inspection, intake
from .auth import Authenticator
from .database import Database
from .models import ProblemModel
from .problems import Problem
from .settings import Settings

__all__ = ["create_app"]

log = logging.getLogger("orchestration.api")
_BODY = ("POST", "PATCH", "PUT")


def create_app(settings: Settings, *, connect: bool = True) -> OpenAPI:
    """The WSGI application; opens its pool, which connects in the background, unless told not to."""
    app = OpenAPI(
        __name__,
        info=Info(
            title="Orchestration service",
            version=_version(),
            description="When a task finishes in one data tool, the right next tasks start in the others.",
        ),
        security_schemes={"token": {"type": "http", "scheme": "bearer"}},
        openapi_extensions={"security": [{"token": []}]},
        validation_error_status=422,
        validation_error_model=ProblemModel,
        validation_error_callback=errors.invalid,
        doc_prefix="/api/v1",
        doc_url="/openapi.json",
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.config["MAX_CONTENT_LENGTH"] = settings.body_limit
    database = Database(settings)
    app.extensions["orchestration"] = database
    if connect:
        database.open()

    _watch(app, Authenticator(database))
    errors.register(app, database)
    app.register_api(collections.blueprint())
    app.register_api(control.blueprint())
    app.register_api(inspection.blueprint())
    app.register_api(control.service_blueprint())
    app.register_api(intake.blueprint())
    app.register_blueprint(health.blueprint())
    app.extensions["orchestration.scopes"] = _scopes(app)
    return app


def _scopes(app: OpenAPI) -> dict[tuple[str, str], str]:
    """The scope each endpoint needs, by method and rule: what the document says is what holds."""
    return {
        (method.upper(), path.replace("{", "<").replace("}", ">")): operation["x-scope"]
        for path, item in app.api_doc["paths"].items()
        for method, operation in item.items()
    }


def _watch(app: OpenAPI, authenticator: Authenticator) -> None:
    """Before each request: who asks, may he, and is the body JSON? After it: one line in the log."""

    @app.before_request
    def begin() -> None:
        g.begun = time.perf_counter()
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if 0 < len(given) <= 100 and given.isprintable() else secrets.token_hex(8)
        if not request.path.startswith("/api/v1/") or _is_documentation(request.path):
            return
        if request.url_rule is None and request.routing_exception is not None:
            return
        g.caller = authenticator.identify()
        if request.url_rule is not None:
            method = "GET" if request.method == "HEAD" else request.method
            g.caller.require(
                app.extensions["orchestration.scopes"].get((method, request.url_rule.rule), "read")
            )
        if request.method in _BODY:
            _require_json()

    @app.after_request
    def end(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.get("request_id", "")
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers["X-Content-Type-Options"] = "nosniff"
        who = g.get("caller")
        log.info(
            "request",
            extra={
                "request_id": g.get("request_id"), "method": request.method, "path": request.path,
                "status": response.status_code,
                "milliseconds": round((time.perf_counter() - g.get("begun", time.perf_counter())) * 1000, 1),
                "actor": who.name if who is not None else None,
            },
        )  # fmt: skip
        return response


def _require_json() -> None:
    """A body that is declared and is JSON; none at all counts as {}."""
    if not request.get_data(cache=True):
        request._cached_json = ({}, {})  # what get_json() answers from now on
        return
    if not request.is_json:
        raise Problem(415, "the body is not declared as JSON", "Send Content-Type: application/json.")
    try:
        body = request.get_json(cache=True)
    except HTTPException:
        raise Problem(400, "the body is not JSON", "Send a JSON object in UTF-8.") from None
    if not isinstance(body, dict):
        raise Problem(422, "the body is not a JSON object", "Send an object such as {}.")


def _is_documentation(path: str) -> bool:
    return path in ("/api/v1/openapi.json", "/api/v1/") or path.startswith(
        ("/api/v1/swagger", "/api/v1/static")
    )


def _version() -> str:
    try:
        return version("orchestration-service")
    except PackageNotFoundError:
        return "0"
