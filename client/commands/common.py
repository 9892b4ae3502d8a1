"""What the commands share: options, exit codes, tables and JSON."""

from __future__ import annotations

import dataclasses
import functools
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from ..errors import ApiError, Conflict, NotFound, NotReachable, OrchestrationError, WaitTimeout

if TYPE_CHECKING:
    from ..client import OrchestrationServiceClient

__all__ = [
    "Found",
    "connect",
    "fail",
    "graph_id",
    "json_option",
    "params_option",
    "reading",
    "show",
    "text",
    "url_option",
]

F = TypeVar("F", bound=Callable[..., Any])
Found = Any

EXIT_CODES = """\b
Exit status: 0 done; 1 the API refused it; 2 wrong usage or settings; 3 the API does not answer;
4 it does not exist; 5 it conflicts with what exists; 6 not in time."""

_CODES: tuple[tuple[type[OrchestrationError], int], ...] = (
    (NotReachable, 3),
    (NotFound, 4),
    (Conflict, 5),
    (WaitTimeout, 6),
    (OrchestrationError, 1),
)

json_option = click.option(
    "--json",
    "as_json",
    is_flag=True,
    envvar="ORCHESTRATION_JSON",
    show_envvar=True,
    help="Print JSON, for scripts.",
)
url_option = click.option(
    "--url", envvar="ORCHESTRATION_API_URL", show_envvar=True, metavar="URL",
    help="Where the API is; the token comes from ORCHESTRATION_API_TOKEN.",
)  # fmt: skip


def reading(command: F) -> F:
    """Adds --url and --json, and turns the client's errors into one line and an exit code."""

    @url_option
    @json_option
    @functools.wraps(command)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except OrchestrationError as error:
            fail(error)
        except ValueError as error:
            fail(error, 2)

    wrapper.__doc__ = f"{(command.__doc__ or '').rstrip()}\n\n    {EXIT_CODES}\n    "
    return wrapper  # type: ignore[return-value]


@contextmanager
def connect(url: str | None) -> Iterator[OrchestrationServiceClient]:
    """The client. Raises ValueError where no address is known."""
    from ..client import OrchestrationServiceClient

    with OrchestrationServiceClient(url) as service:
        yield service


def fail(error: Exception, code: int | None = None) -> NoReturn:
    """One line on stderr, and out."""
    if code is None:
        code = next(number for kind, number in _CODES if isinstance(error, kind))
    words = str(error)
    if isinstance(error, ApiError) and error.status == 401:
        words += "; set ORCHESTRATION_API_TOKEN"
    click.echo(f"orchestration: {' '.join(words.split())}", err=True)
    raise click.exceptions.Exit(code)


def params_option(command: F) -> F:
    """--params and --run-key."""
    command = click.option("--run-key", metavar="KEY", help="Usually the business date.")(command)
    return click.option(
        "--params", metavar="JSON", callback=_object, help='For templates, such as {"limit": 10}.'
    )(command)


def graph_id(service: OrchestrationServiceClient, name: str) -> int:
    """The id of a graph by name; a number that is no name counts as id. Raises NotFound with near matches."""
    for found in service.list_graphs(name=name):
        return found.id
    if name.isdigit():
        return service.get_graph(int(name)).id
    raise _unknown("graph", name, (each.name for each in service.list_graphs()))


def task_id(service: OrchestrationServiceClient, name: str) -> int:
    """The id of a task by name."""
    for found in service.list_tasks(name=name):
        return found.id
    raise _unknown("task", name, (each.name for each in service.list_tasks()))


def _unknown(kind: str, name: str, known: Iterable[str]) -> NotFound:
    import difflib

    near = difflib.get_close_matches(name, list(known), 3, 0.5)
    hint = f"near matches: {', '.join(near)}" if near else f"list them: orchestration {kind} list"
    return NotFound(404, {"detail": f"{kind} {name} does not exist", "hint": hint})


# -- output -----------------------------------------------------------------------------------------


def plain(found: Found) -> Any:
    """Dataclasses as JSON."""
    if dataclasses.is_dataclass(found) and not isinstance(found, type):
        return {name: plain(value) for name, value in vars(found).items() if name != "etag"}
    if isinstance(found, datetime):
        return found.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
    if isinstance(found, list | tuple):
        return [plain(each) for each in found]
    return found


def show(found: Found, columns: Sequence[str] | None = None, *, as_json: bool) -> None:
    """One object as lines, several as a table; or JSON."""
    value = plain(found)
    if as_json:
        click.echo(json.dumps(value, indent=2))
        return
    if isinstance(value, list):
        table(value, columns)
        return
    for name, each in value.items():
        click.echo(f"{name:<18} {text(each)}")


def table(rows: Sequence[dict[str, Any]], columns: Sequence[str] | None = None) -> None:
    """For people."""
    from rich.console import Console
    from rich.table import Table

    if not rows:
        click.echo("none", err=True)
        return
    names = list(columns or rows[0])
    drawn = Table(*names, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        drawn.add_row(*(text(row.get(name)) for name in names))
    Console(width=None if sys.stdout.isatty() else 200, highlight=False, markup=False).print(drawn)


def text(value: Any) -> str:
    """A value in a cell."""
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, dict | list):
        return json.dumps(value)
    return str(value)


def _object(_context: click.Context, _parameter: click.Parameter, given: str | None) -> dict[str, Any] | None:
    if given is None:
        return None
    try:
        value = json.loads(given)
    except ValueError as error:
        raise click.BadParameter(f"not JSON: {error}") from None
    if not isinstance(value, dict):
        raise click.BadParameter('not a JSON object; write for example {"limit": 10}')
    return value
