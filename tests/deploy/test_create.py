"""`db create`: everything is made once, with the rights it needs and no more, and can be made again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import TupleRow

from orchestration.db.connect import connect_once
from orchestration.db.create import create
from orchestration.db.errors import DeployError, SettingsError
from orchestration.db.settings import Settings
from tests.support.servers import PgServer

from .conftest import Place, name_place


def test_makes_database_roles_and_rights(place: Place) -> None:
    place.create()

    assert place.ask(
        "select pg_get_userbyid(nspowner) from pg_namespace where nspname = 'orchestration'"
    ) == [("orchestration_owner",)]
    assert place.ask(
        "select rolname, rolcanlogin, rolsuper from pg_roles where rolname like 'orchestration\\_%' order by 1"
    ) == [
        ("orchestration_app", False, False),
        ("orchestration_owner", False, False),
        ("orchestration_reader", False, False),
    ]
    assert place.ask(
        "select encoding = pg_char_to_encoding('UTF8') from pg_database where datname = current_database()"
    ) == [(True,)]
    with place.connect(place.app_dsn) as tech:
        assert tech.execute("select pg_has_role('orchestration_app', 'member')").fetchone() == (True,)
        for right in ("create", "temporary"):
            row = tech.execute("select has_database_privilege(current_database(), %s)", [right]).fetchone()
            assert row == (False,), f"the tech user holds {right} on the database"
        assert tech.execute("select has_schema_privilege('public', 'create')").fetchone() == (False,)


def test_tech_user_gets_its_settings(created: Place) -> None:
    with created.connect(created.app_dsn) as tech:
        for name, value in {
            "jit": "off",
            "deadlock_timeout": "100ms",
            "lock_timeout": "10s",
            "idle_in_transaction_session_timeout": "1min",
            "TimeZone": "UTC",
            "default_transaction_isolation": "read committed",
        }.items():
            assert tech.execute("select current_setting(%s)", [name]).fetchone() == (value,)


def test_again_changes_nothing_but_a_new_password(created: Place) -> None:
    before = created.ask("select rolname, rolsuper, rolcanlogin from pg_roles order by 1")
    created.create()
    assert created.ask("select rolname, rolsuper, rolcanlogin from pg_roles order by 1") == before

    old, created.password = created.app_dsn, "another one"
    created.create()
    created.connect(created.app_dsn).close()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        created.connect(old)


def test_four_at_once(place: Place) -> None:
    words = [sys.executable, "-m", "orchestration.db", "create"]
    with ThreadPoolExecutor(4) as pool:
        runs = list(
            pool.map(
                lambda _: subprocess.run(
                    words, env={**os.environ, **place.environment}, capture_output=True, text=True
                ),
                range(4),
            )
        )
    assert [(run.returncode, run.stderr) for run in runs if run.returncode] == []
    place.connect(place.app_dsn).close()


def test_killed_at_any_time_it_can_be_run_again(pg_cluster: PgServer) -> None:
    for pause in range(0, 240, 20):
        place = name_place(pg_cluster)
        pid = os.fork()
        if pid == 0:
            try:
                place.create()
            finally:
                os._exit(0)
        time.sleep(pause / 1000)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        place.create()
        place.connect(place.app_dsn).close()
        place.drop()


def test_password_never_reaches_the_server_in_clear(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Hashed by the client: no log of statements can show it. Seen on the wire, by libpq's trace."""
    with (tmp_path / "wire").open("w+") as wire:

        def traced(*args: Any, **kwargs: Any) -> psycopg.Connection[TupleRow]:
            connection = connect_once(*args, **kwargs)
            connection.pgconn.trace(wire.fileno())
            return connection

        monkeypatch.setattr("orchestration.db.create.connect_once", traced)
        place.create()
        wire.seek(0)
        sent = wire.read()
    assert "SCRAM-SHA-256$" in sent
    assert place.password not in sent
    assert place.password not in " ".join(place.said)


def test_admins_own_role_is_refused(place: Place) -> None:
    settings = Settings(dsn=place.admin_dsn, admin_dsn=place.admin_dsn, dev=True)
    with pytest.raises(SettingsError, match="names the admin's own role postgres"):
        create(settings.admin(), settings.app())


def test_another_superuser_is_refused(created: Place) -> None:
    with created.connect() as admin:
        admin.execute(f'alter role "{created.user}" superuser')
        with pytest.raises(SettingsError, match="a superuser: name a role of its own"):
            created.create()
        admin.execute(f'alter role "{created.user}" nosuperuser')


def test_admin_without_superuser(place: Place) -> None:
    """CREATEDB and CREATEROLE suffice; what needs a superuser is a note with the exact statement."""
    admin = name_place(place.server)
    with psycopg.connect(place.server.dsn("postgres"), autocommit=True) as connection:
        connection.execute(f"create role {admin.user} login createdb createrole password 'x'")
    try:
        settings = Settings(
            dsn=place.app_dsn, admin_dsn=place.server.dsn(place.name, admin.user, "x"), dev=True
        )
        said: list[str] = []
        create(settings.admin(), settings.app(), say=said.append)
        notes = [line for line in said if line.startswith("note:")]
        assert any(
            f'alter role "{place.user}" in database "{place.name}" set "deadlock_timeout"' in note
            for note in notes
        )
        assert any("create extension plpgsql_check;" in note for note in notes)
        place.connect(place.app_dsn).close()
    finally:
        place.drop()
        with psycopg.connect(place.server.dsn("postgres"), autocommit=True) as connection:
            connection.execute(f"drop owned by {admin.user}")
            connection.execute(f"drop role {admin.user}")


def test_an_admin_without_rights_is_told_what_to_do(place: Place) -> None:
    poor = name_place(place.server)
    with psycopg.connect(place.server.dsn("postgres"), autocommit=True) as connection:
        connection.execute(f"create role {poor.user} login password 'x'")
    settings = Settings(dsn=place.app_dsn, admin_dsn=place.server.dsn(place.name, poor.user, "x"), dev=True)
    with pytest.raises(
        DeployError, match=rf"role {poor.user} may not make databases.*create database {place.name}"
    ):
        create(settings.admin(), settings.app())
    poor.drop()


def test_a_database_in_another_encoding_is_refused(place: Place) -> None:
    with psycopg.connect(place.server.dsn("postgres"), autocommit=True) as connection:
        connection.execute(
            f"create database {place.name} template template0 encoding 'LATIN1' lc_collate 'C' lc_ctype 'C'"
        )
    with pytest.raises(DeployError, match="is encoded in LATIN1: drop it"):
        place.create()
