"""Launch, pause, rerun, cancel, mark, explain: each one call of the function of that name."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from psycopg.types.json import Jsonb
from pydantic import BaseModel, Field

from . import crud
from .auth import caller
from .database import Connection
from .models import (
    Check,
    CheckRow,
    ExplainRow,
    Explanation,
    GraphRun,
    HistoryRow,
    Id,
    Launch,
    LaunchTasks,
    Mark,
    Picture,
    PictureRow,
    Reason,
    Rerun,
    Resume,
    ServiceState,
    Shape,
    ShapeRow,
    State,
    StateRow,
    Taken,
)  # fmt: skip
from .problems import Problem
from .resources import Resource, by_path
from .views import answer, created, does, reading, writing

__all__ = ["blueprint"]

api = APIBlueprint("control", __name__, url_prefix="/api/v1")
GRAPHS, RUNS, TASK_RUNS, CHAINS, TASKS = map(
    by_path, ("graphs", "graph-runs", "task-runs", "chains", "tasks")
)
CONTROL = [Tag(name="control", description="Start and stop things.")]
SERVICE = [Tag(name="service", description="The service as a whole.")]
SCOPE = {"x-scope": "operate"}
READ = {"x-scope": "read"}


class ById(BaseModel):
    """The object's id."""

    id: Id


class HistoryQuery(BaseModel):
    """Page of a history."""

    limit: int = Field(100, ge=1, le=1000)
    after: int = Field(0, ge=0, le=2**63 - 1, description="Only entries with a greater id.")


class HistoryList(BaseModel):
    """Entries, oldest first."""

    items: list[HistoryRow]


def blueprint() -> APIBlueprint:
    """The control endpoints under /api/v1."""
    return api


def _opened(connection: Connection, graph_run_id: int) -> Response:
    """201 with the graph run that a call opened."""
    row = crud.fetch(connection, RUNS, caller(), {"id": graph_run_id})
    return created(row, f"graph-runs/{graph_run_id}")


def _one(connection: Connection, statement: str, values: dict[str, Any]) -> Any:
    row = connection.execute(statement.encode(), values).fetchone()
    assert row is not None
    return next(iter(row.values()))


# -- launch -----------------------------------------------------------------------------------------


@api.post("/graphs/<id>/launch", tags=CONTROL, responses={201: GraphRun, **does(400, 404, 409, 413, 415)},
          operation_id="launch_graph", openapi_extensions=SCOPE)  # fmt: skip
def launch_graph(path: ById, body: LaunchTasks) -> Response:
    """Run a graph by hand, whole or from given tasks downstream. Scope: operate."""

    def act(connection: Connection) -> Response:
        graph = crud.fetch(connection, GRAPHS, caller(), {"id": path.id})
        values = {
            "graph": graph["name"],
            "params": Jsonb(body.params),
            "run_key": body.run_key,
            "tasks": body.tasks,
        }
        call = (
            "select orchestration.launch_graph(graph => %(graph)s, params => %(params)s, run_key => %(run_key)s)"
            if body.tasks is None
            else "select orchestration.launch_tasks(graph => %(graph)s, tasks => %(tasks)s::text[], "
            "params => %(params)s, run_key => %(run_key)s)"
        )
        return _opened(connection, _one(connection, call, values))

    return writing(act)


@api.post("/chains/<id>/launch", tags=CONTROL, responses={201: GraphRun, **does(400, 404, 409, 413, 415)},
          operation_id="launch_chain", openapi_extensions=SCOPE)  # fmt: skip
def launch_chain(path: ById, body: Launch) -> Response:
    """Run one chain by hand: its previous task, its next, and what is downstream of that. Scope: operate."""

    def act(connection: Connection) -> Response:
        crud.fetch(connection, CHAINS, caller(), {"id": path.id})
        values = {"id": path.id, "params": Jsonb(body.params), "run_key": body.run_key}
        call = "select orchestration.launch_chain(chain_id => %(id)s, params => %(params)s, run_key => %(run_key)s)"
        return _opened(connection, _one(connection, call, values))

    return writing(act)


@api.post("/tasks/<id>/launch", tags=CONTROL, responses={201: GraphRun, **does(400, 404, 409, 413, 415)},
          operation_id="launch_task", openapi_extensions=SCOPE)  # fmt: skip
def launch_task(path: ById, body: Launch) -> Response:
    """Run a task and what is downstream of it in its graph. Scope: operate."""

    def act(connection: Connection) -> Response:
        task = crud.fetch(connection, TASKS, caller(), {"id": path.id})
        graph = body.graph if body.graph is not None else _only_graph(connection, task)
        values = {
            "graph": graph,
            "tasks": [task["name"]],
            "params": Jsonb(body.params),
            "run_key": body.run_key,
        }
        call = (
            "select orchestration.launch_tasks(graph => %(graph)s, tasks => %(tasks)s::text[], "
            "params => %(params)s, run_key => %(run_key)s)"
        )
        return _opened(connection, _one(connection, call, values))

    return writing(act)


def _only_graph(connection: Connection, task: dict[str, Any]) -> str:
    rows = connection.execute(
        "select distinct g.name from orchestration.chain c join orchestration.graph_chain x on x.chain_id = c.id "
        "join orchestration.graph g on g.id = x.graph_id and not g.archived "
        "where %(id)s in (c.previous_task_id, c.next_task_id) order by 1",
        {"id": task["id"]},
    ).fetchall()
    names = [row["name"] for row in rows]
    if len(names) != 1:
        raise Problem(
            422,
            f"task {task['name']} is in {'no graph' if not names else 'graphs ' + ', '.join(names)}",
            "Name one of them as graph." if names else "POST /api/v1/task-runs runs a task alone.",
            "OR401" if not names else "OR501",
        )
    return str(names[0])


