"""`orchestration db`: create, apply, status, new-installation."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from .apply import apply as apply_release
from .connect import connect
from .create import create as create_database
from .create import new_installation as renew_installation
from .errors import explained
from .options import (
    actor,
    admin_option,
    database_option,
    dsn_option,
    json_option,
    one_line_errors,
    say,
    seconds,
    wait_option,
)
from .release import Status, read_status
from .settings import Settings

if TYPE_CHECKING:
    from .settings import Target


@click.group()
def db() -> None:
    """Create and deploy the database.

    \b
    Examples:
      export ORCHESTRATION_ADMIN_DSN='postgresql://postgres@db1/postgres?sslmode=verify-full'
      export ORCHESTRATION_DSN='postgresql://tech_user:secret@db1/orchestration?sslmode=verify-full'
      orchestration db create
      orchestration db apply --plan | less
      orchestration db apply
      orchestration db status
    """


@db.command()
@admin_option
@dsn_option
@database_option
@wait_option
@one_line_errors
def create(admin_dsn: str | None, dsn: str | None, database: str | None, wait: float | None) -> None:
    """Make database, roles, tech user, extensions and schema; what is there stays.

    The tech user is the one of the application's DSN; its password becomes the one given there.

    \b
    Example:
      orchestration db create && orchestration db apply
    """
    settings = Settings.from_env(dsn=dsn, admin_dsn=admin_dsn)
    create_database(settings.admin(database), settings.app(), wait=seconds(wait), say=say)


@db.command()
@admin_option
@dsn_option
@database_option
@wait_option
@click.option(
    "--lock-wait",
    type=click.FloatRange(min=0),
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    envvar="ORCHESTRATION_DB_LOCK_WAIT",
    show_envvar=True,
    help="How long to try again while others hold locks on tables.",
)
@click.option(
    "--plan",
    is_flag=True,
    envvar="ORCHESTRATION_DB_PLAN",
    show_envvar=True,
    help="Print the SQL it would run, as a script for psql; change nothing.",
)
@click.option(
    "--strict",
    is_flag=True,
    envvar="ORCHESTRATION_DB_STRICT",
    show_envvar=True,
    help="Refuse warnings of plpgsql_check too.",
)
@one_line_errors
def apply(
    admin_dsn: str | None,
    dsn: str | None,
    database: str | None,
    wait: float | None,
    lock_wait: float,
    plan: bool,
    strict: bool,
) -> None:
    """Bring the database to this release: migrations, functions, triggers, grants; then verify.

    Safe to run again at any time, also after it was killed, and while the service works.

    \b
    Examples:
      orchestration db apply --plan > plan.sql
      orchestration db apply
    """
    settings = Settings.from_env(dsn=dsn, admin_dsn=admin_dsn)
    target = settings.admin(database)
    cron_user = settings.app().user if settings.dsn else None
    report = apply_release(
        target,
        plan=plan,
        strict=strict,
        cron_user=cron_user,
        wait=seconds(wait),
        lock_wait=lock_wait,
        say=say,
    )
    if plan:
        click.echo(report.plan, nl=False)
        return
    for warning in report.warnings:
        say(str(warning))
    news = f"{len(report.migrations)} migrations applied" if report.changed else "nothing had changed"
    click.echo(
        f"{target}: {news}; {report.functions} functions with triggers and grants applied and verified"
    )


@db.command()
@admin_option
@dsn_option
@database_option
@wait_option
@json_option
@one_line_errors
def status(
    admin_dsn: str | None, dsn: str | None, database: str | None, wait: float | None, as_json: bool
) -> None:
    """Show applied and pending migrations, and functions that differ. Ends with 0 only if nothing is to do.

    Uses the application's DSN, or the admin's where that is not set.

    \b
    Example:
      orchestration db status --json | jq .state
    """
    settings = Settings.from_env(dsn=dsn, admin_dsn=admin_dsn)
    target = settings.app() if settings.dsn else settings.admin(database)
    if database:
        target = target.at(database)
    with (
        connect(target, name="orchestration db status", wait=seconds(wait), say=say) as connection,
        explained(target),
    ):
        result = read_status(connection)
    if as_json:
        click.echo(json.dumps(result.as_dict(), indent=2))
    else:
        _show(result, target)
    if result.state != "ok":
        raise click.exceptions.Exit(1)


@db.command("new-installation")
@admin_option
@dsn_option
@database_option
@wait_option
@one_line_errors
def new_installation(
    admin_dsn: str | None, dsn: str | None, database: str | None, wait: float | None
) -> None:
    """Renew the installation's uuid, after a restore: ids issued twice then never meet at a receiver.

    Executions in flight keep the old uuid: their events become dead letters, reason `foreign`.

    \b
    Example:
      pg_restore -d orchestration backup.dump && orchestration db new-installation
    """
    settings = Settings.from_env(dsn=dsn, admin_dsn=admin_dsn)
    click.echo(renew_installation(settings.admin(database), actor=actor(), wait=seconds(wait), say=say))


def _show(result: Status, target: Target) -> None:
    since = f", since {result.applied_at}" if result.applied_at else ""
    click.echo(f"{target}: {result.state}")
    click.echo(f"  code      {result.code_version or '-'}")
    click.echo(f"  database  {result.database_version or '-'}{since}")
    for title, names in (
        ("applied", result.applied),
        ("pending", result.pending),
        ("unknown", result.unknown),
        ("differs", result.drift),
    ):
        for name in names:
            click.echo(f"  {title:<9} {name}")
    if result.problem:
        click.echo(result.problem)
