"""One line for a person: the thing that is wrong and the remedy. Also: is it worth trying again?

`DeployError` and its kinds are raised by this package; `explain` turns what psycopg and libpq raise into the
same form. A server that is away (`AwayError`) is retried for ever by every program; anything else is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import psycopg

if TYPE_CHECKING:
    from .settings import Target


class DeployError(Exception):
    """What went wrong (`thing`) and what to do (`remedy`); `exit_code` is the program's."""

    exit_code = 1

    def __init__(self, thing: str, remedy: str = "") -> None:
        self.thing = " ".join(thing.split())
        self.remedy = " ".join(remedy.split())
        super().__init__(f"{self.thing}: {self.remedy}" if self.remedy else self.thing)


class SettingsError(DeployError):
    """A setting is missing or wrong: trying again cannot help."""

    exit_code = 2


class UnknownHostError(SettingsError):
    """No such host name. A program that was connected before may take it for a server that is away."""


class NoDatabaseError(SettingsError):
    """The server has no such database."""


class AwayError(DeployError):
    """The server does not answer, not yet, or has no room: try again."""


class ReleaseError(DeployError):
    """The database is not applied, or older or newer than the code; `state` says which."""

    def __init__(self, state: str, thing: str, remedy: str = "") -> None:
        super().__init__(thing, remedy)
        self.state = state


class FrozenError(DeployError):
    """A released migration was changed or removed."""


class VerifyError(DeployError):
    """The functions of the database are not the files, or plpgsql_check found an error in them."""


class SqlError(DeployError):
    """A statement of a file failed; names file and line."""


class _Case(NamedTuple):
    pattern: str
    kind: type[DeployError]
    thing: str
    remedy: str


_WRONG, _AWAY = SettingsError, AwayError
_CREATE = "make it by: orchestration db create"

AWAY_STATES = ("08", "53", "57P")
"""SQLSTATE classes of a server that is away or short of something: back off, connect anew, try again."""

# libpq reports a failed connection in words only. The first match wins: what a server answered stands before
# what the network did, since one error may report several attempts.
_CONNECTING = (
    _Case(
        r"Temporary failure in name resolution",
        _AWAY,
        "the host name of {server} cannot be looked up now",
        "wait for the name service",
    ),
    _Case(
        r"failed to resolve host|could not translate host name",
        UnknownHostError,
        "the host name of {server} is not known",
        "correct {variable}, or the name service",
    ),
    _Case(
        r"password authentication failed|no password supplied|SCRAM|SASL authentication",
        _WRONG,
        "{server} refuses the password of role {user}",
        "correct user and password in {variable}",
    ),
    _Case(
        r"(?:peer|ident|cert\w*|LDAP|GSSAPI|RADIUS|PAM) authentication failed|pg_hba\.conf",
        _WRONG,
        "{server} does not let role {user} into database {database} from here",
        "correct {variable}, or allow it in pg_hba.conf",
    ),
    _Case(
        r'role "[^"]*" (?:does not exist|is not permitted to log in)',
        _WRONG,
        "{server} has no role {user} that may log in",
        "correct {variable}, or make the tech user by: orchestration db create",
    ),
    _Case(
        r'database "[^"]*" does not exist',
        NoDatabaseError,
        "{server} has no database {database}",
        _CREATE,
    ),
    _Case(
        r"permission denied for database",
        _WRONG,
        "role {user} may not connect to database {database} of {server}",
        "grant it by: orchestration db create",
    ),
    _Case(
        r"server does not support SSL|SSL was required",
        _WRONG,
        "{server} does not speak TLS",
        "switch TLS on there; or, without sslmode in {variable}, permit plain text by "
        "ORCHESTRATION_ALLOW_PLAINTEXT=postgresql",
    ),
    _Case(
        r"certificate verify failed|root certificate|server certificate for|SSL error: certificate",
        _WRONG,
        "the certificate of {server} cannot be verified",
        "name its authority by sslrootcert in {variable}, and the host as the certificate does",
    ),
    _Case(
        r"invalid (?:\w+ )?value|invalid connection option|invalid port|invalid integer",
        _WRONG,
        "{variable} holds an option libpq refuses",
        "correct it",
    ),
    _Case(
        r"unsupported frontend protocol|invalid response to|expected authentication request|received invalid",
        _WRONG,
        "what answers at {server} is not PostgreSQL",
        "correct host and port in {variable}",
    ),
    _Case(
        r"session is not read-write|server is in hot standby|server is not in primary",
        _AWAY,
        "{server} is not the primary",
        "name the primary in {variable}",
    ),
    _Case(
        r"the database system is (?:starting up|shutting down|in recovery|not yet accepting)",
        _AWAY,
        "PostgreSQL at {server} is not ready yet",
        "wait for it",
    ),
    _Case(
        r"too many (?:clients|connections)|remaining connection slots",
        _AWAY,
        "PostgreSQL at {server} has no connection left",
        "raise max_connections, or end idle clients",
    ),
    _Case(
        r"[Cc]onnection refused|No such file or directory|No route to host|Network is unreachable|[Tt]ime(?:d )?out"
        r"|server closed the connection|[Cc]onnection reset|could not (?:receive|send) data"
        r"|connection is (?:closed|lost)",
        _AWAY,
        "PostgreSQL at {server} does not answer",
        "start it, or correct {variable}",
    ),
)  # fmt: skip

