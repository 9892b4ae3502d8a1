"""`db apply` beside a service that works: how strong its locks are, how it waits, and whom it names."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orchestration.db.errors import DeployError
from orchestration.db.files import Release
from orchestration.db.verify import Ask, Finding, verify

from .conftest import Place

TABLE_LOCKS_ALLOWED = {
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
}
STRONGEST = "ShareRowExclusiveLock"
LOCKS_ON_TABLES = """
select c.relname::text, l.mode
  from pg_locks l join pg_class c on c.oid = l.relation
 where l.pid = pg_backend_pid() and c.relnamespace = 'orchestration'::regnamespace and c.relkind in ('r', 'p')
"""


@contextmanager
def writing(place: Place) -> Iterator[None]:
    """An open transaction that wrote to the run table."""
    with place.connect(place.app_dsn) as writer, writer.transaction():
        writer.execute("insert into orchestration.task_run default values")
        yield


@pytest.fixture
def locks(monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, str]]:
    """The locks on tables that the transaction of functions and grants holds just before it commits."""
    held: set[tuple[str, str]] = set()

    def spy(ask: Ask, release: Release, fresh: Collection[int] = ()) -> list[Finding]:
        found = verify(ask, release, fresh)
        held.update((table, mode) for table, mode in ask(LOCKS_ON_TABLES))
        return found

    monkeypatch.setattr("orchestration.db.apply.verify", spy)
    return held


def test_with_nothing_changed_no_lock_is_stronger_than_share_row_exclusive(
    created: Place, release: Path, locks: set[tuple[str, str]]
) -> None:
    created.apply(release)
    locks.clear()
    created.apply(release)
    assert ("task_run", STRONGEST) in locks, "the triggers are made again; if not, this test sees nothing"
    assert {mode for _, mode in locks} <= {*TABLE_LOCKS_ALLOWED, STRONGEST}


def test_readers_go_on_and_writers_wait_no_longer_than_the_deployment(created: Place, release: Path) -> None:
    """While 4 sessions write all the time, apply comes through, and no write waits longer than its lock_timeout."""
    created.apply(release)
    stop = threading.Event()
    slowest: list[float] = []

    def write() -> None:
        worst = 0.0
        with created.connect(created.app_dsn) as tech:
            while not stop.is_set():
                begin = time.monotonic()
                tech.execute("insert into orchestration.task_run default values")
                worst = max(worst, time.monotonic() - begin)
        slowest.append(worst)

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    try:
        for _ in range(5):
            created.apply(release)
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert len(slowest) == 4
    assert max(slowest) < 2.5
    written = created.ask("select count(*) from orchestration.task_run")
    assert written == created.ask("select count(*) from orchestration.task_run_event")


def test_waits_for_an_open_transaction_and_goes_on(created: Place, release: Path) -> None:
    created.apply(release)
    with writing(created):
        worker = threading.Thread(target=created.apply, args=(release,))
        worker.start()
        waiting = "functions and grants: a table is locked by pid"
        until = time.monotonic() + 20
        while not any(waiting in line for line in created.said):
            assert time.monotonic() < until, created.said
            time.sleep(0.05)
        # between its tries the apply holds nothing: others write
        with created.connect(created.app_dsn) as other:
            other.execute("set lock_timeout = '5s'")
            other.execute("insert into orchestration.task_run default values")
    worker.join(30)
    assert not worker.is_alive()
    assert any(f"({created.user}, unnamed" in line for line in created.said)


def test_gives_up_after_its_time_and_names_who_holds_the_table(created: Place, release: Path) -> None:
    created.apply(release)
    before = created.dump()
    words = rf"functions and grants: a table stays locked by pid \d+ \({created.user}, .*: end that session"
    with writing(created), pytest.raises(DeployError, match=words):
        created.apply(release, lock_wait=1)
    assert created.dump() == before


def test_a_migration_waits_in_the_same_way(created: Place, release: Path) -> None:
    created.apply(release)
    (release / "migrations" / "0004.more.sql").write_text(
        "alter table orchestration.task_run add note text;\n"
    )
    with (
        writing(created),
        pytest.raises(DeployError, match=r"migration 0004.more: a table stays locked by pid"),
    ):
        created.apply(release, lock_wait=1)
    assert created.apply(release).migrations == ["0004.more"]
