"""Airflow's metadata database on the stack's PostgreSQL: made by `up`, dropped by `clean`, recognised by its comment."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import sql

from .. import StackError
from .settings import DATABASE, ROLE

__all__ = ["create", "drop"]

_STATE = """
select shobj_description(oid, 'pg_database') from pg_database where datname = %s
"""


def create(admin_dsn: str, password: str, mark: str) -> str:
    """Role and database, where they are missing; the role's DSN. `mark`: which stack they belong to. Raises StackError."""
    try:
        with psycopg.connect(_at(admin_dsn, "postgres"), autocommit=True) as connection:
            row = connection.execute(_STATE, (DATABASE,)).fetchone()
            if row is not None and row[0] != mark:
                raise StackError(
                    f"this PostgreSQL has a database {DATABASE} that `make up` has not made: name the Airflow it belongs "
                    "to in AIRFLOW_URL and AIRFLOW_DAGS_FOLDER, or unset ORCHESTRATION_ADMIN_DSN and ORCHESTRATION_DSN"
                )
            role, database = sql.Identifier(ROLE), sql.Identifier(DATABASE)
            with suppress(psycopg.errors.DuplicateObject):
                connection.execute(sql.SQL("create role {}").format(role))
            connection.execute(
                sql.SQL("alter role {} with login password {}").format(role, sql.Literal(password))
            )
            if row is None:
                connection.execute(sql.SQL("create database {} owner {}").format(database, role))
                connection.execute(
                    sql.SQL("comment on database {} is {}").format(database, sql.Literal(mark))
                )
    except psycopg.Error as error:
        raise StackError(f"Airflow's metadata database cannot be made: {str(error).strip()}") from None
    parts = urlsplit(_at(admin_dsn, DATABASE))
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{ROLE}:{quote(password, safe='')}@{host}"))


def drop(admin_dsn: str, mark: str) -> None:
    """What `create` made, if it is there and ours. A server that is away keeps it."""
    with suppress(psycopg.Error), psycopg.connect(_at(admin_dsn, "postgres"), autocommit=True) as connection:
        row = connection.execute(_STATE, (DATABASE,)).fetchone()
        if row is not None and row[0] == mark:
            connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(DATABASE)))
            connection.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(ROLE)))


def _at(dsn: str, database: str) -> str:
    """Another database of the same server."""
    if "://" not in dsn:
        values = psycopg.conninfo.conninfo_to_dict(dsn)
        user, password = (
            quote(str(values.get("user") or ""), safe=""),
            quote(str(values.get("password") or ""), safe=""),
        )
        host = f"{values.get('host') or '127.0.0.1'}:{values.get('port') or 5432}"
        return f"postgresql://{user}:{password}@{host}/{database}"
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{database}"))
