"""`orchestration service` over the API; where only a database is known the commands of that name speak to it."""

from __future__ import annotations

import click

from .common import connect, reading, show

__all__ = ["service"]


@click.group()
def service() -> None:
    """Start or stop the service, or show how it is.

    Stopped, every bridge takes in and sends nothing; SQL and REST go on, and what they start waits.

    \b
    Examples:
      orchestration service stop
      orchestration service status --json | jq .lag
    """


@service.command()
@reading
def start(url: str | None, as_json: bool) -> None:
    """Let the bridges take in events and send dispatches again.

    \b
    Example:
      orchestration service start
    """
    with connect(url) as client:
        client.start_service()
    _answer("started", as_json)


@service.command()
@reading
def stop(url: str | None, as_json: bool) -> None:
    """Make every bridge pause within 5 seconds; batches in flight finish, nothing is lost.

    \b
    Example:
      orchestration service stop
    """
    with connect(url) as client:
        client.stop_service()
    _answer("stopped", as_json)


@service.command()
@reading
def status(url: str | None, as_json: bool) -> None:
    """The desired state, the bridges with their heartbeats, the lag and the backlog.

    \b
    Example:
      orchestration service status
    """
    with connect(url) as client:
        found = client.service_status()
    values = {"state": found.state, "lag": found.lag, **dict(found.more)}
    if as_json:
        show({**values, "instances": found.instances}, as_json=True)
        return
    show(values, as_json=False)
    click.echo()
    show(found.instances, as_json=False)


def _answer(state: str, as_json: bool) -> None:
    if as_json:
        show({"state": state}, as_json=True)
    else:
        click.echo(f"the service is {state}")
