"""What is told of graphs and runs: explain, picture, shape, check, history, as of an instant."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Response
from flask_openapi3 import APIBlueprint
from pydantic import BaseModel, Field

from . import crud
from .auth import caller
from .control import CONTROL, GRAPHS, READ, RUNS, TASK_RUNS, ById
from .database import Connection
from .models import (
    Check,
    CheckRow,
    ExplainRow,
    Explanation,
    HistoryRow,
    Picture,
    PictureRow,
    Shape,
    ShapeRow,
    State,
    StateRow,
)  # fmt: skip
from .resources import Resource
from .views import answer, does, reading

__all__ = ["blueprint"]

api = APIBlueprint("inspection", __name__, url_prefix="/api/v1")


class HistoryQuery(BaseModel):
    """Page of a history."""

    limit: int = Field(100, ge=1, le=1000)
    after: int = Field(0, ge=0, le=2**63 - 1, description="Only entries with a greater id.")


class HistoryList(BaseModel):
    """Entries, oldest first."""

    items: list[HistoryRow]


def blueprint() -> APIBlueprint:
    """What only reads, under /api/v1."""
    return api


@api.get("/graph-runs/<id>/explain", tags=CONTROL, responses={200: Explanation, **does(404)},
         operation_id="explain_graph_run", openapi_extensions=READ)  # fmt: skip
def explain(path: ById) -> Response:
    """In words, why each task of a run is where it is. Scope: read."""
    _visible(RUNS, path.id)
    return _rows("explain", ExplainRow, path.id)


def _rows(function: str, row: type[BaseModel], *arguments: Any) -> Response:
    """The rows of a function."""
    names, places = ", ".join(row.model_fields), ", ".join(["%s"] * len(arguments))

    def act(connection: Connection) -> list[dict[str, Any]]:
        call = f"select {names} from orchestration.{function}({places})"
        return connection.execute(call.encode(), arguments).fetchall()

    return answer({"items": [crud.rendered(found) for found in reading(act)]})


def _visible(resource: Resource, id_: int) -> dict[str, Any]:
    return reading(lambda connection: crud.fetch(connection, resource, caller(), {"id": id_}))


@api.get("/graph-runs/<id>/picture", tags=CONTROL, responses={200: Picture, **does(404)},
         operation_id="picture_graph_run", openapi_extensions=READ)  # fmt: skip
def picture(path: ById) -> Response:
    """Every task of a run with the tasks before it and how it stands. Scope: read."""
    _visible(RUNS, path.id)
    return _rows("graph_run_picture", PictureRow, path.id)


@api.get("/graphs/<id>/shape", tags=CONTROL, responses={200: Shape, **does(404)},
         operation_id="shape_graph", openapi_extensions=READ)  # fmt: skip
def shape(path: ById) -> Response:
    """The tasks of a graph, each with the tasks before it. Scope: read."""
    return _rows("graph_shape", ShapeRow, _visible(GRAPHS, path.id)["name"])


@api.get("/graphs/<id>/check", tags=CONTROL, responses={200: Check, **does(404)},
         operation_id="check_graph", openapi_extensions=READ)  # fmt: skip
def check(path: ById) -> Response:
    """What is wrong with a graph before it runs. Scope: read."""
    return _rows("check_graph", CheckRow, _visible(GRAPHS, path.id)["name"])


class AsOfQuery(BaseModel):
    """An instant."""

    at: datetime = Field(description="RFC 3339.")


@api.get("/graph-runs/<id>/as-of", tags=CONTROL, responses={200: State, **does(404)},
         operation_id="graph_run_as_of", openapi_extensions=READ)  # fmt: skip
def graph_run_as_of(path: ById, query: AsOfQuery) -> Response:
    """The state of a run at an instant, told by its history. Scope: read."""
    _visible(RUNS, path.id)
    return _rows("as_of", StateRow, path.id, query.at)


def _history(path: ById, query: HistoryQuery, resource: Any, condition: str) -> Response:
    def act(connection: Connection) -> list[dict[str, Any]]:
        crud.fetch(connection, resource, caller(), {"id": path.id})
        names = ", ".join(HistoryRow.model_fields)
        return connection.execute(
            f"select {names} from orchestration.task_run_event where {condition} and id > %(after)s "
            "order by id limit %(limit)s".encode(),
            {"id": path.id, "after": query.after, "limit": query.limit},
        ).fetchall()

    return answer({"items": [HistoryRow(**row).model_dump(mode="json") for row in reading(act)]})


@api.get("/graph-runs/<id>/history", tags=CONTROL, responses={200: HistoryList, **does(404)},
         operation_id="graph_run_history", openapi_extensions=READ)  # fmt: skip
def graph_run_history(path: ById, query: HistoryQuery) -> Response:
    """Transitions of a run and of the task runs it holds, oldest first. Scope: read."""
    return _history(
        path, query, RUNS,
        "((graph_run_id = %(id)s and task_run_id is null) or task_run_id in "
        "(select l.task_run_id from orchestration.graph_run_task_run l where l.graph_run_id = %(id)s))",
    )  # fmt: skip


@api.get("/task-runs/<id>/history", tags=CONTROL, responses={200: HistoryList, **does(404)},
         operation_id="task_run_history", openapi_extensions=READ)  # fmt: skip
def task_run_history(path: ById, query: HistoryQuery) -> Response:
    """Transitions of a task run, and events that changed nothing. Scope: read."""
    return _history(path, query, TASK_RUNS, "task_run_id = %(id)s")
