"""Bring a database to this release: pending migrations; all functions, triggers, grants again; verify.

Under a session advisory lock; each migration with its mark in one transaction; functions, grants, verification
and the record of the release in one more. Killed at any instant, another `apply` goes on from there.
"""

from __future__ import annotations

import math
import random
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import psycopg
from psycopg import errors as pg

from . import OWNER, SCHEMA, SQL_DIR, catalog
from .bookkeeping import Bookkeeping
from .channel import LiveChannel, PlanChannel
from .connect import SAY_EVERY, Say, connect_once, keep_trying, require_primary, silent
from .cron import schedule_cron
from .errors import (
    AWAY_STATES,
    DeployError,
    ReleaseError,
    SqlError,
    VerifyError,
    explain,
    server_words,
)
from .files import Release
from .release import find_misfit
from .verify import Finding, verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .settings import Target

APPLICATION = "orchestration db apply"
LOCK_KEY = 7_205_759_403_792_794  # of the advisory lock: one deployment at a time in a database

_SESSION = (
    f"set role {OWNER}",
    "set search_path to ''",
    "set lock_timeout to '2s'",
    "set check_function_bodies to on",
)


@dataclass
class Report:
    """What `apply` did; `changed` is False if the database was at this release already; `plan` is `--plan`'s script."""

    migrations: list[str] = field(default_factory=list)
    functions: int = 0
    changed: bool = False
    warnings: list[Finding] = field(default_factory=list)
    plan: str = ""


def apply(
    target: Target,
    *,
    sql_dir: Path = SQL_DIR,
    plan: bool = False,
    strict: bool = False,
    cron_user: str | None = None,
    wait: float = math.inf,
    lock_wait: float = 120.0,
    say: Say = silent,
) -> Report:
    """Apply the release in `sql_dir` to `target`, as an admin who may become `orchestration_owner`.

    `plan`: change nothing, answer the SQL as a script for psql. `strict`: warnings of plpgsql_check stop it too.
    `cron_user`: the role pg_cron runs the reaper as. `wait`, `lock_wait`: seconds to try again while the server is
    away, and while others hold locks on tables. `say` gets a line for each step.

    Raises SettingsError, ReleaseError (a newer database), FrozenError, SqlError, VerifyError, AwayError.
    """
    release = Release.load(sql_dir)

    def once() -> Report:
        with connect_once(target, name=APPLICATION) as connection:
            channel = PlanChannel(connection) if plan else LiveChannel(connection)
            try:
                return _Run(channel, release, target, strict=strict, lock_wait=lock_wait, say=say).go(
                    cron_user
                )
            except psycopg.Error as error:
                raise explain(error, target) from None

    return keep_trying(once, wait=wait, say=say)