_STATES = {
    "25006": _Case(
        "", _AWAY, "{server} is a standby and cannot be written", "name the primary in {variable}"
    ),
    "3D000": _Case("", NoDatabaseError, "{server} has no database {database}", _CREATE),
    "53100": _Case("", _AWAY, "the disk of PostgreSQL at {server} is full", "free space there"),
    "53200": _Case("", _AWAY, "PostgreSQL at {server} is out of memory", "free memory there"),
    "53300": _Case("", _AWAY, "PostgreSQL at {server} has no connection left", "raise max_connections"),
    "57P01": _Case("", _AWAY, "PostgreSQL at {server} ended the session", "wait for it"),
    "57P02": _Case("", _AWAY, "PostgreSQL at {server} restarts after a crash", "wait for it"),
    "57P03": _Case("", _AWAY, "PostgreSQL at {server} is not ready yet", "wait for it"),
}


def explain(error: psycopg.Error, target: Target) -> DeployError:
    """The one line for what psycopg raised, with the server's words where they add something.

    The kind tells whether to try again: `AwayError` yes, all others no. Our own SQLSTATEs (class OR) keep their
    message and HINT.
    """
    words, state = server_words(error), error.sqlstate or ""
    if state.startswith("OR"):
        return DeployError(words, error.diag.message_hint or "")
    if state in _STATES:
        return _say(_STATES[state], target, words)
    if state and not state.startswith(AWAY_STATES):
        return DeployError(f"{target}: {words}", error.diag.message_hint or f"SQLSTATE {state}")
    for case in _CONNECTING:
        if re.search(case.pattern, str(error)):
            return _say(case, target, _reason(error))
    return AwayError(
        f"{target} cannot be reached ({words})", f"start PostgreSQL there, or correct {target.variable}"
    )


@contextmanager
def explained(target: Target) -> Iterator[None]:
    """Within the block psycopg's errors become ours, by `explain`."""
    try:
        yield
    except psycopg.Error as error:
        raise explain(error, target) from None


def server_words(error: psycopg.Error) -> str:
    """The first line of what the server or libpq said, without libpq's preamble."""
    text = error.diag.message_primary or str(error) or type(error).__name__
    preamble = (
        r"^(connection failed: )?(connection (to server )?(at|on) .* failed: )?((FATAL|ERROR|PANIC): +)?"
    )
    return re.sub(preamble, "", text.strip().splitlines()[0])


def _say(case: _Case, target: Target, words: str) -> DeployError:
    names = {
        "server": target.server,
        "user": target.user or "(none)",
        "variable": target.variable,
        "database": target.database,
    }
    thing = case.thing.format(**names) + (f" ({words})" if words else "")
    return case.kind(thing, case.remedy.format(**names))


def _reason(error: psycopg.Error) -> str:
    """The operating system's reason, where there is one worth repeating."""
    found = re.search(
        r"Connection refused|No such file or directory|No route to host|Network is unreachable|timeout expired"
        r"|starting up|shutting down|in recovery mode|Connection reset by peer",
        str(error),
    )
    return found.group(0).lower() if found else ""
