"""Prepare a server: database, roles, tech user, extensions, schema. Safe to run again, and by two at once."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import psycopg
from psycopg import errors as pg
from psycopg import sql
from psycopg.rows import TupleRow

from . import APP, OWNER, READER, SCHEMA, SQL_DIR
from .connect import Say, connect_once, keep_trying, require_primary, silent
from .errors import DeployError, NoDatabaseError, SettingsError, explained
from .files import read_file
from .settings import DSN, Target

if TYPE_CHECKING:
    from collections.abc import Callable

APPLICATION = "orchestration db create"
_MAINTENANCE = ("postgres", "template1")
_TRIES = 20

# What a login of a program gets in this database. By default PostgreSQL would wait for ever for a lock, keep a
# forgotten transaction open for ever, and compile small queries.
_TECH_USER_SETTINGS = {
    "jit": "off",
    "timezone": "UTC",
    "default_transaction_isolation": "read committed",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "60s",
}
_TECH_USER_SETTINGS_BY_SUPERUSER = {"deadlock_timeout": "100ms"}

_RIGHTS = (
    "create schema if not exists {schema} authorization {owner}",
    "revoke create, temporary on database {database} from public",
    "grant connect on database {database} to {members}",
    "alter default privileges for role {owner} revoke execute on functions from public",
)

Connection = psycopg.Connection[TupleRow]


def create(admin: Target, app: Target, *, wait: float = math.inf, say: Say = silent) -> None:
    """Make what is missing in `admin`'s server for database `admin.database`, and the tech user that `app` names.

    `admin` needs to be a superuser, or hold CREATEDB and CREATEROLE; a note names what then remains to be done.
    `say` gets one line for each thing made and each note. What is there stays; the tech user's password becomes
    that of `app`.
    Raises SettingsError, AwayError (after `wait` seconds), DeployError.
    """
    if not app.user:
        raise SettingsError(f"{DSN} names no user", "add one: it is made as the programs' tech user")
    if app.user == admin.user:
        raise SettingsError(
            f"{DSN} names the admin's own role {app.user}",
            "name another: it is made, with the programs' rights only",
        )

    def once() -> None:
        _make_database(admin, say)
        with connect_once(admin, name=APPLICATION) as connection, explained(admin):
            connection.add_notice_handler(lambda notice: _say_warning(notice, say))
            require_primary(connection, admin)
            _again(lambda: _make_roles(connection))
            _again(lambda: _make_tech_user(connection, admin.database, app, say))
            _again(lambda: _make_schema(connection, admin.database))
            _make_extensions(connection, admin.database, say)
            _make_installation(connection, say)

    keep_trying(once, wait=wait, say=say)
    say(f"{admin}: roles, schema {SCHEMA} and rights are in place")


def new_installation(admin: Target, *, actor: str, wait: float = math.inf, say: Say = silent) -> str:
    """Renew the installation's uuid after a restore; answers the new one. Raises DeployError if not applied."""

    def once() -> str:
        with connect_once(admin, name="orchestration db new-installation") as connection, explained(admin):
            try:
                with connection.transaction():
                    connection.execute("select set_config('orchestration.actor', %s, true)", [actor])
                    return _renew(connection)
            except (pg.UndefinedFunction, pg.InvalidSchemaName):
                raise DeployError(f"{admin} is not applied", "run: orchestration db apply") from None

    return keep_trying(once, wait=wait, say=say)


def _make_database(admin: Target, say: Say) -> None:
    """Make the database if it is missing, in UTF8 whatever the cluster's locale."""
    if _exists(admin):
        return
    maintenance = next((target for target in map(admin.at, _MAINTENANCE) if _exists(target)), None)
    if maintenance is None:
        raise SettingsError(
            f"{admin.server} has neither database {admin.database} nor one to make it from",
            f"make it by hand: create database {admin.database} encoding 'UTF8'",
        )
    with connect_once(maintenance, name=APPLICATION) as connection, explained(maintenance):
        try:
            require_primary(connection, maintenance)
            encoding = connection.execute(
                "select pg_encoding_to_char(encoding) from pg_catalog.pg_database where datname = 'template0'"
            ).fetchone()
            # another encoding's locale would not fit
            locale = sql.SQL("" if encoding == ("UTF8",) else " lc_collate 'C' lc_ctype 'C'")
            statement = sql.SQL("create database {} template template0 encoding 'UTF8'{}")
            connection.execute(statement.format(sql.Identifier(admin.database), locale))
            say(f"database {admin.database} made at {admin.server}")
        except (pg.DuplicateDatabase, pg.UniqueViolation):
            pass  # made by another session in between
        except pg.InsufficientPrivilege:
            raise DeployError(
                f"role {connection.info.user} may not make databases at {admin.server}",
                f"as a superuser: create database {admin.database}; or correct {admin.variable}",
            ) from None


def _exists(target: Target) -> bool:
    try:
        connect_once(target, name=APPLICATION).close()
    except NoDatabaseError:
        return False
    return True


def _make_roles(connection: Connection) -> None:
    roles = read_file(SQL_DIR / "roles.sql")
    if roles is None:
        raise DeployError("roles.sql is missing", "install the package again")
    with connection.transaction():
        connection.execute(roles.text.encode())
        if not _is_superuser(connection):
            connection.execute(sql.SQL("grant {} to current_user").format(sql.Identifier(OWNER)))


