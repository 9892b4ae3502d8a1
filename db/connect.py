"""Open PostgreSQL: wait for a server that is away, refuse what settings forbid, say it in one line."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg

from .errors import AwayError, DeployError, SettingsError, explain
from .settings import DEV_PASSWORD, Target, dev_password_refused, plaintext_refused

if TYPE_CHECKING:
    from psycopg.rows import TupleRow

log = logging.getLogger("orchestration.db")

Say = Callable[[str], None]
T = TypeVar("T")

MIN_VERSION = 15
SAY_EVERY = 60.0
_CONNECT_TIMEOUT = 10
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0


def silent(_line: str) -> None:
    """Says nothing."""


def keep_trying(action: Callable[[], T], *, wait: float = math.inf, say: Say = log.warning) -> T:
    """The result of `action`, called again for `wait` seconds (for ever by default) while it raises AwayError.

    `say` gets a line at once and one a minute. Raises AwayError once `wait` is over.
    """
    started = time.monotonic()
    said = -math.inf
    pause = _FIRST_PAUSE
    while True:
        try:
            return action()
        except AwayError as error:
            now = time.monotonic()
            if now + pause > started + wait:
                raise
            if now - said >= SAY_EVERY:
                say(f"{error}; trying again")
                said = now
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


def connect(
    target: Target, *, name: str, wait: float = math.inf, say: Say = log.warning, **options: Any
) -> psycopg.Connection[TupleRow]:
    """As `connect_once`, waiting for a server that is away as `keep_trying` does."""
    return keep_trying(lambda: connect_once(target, name=name, **options), wait=wait, say=say)


def connect_once(target: Target, *, name: str, **options: Any) -> psycopg.Connection[TupleRow]:
    """A connection in autocommit, with `name` as its application_name; `options` go to psycopg.connect.

    Raises AwayError, SettingsError or another DeployError, never psycopg's own.
    """
    options.setdefault("connect_timeout", target.params.get("connect_timeout", _CONNECT_TIMEOUT))
    try:
        connection = psycopg.connect(target.dsn, autocommit=True, application_name=name, **options)
    except psycopg.Error as error:
        raise explain(error, target) from None
    except UnicodeError:
        raise SettingsError(f"{target.variable} holds a name that cannot be encoded", "correct it") from None
    try:
        _check(connection, target)
    except SettingsError:
        connection.close()
        raise
    return connection


def _check(connection: psycopg.Connection[TupleRow], target: Target) -> None:
    """The settings' rules once more, now that libpq has read its service and password files."""
    if not target.dev and connection.info.password == DEV_PASSWORD:
        raise dev_password_refused(f"{target.variable}, PGPASSWORD or the password file")
    over_network = bool(connection.info.hostaddr)
    if over_network and not target.plaintext and not connection.pgconn.ssl_in_use:
        raise plaintext_refused(target)


def require_primary(connection: psycopg.Connection[TupleRow], target: Target) -> None:
    """Raises DeployError for a server too old, a standby, or a database that is not UTF-8."""
    row = connection.execute(
        "select pg_is_in_recovery(), current_setting('server_encoding'), current_setting('server_version')"
    ).fetchone()
    assert row is not None
    standby, encoding, version = row
    if connection.info.server_version // 10000 < MIN_VERSION:
        raise DeployError(
            f"{target.server} is PostgreSQL {version}", f"version {MIN_VERSION} or newer is needed"
        )
    if standby:
        raise DeployError(f"{target.server} is a standby", f"name the primary in {target.variable}")
    if encoding != "UTF8":
        raise DeployError(
            f"{target} is encoded in {encoding}", "drop it; `orchestration db create` makes it in UTF8"
        )
