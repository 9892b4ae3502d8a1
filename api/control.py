"""Launch, pause, rerun, cancel, mark, start and stop: each one call of the function of that name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from psycopg.types.json import Jsonb
from pydantic import BaseModel

from . import crud
from .auth import caller
from .database import Connection
from .models import GraphRun, Id, Launch, LaunchTasks, Mark, Reason, Rerun, Resume, ServiceState, Taken
from .problems import Problem
from .resources import Resource, by_path
from .views import answer, created, does, reading, writing

__all__ = ["ById", "blueprint", "service_blueprint"]

api = APIBlueprint("control", __name__, url_prefix="/api/v1")
service = APIBlueprint("service", __name__, url_prefix="/api/v1")
GRAPHS, RUNS, TASK_RUNS, CHAINS, TASKS = map(
    by_path, ("graphs", "graph-runs", "task-runs", "chains", "tasks")
)
CONTROL = [Tag(name="control", description="Start and stop things.")]
SERVICE = [Tag(name="service", description="The service as a whole.")]
SCOPE = {"x-scope": "operate"}
READ = {"x-scope": "read"}

Row = dict[str, Any]


class ById(BaseModel):
    """The object's id."""

    id: Id


def blueprint() -> APIBlueprint:
    """What is done to graphs, chains, tasks and runs, under /api/v1."""
    return api


def service_blueprint() -> APIBlueprint:
    """The service as a whole."""
    return service


def _act(
    resource: Resource,
    path: ById,
    function: str,
    arguments: Callable[[Connection, Row], Row],
    then: Callable[[Connection, ById, Any], Response],
) -> Response:
    """One call of a function of the database about an object that the caller may see, and how it is answered."""

    def act(connection: Connection) -> Response:
        values = arguments(connection, crud.fetch(connection, resource, caller(), {"id": path.id}))
        given = ", ".join(f"{name} => %({name})s" for name in values)
        row = connection.execute(
            f"select orchestration.{function}({given}) as found".encode(), values
        ).fetchone()
        return then(connection, path, row["found"] if row is not None else None)

    return writing(act)


def _opened(connection: Connection, _path: ById, graph_run_id: Any) -> Response:
    """201 with the graph run that a call opened."""
    row = crud.fetch(connection, RUNS, caller(), {"id": graph_run_id})
    return created(row, f"graph-runs/{graph_run_id}")


def _run(connection: Connection, path: ById, _found: Any) -> Response:
    return answer(crud.fetch(connection, RUNS, caller(), {"id": path.id}))


def _taken(_connection: Connection, _path: ById, graph_run_id: Any) -> Response:
    return answer({"graph_run_id": graph_run_id})


def _nothing(_connection: Connection, _path: ById, _found: Any) -> Response:
    return Response(status=204)


# -- launch -----------------------------------------------------------------------------------------


@api.post("/graphs/<id>/launch", tags=CONTROL, responses={201: GraphRun, **does(400, 404, 409, 413, 415)},
          operation_id="launch_graph", openapi_extensions=SCOPE)  # fmt: skip
def launch_graph(path: ById, body: LaunchTasks) -> Response:
    """Run a graph by hand, whole or from given tasks downstream. Scope: operate."""
    from_tasks = {} if body.tasks is None else {"tasks": body.tasks}

    def arguments(_connection: Connection, graph: Row) -> Row:
        return {"graph": graph["name"], "params": Jsonb(body.params), "run_key": body.run_key, **from_tasks}

    return _act(GRAPHS, path, "launch_tasks" if from_tasks else "launch_graph", arguments, _opened)


@api.post("/chains/<id>/launch", tags=CONTROL, responses={201: GraphRun, **does(400, 404, 409, 413, 415)},
          operation_id="launch_chain", openapi_extensions=SCOPE)  # fmt: skip
def launch_chain(path: ById, body: Launch) -> Response:
    """Run one chain by hand: its previous task, its next, and what is downstream of that. Scope: operate."""
    values = {"chain_id": path.id, "params": Jsonb(body.params), "run_key": body.run_key}
    return _act(CHAINS, path, "launch_chain", lambda _connection, _chain: values, _opened)


@api.post("/tasks/<id>/launch", tags=CONTROL, responses={201: GraphRun, **does(400, 404, 409, 413, 415)},
          operation_id="launch_task", openapi_extensions=SCOPE)  # fmt: skip
