"""pg_cron's jobs: made where pg_cron lives, exactly named where it lives elsewhere, and they run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.db import SQL_DIR
from tests.support.servers import PgServer, start_postgres, wait_for

from .conftest import Place

JOBS = "select jobname, schedule, command, username from cron.job where jobname like 'orchestration %' order by jobname"
REAPER = "select orchestration.reap_stale_runs()"
OVERDUE = """
insert into orchestration.service (name, dispatch_topic) values ('airflow', 'airflow_tasks');
insert into orchestration.process (service_id, uid) select id, 'dag' from orchestration.service;
insert into orchestration.task (process_id, name, timeout) select id, 'task', '1 minute' from orchestration.process;
set orchestration.clock = '2026-11-22T03:00:00Z';
insert into orchestration.task_run (task_id) select id from orchestration.task;
select orchestration.confirm_dispatches(0, array(select id from orchestration.task_run));
"""


@pytest.fixture
def cron_server() -> Iterator[PgServer]:
    """A server of its own: pg_cron works in one database of a server, `orchestration`."""
    server = start_postgres()
    yield server
    server.drop()


@pytest.fixture
def home(cron_server: PgServer, release: Path) -> Place:
    """Created and applied in the database where pg_cron works."""
    place = Place(cron_server, "orchestration", "tech", "secret-cron")
    place.create()
    place.apply(release, cron_user="tech")
    return place


def test_jobs_are_made_once_and_the_reaper_runs_as_the_tech_user(home: Place, release: Path) -> None:
    made = home.ask(JOBS)
    assert [(name, schedule, user) for name, schedule, _, user in made] == [
        ("orchestration cron history", "17 3 * * *", "postgres"),
        ("orchestration reaper", "* * * * *", "tech"),
    ]
    assert made[1][2] == REAPER
    ids = home.ask("select jobid from cron.job order by 1")
    home.apply(release, cron_user="tech")
    assert home.ask("select jobid from cron.job order by 1") == ids

    # what a later admin or tech user schedules replaces it: the reaper must not run twice
    home.apply(release)
    assert home.ask(
        "select count(*), min(username) from cron.job where jobname = 'orchestration reaper'"
    ) == [(1, "postgres")]


def test_the_jobs_work(home: Place) -> None:
    """pg_cron itself runs both, once each, right after a restart; by then old history is pruned, strangers' is not."""
    with home.connect() as admin:
        admin.execute(
            "insert into orchestration.task_run (status, updated_at) values ('RUNNING', now() - interval '2 h')"
        )
        admin.execute(
            "insert into cron.job (schedule, command, jobname) values ('0 0 1 1 *', 'select 1', 'a stranger')"
        )
        admin.execute(
            "insert into cron.job_run_details (jobid, runid, start_time, status)"
            " select jobid, row_number() over () + 1000 + age * 100, now() - age * interval '1 day', 'succeeded'"
            "   from cron.job, (values (1), (8)) ages (age)"
        )
        admin.execute("update cron.job set schedule = '@reboot'")
    home.server.restart()

    ran = (
        "select count(*) from cron.job_run_details d join cron.job j using (jobid)"
        " where j.jobname like 'orchestration %' and d.status = 'succeeded' and d.runid < 1000"
    )
    wait_for(lambda: home.ask(ran) == [(2,)], "both jobs succeed")
    assert home.ask("select status from orchestration.task_run") == [("FAILED",)]
    old = (
        "select j.jobname, d.start_time < now() - interval '7 days' from cron.job_run_details d join cron.job j"
        " using (jobid) where d.runid > 1000 order by 1, 2"
    )
    assert home.ask(old) == [
        ("a stranger", False),
        ("a stranger", True),
        ("orchestration cron history", False),
        ("orchestration reaper", False),
    ]


def test_the_real_reaper_runs_by_pg_cron(cron_server: PgServer) -> None:
    """What is overdue is failed by pg_cron alone, and it says who ran it."""
    place = Place(cron_server, "orchestration", "tech", "secret-cron")
    place.create()
    place.apply(SQL_DIR, cron_user="tech", strict=False)
    assert place.ask("select schedule, username from cron.job where command = %s", REAPER) == [
        ("* * * * *", "tech")
    ]
    with place.connect() as admin:
        admin.execute(OVERDUE)
        admin.execute("update cron.job set schedule = '@reboot'")
    cron_server.restart()
    state = "select status, reason from orchestration.task_run"
    wait_for(lambda: place.ask(state) == [("FAILED", "timeout")], "it is failed")
    event = "select source, db_user from orchestration.task_run_event order by id desc limit 1"
    assert place.ask(event) == [("reaper", "tech")]
    status = "select reaper_by, reaper_did ->> 'timeouts' from orchestration.service_status()"
    ((by, did),) = place.ask(status)
    assert by == "tech", "a background worker has no name but its role"
    assert did == "1"


def test_elsewhere_the_exact_statement_is_printed(home: Place, release: Path) -> None:
    """Run as it stands, in the database it names, it schedules the reaper of the other database."""
    other = Place(home.server, "other", "tech2", "secret-other")
    other.create()
    other.apply(release)
    notes = [line for line in other.said if line.startswith("note: the bridge runs the reaper")]
    assert len(notes) == 1
    assert (
        "as pg_cron is not in database other; to have both, as a superuser, in database orchestration: "
        in notes[0]
    )
    with home.connect() as admin:
        admin.execute(notes[0].partition("in database orchestration: ")[2].encode())
    assert home.ask("select command from cron.job where database = 'other'") == [(REAPER,)]


def test_without_the_reaper_nothing_is_said_or_scheduled(cron_server: PgServer, release: Path) -> None:
    place = Place(cron_server, "orchestration", "tech", "secret-cron")
    (release / "functions" / "reap_stale_runs.sql").unlink()
    place.create()
    place.apply(release)
    assert place.ask(JOBS) == []
    assert [line for line in place.said if "reaper" in line] == []


def test_where_pg_cron_is_not_loaded_the_settings_are_named(release: Path) -> None:
    server = start_postgres(settings={"shared_preload_libraries": ""})
    try:
        place = Place(server, "orchestration", "tech", "secret-cron")
        place.create()
        place.apply(release)
    finally:
        server.drop()
    assert any(
        "installed but not loaded" in line and "cron.database_name = 'orchestration'" in line
        for line in place.said
    )
    assert any(
        "bridge runs the reaper" in line and "shared_preload_libraries = 'pg_cron'" in line
        for line in place.said
    )
