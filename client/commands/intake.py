"""`orchestration event` and `dead-letter`."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from ..transport import UNSET
from .common import connect, plain, reading, show

__all__ = ["dead_letter", "event"]


@click.group()
def event() -> None:
    """Report an event without Kafka.

    \b
    Example:
      orchestration event send --service nifi --process load_stg --status SUCCESS --run-key 2026-11-22
    """


@event.command()
@click.argument("document", required=False, metavar="[JSON]")
@click.option("--service", "service_name", metavar="NAME")
@click.option("--process", metavar="UID")
@click.option("--task", metavar="NAME")
@click.option("--task-run-id", type=click.IntRange(min=1), metavar="ID")
@click.option(
    "--status",
    type=click.Choice(["ACCEPTED", "RUNNING", "SUCCESS", "FAILED", "SKIPPED"], case_sensitive=False),
)
@click.option("--run-key", metavar="KEY", help="Usually the business date.")
@click.option("--external-id", metavar="ID", help="The tool's own id of this execution.")
@click.option("--event-id", metavar="ID", help="The same id twice is one event.")
@click.option("--detail", metavar="WORDS")
@reading
def send(
    url: str | None, document: str | None, as_json: bool, service_name: str | None, **fields: Any
) -> None:
    """Send one event: by options, as JSON, or as JSON on stdin (-).

    Exit status 1 where it became a dead letter.

    \b
    Examples:
      orchestration event send --task-run-id 42 --status SUCCESS
      orchestration event send '{"service": "nifi", "process": "load_stg", "status": "SUCCESS", "result": {"rows": 10}}'
    """
    told: dict[str, Any] = {}
    if document is not None:
        try:
            told = json.loads(sys.stdin.read() if document == "-" else document)
        except ValueError as error:
            raise click.BadParameter(f"not JSON: {error}") from None
        if not isinstance(told, dict):
            raise click.BadParameter("an event is a JSON object")
    told |= {name: value for name, value in {"service": service_name, **fields}.items() if value is not None}
    with connect(url) as service:
        found = service.send_event(told)
    show(found, as_json=as_json)
    if found.dead_letter_id is not None:
        click.echo(
            f"it became dead letter {found.dead_letter_id}: orchestration dead-letter show {found.dead_letter_id}",
            err=True,
        )
        raise click.exceptions.Exit(1)


@click.group("dead-letter")
def dead_letter() -> None:
    """Messages that could not be applied.

    \b
    Examples:
      orchestration dead-letter list --reason unknown
      orchestration dead-letter replay 7
    """


@dead_letter.command("list")
@click.option("--reason", metavar="WORD", help="With this reason only.")
@click.option("--topic", metavar="NAME", help="From this topic only; sql and rest are topics too.")
@click.option("--state", type=click.Choice(["open", "replayed", "all"]), default="open", show_default=True)
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="At most so many."
)
@reading
def list_(
    url: str | None, reason: str | None, topic: str | None, state: Any, limit: int, as_json: bool
) -> None:
    """The newest first.

    \b
    Example:
      orchestration dead-letter list --json | jq -r '.[].value'
    """
    with connect(url) as service:
        found = service.list_dead_letters(
            reason=reason or UNSET, topic=topic or UNSET, state=state, limit=min(limit, 1000)
        )
        rows = [plain(each) for _, each in zip(range(limit), found, strict=False)]
    show(rows, ("id", "created_at", "topic", "partition", "offset", "reason", "detail"), as_json=as_json)


@dead_letter.command("show")
@click.argument("id", type=click.IntRange(min=1))
@reading
def show_(url: str | None, id: int, as_json: bool) -> None:
    """One message, with its bytes.

    \b
    Example:
      orchestration dead-letter show 7
    """
    with connect(url) as service:
        show(service.get_dead_letter(id), as_json=as_json)


@dead_letter.command()
@click.argument("id", type=click.IntRange(min=1))
@reading
def explain(url: str | None, id: int, as_json: bool) -> None:
    """Why it is a dead letter, and what a replay would do.

    \b
    Example:
      orchestration dead-letter explain 7
    """
    with connect(url) as service:
        show(service.explain_dead_letter(id), as_json=as_json)


@dead_letter.command("replay-all")
@click.option("--reason", metavar="WORD", help="With this reason only.")
@click.option("--topic", metavar="NAME", help="From this topic only.")
@reading
def replay_all(url: str | None, reason: str | None, topic: str | None, as_json: bool) -> None:
    """Apply every open message that matches, once each, oldest first; what still cannot be stays open.

    \b
    Example:
      orchestration dead-letter replay-all --reason unknown
    """
    with connect(url) as service:
        show(service.replay_dead_letters(reason=reason, topic=topic), as_json=as_json)


@dead_letter.command()
@click.argument("ids", type=click.IntRange(min=1), nargs=-1, required=True)
@reading
def replay(url: str | None, ids: tuple[int, ...], as_json: bool) -> None:
    """Apply messages now, under the present rules, once each. The first that cannot be applied ends it.

    \b
    Example:
      orchestration dead-letter replay 7 8 9
    """
    with connect(url) as service:
        rows = [{"id": id_, "task_run_id": service.replay_dead_letter(id_).task_run_id} for id_ in ids]
    show(rows, as_json=as_json)
