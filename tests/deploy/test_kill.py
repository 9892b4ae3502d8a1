"""kill -9 of `db apply` before each of its statements, and in the midst of one: applying again is always green."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from orchestration.db.apply import apply
from orchestration.db.channel import KILL_BEFORE
from tests.support.servers import start_postgres, wait_for

from .conftest import Place, name_place

APPLY = (
    "import sys; from pathlib import Path; from orchestration.db.apply import apply;"
    "from orchestration.db.settings import Settings; apply(Settings.from_env().admin(), sql_dir=Path(sys.argv[1]))"
)
MOST_STATEMENTS = 2000


def apply_killed_before(place: Place, release: Path, number: int) -> bool:
    """Apply in a forked process that dies by SIGKILL before statement `number`; False if it came to its end first."""
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            os.environ.update({**place.environment, KILL_BEFORE: str(number)})
            apply(place.admin, sql_dir=release)
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0, f"the run to be killed before statement {number} failed by itself"
    return False


def sweep(
    place: Place, release: Path, *, before: Path | None = None, every: int = 1, strict: bool = True
) -> int:
    """Kill before each statement in turn (or `every` so many), apply again, compare with an undisturbed run.

    Each time from the state after `db create`, or with release `before` applied. Answers before how many statements.
    """

    def start_anew() -> None:
        place.reset()
        if before:
            place.apply(before, strict=strict)

    start_anew()
    place.apply(release, strict=strict)
    expected = place.fingerprint()
    for number in range(1, MOST_STATEMENTS, every):
        start_anew()
        if not apply_killed_before(place, release, number):
            return number - 1
        place.apply(release, strict=strict)
        assert place.fingerprint() ^ expected == set(), f"killed before statement {number}"
    pytest.fail(f"more than {MOST_STATEMENTS} statements")


@pytest.fixture
def upgrade(release: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A release, and a copy of it to make a newer one of."""
    return release, Path(shutil.copytree(release, tmp_path / "newer"))


def test_before_every_statement_of_a_first_apply(created: Place, release: Path) -> None:
    # bookkeeping, three migrations with savepoints, function files, grants, record, cron
    assert sweep(created, release) > 50


def test_before_every_statement_of_an_upgrade(created: Place, upgrade: tuple[Path, Path]) -> None:
    """A new migration of two statements, and a changed function."""
    before, release = upgrade
    (release / "migrations" / "0004.more.sql").write_text(
        "alter table orchestration.task_run add note text;\ncreate index on orchestration.task_run (note);\n"
    )
    function = release / "functions" / "reap_stale_runs.sql"
    function.write_text(function.read_text().replace("1 hour", "2 hours"))
    assert sweep(created, release, before=before) > 30


def test_before_every_statement_of_a_migration_without_transaction(
    created: Place, upgrade: tuple[Path, Path]
) -> None:
    """Its statements bear being run again from the first: that is the rule for `-- transactional: false`."""
    before, release = upgrade
    (release / "migrations" / "0004.index.sql").write_text(
        "-- transactional: false\n"
        "drop index concurrently if exists orchestration.task_run_by_status;\n"
        "create index concurrently task_run_by_status on orchestration.task_run (status);\n"
    )
    assert sweep(created, release, before=before) > 30


def write_slow_migration(place: Place, release: Path) -> None:
    """A migration that sleeps a minute while table public.patience is there."""
    (release / "migrations" / "0004.slow.sql").write_text(
        "create table orchestration.made_before (id int);\n"
        "select pg_sleep(60) where to_regclass('public.patience') is not null;\n"
    )
    with place.connect() as admin:
        admin.execute("create table public.patience ()")


def wait_until_it_sleeps(place: Place) -> None:
    """The migration sleeps; tried again it would not."""
    sleeping = (
        "select count(*) from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()"
    )
    wait_for(lambda: place.ask(sleeping) == [(1,)], "the migration sleeps")
    with place.connect() as admin:
        admin.execute("drop table public.patience")


def test_in_the_midst_of_a_statement(created: Place, release: Path) -> None:
    """The server notices within a second that its client is gone: the next apply need not wait for the rest."""
    write_slow_migration(created, release)
    run = subprocess.Popen([sys.executable, "-c", APPLY, release], env={**os.environ, **created.environment})
    wait_until_it_sleeps(created)
    run.kill()
    run.wait()

    begin = time.monotonic()
    report = created.apply(release)

    assert report.migrations == ["0004.slow"]
    assert time.monotonic() - begin < 10


def test_the_server_is_killed_in_the_midst(release: Path) -> None:
    """The deployment waits for the server and goes on by itself."""
    server = start_postgres(durable=True)
    try:
        place = name_place(server)
        place.create()
        write_slow_migration(place, release)
        with ThreadPoolExecutor(1) as pool:
            report = pool.submit(place.apply, release, wait=60)
            wait_until_it_sleeps(place)
            server.kill()
            wait_for(
                lambda: any(line.endswith("trying again") for line in place.said), "apply says that it waits"
            )
            server.start()
            assert report.result().changed
        assert place.ask("select max(migration_id) from orchestration._yoyo_migration") == [("0004.slow",)]
        assert sum(line.endswith("trying again") for line in place.said) == 1
    finally:
        server.drop()


def test_the_failpoint_is_dead_outside_dev(created: Place, release: Path) -> None:
    environment = {**os.environ, **created.environment, KILL_BEFORE: "3", "ORCHESTRATION_ENV": "prod"}
    environment["ORCHESTRATION_ALLOW_PLAINTEXT"] = "postgresql"
    done = subprocess.run([sys.executable, "-c", APPLY, release], env=environment, check=False)
    assert done.returncode == 0
