"""The warehouse of the example: database `dwh` and a user of its own, on the stack's PostgreSQL."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

import psycopg
from psycopg import sql

from . import StackError
from .dsn import uri
from .layout import ROOT, Layout

__all__ = ["NEEDED_BY", "VARIABLE", "bring_up"]

NAME = "dwh"  # of the database and of its owner
VARIABLE = "DWH_DSN"
NEEDED_BY = frozenset({"airflow", "nifi"})


def bring_up(
    layout: Layout, had: Mapping[str, Any], own: Mapping[str, str], admin_dsn: str, say: Callable[[str], None]
) -> tuple[dict[str, Any], str]:
    """Make what is missing and bring its tables up to date: what the next call must know, and the DSN.

    A warehouse that `own`, the user's environment, names is used instead; only its tables are made. StackError.
    """
    given = own.get(VARIABLE)
    if given:
        _apply(layout, given)
        say(f"warehouse: as named by {VARIABLE} (environment)")
        return {}, given
    password = str(had.get("password") or secrets.token_urlsafe(18))
    dsn = uri(admin_dsn, NAME, password, NAME, instead=f"a warehouse of your own in {VARIABLE}")
    if not _answers(dsn):
        try:
            _create(admin_dsn, password)
        except psycopg.Error as problem:
            raise StackError(f"database {NAME} cannot be made: {str(problem).splitlines()[0]}") from None
        say(f"warehouse: database {NAME}")
    _apply(layout, dsn)
    return {"password": password}, dsn


def _answers(dsn: str) -> bool:
    try:
        psycopg.connect(dsn, connect_timeout=10).close()
    except psycopg.OperationalError:
        return False
    return True


def _create(admin_dsn: str, password: str) -> None:
    name = sql.Identifier(NAME)
    with psycopg.connect(admin_dsn, autocommit=True, connect_timeout=10) as admin:

        def missing(query: str) -> bool:
            return admin.execute(query.encode(), [NAME]).fetchone() is None

        if missing("select from pg_catalog.pg_roles where rolname = %s"):
            admin.execute(sql.SQL("create role {} login").format(name))
            admin.execute(sql.SQL("grant {} to current_user").format(name))
        admin.execute(sql.SQL("alter role {} login password {}").format(name, sql.Literal(password)))
        if missing("select from pg_catalog.pg_database where datname = %s"):
            admin.execute(
                sql.SQL("create database {0} owner {0} encoding 'UTF8' template template0").format(name)
            )


def _apply(layout: Layout, dsn: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dags.warehouse", "apply"],
        env={**os.environ, VARIABLE: dsn}, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    log = layout.log("dwh")
    with log.open("a") as out:
        out.write(done.stdout + done.stderr)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or ["no message"]
        raise StackError(f"the warehouse's tables cannot be made: {said[-1]} (see {log})")
