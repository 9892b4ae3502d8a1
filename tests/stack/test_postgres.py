"""The PostgreSQL of stack and tests: real passwords, pg_cron, and data that outlive kill -9."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from stack import StackError
from stack.postgres import EXTENSIONS, Cluster, bindir, extensions_in
from stack.process import await_true, pids_in


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster.throwaway(durable=True) as made:
        yield made


def one(cluster: Cluster, query: str) -> object:
    with psycopg.connect(cluster.admin_dsn, autocommit=True) as connection:
        row = connection.execute(query).fetchone()
    return row[0] if row else None


def test_passwords_are_real(cluster: Cluster) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(cluster.dsn(password="wrong"))
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(cluster.dsn(user="nobody"))


def test_no_password_in_ps(cluster: Cluster) -> None:
    shown = subprocess.run(["ps", "axeww"], capture_output=True, text=True, check=True).stdout
    assert str(cluster.data) in shown
    assert cluster.password not in shown


def test_it_can_create_every_extension(cluster: Cluster) -> None:
    assert extensions_in(bindir()) == set(EXTENSIONS)
    with psycopg.connect(cluster.admin_dsn, autocommit=True) as connection:
        for name in EXTENSIONS:
            connection.execute(f"create extension if not exists {name}")


def test_pg_cron_works_without_waiting_for_the_minute(cluster: Cluster) -> None:
    with psycopg.connect(cluster.admin_dsn, autocommit=True) as connection:
        connection.execute("create extension if not exists pg_cron")
        connection.execute("select cron.schedule('probe', '@reboot', 'select 42')")
    cluster.restart()
    ran = "select count(*) from cron.job_run_details where status = 'succeeded' and command = 'select 42'"
    assert await_true(lambda: one(cluster, ran) == 1, 10)


@pytest.mark.parametrize("how", ["kill", "postmaster", "restart"])
def test_what_was_committed_outlives(cluster: Cluster, how: str) -> None:
    with psycopg.connect(cluster.admin_dsn, autocommit=True) as connection:
        connection.execute("drop table if exists kept")
        connection.execute("create table kept as select 42 as n")
    port = cluster.port
    if how == "restart":
        cluster.restart()
    elif how == "kill":
        cluster.kill()
        assert not list(pids_in(cluster.data))
        cluster.start()
    else:
        assert cluster.process.pid
        os.kill(cluster.process.pid, signal.SIGKILL)
        assert await_true(lambda: not cluster.running, 5)
        cluster.start()
    assert cluster.port == port
    assert one(cluster, "select n from kept") == 42


def test_start_and_stop_twice_are_nothing(cluster: Cluster) -> None:
    pid = cluster.process.pid
    cluster.start()
    assert cluster.process.pid == pid
    cluster.stop()
    cluster.stop()
    cluster.start()
    assert one(cluster, "select 1") == 1


def test_frozen_it_does_not_answer_and_thawed_it_does(cluster: Cluster) -> None:
    cluster.freeze()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(cluster.admin_dsn, connect_timeout=2)
    cluster.thaw()
    assert one(cluster, "select 1") == 1


def test_snapshot_and_restore(cluster: Cluster) -> None:
    with psycopg.connect(cluster.admin_dsn, autocommit=True) as connection:
        connection.execute("create table state as select 'before' as word")
    cluster.snapshot("s")
    with psycopg.connect(cluster.admin_dsn, autocommit=True) as connection:
        connection.execute("update state set word = 'after'")
    cluster.restore("s")
    assert one(cluster, "select word from state") == "before"
    with pytest.raises(StackError, match="no snapshot 'x'"):
        cluster.restore("x")


def test_a_taken_port_is_named_with_its_holder(cluster: Cluster) -> None:
    cluster.stop()
    try:
        with (
            socket.create_server(("127.0.0.1", cluster.port)),
            pytest.raises(StackError, match=f"pid {os.getpid()}"),
        ):
            cluster.start()
    finally:
        cluster.start()


def test_a_full_disk_is_named(cluster: Cluster) -> None:
    cluster.stop()
    kept = cluster.log.read_text()
    with cluster.log.open("a") as log:
        log.write("FATAL:  could not write lock file: No space left on device\n")
    try:
        assert "is full, free some space" in cluster._complaint()
    finally:
        cluster.log.write_text(kept)
        cluster.start()


def test_data_of_another_version_are_refused(cluster: Cluster) -> None:
    cluster.stop()
    version = cluster.data / "PG_VERSION"
    kept = version.read_text()
    version.write_text("9\n")
    try:
        with pytest.raises(StackError, match="belong to PostgreSQL 9"):
            cluster.start()
    finally:
        version.write_text(kept)
        cluster.start()


def test_bindir_without_programs_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PG_BINDIR", str(tmp_path))
    bindir.cache_clear()
    try:
        with pytest.raises(StackError, match="PG_BINDIR"):
            bindir()
    finally:
        bindir.cache_clear()


def test_a_wrong_setting_is_told_in_one_line() -> None:
    with pytest.raises(StackError, match=r"ended while starting: .*no_such_setting"):
        Cluster.throwaway(settings={"no_such_setting": "1"})


def test_a_killed_test_run_leaves_no_server() -> None:
    program = """
import time
from stack.postgres import Cluster
cluster = Cluster.throwaway()
print(cluster.folder, flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout
        folder = Path(run.stdout.readline().strip())
        assert list(pids_in(folder / "data"))
        run.kill()
    assert await_true(lambda: not list(pids_in(folder / "data")), 10)
    with Cluster.throwaway():  # the next one clears away what a killed run has left
        assert not folder.exists()
