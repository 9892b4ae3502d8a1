"""A server without our database, and a small release of SQL to deploy into it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import TupleRow

from orchestration.db import SQL_DIR
from orchestration.db.apply import Report, apply
from orchestration.db.create import create
from orchestration.db.settings import Settings, Target
from stack.postgres import bindir
from tests.support.servers import PgServer

SMALL_RELEASE = Path(__file__).parent / "sql"
BOOKKEEPING = "0001.deploy-bookkeeping.sql"


FINGERPRINT = """
with ours as (select 'orchestration'::regnamespace as schema)
select 'schema', nspname::text, nspowner::regrole::text, nspacl::text from pg_namespace, ours where oid = schema
union all
select 'relation ' || relkind::text, relname::text, relowner::regrole::text,
       concat_ws(' ', relacl, relispartition, reloptions, obj_description(oid, 'pg_class'))
  from pg_class, ours where relnamespace = schema
union all
select 'column', c.relname::text, a.attname::text,
       concat_ws(' ', a.attnum, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attacl,
                 pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum))
  from ours join pg_class c on c.relnamespace = schema and c.relkind in ('r', 'p')
  join pg_attribute a on a.attrelid = c.oid
  left join pg_attrdef d on (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
 where a.attnum > 0 and not a.attisdropped
union all
select 'constraint', conrelid::regclass::text, conname::text,
       concat_ws(' ', pg_get_constraintdef(oid), convalidated, obj_description(oid, 'pg_constraint'))
  from pg_constraint, ours where connamespace = schema
union all
select 'index', c.relname::text, i.indrelid::regclass::text, concat_ws(' ', pg_get_indexdef(c.oid), i.indisvalid)
  from ours join pg_class c on c.relnamespace = schema join pg_index i on i.indexrelid = c.oid
union all
select 'function', oid::regprocedure::text, proowner::regrole::text,
       concat_ws(' ', pg_get_functiondef(oid), proacl, obj_description(oid, 'pg_proc'))
  from pg_proc, ours where pronamespace = schema
union all
select 'trigger', t.tgrelid::regclass::text, t.tgname::text, concat_ws(' ', pg_get_triggerdef(t.oid), t.tgenabled)
  from ours join pg_class c on c.relnamespace = schema join pg_trigger t on t.tgrelid = c.oid where not t.tgisinternal
union all
select 'partition', inhrelid::regclass::text, inhparent::regclass::text, pg_get_expr(c.relpartbound, c.oid)
  from ours join pg_class c on c.relnamespace = schema join pg_inherits on inhrelid = c.oid
union all
select 'migration', migration_id, (select count(*) from orchestration.yoyo_lock)::text, null
  from orchestration._yoyo_migration
union all
select 'release', version, functions_sha256, (select count(*) from orchestration.installation)::text
  from orchestration.schema_release
"""


@dataclass
class Place:
    """A name for a database that no one has made yet, with its tech user. `said` collects what commands say."""

    server: PgServer
    name: str
    user: str
    password: str
    said: list[str] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        return Settings(dsn=self.app_dsn, admin_dsn=self.admin_dsn, dev=True)

    @property
    def admin_dsn(self) -> str:
        return self.server.dsn(self.name)

    @property
    def app_dsn(self) -> str:
        return self.server.dsn(self.name, self.user, self.password)

    @property
    def admin(self) -> Target:
        return self.settings.admin()

    @property
    def app(self) -> Target:
        return self.settings.app()

    @property
    def environment(self) -> dict[str, str]:
        return {
            "ORCHESTRATION_DSN": self.app_dsn,
            "ORCHESTRATION_ADMIN_DSN": self.admin_dsn,
            "ORCHESTRATION_ENV": "dev",
        }

    def create(self) -> None:
        create(self.admin, self.app, say=self.said.append)

    def apply(self, release: Path, **options: Any) -> Report:
        return apply(self.admin, sql_dir=release, **{"strict": True, "say": self.said.append, **options})

    def connect(self, dsn: str | None = None) -> psycopg.Connection[TupleRow]:
        """The superuser's connection unless another DSN is given, in autocommit."""
        return psycopg.connect(dsn or self.admin_dsn, autocommit=True)

    def ask(self, query: str, *params: Any) -> list[TupleRow]:
        with self.connect() as connection:
            return connection.execute(query.encode(), params or None).fetchall()

    def reset(self) -> None:
        """As after `db create`: nothing in the schema."""
        with self.connect() as admin, admin.transaction():
            admin.execute("set local client_min_messages = warning")
            admin.execute("drop schema orchestration cascade")
            admin.execute("create schema orchestration authorization orchestration_owner")

    def fingerprint(self) -> set[TupleRow]:
        """What `dump` says, as catalog rows: quick to get, for comparing many times."""
        return set(self.ask(FINGERPRINT))

    def dump(self) -> str:
        """The whole schema as SQL, without what differs from run to run; and the rows of the bookkeeping."""
        words: list[str | Path] = [bindir() / "pg_dump", "--schema-only", "--dbname", self.admin_dsn]
        done = subprocess.run(words, check=True, capture_output=True, text=True)
        schema = re.sub(r"^\\(un)?restrict .*$", "", done.stdout, flags=re.MULTILINE)
        rows = self.ask(
            "select (select array_agg(migration_id order by 1) from orchestration._yoyo_migration),"
            " (select array_agg((version, functions_sha256) order by id) from orchestration.schema_release),"
            " (select count(*) from orchestration.installation), (select count(*) from orchestration.yoyo_lock)"
        )
        return f"{schema}\n{rows}"

    def drop_database(self) -> None:
        with psycopg.connect(self.server.dsn("postgres"), autocommit=True) as connection:
            name = sql.Identifier(self.name)
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(name))

    def drop(self) -> None:
        self.drop_database()
        with psycopg.connect(self.server.dsn("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(self.user)))


def make_release(folder: Path) -> Path:
    """A copy of the small release in `folder`, with the real bookkeeping migration and cron.sql: free to edit."""
    shutil.copytree(SMALL_RELEASE, folder)
    shutil.copy(SQL_DIR / "migrations" / BOOKKEEPING, folder / "migrations")
    shutil.copy(SQL_DIR / "cron.sql", folder)
    return folder


def name_place(server: PgServer) -> Place:
    """A fresh name."""
    key = uuid4().hex[:12]
    return Place(server, f"deploy_{key}", f"tech_{key}", f"secret-{key}-@:/?#%")


@pytest.fixture
def release(tmp_path: Path) -> Path:
    return make_release(tmp_path / "release")


@pytest.fixture
def place(pg_cluster: PgServer) -> Iterator[Place]:
    made = name_place(pg_cluster)
    yield made
    made.drop()


@pytest.fixture
def created(place: Place) -> Place:
    """`place` after `db create`."""
    place.create()
    return place


@pytest.fixture(scope="module")
def created_template(pg_cluster: PgServer) -> Iterator[Place]:
    """A database after `db create`, to copy from."""
    made = name_place(pg_cluster)
    made.create()
    yield made
    made.drop()


@pytest.fixture
def copy_of() -> Iterator[Callable[[Place], Place]]:
    """Copies a database, whatever is in it, in milliseconds; the copy has the same tech user."""
    copies: list[Place] = []

    def copy(template: Place) -> Place:
        made = replace(template, name=f"deploy_{uuid4().hex[:12]}", said=[])
        with psycopg.connect(template.server.dsn("postgres"), autocommit=True) as connection:
            statement = sql.SQL("create database {} template {}")
            connection.execute(statement.format(sql.Identifier(made.name), sql.Identifier(template.name)))
        copies.append(made)
        return made

    yield copy
    for made in copies:
        made.drop_database()
