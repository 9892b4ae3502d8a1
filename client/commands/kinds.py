"""`orchestration get|create|update|delete KIND`: the rows behind everything, by their column names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from .common import connect, plain, reading, show

if TYPE_CHECKING:
    from ..client import OrchestrationServiceClient

__all__ = ["create", "delete", "get", "update"]

KINDS = {
    "service": "services", "process": "processes", "task": "tasks", "chain": "chains", "graph": "graphs",
    "graph-chain": "graph_chains", "task-run": "task_runs", "graph-run": "graph_runs",
    "graph-run-task-run": "graph_run_task_runs",
}  # fmt: skip
UPDATABLE = [kind for kind in KINDS if kind not in ("graph-chain", "graph-run-task-run")]
_kind = click.argument("kind", type=click.Choice(list(KINDS)))
_fields = click.argument("fields", nargs=-1, required=True, metavar="NAME=VALUE...")


def _values(fields: tuple[str, ...]) -> dict[str, Any]:
    """NAME=VALUE: the value is JSON where it is any, else text; NAME:=JSON insists."""
    values: dict[str, Any] = {}
    for field in fields:
        name, is_there, value = field.partition("=")
        if not is_there or not name:
            raise click.BadParameter(f"{field!r} is not NAME=VALUE", param_hint="FIELDS")
        insists = name.endswith(":")
        try:
            values[name.rstrip(":")] = (
                json.loads(value) if insists or value[:1] in '{["tfn' or _number(value) else value
            )
        except ValueError:
            if insists:
                raise click.BadParameter(f"{value!r} is not JSON", param_hint=name) from None
            values[name] = value
    return values


def _number(value: str) -> bool:
    return value.removeprefix("-").isdigit()


def _method(service: OrchestrationServiceClient, verb: str, kind: str) -> Any:
    return getattr(service, f"{verb}_{kind.replace('-', '_')}")


def _call(method: Any, *ids: int, **values: Any) -> Any:
    try:
        return method(*ids, **values)
    except TypeError as error:  # a name the API does not know
        raise ValueError(str(error).partition(") ")[2] or str(error)) from None


@click.command()
@_kind
@click.argument("what", nargs=-1, metavar="[ID...|NAME=VALUE...]")
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="At most so many."
)
@click.option("--sort", metavar="COLUMN", help="- before it descends.")
@reading
def get(
    url: str | None, kind: str, what: tuple[str, ...], limit: int, sort: str | None, as_json: bool
) -> None:
    """One object by its id (two-key objects by both), or all that match.

    \b
    Examples:
      orchestration get task 7
      orchestration get task name=stg_to_ods
      orchestration get graph-chain 1 12
      orchestration get graph-run status=FAILED --sort -id --json
    """
    with connect(url) as service:
        if what and all(word.isdigit() for word in what):
            show(_call(_method(service, "get", kind), *map(int, what)), as_json=as_json)
            return
        filters = _values(what) if what else {}
        if sort:
            filters["sort"] = sort
        found = _call(_method(service, "list", KINDS[kind]), limit=min(limit, 1000), **filters)
        rows = [plain(each) for _, each in zip(range(limit), found, strict=False)]
    columns = (
        [name for name in rows[0] if name not in ("created_at", "updated_at", "config", "result")]
        if rows
        else None
    )
    show(rows, columns, as_json=as_json)


@click.command()
@_kind
@_fields
@reading
def create(url: str | None, kind: str, fields: tuple[str, ...], as_json: bool) -> None:
    """Create an object. References go by id or by name; a value that begins as JSON is JSON, NAME:=JSON insists.

    \b
    Examples:
      orchestration create service name=airflow dispatch_topic=airflow_tasks echoes_ids=true
      orchestration create process service=airflow uid=stg_to_ods
      orchestration create task name=stg_to_ods process='{"service": "airflow", "uid": "stg_to_ods"}' timeout=PT1H
      orchestration create chain previous_task=load_stg next_task=stg_to_ods
      orchestration create graph-chain graph=daily chain_id=12
    """
    with connect(url) as service:
        show(_call(_method(service, "create", kind), **_values(fields)), as_json=as_json)


@click.command()
@click.argument("kind", type=click.Choice(UPDATABLE))
@click.argument("id", type=click.IntRange(min=1))
@_fields
@click.option("--if-match", metavar="ETAG", help="Only where it did not change since.")
@reading
def update(
    url: str | None, kind: str, id: int, fields: tuple[str, ...], if_match: str | None, as_json: bool
) -> None:
    """Change an object.

    \b
    Examples:
      orchestration update task 7 max_attempts=3 retry_delay=PT2M
      orchestration update graph 1 owner=null
    """
    with connect(url) as service:
        show(
            _call(_method(service, "update", kind), id, **_values(fields), if_match=if_match), as_json=as_json
        )


@click.command()
@_kind
@click.argument("ids", type=click.IntRange(min=1), nargs=-1, required=True)
@reading
def delete(url: str | None, kind: str, ids: tuple[int, ...], as_json: bool) -> None:
    """Delete an object by its id, two-key objects by both.

    \b
    Examples:
      orchestration delete chain 12
      orchestration delete graph-chain 1 12
    """
    with connect(url) as service:
        _call(_method(service, "delete", kind), *ids)
    show({"deleted": f"{kind} {' '.join(map(str, ids))}"}, as_json=as_json)
