"""`orchestration service`: start, stop and look at the service. The desired state lives in the database."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import click
from psycopg.rows import dict_row
from rich.console import Console
from rich.table import Table

from .connect import connect
from .errors import explained
from .options import actor, dsn_option, json_option, one_line_errors, say, seconds, wait_option
from .release import check_release
from .settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@click.group()
def service() -> None:
    """Start or stop the service, or show how it is.

    Stopped, every bridge takes in and sends nothing; SQL and REST go on, and what they start waits.

    \b
    Examples:
      orchestration service stop
      orchestration service status
      orchestration service start
    """


@service.command()
@dsn_option
@wait_option
@json_option
@one_line_errors
def start(dsn: str | None, wait: float | None, as_json: bool) -> None:
    """Let the bridges take in events and send dispatches again.

    \b
    Example:
      orchestration service start
    """
    _call("select orchestration.start_service()", dsn, wait)
    _answer("started", as_json)


@service.command()
@dsn_option
@wait_option
@json_option
@one_line_errors
def stop(dsn: str | None, wait: float | None, as_json: bool) -> None:
    """Make every bridge pause within 5 seconds; batches in flight finish, nothing is lost.

    \b
    Example:
      orchestration service stop
    """
    _call("select orchestration.stop_service()", dsn, wait)
    _answer("stopped", as_json)


@service.command()
@dsn_option
@wait_option
@json_option
@one_line_errors
def status(dsn: str | None, wait: float | None, as_json: bool) -> None:
    """Show the desired state, the bridges with their heartbeats, and the lag.

    \b
    Examples:
      orchestration service status
      orchestration service status --json | jq .state
    """
    rows = _call("select * from orchestration.service_status()", dsn, wait)
    result = _unwrap(rows)
    if as_json:
        click.echo(json.dumps(result, indent=2, default=_text))
    else:
        _show(result)


def _call(sql: str, dsn: str | None, wait: float | None) -> list[dict[str, Any]]:
    """The rows of one statement, recorded under this user's name."""
    target = Settings.from_env(dsn=dsn).app()
    with (
        connect(target, name="orchestration service", wait=seconds(wait), say=say) as connection,
        explained(target),
    ):
        check_release(connection)
        with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
            cursor.execute("select set_config('orchestration.actor', %s, true)", [actor()])
            return cursor.execute(sql.encode()).fetchall()


def _answer(state: str, as_json: bool) -> None:
    click.echo(json.dumps({"state": state}) if as_json else f"the service is {state}")


def _unwrap(rows: Sequence[Mapping[str, Any]]) -> Any:
    """service_status() answers one JSON document, or rows."""
    if len(rows) == 1 and len(rows[0]) == 1:
        return next(iter(rows[0].values()))
    return dict(rows[0]) if len(rows) == 1 else [dict(row) for row in rows]


def _show(result: Any) -> None:
    """Plain values as lines, lists of objects as tables."""
    console = Console(width=None if sys.stdout.isatty() else 200)
    if isinstance(result, list):
        console.print(_table("service", result))
        return
    lists = {key: value for key, value in result.items() if isinstance(value, list)}
    for key, value in result.items():
        if key not in lists:
            console.print(f"[bold]{key}[/]  {_text(value)}", highlight=False)
    for key, value in lists.items():
        console.print(_table(key, value) if value else f"[bold]{key}[/]  none", highlight=False)


def _table(title: str, rows: Sequence[Any]) -> Table:
    columns = list(rows[0]) if rows and isinstance(rows[0], dict) else [title]
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(
            *(_text(row.get(column)) for column in columns) if isinstance(row, dict) else (_text(row),)
        )
    return table


def _text(value: Any) -> str:
    """For people and for what JSON has no word for: times in UTC with a Z, spans to the second."""
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return str(timedelta(seconds=round(value.total_seconds())))
    return value if isinstance(value, str) else json.dumps(value, default=_text)
