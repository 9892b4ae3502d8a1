"""`orchestration api` serves; `orchestration tokens` makes and revokes what callers need."""

from __future__ import annotations

import json
import logging
import math
import secrets
import signal
import sys
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from types import FrameType
from typing import Any

import click
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from rich.console import Console
from rich.table import Table

from orchestration.db.connect import connect, keep_trying
from orchestration.db.errors import explained
from orchestration.db.options import actor, dsn_option, json_option, one_line_errors, say
from orchestration.db.release import check_release
from orchestration.db.settings import Settings as DatabaseSettings

from .auth import PREFIX, SCOPES
from .settings import Settings

__all__ = ["api", "tokens"]


@click.command()
@click.option(
    "--host",
    envvar="ORCHESTRATION_API_HOST",
    show_envvar=True,
    metavar="ADDRESS",
    help="Where to listen.  [default: 127.0.0.1]",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    envvar="ORCHESTRATION_API_PORT",
    show_envvar=True,
    help="[default: 8080]",
)
@click.option(
    "--threads",
    type=click.IntRange(1, 256),
    envvar="ORCHESTRATION_API_THREADS",
    show_envvar=True,
    help="Requests at once.  [default: 8]",
)
@one_line_errors
def api(host: str | None, port: int | None, threads: int | None) -> None:
    """Serve the REST API until SIGTERM.

    TLS and names are a reverse proxy's work; behind one, listen on loopback. The database is ORCHESTRATION_DSN.

    \b
    Example:
      orchestration api --port 8080
    """
    from waitress.server import create_server

    from .app import create_app

    settings = Settings.from_env(host=host, port=port, threads=threads)
    _log_as_json()
    keep_trying(lambda: _check(settings), say=say)
    app = create_app(settings)
    server = create_server(
        app, host=settings.host, port=settings.port, threads=settings.threads, ident="", channel_timeout=30,
        max_request_body_size=settings.body_limit, connection_limit=1000, clear_untrusted_proxy_headers=True,
    )  # fmt: skip

    def end(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    logging.getLogger("orchestration.api").info(
        "serving", extra={"address": f"{settings.host}:{server.effective_port}"}
    )
    try:
        server.run()
    finally:
        app.extensions["orchestration"].close()


def _check(settings: Settings) -> None:
    with (
        connect(settings.database, name="orchestration-api", wait=0) as connection,
        explained(settings.database),
    ):
        check_release(connection)


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        own = logging.LogRecord("", 0, "", 0, "", (), None).__dict__
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds")[:-6] + "Z",
            "level": record.levelname.lower(), "event": record.getMessage(),
            **{name: value for name, value in record.__dict__.items() if name not in own and name != "message"},
        }  # fmt: skip
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def _log_as_json() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)


# -- tokens -----------------------------------------------------------------------------------------


@click.group()
def tokens() -> None:
    """Make, list and revoke the API's tokens.

    \b
    Examples:
      orchestration tokens create --name on-call --scope operate --expires 90d
      orchestration tokens list
      orchestration tokens revoke on-call
    """


@tokens.command()
@click.option("--name", required=True, help="Whom it stands for: the actor that history records.")
@click.option(
    "--scope", required=True, type=click.Choice(SCOPES), help="What it may do; each holds those before it."
)
@click.option("--expires", metavar="WHEN", help="A time (RFC 3339) or a span such as 90d, 12h; none: never.")
@click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="KEY=VALUE",
    help="Only graphs that bear this label; may be repeated.",
)
@click.option(
    "--rate-limit",
    type=click.IntRange(1, 1_000_000),
    metavar="N",
    help="Requests a second; none: the setting api_rate_limit.",
)
@dsn_option
@json_option
@one_line_errors
def create(
    name: str,
    scope: str,
    expires: str | None,
    labels: tuple[str, ...],
    rate_limit: int | None,
    dsn: str | None,
    as_json: bool,
) -> None:
    """Make a token. It is shown this once and stored nowhere.

    \b
    Example:
      orchestration tokens create --name airflow --scope operate
    """
    token = PREFIX + secrets.token_urlsafe(32)
    limit = dict(label.partition("=")[::2] for label in labels) if labels else None
    values = {
        "name": name,
        "sha256": sha256(token.encode()).digest(),
        "hint": token[:10],
        "scope": scope,
        "expires": _instant(expires),
        "labels": Jsonb(limit) if limit is not None else None,
        "rate_limit": rate_limit,
    }
    row = _call(
        "select orchestration.create_token(name => %(name)s, sha256 => %(sha256)s, hint => %(hint)s, "
        "scope => %(scope)s, expires_at => %(expires)s, labels => %(labels)s, rate_limit => %(rate_limit)s) as id",
        values,
        dsn,
    )[0]
    if as_json:
        click.echo(json.dumps({"id": row["id"], "name": name, "scope": scope, "token": token}))
    else:
        click.echo(token)
        click.echo(f"token {name}, scope {scope}: keep it, it is not shown again", err=True)


@tokens.command("list")
@dsn_option
@json_option
@one_line_errors
def list_(dsn: str | None, as_json: bool) -> None:
    """Every token with its last use."""
    rows = _call(
        "select id, name, scope, hint, labels, rate_limit, created_at, expires_at, revoked_at, last_used_at "
        "from orchestration.api_token order by id",
        {},
        dsn,
    )
    shown = [{name: _text(value) for name, value in row.items()} for row in rows]
    if as_json:
        click.echo(json.dumps(shown, indent=2))
        return
    columns = ("name", "scope", "hint", "labels", "created_at", "expires_at", "revoked_at", "last_used_at")
    table = Table(*columns)
    for line in shown:
        table.add_row(*("-" if line[column] is None else str(line[column]) for column in columns))
    Console(width=None if sys.stdout.isatty() else 200).print(table)


@tokens.command()
@click.argument("name")
@dsn_option
@one_line_errors
def revoke(name: str, dsn: str | None) -> None:
    """Make a token count no more, within a second.

    \b
    Example:
      orchestration tokens revoke on-call
    """
    _call("select orchestration.revoke_token(%(name)s)", {"name": name}, dsn)
    click.echo(f"token {name} is revoked")


def _call(statement: str, values: dict[str, Any], dsn: str | None) -> list[dict[str, Any]]:
    target = DatabaseSettings.from_env(dsn=dsn).app()
    with (
        connect(target, name="orchestration tokens", wait=math.inf, say=say) as connection,
        explained(target),
    ):
        check_release(connection)
        with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
            cursor.execute("select set_config('orchestration.actor', %s, true)", [actor()])
            return cursor.execute(statement.encode(), values).fetchall()


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
    try:
        if text[-1:] in units and text[:-1].isdigit():
            return datetime.now(timezone.utc) + timedelta(seconds=int(text[:-1]) * units[text[-1]])
        at = datetime.fromisoformat(text)
        return at if at.tzinfo else at.replace(tzinfo=timezone.utc)
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"{text!r} is no time; write 2027-01-31T00:00:00Z or 90d", param_hint="--expires"
        ) from None


def _text(value: Any) -> Any:
    return (
        value.isoformat(timespec="seconds").replace("+00:00", "Z") if isinstance(value, datetime) else value
    )