class _Run:
    """One deployment over one connection."""

    def __init__(
        self,
        channel: LiveChannel | PlanChannel,
        release: Release,
        target: Target,
        *,
        strict: bool,
        lock_wait: float,
        say: Say,
    ) -> None:
        self.channel = channel
        self.release = release
        self.target = target
        self.strict = strict
        self.lock_wait = lock_wait
        self.say = say
        self.report = Report(functions=len(release.functions))
        self.yoyo = Bookkeeping(channel, {file.id: file.sha256 for file in release.migrations})

    def go(self, cron_user: str | None) -> Report:
        channel = self.channel
        require_primary(channel.connection, self.target)
        self._require_created()
        channel.note("one deployment at a time, by the schema's owner, every name qualified")
        # a killed deployment's session ends within a second, and with it its locks
        channel.run("set client_connection_check_interval to '1s'")
        self._take_lock()
        self._allow_parameters()
        for setting in _SESSION:
            channel.run(setting)
        self._migrate()
        self._retry("functions and grants", self._functions)
        channel.run("reset role")
        self._retry("cron.sql", partial(schedule_cron, channel, self.release, cron_user, self.say))
        channel.run(f"select pg_catalog.pg_advisory_unlock({LOCK_KEY})")
        if isinstance(channel, PlanChannel):
            self.report.plan = channel.script
        return self.report

    def _require_created(self) -> None:
        schema, member, user = self.channel.ask(catalog.PREPARED, {"schema": SCHEMA, "owner": OWNER})[0]
        if not schema or member is None:
            raise ReleaseError(
                "not created", f"{self.target} is not prepared", "run: orchestration db create"
            )
        if not member:
            raise DeployError(
                f"role {user} may not act as {OWNER}",
                f"as a superuser: grant {OWNER} to {user}; or correct {self.target.variable}",
            )

    def _take_lock(self) -> None:
        """Wait for the session advisory lock, saying once a minute who holds it."""
        if not self.channel.live:
            self.channel.run(f"select pg_catalog.pg_advisory_lock({LOCK_KEY})")
            return
        said = -math.inf
        while not self.channel.ask(catalog.TRY_LOCK, {"key": LOCK_KEY})[0][0]:
            if time.monotonic() - said >= SAY_EVERY:
                holder = self.channel.ask(catalog.LOCK_HOLDER, {"key": LOCK_KEY})
                who = f"pid {holder[0][0]}, since {holder[0][1]:%H:%M:%S}" if holder else "another session"
                self.say(f"another deployment runs ({who}): waiting for it")
                said = time.monotonic()
            time.sleep(0.1)

    def _allow_parameters(self) -> None:
        """Let the owner make functions with `set orchestration.x = …`: for a custom setting that is a right."""
        for name in self.release.parameters:
            if self.channel.ask(catalog.MAY_SET, {"owner": OWNER, "name": name}) == [(True,)]:
                continue
            statement = f"grant set on parameter {name} to {OWNER}"
            try:
                self.channel.run(statement)
            except pg.InsufficientPrivilege:
                raise DeployError(
                    f"role {OWNER} may not set {name}", f"as a superuser: {statement}"
                ) from None

    def _migrate(self) -> None:
        yoyo, channel = self.yoyo, self.channel
        channel.note("yoyo's own tables, and its lock: a row there was left by a killed run")
        self._retry("yoyo's tables", yoyo.prepare)
        if channel.live and (stale := yoyo.stale_lock()):
            self.say(f"the stale yoyo lock of process {stale[0]}, taken {stale[1]:%F %T} UTC, is broken")
        yoyo.break_lock()
        if misfit := find_misfit(str(self.target), self.release, yoyo.applied()):
            raise misfit
        with yoyo.lock():
            for migration in yoyo.pending(self.release.root / "migrations"):
                channel.note(f"migrations/{migration.id}.sql")
                self._retry(f"migration {migration.id}", partial(yoyo.apply_one, migration))
                self.report.migrations.append(migration.id)
                self.say(
                    f"migration {migration.id} applied"
                    if channel.live
                    else f"migration {migration.id} pending"
                )

    def _functions(self) -> None:
        channel, release = self.channel, self.release
        channel.note("all functions, triggers and grants again, in one transaction")
        with self.yoyo.transaction():
            for file in release.functions:
                channel.note(f"functions/{file.name}")
                channel.run(file.text)
            fresh = [row[0] for row in channel.ask(catalog.FRESH_FUNCTIONS, {"schema": SCHEMA})]
            if release.grants:
                channel.note("grants.sql")
                channel.run(release.grants.text)
            channel.note("the deployment's own record")
            channel.run(catalog.DEPLOYMENT_GRANTS)
            channel.run(catalog.FIRST_INSTALLATION)
            self._record()
            if channel.live:
                self._require_transaction()
                self._verify(fresh)

    def _record(self) -> None:
        """A row of schema_release, unless the last one says the same."""
        now = (self.release.version, self.release.functions_sha256)
        self.report.changed = [row[:2] for row in self.channel.ask(catalog.LAST_RELEASE)] != [now]
        if self.report.changed:
            self.channel.run(catalog.RECORD_RELEASE, {"version": now[0], "sha256": now[1]})

    def _require_transaction(self) -> None:
        if self.channel.connection.info.transaction_status != psycopg.pq.TransactionStatus.INTRANS:
            raise SqlError(
                "a file of functions/ or grants.sql ends the transaction", "take its COMMIT or ROLLBACK out"
            )

    def _verify(self, fresh: list[int]) -> None:
        found = verify(self.channel.ask, self.release, fresh)
        errors = [finding for finding in found if self.strict or finding.level == "error"]
        self.report.warnings = [finding for finding in found if finding not in errors]
        if errors:
            for finding in errors[1:]:
                self.say(str(finding))
            more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
            raise VerifyError(
                f"{errors[0].what}{more}", "functions and grants stay as they were; mend it and apply again"
            )

    def _retry(self, what: str, step: Callable[[], None]) -> None:
        """Run one transaction; again, after a pause, while others hold the tables it needs."""
        until = time.monotonic() + self.lock_wait
        said = -math.inf
        while True:
            try:
                return step()
            except (pg.LockNotAvailable, pg.DeadlockDetected) as error:
                now = time.monotonic()
                if now > until:
                    raise DeployError(
                        f"{what}: a table stays locked by {self._holders()} ({server_words(error)})",
                        "end that session or transaction, then apply again",
                    ) from None
                if now - said >= SAY_EVERY:
                    self.say(f"{what}: a table is locked by {self._holders()}: trying again")
                    said = now
                self.channel.failed = None
            except psycopg.Error as error:
                raise self._name_place(what, error) from None
            time.sleep(random.uniform(0.05, 0.5))

    def _holders(self) -> str:
        """The sessions that hold locks in the schema, the oldest transaction first, in words."""
        with self.channel.connection.transaction():
            self.channel.connection.execute(
                "set local role none"
            )  # the owner may see less of others' sessions
            rows = self.channel.ask(catalog.TABLE_LOCK_HOLDERS, {"schema": SCHEMA})
        words = [
            f"pid {pid} ({user}, {name or 'unnamed'}{f', since {at:%T}' if at else ''})"
            for pid, user, name, at in rows
        ]
        return "; ".join(words) or "another session"

    def _name_place(self, what: str, error: psycopg.Error) -> DeployError:
        """The error with file and line, unless it is the server's (away, disk full)."""
        if not error.sqlstate or error.sqlstate.startswith(AWAY_STATES):
            return explain(error, self.target)
        sql, first = self.channel.failed or ("", error)
        place = self.release.place(sql, int(first.diag.statement_position or 1)) if sql else None
        hint = first.diag.message_hint or "nothing of this step was kept; mend the file and apply again"
        return SqlError(f"{place or what}: {server_words(first)} [{first.sqlstate}]", hint)
