"""The parts of `make up WITH=airflow` that need no Airflow; tests/airflow has the rest."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from stack import StackError
from stack.airflow import database
from stack.airflow.guard import end_all, members
from stack.airflow.server import Airflow, users_airflow
from stack.airflow.settings import airflow_environment, keys
from stack.layout import ROOT, Layout
from stack.postgres import Cluster
from stack.process import await_true
from stack.sources import users_own

GUARD = (sys.executable, "-m", "stack.airflow.guard", "--patience", "1", "--work")
# as standalone: a part that ends at SIGTERM, one that does not, and a worker in a session of its own
STANDALONE = """
import signal, subprocess, sys, time
if sys.argv[1] != "standalone":  # a component that is started again
    time.sleep(600)
signal.signal(signal.SIGTERM, lambda *_: None)
wait = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
for name in ("scheduler", "triggerer"):
    subprocess.Popen(["sh", "-c", "sleep 600; :", name])
subprocess.Popen([sys.executable, "-c", wait, "worker"], start_new_session=True)
print("begun", flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A server of its own: a role belongs to the whole of it."""
    with Cluster.throwaway() as made:
        yield made


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "work"
    folder.mkdir()
    yield folder
    end_all(folder, patience=0)


def guard(work: Path) -> subprocess.Popen[bytes]:
    """A guard whose standalone has begun with all its parts."""
    begun = subprocess.Popen(
        [*GUARD, work, "--", sys.executable, "-c", STANDALONE, "standalone"],
        cwd=ROOT, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    assert await_true(lambda: {"scheduler", "triggerer", "worker"} <= set(words(work)), 20)
    return begun


def words(work: Path) -> dict[str, int]:
    """Its processes by the last word of their command line."""
    found = {}
    for pid in members(work):
        last = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").rpartition(b"\0")[2]
        found[last.decode()] = pid
    return found


def test_nothing_outlives_the_guard(work: Path) -> None:
    running = guard(work)
    running.terminate()
    assert running.wait(30) == 0
    assert members(work) == set()


def test_a_component_that_dies_is_started_again_alone(work: Path) -> None:
    running = guard(work)
    before = words(work)
    await_true(lambda: False, 1)  # it has looked at its parts
    os.kill(before["scheduler"], signal.SIGKILL)
    assert await_true(lambda: words(work).get("scheduler", before["scheduler"]) != before["scheduler"], 20)
    after = words(work)
    assert after["triggerer"] == before["triggerer"]
    assert "worker" in after, "it is standalone's, not the scheduler's"
    running.terminate()
    assert running.wait(30) == 0
    assert members(work) == set()


def test_orphans_of_what_died_end_with_it(work: Path) -> None:
    running = guard(work)
    await_true(lambda: False, 1)
    scheduler = words(work)["scheduler"]
    (child,) = [pid for pid in members(work) if _parent(pid) == scheduler]
    os.kill(scheduler, signal.SIGKILL)
    assert await_true(lambda: child not in members(work), 20)
    running.terminate()
    assert running.wait(30) == 0


def test_what_never_comes_to_life_is_given_up(work: Path) -> None:
    """So that whoever supervises the guard counts it."""
    script = """
import subprocess, sys, time
if sys.argv[1] == "standalone":
    subprocess.Popen(["sh", "-c", "sleep 1; :", "scheduler"])
    time.sleep(600)
"""
    running = subprocess.run(
        [*GUARD, work, "--", sys.executable, "-c", script, "standalone"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert running.returncode == 1
    assert running.stdout.count("scheduler has ended") == 4
    assert members(work) == set()


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_what_a_killed_guard_has_left_ends_before_the_next_begins(work: Path) -> None:
    first = guard(work)
    orphan = words(work)["worker"]
    first.kill()
    first.wait()
    assert orphan in members(work)
    second = guard(work)
    assert await_true(lambda: orphan not in members(work), 20)
    second.terminate()
    assert second.wait(30) == 0


def test_the_database_is_made_once_and_dropped(cluster: Cluster) -> None:
    dsn = database.create(cluster.admin_dsn, "first pass/word", "stack-1")
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute("create table kept ()")
    again = database.create(cluster.admin_dsn, "second", "stack-1")
    with psycopg.connect(again) as owner:
        assert owner.execute("select to_regclass('kept') is not null").fetchone() == (True,)
    database.drop(cluster.admin_dsn, "stack-2")
    psycopg.connect(again).close()
    database.drop(cluster.admin_dsn, "stack-1")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(again)


def test_a_database_airflow_of_somebody_else_is_left_alone(cluster: Cluster) -> None:
    with psycopg.connect(cluster.dsn("postgres"), autocommit=True) as admin:
        admin.execute("create database airflow")
        try:
            with pytest.raises(
                StackError, match=r"database airflow that `make up` has not made: name .* AIRFLOW_URL"
            ):
                database.create(cluster.admin_dsn, "x", "stack-1")
            database.drop(cluster.admin_dsn, "stack-1")
            assert admin.execute("select count(*) from pg_database where datname = 'airflow'").fetchone() == (
                1,
            )
        finally:
            admin.execute("drop database airflow")


def test_an_airflow_of_the_users_own() -> None:
    own = {"AIRFLOW_URL": "https://airflow.example", "AIRFLOW_DAGS_FOLDER": "/srv/dags"}
    assert users_airflow({**own, "HOME": "/root"}) == own
    assert users_airflow({"AIRFLOW_URL": ""}) is None
    with pytest.raises(StackError, match="set both, or unset both"):
        users_airflow({"AIRFLOW_URL": "https://airflow.example"})


def test_what_the_env_file_has_set_is_not_the_users_own() -> None:
    sourced = {
        "ORCHESTRATION_STACK": "/x", "AIRFLOW_URL": "http://127.0.0.1:1", "AIRFLOW_DAGS_FOLDER": "/x/.run/airflow/dags"
    }  # fmt: skip
    assert users_airflow(users_own(sourced)) is None
    assert users_airflow(users_own({**sourced, "AIRFLOW_URL": "https://airflow.example"})) is not None


def test_secrets_and_port_stay(tmp_path: Path) -> None:
    airflow = Airflow(Layout(tmp_path / "run"), print)
    first = airflow.settings({})
    assert airflow.settings(first) == first
    assert len({first[name] for name in keys({})}) == 4


def test_it_listens_on_loopback_and_reports_home_to_nobody(tmp_path: Path) -> None:
    state = {**keys({}), "port": 1234}
    told = airflow_environment(
        tmp_path,
        state,
        "postgresql://a:b%2F@127.0.0.1:5/airflow",
        tmp_path / "dags",
        None,
        "postgresql://d@h/dwh",
    )
    assert told["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert told["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == "postgresql+psycopg2://a:b%2F@127.0.0.1:5/airflow"
    assert told["AIRFLOW_CONN_DWH"] == "postgres://d@h/dwh"
    assert told["AIRFLOW__USAGE_DATA_COLLECTION__ENABLED"] == "False"