def _make_tech_user(connection: Connection, database: str, app: Target, say: Say) -> None:
    """The login role of the application's DSN, with its password, as a member of orchestration_app."""
    user = sql.Identifier(app.user)
    known = connection.execute(
        "select rolsuper from pg_catalog.pg_roles where rolname = %s", [app.user]
    ).fetchone()
    if known == (True,):
        raise SettingsError(f"{DSN} names role {app.user}, a superuser", "name a role of its own: it is made")
    if known is None:
        try:
            connection.execute(sql.SQL("create role {} login").format(user))
            say(f"role {app.user} made")
        except (pg.DuplicateObject, pg.UniqueViolation):
            pass  # made by another session in between
    with connection.transaction():
        connection.execute(sql.SQL("alter role {} login").format(user))
        if app.password:
            # hashed here: the clear password never reaches the server, nor its log
            hashed = connection.pgconn.encrypt_password(
                app.password.encode(), app.user.encode(), b"scram-sha-256"
            )
            connection.execute(
                sql.SQL("alter role {} password {}").format(user, sql.Literal(hashed.decode()))
            )
        connection.execute(sql.SQL("grant {} to {}").format(sql.Identifier(APP), user))
        for name, value in _TECH_USER_SETTINGS.items():
            connection.execute(_set_in_database(user, database, name, value))
    for name, value in _TECH_USER_SETTINGS_BY_SUPERUSER.items():
        statement = _set_in_database(user, database, name, value)
        try:
            connection.execute(statement)
        except pg.InsufficientPrivilege:
            say(f"note: {name} stays at its default; as a superuser: {statement.as_string(connection)}")


def _set_in_database(user: sql.Identifier, database: str, name: str, value: str) -> sql.Composed:
    statement = sql.SQL("alter role {} in database {} set {} to {}")
    return statement.format(user, sql.Identifier(database), sql.Identifier(name), sql.Literal(value))


def _make_schema(connection: Connection, database: str) -> None:
    """The schema, and who may do what in the database at large; PUBLIC may do nothing in it but connect."""
    names = {
        "database": sql.Identifier(database),
        "schema": sql.Identifier(SCHEMA),
        "owner": sql.Identifier(OWNER),
        "members": sql.SQL(", ").join(map(sql.Identifier, (OWNER, APP, READER))),
    }
    with connection.transaction():
        for statement in _RIGHTS:
            connection.execute(sql.SQL(statement).format(**names))
        if connection.execute("select to_regnamespace('public') is not null").fetchone() == (True,):
            connection.execute("revoke create on schema public from public")


def _make_extensions(connection: Connection, database: str, say: Say) -> None:
    """pg_cron if this is its database, plpgsql_check if the server has it; else a note saying what to do."""
    available = {row[0] for row in connection.execute("select name from pg_catalog.pg_available_extensions")}
    if "pg_cron" in available:
        _make_cron(connection, database, say)
    else:
        say("note: this server has no pg_cron; the bridge runs the reaper instead")
    if "plpgsql_check" in available:
        _make_extension(connection, "plpgsql_check", database, say)
    else:
        say("note: this server has no plpgsql_check; functions are verified without it")


def _make_cron(connection: Connection, database: str, say: Say) -> None:
    try:
        row = connection.execute(
            r"select current_setting('shared_preload_libraries') ~ '\mpg_cron\M',"
            " current_setting('cron.database_name', true)"
        ).fetchone()
    except pg.InsufficientPrivilege:
        say(
            f"note: if pg_cron is to work in database {database}, as a superuser there: create extension pg_cron;"
        )
        return
    assert row is not None
    loaded, home = row
    if loaded and home == database:
        _make_extension(connection, "pg_cron", database, say)
    elif not loaded:
        say(
            "note: pg_cron is installed but not loaded, so the bridge runs the reaper instead; to have both: set "
            f"shared_preload_libraries = 'pg_cron' and cron.database_name = '{database}', restart PostgreSQL, "
            "then run db create and db apply again"
        )
    else:
        say(f"note: pg_cron lives in database {home}; orchestration db apply says what to run there")


def _make_extension(connection: Connection, name: str, database: str, say: Say) -> None:
    try:
        connection.execute(sql.SQL("create extension if not exists {}").format(sql.Identifier(name)))
    except (pg.UniqueViolation, pg.DuplicateObject):
        pass  # made by another session in between
    except pg.InsufficientPrivilege:
        say(f"note: as a superuser in database {database}: create extension {name};")


def _make_installation(connection: Connection, say: Say) -> None:
    """An uuid where the database is applied but has none; the first `apply` makes it otherwise."""
    applied = connection.execute(
        "select to_regclass('orchestration.installation') is not null"
        "   and to_regprocedure('orchestration.new_installation()') is not null"
    ).fetchone()
    if applied == (True,):
        known = connection.execute("select exists (select from orchestration.installation)").fetchone()
        if known == (False,):
            say(f"installation {_renew(connection)}")


def _renew(connection: Connection) -> str:
    row = connection.execute("select orchestration.new_installation()").fetchone()
    assert row is not None
    return str(row[0])


def _is_superuser(connection: Connection) -> bool:
    query = "select rolsuper from pg_catalog.pg_roles where rolname = current_user"
    return connection.execute(query).fetchone() == (True,)


def _say_warning(notice: pg.Diagnostic, say: Say) -> None:
    if notice.severity_nonlocalized == "WARNING":
        say(f"note: {notice.message_primary}")


def _again(step: Callable[[], None]) -> None:
    """Run one idempotent step; again if another session changed the same catalog rows meanwhile."""
    for attempt in range(1, _TRIES + 1):
        try:
            step()
            return
        except (pg.InternalError_, pg.UniqueViolation, pg.DuplicateSchema):
            if attempt == _TRIES:
                raise
            time.sleep(0.05 * attempt)
