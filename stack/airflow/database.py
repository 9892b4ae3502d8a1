"""Airflow's metadata database on the stack's PostgreSQL: made by `up`, dropped by `clean`, recognised by its comment."""

from __future__ import annotations

from contextlib import suppress

import psycopg
from psycopg import sql

from .. import StackError
from ..dsn import uri
from .settings import DATABASE, ROLE

__all__ = ["create", "drop"]

_STATE = """
select shobj_description(oid, 'pg_database') from pg_database where datname = %s
"""


def create(admin_dsn: str, password: str, mark: str) -> str:
    """Role and database, where they are missing; the role's DSN. `mark`: which stack they belong to. Raises StackError."""
    dsn = uri(
        admin_dsn,
        ROLE,
        password,
        DATABASE,
        instead="an Airflow of your own in AIRFLOW_URL and AIRFLOW_DAGS_FOLDER",
    )
    try:
        with psycopg.connect(admin_dsn, dbname="postgres", autocommit=True) as connection:
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
    return dsn


def drop(admin_dsn: str, mark: str) -> None:
    """What `create` made, if it is there and ours. A server that is away keeps it."""
    with (
        suppress(psycopg.Error),
        psycopg.connect(admin_dsn, dbname="postgres", autocommit=True) as connection,
    ):
        row = connection.execute(_STATE, (DATABASE,)).fetchone()
        if row is not None and row[0] == mark:
            connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(DATABASE)))
            connection.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(ROLE)))
