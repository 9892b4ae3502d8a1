"""`orchestration run` and `task-run`."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import Any

import click

from ..transport import UNSET
from .common import connect, graph_id, plain, reading, show, task_id
from .graph import RUN

__all__ = ["run", "task_run"]

_TASK_RUN = (
    "id",
    "task_id",
    "attempt",
    "status",
    "run_key",
    "reason",
    "dispatched_at",
    "finished_at",
    "detail",
)
_ID = click.IntRange(min=1)


def _first(found: Any, most: int) -> list[Any]:
    return [each for _, each in zip(range(most), found, strict=False)]


@click.group()
def run() -> None:
    """Look at graph runs, explain them, run them again, cancel or watch them.

    \b
    Examples:
      orchestration run list --graph integration
      orchestration run explain 42
      orchestration run rerun 42
      orchestration run watch 42
    """


@run.command("list")
@click.option("--graph", metavar="NAME", help="Of this graph only.")
@click.option(
    "--status", type=click.Choice(["RUNNING", "SUCCESS", "FAILED", "CANCELLED"]), help="In this state only."
)
@click.option("--run-key", metavar="KEY", help="Of this key only.")
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=20, show_default=True, help="At most so many."
)
@reading
def list_(
    url: str | None, graph: str | None, status: Any, run_key: str | None, limit: int, as_json: bool
) -> None:
    """The newest graph runs.

    \b
    Example:
      orchestration run list --graph integration --status FAILED
    """
    with connect(url) as service:
        found = service.list_graph_runs(
            sort="-id",
            limit=min(limit, 1000),
            graph_id=graph_id(service, graph) if graph else UNSET,
            status=status or UNSET,
            run_key=run_key or UNSET,
        )
        rows = _first(found, limit)
        names = {each.id: each.name for each in service.list_graphs()} if rows else {}
    shown = [{**plain(each), "graph": names.get(each.graph_id) if each.graph_id else None} for each in rows]
    show(shown, (RUN[0], "graph", *RUN[1:]), as_json=as_json)


@run.command("show")
@click.argument("id", type=_ID)
@reading
def show_(url: str | None, id: int, as_json: bool) -> None:
    """One graph run as a picture: tasks, states, times.

    \b
    Example:
      orchestration run show 42
    """
    from rich.console import Console

    from .pictures import draw_run, heading

    with connect(url) as service:
        found, rows = service.get_graph_run(id), service.picture_graph_run(id)
        graph = service.get_graph(found.graph_id).name if found.graph_id else None
    if as_json:
        show({**plain(found), "tasks": plain(rows)}, as_json=True)
        return
    console = Console(highlight=False)
    console.print(heading(found, graph))
    console.print(draw_run(rows), no_wrap=True, crop=False, overflow="ignore")


@run.command()
@click.argument("id", type=_ID)
@reading
def explain(url: str | None, id: int, as_json: bool) -> None:
    """In words, why each task of a run is where it is.

    \b
    Example:
      orchestration run explain 42
    """
    with connect(url) as service:
        show(service.explain_graph_run(id), as_json=as_json)


@run.command()
@click.argument("id", type=_ID)
@reading
def history(url: str | None, id: int, as_json: bool) -> None:
    """Every transition of a run and its task runs, oldest first.

    \b
    Example:
      orchestration run history 42
    """
    with connect(url) as service:
        rows = service.graph_run_history(id, limit=1000)
    show(
        rows,
        ("at", "task_run_id", "old_status", "new_status", "source", "actor", "reason", "detail"),
        as_json=as_json,
    )


@run.command("as-of")
@click.argument("id", type=_ID)
@click.argument("at", type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"]))
@reading
def as_of(url: str | None, id: int, at: datetime, as_json: bool) -> None:
    """The state of a run at an instant (UTC unless it says otherwise).

    \b
    Example:
      orchestration run as-of 42 2026-11-22T03:12:00
    """
    with connect(url) as service:
        show(
            service.graph_run_as_of(id, at=at if at.tzinfo else at.replace(tzinfo=timezone.utc)),
            as_json=as_json,
        )


@run.command()
@click.argument("id", type=_ID)
@click.option(
    "--from",
    "tasks",
    multiple=True,
    metavar="TASK",
    help="Do this task anew with all that follows it; may be repeated.",
)
@reading
def rerun(url: str | None, id: int, tasks: tuple[str, ...], as_json: bool) -> None:
    """A new run that does given tasks anew, or what failed, and shares the rest.

    \b
    Examples:
      orchestration run rerun 42
      orchestration run rerun 42 --from stg_to_ods
    """
    with connect(url) as service:
        show(service.rerun_graph_run(id, from_tasks=list(tasks) or None), as_json=as_json)


@run.command()
@click.argument("id", type=_ID)
@click.option("--reason", metavar="WORDS", help="Why; history keeps it.")
@reading
def cancel(url: str | None, id: int, reason: str | None, as_json: bool) -> None:
    """End a run at once; the tools are not told.

    \b
    Example:
      orchestration run cancel 42 --reason "wrong file"
    """
    with connect(url) as service:
        show(service.cancel_graph_run(id, reason=reason), as_json=as_json)


@run.command()
@click.argument("id", type=_ID)
@click.option(
    "--interval",
    type=click.FloatRange(0.2, 60),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="Between two looks.",
)
@reading
def watch(url: str | None, id: int, interval: float, as_json: bool) -> None:
    """A live view of a run until it ends; exit status 1 unless SUCCESS.

    \b
    Example:
      orchestration run watch 42
    """
    from rich.console import Console, Group
    from rich.live import Live

    from .pictures import draw_run, heading

    console = Console(highlight=False, stderr=as_json)
    with connect(url) as service:
        found = service.get_graph_run(id)
        graph = service.get_graph(found.graph_id).name if found.graph_id else None
        with Live(console=console, auto_refresh=False) as live:
            while True:
                found, rows = service.get_graph_run(id), service.picture_graph_run(id)
                live.update(Group(heading(found, graph), draw_run(rows)), refresh=True)
                if found.status != "RUNNING":
                    break
                time.sleep(interval)
    if as_json:
        show(found, as_json=True)
    if found.status != "SUCCESS":
        raise click.exceptions.Exit(1)


@click.group("task-run")
def task_run() -> None:
    """Look at task runs, mark or cancel one.

    \b
    Examples:
      orchestration task-run list --task stg_to_ods
      orchestration task-run mark 42 SUCCESS --reason "loaded by hand"
    """


@task_run.command("list")
@click.option("--task", metavar="NAME", help="Of this task only.")
@click.option("--status", metavar="STATUS", help="In this state only.")
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=20, show_default=True, help="At most so many."
)
@reading
def task_runs(url: str | None, task: str | None, status: Any, limit: int, as_json: bool) -> None:
    """The newest task runs.

    \b
    Example:
      orchestration task-run list --status FAILED
    """
    with connect(url) as service:
        found = service.list_task_runs(
            sort="-id",
            limit=min(limit, 1000),
            task_id=task_id(service, task) if task else UNSET,
            status=status.upper() if status else UNSET,
        )
        show(_first(found, limit), _TASK_RUN, as_json=as_json)


@task_run.command("show")
@click.argument("id", type=_ID)
@reading
def show_task_run(url: str | None, id: int, as_json: bool) -> None:
    """One task run.

    \b
    Example:
      orchestration task-run show 42
    """
    with connect(url) as service:
        show(service.get_task_run(id), as_json=as_json)


@task_run.command()
@click.argument("id", type=_ID)
@click.argument("status", type=click.Choice(["SUCCESS", "FAILED"], case_sensitive=False))
@click.option("--reason", metavar="WORDS", help="Why; history keeps it.")
@reading
def mark(url: str | None, id: int, status: Any, reason: str | None, as_json: bool) -> None:
    """Say by hand how a task run ended; an ended one becomes SUCCESS in a run that takes over.

    \b
    Example:
      orchestration task-run mark 42 SUCCESS --reason "loaded by hand"
    """
    with connect(url) as service:
        show(service.mark_task_run(id, status=status, reason=reason), as_json=as_json)


@task_run.command("cancel")
@click.argument("id", type=_ID)
@click.option("--reason", metavar="WORDS", help="Why; history keeps it.")
@reading
def cancel_task_run(url: str | None, id: int, reason: str | None, as_json: bool) -> None:
    """End a task run at once; the tool is not told.

    \b
    Example:
      orchestration task-run cancel 42
    """
    with connect(url) as service:
        service.cancel_task_run(id, reason=reason)
        show(service.get_task_run(id), as_json=as_json)