def launch_task(path: ById, body: Launch) -> Response:
    """Run a task and what is downstream of it in its graph. Scope: operate."""

    def arguments(connection: Connection, task: Row) -> Row:
        graph = body.graph if body.graph is not None else _only_graph(connection, task)
        tasks = [task["name"]]
        return {"graph": graph, "tasks": tasks, "params": Jsonb(body.params), "run_key": body.run_key}

    return _act(TASKS, path, "launch_tasks", arguments, _opened)


def _only_graph(connection: Connection, task: Row) -> str:
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
    return _act(GRAPHS, path, "pause_graph", lambda _connection, graph: {"graph": graph["name"]}, _nothing)


@api.post("/graphs/<id>/resume", tags=CONTROL, responses={204: None, **does(400, 404, 409, 413, 415)},
          operation_id="resume_graph", openapi_extensions=SCOPE)  # fmt: skip
def resume_graph(path: ById, body: Resume) -> Response:
    """Send what was held, the oldest run first; with skip cancel it. Scope: operate."""

    def arguments(_connection: Connection, graph: Row) -> Row:
        return {"graph": graph["name"], "skip": body.skip}

    return _act(GRAPHS, path, "resume_graph", arguments, _nothing)


# -- runs -------------------------------------------------------------------------------------------


@api.post("/graph-runs/<id>/rerun", tags=CONTROL, responses={201: GraphRun, **does(400, 404, 409, 413, 415)},
          operation_id="rerun_graph_run", openapi_extensions=SCOPE)  # fmt: skip
def rerun(path: ById, body: Rerun) -> Response:
    """A new run that takes over from given tasks, or from what failed, and shares the rest. Scope: operate."""
    values = {"graph_run_id": path.id, "from_tasks": body.from_tasks or None}
    return _act(RUNS, path, "rerun", lambda _connection, _run: values, _opened)


@api.post("/graph-runs/<id>/cancel", tags=CONTROL, responses={200: GraphRun, **does(400, 404, 409, 413, 415)},
          operation_id="cancel_graph_run", openapi_extensions=SCOPE)  # fmt: skip
def cancel_graph_run(path: ById, body: Reason) -> Response:
    """End a run at once; the tools are not told. Scope: operate."""
    values = {"id": path.id, "reason": body.reason}
    return _act(RUNS, path, "cancel_graph_run", lambda _connection, _run: values, _run)


@api.post("/task-runs/<id>/mark", tags=CONTROL, responses={200: Taken, **does(400, 404, 409, 413, 415)},
          operation_id="mark_task_run", openapi_extensions=SCOPE)  # fmt: skip
def mark_task_run(path: ById, body: Mark) -> Response:
    """Say by hand how a task run ended; an ended one becomes SUCCESS in a run that takes over. Scope: operate."""
    values = {"id": path.id, "status": body.status, "reason": body.reason}
    return _act(TASK_RUNS, path, "mark_task_run", lambda _connection, _task_run: values, _taken)


@api.post("/task-runs/<id>/cancel", tags=CONTROL, responses={204: None, **does(400, 404, 409, 413, 415)},
          operation_id="cancel_task_run", openapi_extensions=SCOPE)  # fmt: skip
def cancel_task_run(path: ById, body: Reason) -> Response:
    """End a task run at once; the tool is not told. Scope: operate."""
    values = {"id": path.id, "reason": body.reason}
    return _act(TASK_RUNS, path, "cancel_task_run", lambda _connection, _task_run: values, _nothing)


# -- service ----------------------------------------------------------------------------------------


def _status(connection: Connection) -> Response:
    row = connection.execute("select * from orchestration.service_status()").fetchone()
    assert row is not None
    return answer(crud.rendered(row))


@service.get("/service", tags=SERVICE, responses={200: ServiceState, **does()}, operation_id="service_status",
         openapi_extensions=READ)  # fmt: skip
def service_status() -> Response:
    """State, bridges, lag, horizon and backlog. Scope: read."""
    return reading(_status)


@service.post("/service/start", tags=SERVICE, responses={200: ServiceState, **does()}, operation_id="start_service",
          openapi_extensions=SCOPE)  # fmt: skip
def start_service() -> Response:
    """Let the bridges take in and send again. Scope: operate."""
    return _turn("start_service")


@service.post("/service/stop", tags=SERVICE, responses={200: ServiceState, **does()}, operation_id="stop_service",
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
