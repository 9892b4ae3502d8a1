"""The SQL of this release itself, deployed by the commands a user types."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from orchestration.db import SQL_DIR
from orchestration.db.files import Release
from stack.postgres import bindir
from tests.support.servers import PgServer

from .conftest import Place, name_place
from .test_cli import run
from .test_kill import sweep
from .test_locks import STRONGEST, TABLE_LOCKS_ALLOWED, locks

__all__ = ["locks"]


@pytest.fixture(scope="module")
def applied(pg_cluster: PgServer) -> Iterator[Place]:
    """Created and applied by the commands."""
    made = name_place(pg_cluster)
    for command in ("create", "apply"):
        done = run(command, environment=made.environment)
        assert done.returncode == 0, done.stderr
    yield made
    made.drop()


def test_released_migrations_are_as_they_were() -> None:
    """Release.load refuses a changed one; `sha256sum -c` must agree."""
    release = Release.load()
    assert release.migrations
    listed = SQL_DIR / "migrations" / "frozen.sha256"
    if release.frozen:
        subprocess.run(["sha256sum", "--check", "--quiet", listed.name], cwd=listed.parent, check=True)


def test_commands(place: Place) -> None:
    environment = place.environment
    created = run("create", environment=environment)
    assert (created.returncode, created.stdout) == (0, "")
    assert f"database {place.name} made" in created.stderr

    before = run("status", environment={**environment, "ORCHESTRATION_DSN": ""}, group="db")
    assert before.returncode == 1
    assert "ORCHESTRATION" not in before.stdout
    assert (
        "is not applied: run: orchestration db apply"
        in run(
            "status",
            "--database",
            place.name,
            environment={**environment, "ORCHESTRATION_DSN": place.admin_dsn},
        ).stdout
    )

    applied = run("apply", environment=environment)
    assert applied.returncode == 0, applied.stderr
    assert re.search(
        r"\d+ migrations applied; \d+ functions with triggers and grants applied and verified", applied.stdout
    )
    assert "nothing had changed" in run("apply", environment=environment).stdout

    status = run("status", "--json", environment=environment)
    assert status.returncode == 0
    assert json.loads(status.stdout)["state"] == "ok"
    assert run("status", environment=environment).stdout.startswith(f"database {place.name} at")


def test_every_function_is_clean(applied: Place) -> None:
    """plpgsql_check, warnings included."""
    done = run("apply", "--strict", environment=applied.environment)
    assert done.returncode == 0, done.stderr


def test_with_nothing_changed_no_lock_is_stronger_than_share_row_exclusive(
    applied: Place, locks: set[tuple[str, str]]
) -> None:
    applied.apply(SQL_DIR, strict=False)
    assert ("task_run", STRONGEST) in locks
    assert {(table, mode) for table, mode in locks if mode not in {*TABLE_LOCKS_ALLOWED, STRONGEST}} == set()


def test_again_changes_nothing(created: Place) -> None:
    created.apply(SQL_DIR, strict=False)
    before = created.fingerprint()
    assert not created.apply(SQL_DIR, strict=False).changed
    assert created.fingerprint() ^ before == set()


def test_the_plan_does_the_same_as_the_deed(
    created_template: Place, copy_of: Callable[[Place], Place], tmp_path: Path
) -> None:
    planned, done = copy_of(created_template), copy_of(created_template)
    (tmp_path / "plan.sql").write_text(planned.apply(SQL_DIR, plan=True).plan)
    subprocess.run([bindir() / "psql", "-Xq", "-f", tmp_path / "plan.sql", planned.admin_dsn], check=True)
    done.apply(SQL_DIR, strict=False)
    assert planned.dump() == done.dump()


@pytest.mark.long
def test_killed_before_every_third_statement(created: Place, tmp_path: Path) -> None:
    release = Path(
        shutil.copytree(SQL_DIR, tmp_path / "db", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    )
    assert sweep(created, release, every=3, strict=False) > 100


def test_service_commands(applied: Place) -> None:
    environment = applied.environment

    def state() -> str:
        return str(
            json.loads(run("status", "--json", environment=environment, group="service").stdout)["state"]
        )

    stopped = run("stop", environment=environment, group="service")
    assert (stopped.returncode, stopped.stdout) == (0, "the service is stopped\n")
    assert state() == "stopped"
    who = applied.ask("select actor from orchestration.service_state")[0][0]
    assert re.fullmatch(r".+@.+", who)
    started = run("start", "--json", environment=environment, group="service")
    assert json.loads(started.stdout) == {"state": "started"}
    assert state() == "started"


def test_service_status_shows_bridges(applied: Place) -> None:
    with applied.connect() as admin:
        admin.execute("select orchestration.register_bridge('bridge-host', 4711, '1.2.3')")
    shown = run("status", environment=applied.environment, group="service")
    assert shown.returncode == 0, shown.stderr
    assert "bridge-host" in shown.stdout
    assert "started" in shown.stdout
    answer = json.loads(run("status", "--json", environment=applied.environment, group="service").stdout)
    assert answer["instances"][0]["host"] == "bridge-host"
    assert datetime.fromisoformat(answer["changed_at"]).tzinfo is not None
