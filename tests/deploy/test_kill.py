"""kill -9 of `db apply` before each of its statements, and in the midst of one: applying again is always green."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from orchestration.db.apply import apply
from orchestration.db.channel import KILL_BEFORE

from .conftest import Place

APPLY = (
    "import sys; from pathlib import Path; from orchestration.db.apply import apply;"
    "from orchestration.db.settings import Settings; apply(Settings.from_env().admin(), sql_dir=Path(sys.argv[1]))"
)
MOST_STATEMENTS = 200


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


def sweep(make_place: Callable[[], Place], release: Path) -> int:
    """Kill before each statement in turn, apply again, compare with an undisturbed run; answers how many kills."""
    undisturbed = make_place()
    undisturbed.apply(release)
    expected = undisturbed.dump()
    for number in range(1, MOST_STATEMENTS):
        place = make_place()
        if not apply_killed_before(place, release, number):
            return number - 1
        place.apply(release)
        assert place.dump() == expected, f"killed before statement {number}"
    pytest.fail(f"more than {MOST_STATEMENTS} statements")


@pytest.fixture
def applied_before(created_template: Place, copy_of: Callable[[Place], Place], release: Path) -> Place:
    """A database at `release`, which the test then changes."""
    made = copy_of(created_template)
    made.apply(release)
    return made


def test_before_every_statement_of_a_first_apply(
    created_template: Place, copy_of: Callable[[Place], Place], release: Path
) -> None:
    kills = sweep(partial(copy_of, created_template), release)
    # bookkeeping, three migrations with savepoints, function files, grants, record, cron
    assert kills > 50


def test_before_every_statement_of_an_upgrade(
    applied_before: Place, copy_of: Callable[[Place], Place], release: Path
) -> None:
    """A new migration of two statements, and a changed function."""
    (release / "migrations" / "0004.more.sql").write_text(
        "alter table orchestration.task_run add note text;\ncreate index on orchestration.task_run (note);\n"
    )
    function = release / "functions" / "reap_stale_runs.sql"
    function.write_text(function.read_text().replace("1 hour", "2 hours"))
    assert sweep(partial(copy_of, applied_before), release) > 30


def test_before_every_statement_of_a_migration_without_transaction(
    applied_before: Place, copy_of: Callable[[Place], Place], release: Path
) -> None:
    """Its statements bear being run again from the first: that is the rule for `-- transactional: false`."""
    (release / "migrations" / "0004.index.sql").write_text(
        "-- transactional: false\n"
        "drop index concurrently if exists orchestration.task_run_by_status;\n"
        "create index concurrently task_run_by_status on orchestration.task_run (status);\n"
    )
    assert sweep(partial(copy_of, applied_before), release) > 30


def test_in_the_midst_of_a_statement(created: Place, release: Path) -> None:
    """The server notices within a second that its client is gone: the next apply need not wait for the rest."""
    (release / "migrations" / "0004.slow.sql").write_text(
        "create table orchestration.made_before (id int);\n"
        "select pg_sleep(60) where to_regclass('public.patience') is not null;\n"
    )
    with created.connect() as admin:
        admin.execute("create table public.patience ()")
    run = subprocess.Popen([sys.executable, "-c", APPLY, release], env={**os.environ, **created.environment})
    sleeping = "select count(*) from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()"
    until = time.monotonic() + 30
    while created.ask(sleeping) == [(0,)]:
        assert time.monotonic() < until
        assert run.poll() is None, "the run ended before its slow statement"
        time.sleep(0.02)
    run.kill()
    run.wait()
    with created.connect() as admin:
        admin.execute("drop table public.patience")

    begin = time.monotonic()
    report = created.apply(release)

    assert report.migrations == ["0004.slow"]
    assert time.monotonic() - begin < 10


def test_the_failpoint_is_dead_outside_dev(created: Place, release: Path) -> None:
    environment = {**os.environ, **created.environment, KILL_BEFORE: "3", "ORCHESTRATION_ENV": "prod"}
    environment["ORCHESTRATION_ALLOW_PLAINTEXT"] = "postgresql"
    done = subprocess.run([sys.executable, "-c", APPLY, release], env=environment, check=False)
    assert done.returncode == 0
