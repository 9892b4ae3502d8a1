"""Databases for tests: deployed once into a template by the commands a user runs, then copied in milliseconds."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import TupleRow

from stack.local import DEV_PASSWORD, TECH_USER
from tests.support.servers import PgServer

__all__ = ["Database", "Databases", "orchestration"]

TEMPLATE = "orchestration_template"
# CREATE DATABASE copies neither the rights on a database nor the settings of roles in it
_COPY_RIGHTS = """
update pg_database d set datacl = t.datacl from pg_database t where d.datname = %(copy)s and t.datname = %(template)s
"""
_COPY_SETTINGS = """
insert into pg_db_role_setting (setdatabase, setrole, setconfig)
select d.oid, s.setrole, s.setconfig
  from pg_db_role_setting s join pg_database t on t.oid = s.setdatabase, pg_database d
 where d.datname = %(copy)s and t.datname = %(template)s
"""


@dataclass(frozen=True)
class Database:
    """One database with everything applied. `admin_dsn` is the superuser's, `app_dsn` the tech user's."""

    server: PgServer
    name: str
    admin_dsn: str = field(repr=False)
    app_dsn: str = field(repr=False)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that point every program at this database, in DEV."""
        return {
            "ORCHESTRATION_ADMIN_DSN": self.admin_dsn,
            "ORCHESTRATION_DSN": self.app_dsn,
            "ORCHESTRATION_ENV": "dev",
        }

    def connect(self, **options: Any) -> psycopg.Connection[TupleRow]:
        """The superuser's connection, in autocommit unless asked otherwise."""
        return psycopg.connect(self.admin_dsn, **{"autocommit": True, **options})

    def connect_app(self, **options: Any) -> psycopg.Connection[TupleRow]:
        """The tech user's connection, in autocommit unless asked otherwise."""
        return psycopg.connect(self.app_dsn, **{"autocommit": True, **options})


class Databases:
    """The databases of one server: `fresh` copies a template that is deployed at the first call."""

    def __init__(self, server: PgServer) -> None:
        self.server = server
        self._deployed = False

    def at(self, name: str) -> Database:
        """A database of this server by name, whether it exists or not."""
        return Database(
            self.server, name, self.server.dsn(name), self.server.dsn(name, TECH_USER, DEV_PASSWORD)
        )

    def fresh(self) -> Database:
        """A new database with everything applied and an installation of its own."""
        template = self._template()
        made = self.at(f"test_{uuid4().hex[:12]}")
        names = {"copy": made.name, "template": template.name}
        with psycopg.connect(self.server.dsn("postgres"), autocommit=True) as connection:
            connection.execute(
                sql.SQL("create database {} template {}").format(
                    sql.Identifier(made.name), sql.Identifier(template.name)
                )
            )
            connection.execute(_COPY_RIGHTS, names)
            connection.execute(_COPY_SETTINGS, names)
        with made.connect() as connection:
            connection.execute("update orchestration.installation set id = gen_random_uuid()")
        return made

    def drop(self, database: Database) -> None:
        """Drop it, ending sessions that are still in it."""
        with psycopg.connect(self.server.dsn("postgres"), autocommit=True) as connection:
            connection.execute(
                sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(database.name))
            )

    def _template(self) -> Database:
        template = self.at(TEMPLATE)
        if not self._deployed:
            for words in (("db", "create"), ("db", "apply")):
                orchestration(*words, environment=template.environment)
            with template.connect() as connection:
                connection.execute("create schema if not exists tap")
                connection.execute("grant usage on schema tap to public")
                connection.execute("create extension if not exists pgtap schema tap")
            self._deployed = True
        return template


def orchestration(
    *words: str, environment: Mapping[str, str], check: bool = True, seconds: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run the command `orchestration` as a user would; the test fails with its last line unless `check` is off."""
    command = Path(sys.executable).with_name("orchestration")
    if not command.exists():
        pytest.fail(f"{command} is missing: run `make venv`", pytrace=False)
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("ORCHESTRATION_", "PG"))
    }
    done = subprocess.run(
        [command, *words],
        env={**clean, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )
    if check and done.returncode != 0:
        pytest.fail(
            f"`orchestration {' '.join(words)}` ended with {done.returncode}: {done.stderr.strip()}",
            pytrace=False,
        )
    return done
