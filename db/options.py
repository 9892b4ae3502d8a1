"""What the commands of this package share: options, and errors as one line."""

from __future__ import annotations

import functools
import getpass
import math
import socket
from typing import TYPE_CHECKING, NoReturn, ParamSpec, TypeVar

import click
from click.core import ParameterSource

from . import settings as names
from .errors import DeployError, SettingsError
from .settings import Target, known_secrets, redact

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")

dsn_option = click.option(
    "--dsn",
    envvar=names.DSN,
    show_envvar=True,
    metavar="DSN",
    help="The application's database and tech user.",
)
admin_option = click.option(
    "--admin-dsn",
    envvar=names.ADMIN_DSN,
    show_envvar=True,
    metavar="DSN",
    help="An admin of the server: a superuser, or the owner.",
)
database_option = click.option(
    "--database",
    metavar="NAME",
    envvar="ORCHESTRATION_DATABASE",
    show_envvar=True,
    help="The database.  [default: that of the application's DSN, else orchestration]",
)
wait_option = click.option(
    "--wait",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    envvar="ORCHESTRATION_DB_WAIT",
    show_envvar=True,
    help="How long to try again while the server is away.  [default: for ever]",
)
json_option = click.option(
    "--json", "as_json", is_flag=True, envvar="ORCHESTRATION_JSON", show_envvar=True, help="Print JSON."
)


def one_line_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Turn every error into one line on stderr and an exit code: 2 wrong settings, 1 all else; no traceback."""

    @functools.wraps(command)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            _refuse_passwords_in_argv()
            return command(*args, **kwargs)
        except DeployError as error:
            fail(str(error), error.exit_code)
        except KeyboardInterrupt:
            fail("interrupted", 130)
        except BrokenPipeError:
            raise  # click's: the reader has seen enough
        except OSError as error:
            fail(f"{error.filename or 'the system'}: {error.strerror or error}", 1)

    return wrapper


def fail(line: str, code: int) -> NoReturn:
    """Print `line` on stderr, cleared of every password known, and end with `code`."""
    click.echo(f"orchestration: {redact(line, known_secrets())}", err=True)
    raise click.exceptions.Exit(code)


def say(line: str) -> None:
    """Progress, on stderr: stdout bears results only."""
    click.echo(redact(line, known_secrets()), err=True)


def seconds(wait: float | None) -> float:
    """The --wait option; absent means for ever."""
    return math.inf if wait is None else wait


def actor() -> str:
    """Who gives this command, for the record: user@host."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"


def _refuse_passwords_in_argv() -> None:
    """A password on the command line is seen by everybody in the process list."""
    context = click.get_current_context()
    for parameter, option in (("dsn", "--dsn"), ("admin_dsn", "--admin-dsn")):
        value = context.params.get(parameter)
        given = value and context.get_parameter_source(parameter) is ParameterSource.COMMANDLINE
        if given and Target.parse(option, str(value)).params.get("password"):
            raise SettingsError(
                f"{option} holds a password, which everybody sees in the process list",
                "give it by the environment variable instead, or leave it to ~/.pgpass",
            )
