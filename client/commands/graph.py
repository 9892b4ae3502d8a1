"""`orchestration graph`, `chain`."""

from __future__ import annotations

from typing import Any

import click

from ..transport import UNSET
from .common import connect, graph_id, params_option, plain, reading, show
from .pictures import draw_shape

__all__ = ["chain", "graph"]

_LIST = ("id", "name", "owner", "paused", "repeat_policy", "timeout", "archived", "labels")
RUN = ("id", "status", "run_key", "reason", "opened_by", "created_at", "finished_at")


@click.group()
def graph() -> None:
    """Look at graphs, launch, pause and resume them.

    \b
    Examples:
      orchestration graph list
      orchestration graph draw integration
      orchestration graph launch integration --run-key 2026-11-22 --params '{"limit": 10}'
    """


@graph.command("list")
@click.option("--all", "archived", is_flag=True, help="Archived ones too.")
@reading
def list_(url: str | None, archived: bool, as_json: bool) -> None:
    """Every graph.

    \b
    Example:
      orchestration graph list --json | jq -r '.[].name'
    """
    with connect(url) as service:
        found = list(service.list_graphs(sort="name", archived=UNSET if archived else False))
    show(found, _LIST, as_json=as_json)


@graph.command("show")
@click.argument("name")
@reading
def show_(url: str | None, name: str, as_json: bool) -> None:
    """One graph, its chains and its last runs.

    \b
    Example:
      orchestration graph show integration
    """
    with connect(url) as service:
        id_ = graph_id(service, name)
        found = plain(service.get_graph(id_))
        found["tasks"] = plain(service.shape_graph(id_))
        runs = []
        for each in service.list_graph_runs(graph_id=id_, sort="-id", limit=10):
            runs.append(plain(each))
            if len(runs) == 10:
                break
    if as_json:
        show({**found, "runs": runs}, as_json=True)
        return
    tasks = found.pop("tasks")
    show(found, as_json=False)
    click.echo()
    for row in tasks:
        click.echo(f"{', '.join(row['after']) or '·'} -> {row['task']}  ({row['service']})")
    click.echo()
    show(runs, RUN, as_json=False)


@graph.command()
@click.argument("name")
@reading
def draw(url: str | None, name: str, as_json: bool) -> None:
    """The graph as a picture.

    \b
    Example:
      orchestration graph draw integration
    """
    with connect(url) as service:
        rows = service.shape_graph(graph_id(service, name))
    if as_json:
        show(rows, as_json=True)
    else:
        click.echo(draw_shape(rows))


@graph.command()
@click.argument("name")
@reading
def check(url: str | None, name: str, as_json: bool) -> None:
    """What is wrong with a graph before it runs; exit status 1 where something is.

    \b
    Example:
      orchestration graph check integration
    """
    with connect(url) as service:
        rows = service.check_graph(graph_id(service, name))
    show(rows, as_json=as_json)
    if rows:
        raise click.exceptions.Exit(1)


@graph.command()
@click.argument("name")
@click.option(
    "--task",
    "tasks",
    multiple=True,
    metavar="NAME",
    help="Start from this task, downstream only; may be repeated.",
)
@params_option
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="Wait so long for its end; exit status 1 unless SUCCESS.",
)
@reading
def launch(
    url: str | None, name: str, tasks: tuple[str, ...], params: dict[str, Any] | None, run_key: str | None,
    wait: float | None, as_json: bool,
) -> None:  # fmt: skip
    """Run a graph by hand, whole or from given tasks.

    \b
    Examples:
      orchestration graph launch integration --run-key 2026-11-22
      orchestration graph launch integration --task stg_to_ods --wait 600
    """
    with connect(url) as service:
        run = service.launch_graph(
            graph_id(service, name), params=params or {}, run_key=run_key, tasks=list(tasks) or None
        )
        if wait is not None:
            run = service.wait(run.id, wait)
    show(run, as_json=as_json)
    if wait is not None and run.status != "SUCCESS":
        raise click.exceptions.Exit(1)


@graph.command()
@click.argument("name")
@reading
def pause(url: str | None, name: str, as_json: bool) -> None:
    """Hold what the graph's runs would dispatch; events go on.

    \b
    Example:
      orchestration graph pause integration
    """
    with connect(url) as service:
        id_ = graph_id(service, name)
        service.pause_graph(id_)
        show(service.get_graph(id_), as_json=as_json)


@graph.command()
@click.argument("name")
@click.option("--skip", is_flag=True, help="Cancel what was held instead of sending it.")
@reading
def resume(url: str | None, name: str, skip: bool, as_json: bool) -> None:
    """Send what was held, the oldest run first.

    \b
    Example:
      orchestration graph resume integration
    """
    with connect(url) as service:
        id_ = graph_id(service, name)
        service.resume_graph(id_, skip=skip)
        show(service.get_graph(id_), as_json=as_json)


@click.group()
def chain() -> None:
    """Look at chains and launch one by hand.

    \b
    Examples:
      orchestration chain list
      orchestration chain launch 12
    """


@chain.command("list")
@reading
def chains(url: str | None, as_json: bool) -> None:
    """Every chain with its tasks; graph `-`: it is in none and fires nothing by itself.

    \b
    Example:
      orchestration chain list
    """
    with connect(url) as service:
        names = {each.id: each.name for each in service.list_tasks()}
        graphs = {each.id: each.name for each in service.list_graphs()}
        rows = [
            {
                "id": each.id,
                "previous_task": names.get(each.previous_task_id),
                "next_task": names.get(each.next_task_id),
                "graph": graphs.get(each.graph_id) if each.graph_id else None,
            }
            for each in service.list_chains()
        ]
    show(rows, as_json=as_json)


@chain.command("launch")
@click.argument("id", type=click.IntRange(min=1))
@params_option
@reading
def launch_chain(
    url: str | None, id: int, params: dict[str, Any] | None, run_key: str | None, as_json: bool
) -> None:
    """Run one chain: its previous task, its next, and what is downstream of that.

    \b
    Example:
      orchestration chain launch 12 --run-key 2026-11-22
    """
    with connect(url) as service:
        show(service.launch_chain(id, params=params or {}, run_key=run_key), as_json=as_json)
