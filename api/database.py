"""One pool; one transaction a request that writes, under the caller's name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg.types.string import TextLoader
from psycopg_pool import ConnectionPool

from orchestration.db.connect import connect_once
from orchestration.db.release import Status, check_release

from .problems import Refusals
from .settings import Settings

__all__ = ["Connection", "Database"]

Connection = psycopg.Connection[DictRow]


class Database:
    """The pool, and the table of refusals as soon as the database was reached once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._refusals: Refusals | None = None
        options = (
            f"-c statement_timeout={int(settings.statement_timeout * 1000)} -c lock_timeout=5000 "
            "-c intervalstyle=iso_8601 -c timezone=UTC -c idle_in_transaction_session_timeout=60000"
        )
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            settings.database.dsn,
            kwargs={
                "autocommit": True,
                "row_factory": dict_row,
                "application_name": "orchestration-api",
                "connect_timeout": 5,
                "options": options,
            },
            min_size=1,
            max_size=settings.pool,
            timeout=settings.pool_timeout,
            reconnect_timeout=30,
            configure=_configure,
            open=False,
        )

    def check(self) -> Status:
        """Is the database applied, and of this release? Raises DeployError."""
        with connect_once(self._settings.database, name="orchestration-api") as connection:
            return check_release(connection)

    def open(self) -> None:
        """Start the pool; it connects in the background and again whenever the server comes back."""
        self._pool.open()

    def close(self) -> None:
        self._pool.close()

    @property
    def refusals(self) -> Refusals:
        """Raises psycopg.Error where the database has been away from the start."""
        if self._refusals is None:
            with self.reading() as connection:
                self._refusals = Refusals.read(connection)
        return self._refusals

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection in autocommit: one statement, one snapshot. A connection the server has cut is replaced."""
        with self._pool.connection() as connection:
            yield connection

    @contextmanager
    def writing(self, actor: str) -> Iterator[Connection]:
        """A transaction in the name of `actor`."""
        with self._pool.connection() as connection, connection.transaction():
            connection.execute(
                "select set_config('orchestration.actor', %s, true), set_config('orchestration.source', 'rest', true)",
                [actor],
            )
            yield connection


def _configure(connection: Connection) -> None:
    """Intervals stay the ISO 8601 text that the server writes."""
    connection.adapters.register_loader("interval", TextLoader)
