"""Several reapers at once, and reapers among others: never two at it, never a wait, nothing twice, nothing left."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.databases import Database

REAP = "select outcome, retries, timeouts, graph_timeouts from orchestration.reap_stale_runs()"
DEFINITIONS = """
insert into orchestration.service (name, dispatch_topic) values ('airflow', 'airflow_tasks');
insert into orchestration.process (service_id, uid) select id, 'dag' from orchestration.service;
insert into orchestration.task (process_id, name, timeout, max_attempts, retry_delay)
select id, v.name, '1 minute', 2, '0' from orchestration.process, (values ('a'), ('b')) v (name);
insert into orchestration.chain (previous_task_id, next_task_id)
select a.id, b.id from orchestration.task a, orchestration.task b where a.name = 'a' and b.name = 'b';
insert into orchestration.graph (name) values ('graph');
insert into orchestration.graph_chain (graph_id, chain_id)
select g.id, c.id from orchestration.graph g, orchestration.chain c;
"""
RUNS = "select orchestration.launch_graph('graph') from generate_series(1, %s)"
DELIVER = "select orchestration.confirm_dispatches(0, array(select task_run_id from orchestration.dispatch))"


@pytest.fixture
def overdue(database: Database) -> Database:
    """300 task runs whose time is over and whose next attempt is due at once."""
    with database.connect() as connection:
        connection.execute(DEFINITIONS)
        connection.execute("set orchestration.clock = '2026-11-22T03:00:00Z'")
        connection.execute(RUNS, [300])
        connection.execute(DELIVER)
    return database


def test_one_at_a_time(overdue: Database) -> None:
    with overdue.connect_app(autocommit=False) as first, overdue.connect_app() as second:
        assert first.execute(REAP).fetchone() == ("done", 300, 300, 0)
        assert second.execute(REAP).fetchone() == ("busy", 0, 0, 0)
        first.commit()
        assert second.execute(REAP).fetchone() == ("done", 0, 0, 0)


def test_what_another_works_on_is_left_for_the_next_call(overdue: Database) -> None:
    """It never waits: neither for a graph run nor for a task run."""
    with overdue.connect(autocommit=False) as other, overdue.connect_app() as reaper:
        other.execute("select from orchestration.graph_run order by id limit 10 for update")
        other.execute("select from orchestration.task_run order by id desc limit 10 for update")
        reaper.execute("set lock_timeout = '1 ms'")
        assert reaper.execute(REAP).fetchone() == ("done", 280, 280, 0)
        other.rollback()
        assert reaper.execute(REAP).fetchone() == ("done", 20, 20, 0)


def test_many_callers_do_each_thing_once(overdue: Database) -> None:
    def call(_number: int) -> int:
        with overdue.connect_app() as connection:
            row = connection.execute(REAP).fetchone()
            assert row is not None
            return int(row[1])

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(call, range(24))) == 300
    with overdue.connect() as connection:
        attempts = "select attempt, status, count(*) from orchestration.task_run group by 1, 2 order by 1"
        assert connection.execute(attempts).fetchall() == [(1, "FAILED", 300), (2, "DISPATCHED", 300)]


def test_one_that_cannot_be_dealt_with_holds_up_nothing(overdue: Database) -> None:
    """An error nobody foresaw: the others go on, it is told, and looked at again a minute later."""
    with overdue.connect() as admin, overdue.connect_app() as reaper:
        admin.execute(
            "create function public.refuse() returns trigger language plpgsql as $$ begin raise 'a bug'; end $$;"
            "create trigger refuse before update on orchestration.task_run for each row"
            "  when (new.id = 7 and new.status = 'FAILED') execute function public.refuse()"
        )
        assert reaper.execute(REAP).fetchone() == ("done", 299, 299, 0)
        told = admin.execute("select did ->> 'problem' from orchestration.reaper_state").fetchone()
        assert told == ("timeout of 7: P0001 a bug",)
        assert reaper.execute(REAP).fetchone() == ("done", 0, 0, 0)
        admin.execute("drop trigger refuse on orchestration.task_run")
        reaper.execute("select set_config('orchestration.clock', (now() + interval '2 min')::text, false)")
        row = reaper.execute(REAP).fetchone()
        assert row is not None
        assert row[2] >= 1


def test_a_graph_run_committed_late_is_found(overdue: Database) -> None:
    """The walk through the runs does not go past one whose transaction is still open."""
    with (
        overdue.connect(autocommit=False) as late,
        overdue.connect() as early,
        overdue.connect_app() as reaper,
    ):
        early.execute("update orchestration.graph set timeout = '1 minute'")
        for connection in (late, early):
            connection.execute("set orchestration.clock = '2026-11-22T03:00:00Z'")
            connection.execute(RUNS, [1])
        for _ in range(2):
            reaper.execute(REAP)
        late.commit()
        for _ in range(2):
            reaper.execute(REAP)
        left = early.execute("select count(*) from orchestration.graph_run where status = 'RUNNING'")
        assert left.fetchone() == (0,)
