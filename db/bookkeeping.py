"""yoyo's bookkeeping over one connection of ours, so that a migration and its mark are one transaction.

yoyo itself marks a migration in a transaction of its own, on another connection: killed in between, a
database is left that neither has nor lacks it. Here loading, splitting, ordering and tables are yoyo's; the
connection, the transaction and the role are ours. The tables stand in schema `orchestration`.
"""

from __future__ import annotations

import getpass
import socket
import uuid
from datetime import datetime, timezone
from glob import escape
from typing import TYPE_CHECKING, Any

from yoyo import internalmigrations, read_migrations
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
from yoyo.migrations import Migration, MigrationList, default_migration_table
from yoyo.utils import change_param_style

from . import SCHEMA, catalog

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from .channel import Channel

MIGRATION_TABLE = default_migration_table
_LOCK_TABLE = PostgresqlPsycopgBackend.lock_table
LOG_TABLE = PostgresqlPsycopgBackend.log_table
_TABLES = (MIGRATION_TABLE, _LOCK_TABLE, LOG_TABLE, PostgresqlPsycopgBackend.version_table)


class Bookkeeping(PostgresqlPsycopgBackend):  # type: ignore[misc]
    """yoyo's backend, sending through `channel`. The session's role must be the schema's owner."""

    def __init__(self, channel: Channel, digests: Mapping[str, str]) -> None:
        self.channel = channel
        self.digests = digests
        super().__init__(None, MIGRATION_TABLE)
        self.has_transactional_ddl = True

    def connect(self, dburi: None) -> Any:
        return self.channel.connection

    def quote_identifier(self, s: str) -> str:
        """yoyo's own tables are named with their schema: the search_path is empty."""
        quoted: str = super().quote_identifier(s)
        return f"{SCHEMA}.{quoted}" if s in _TABLES else quoted

    def list_tables(self, **kwargs: Any) -> list[str]:
        rows = self.channel.ask(
            "select tablename::text from pg_catalog.pg_tables where schemaname = %(schema)s",
            {"schema": SCHEMA},
        )
        return [row[0] for row in rows]

    def cursor(self) -> _Cursor:
        return _Cursor(self.channel)

    def execute(self, sql: str, params: Mapping[str, Any] | None = None) -> _Cursor:
        cursor = _Cursor(self.channel)
        sql, params = change_param_style("pyformat", sql, params)
        if sql.lstrip()[:6].upper() == "SELECT":
            cursor.rows = self.channel.ask(sql, params or None)
        else:
            cursor.execute(sql, params or None)
        return cursor

    def prepare(self) -> None:
        """Make yoyo's tables where they are missing, in two transactions."""
        if _LOCK_TABLE not in self.list_tables():
            self.create_lock_table()
        if internalmigrations.needs_upgrading(self):
            internalmigrations.upgrade(self)
        self._internal_schema_updated = True

    def ensure_internal_schema_updated(self) -> None:
        """Done by `prepare`."""

    def stale_lock(self) -> tuple[int, datetime] | None:
        """The process id and time of a lock row; under our advisory lock a killed run left it."""
        rows = self.channel.ask("select pid, ctime from orchestration.yoyo_lock")
        return (rows[0][0], rows[0][1]) if rows else None

    def applied(self) -> dict[str, str | None]:
        """The applied migrations' ids, in order, each with the sha256 of the text that was applied."""
        if MIGRATION_TABLE not in self.list_tables():
            return {}
        return dict(self.channel.ask(catalog.APPLIED))

    def pending(self, folder: Path) -> MigrationList:
        """yoyo's list of the migrations of `folder` not yet applied, in order."""
        return self.to_apply(read_migrations(escape(str(folder))))

    def get_applied_migration_hashes(self) -> list[str]:
        if MIGRATION_TABLE not in self.list_tables():
            return []
        hashes: list[str] = super().get_applied_migration_hashes()
        return hashes

    def apply_one(self, migration: Migration, force: bool = False, mark: bool = True) -> None:
        """Apply one migration and mark it, in one transaction.

        A migration headed `-- transactional: false` runs statement by statement before its mark: killed in
        between it is run again from its first statement, so each of them must bear that.
        """
        migration.load()
        if not migration.use_transactions:
            migration.process_steps(self, "apply")
        with self.transaction():
            if migration.use_transactions:
                migration.process_steps(self, "apply")
            self.log_migration(migration, "apply")
            self.mark_one(migration, log=False)

    def log_migration(self, migration: Migration, operation: str) -> None:
        """yoyo's log row, with the sha256 of the applied text as its comment."""
        self.execute(
            "insert into orchestration._yoyo_log (id, migration_hash, migration_id, operation, username, hostname,"
            " comment, created_at_utc) values (:id, :migration_hash, :migration_id, :operation, :username,"
            " :hostname, :comment, :created_at_utc)",
            {
                "id": str(uuid.uuid1()),
                "migration_hash": migration.hash,
                "migration_id": migration.id,
                "operation": operation,
                "username": _user(),
                "hostname": socket.gethostname(),
                "comment": self.digests.get(migration.id),
                "created_at_utc": datetime.now(timezone.utc).replace(tzinfo=None),
            },
        )


class _Cursor:
    """What yoyo needs of a cursor; `description` is always None, else yoyo prints rows to stdout."""

    description = None

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.rows: list[Any] = []

    def execute(self, sql: str, params: Mapping[str, Any] | None = None) -> None:
        self.channel.run(sql, params)

    def fetchone(self) -> Any:
        return self.rows.pop(0) if self.rows else None

    def fetchall(self) -> list[Any]:
        rows, self.rows = self.rows, []
        return rows

    def close(self) -> None:
        """Nothing to free."""


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