# -- graphs -----------------------------------------------------------------------------------------


@api.post("/graphs/<id>/pause", tags=CONTROL, responses={204: None, **does(404, 409)},
          operation_id="pause_graph", openapi_extensions=SCOPE)  # fmt: skip
def pause_graph(path: ById) -> Response:
    """Hold every dispatch of a graph's runs; events go on. Scope: operate."""

    def act(connection: Connection) -> Response:
        graph = crud.fetch(connection, GRAPHS, caller(), {"id": path.id})
        connection.execute("select orchestration.pause_graph(%s)", [graph["name"]])
        return Response(status=204)

    return writing(act)


@api.post("/graphs/<id>/resume", tags=CONTROL, responses={204: None, **does(400, 404, 409, 413, 415)},
          operation_id="resume_graph", openapi_extensions=SCOPE)  # fmt: skip
def resume_graph(path: ById, body: Resume) -> Response:
    """Send what was held, the oldest run first; with skip cancel it. Scope: operate."""

    def act(connection: Connection) -> Response:
        graph = crud.fetch(connection, GRAPHS, caller(), {"id": path.id})
        connection.execute("select orchestration.resume_graph(%s, skip => %s)", [graph["name"], body.skip])
        return Response(status=204)

    return writing(act)


# -- runs -------------------------------------------------------------------------------------------


@api.post("/graph-runs/<id>/rerun", tags=CONTROL, responses={201: GraphRun, **does(400, 404, 409, 413, 415)},
          operation_id="rerun_graph_run", openapi_extensions=SCOPE)  # fmt: skip
def rerun(path: ById, body: Rerun) -> Response:
    """A new run that takes over from given tasks, or from what failed, and shares the rest. Scope: operate."""

    def act(connection: Connection) -> Response:
        crud.fetch(connection, RUNS, caller(), {"id": path.id})
        values = {"id": path.id, "tasks": body.from_tasks or None}
        call = "select orchestration.rerun(graph_run_id => %(id)s, from_tasks => %(tasks)s::text[])"
        return _opened(connection, _one(connection, call, values))

    return writing(act)


@api.post("/graph-runs/<id>/cancel", tags=CONTROL, responses={200: GraphRun, **does(400, 404, 409, 413, 415)},
          operation_id="cancel_graph_run", openapi_extensions=SCOPE)  # fmt: skip
def cancel_graph_run(path: ById, body: Reason) -> Response:
    """End a run at once; the tools are not told. Scope: operate."""

    def act(connection: Connection) -> Response:
        crud.fetch(connection, RUNS, caller(), {"id": path.id})
        connection.execute("select orchestration.cancel_graph_run(%s, %s)", [path.id, body.reason])
        return answer(crud.fetch(connection, RUNS, caller(), {"id": path.id}))

    return writing(act)


@api.post("/task-runs/<id>/mark", tags=CONTROL, responses={200: Taken, **does(400, 404, 409, 413, 415)},
          operation_id="mark_task_run", openapi_extensions=SCOPE)  # fmt: skip
def mark_task_run(path: ById, body: Mark) -> Response:
    """Say by hand how a task run ended; an ended one becomes SUCCESS in a run that takes over. Scope: operate."""

    def act(connection: Connection) -> Response:
        crud.fetch(connection, TASK_RUNS, caller(), {"id": path.id})
        call = "select orchestration.mark_task_run(id => %(id)s, status => %(status)s, reason => %(reason)s)"
        return answer(
            {
                "graph_run_id": _one(
                    connection, call, {"id": path.id, "status": body.status, "reason": body.reason}
                )
            }
        )

    return writing(act)


@api.post("/task-runs/<id>/cancel", tags=CONTROL, responses={204: None, **does(400, 404, 409, 413, 415)},
          operation_id="cancel_task_run", openapi_extensions=SCOPE)  # fmt: skip
def cancel_task_run(path: ById, body: Reason) -> Response:
    """End a task run at once; the tool is not told. Scope: operate."""

    def act(connection: Connection) -> Response:
        crud.fetch(connection, TASK_RUNS, caller(), {"id": path.id})
        connection.execute("select orchestration.cancel_task_run(%s, %s)", [path.id, body.reason])
        return Response(status=204)

    return writing(act)


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


# -- service ----------------------------------------------------------------------------------------


def _status(connection: Connection) -> Response:
    row = connection.execute("select * from orchestration.service_status()").fetchone()
    assert row is not None
    return answer(crud.rendered(row))


@api.get("/service", tags=SERVICE, responses={200: ServiceState, **does()}, operation_id="service_status",
         openapi_extensions=READ)  # fmt: skip
def service_status() -> Response:
    """State, bridges, lag, horizon and backlog. Scope: read."""
    return reading(_status)


@api.post("/service/start", tags=SERVICE, responses={200: ServiceState, **does()}, operation_id="start_service",
          openapi_extensions=SCOPE)  # fmt: skip
def start_service() -> Response:
    """Let the bridges take in and send again. Scope: operate."""
    return _turn("start_service")


@api.post("/service/stop", tags=SERVICE, responses={200: ServiceState, **does()}, operation_id="stop_service",
          openapi_extensions=SCOPE)  # fmt: skip
def stop_service() -> Response:
    """Within 5 s every bridge takes in and sends nothing; nothing is lost. Scope: operate."""
    return _turn("stop_service")


def _turn(function: str) -> Response:
    caller().require_unlimited("start or stop the service")

    def act(connection: Connection) -> Response:
        connection.execute(f"select orchestration.{function}()".encode())
        return _status(connection)

    return writing(act)
