"""The one way from a deployment to the database: sent at once, or written down for `--plan`.

`apply` is the same code in both cases, so the plan cannot differ from the deed.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import psycopg
from psycopg import ClientCursor

from .settings import ENV

if TYPE_CHECKING:
    from psycopg.rows import TupleRow

KILL_BEFORE = "ORCHESTRATION_DB_KILL_BEFORE"
Params = Mapping[str, Any] | None


class Channel(Protocol):
    """`run` changes something, `ask` only reads. `live` tells whether `run` really runs; `failed` is the first
    statement that failed, with its error, so that its file and line can be named."""

    connection: psycopg.Connection[TupleRow]
    live: bool
    failed: tuple[str, psycopg.Error] | None

    def run(self, sql: str, params: Params = None) -> None: ...

    def ask(self, sql: str, params: Params = None) -> list[TupleRow]: ...

    def note(self, text: str) -> None: ...


class LiveChannel:
    """Sends."""

    live = True

    def __init__(self, connection: psycopg.Connection[TupleRow]) -> None:
        self.connection = connection
        self.failed: tuple[str, psycopg.Error] | None = None
        self.sent = 0

    def run(self, sql: str, params: Params = None) -> None:
        """Send one statement, or a whole file where there are no `params`."""
        self._failpoint()
        try:
            self.connection.execute(sql.encode(), params, prepare=False)
        except psycopg.Error as error:
            self.failed = self.failed or (sql, error)
            raise

    def ask(self, sql: str, params: Params = None) -> list[TupleRow]:
        """The rows of a query."""
        return self.connection.execute(sql.encode(), params, prepare=False).fetchall()

    def note(self, text: str) -> None:
        """Nothing: a note is for the reader of a plan."""

    def _failpoint(self) -> None:
        """Tests: die by SIGKILL before statement number ORCHESTRATION_DB_KILL_BEFORE. In DEV only."""
        self.sent += 1
        if os.environ.get(KILL_BEFORE) == str(self.sent) and os.environ.get(ENV) == "dev":
            os.kill(os.getpid(), signal.SIGKILL)


class PlanChannel:
    """Writes down what would be sent, as a script for psql; asks what is asked."""

    live = False

    def __init__(self, connection: psycopg.Connection[TupleRow]) -> None:
        self.connection = connection
        self.failed: tuple[str, psycopg.Error] | None = None
        self.lines = [r"\set ON_ERROR_STOP on"]
        self._cursor = ClientCursor(connection)

    def run(self, sql: str, params: Params = None) -> None:
        """Write the statement down, its parameters as literals."""
        text = self._cursor.mogrify(sql.encode(), params) if params else sql
        text = text.strip()
        if not text.upper().startswith(("SAVEPOINT ", "ROLLBACK TO ")):
            self.lines.append(text if text.endswith(";") else f"{text}\n;" if "--" in text else f"{text};")

    def ask(self, sql: str, params: Params = None) -> list[TupleRow]:
        """The rows of a query; none where its table does not stand yet."""
        try:
            return self.connection.execute(sql.encode(), params).fetchall()
        except psycopg.errors.UndefinedTable:
            return []

    def note(self, text: str) -> None:
        """A comment line."""
        self.lines.append(f"\n-- {text}")

    @property
    def script(self) -> str:
        """The whole plan."""
        return "\n".join(self.lines) + "\n"
