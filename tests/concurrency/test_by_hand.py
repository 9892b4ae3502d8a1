"""Runs by hand against events of the same task runs: nothing is stranded, whoever comes first."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from psycopg.rows import TupleRow

from tests.support.databases import Database
from tests.support.graphs import define_graph

Connection = psycopg.Connection[TupleRow]
_SUCCESS = "select orchestration.report(jsonb_build_object('task_run_id', %s::bigint, 'status', 'SUCCESS'))"


def one(connection: Connection, statement: str, *values: object) -> object:
    row = connection.execute(statement.encode(), values).fetchone()
    assert row is not None
    return row[0]


def place(connection: Connection, run: object, task: str) -> object:
    return one(
        connection,
        "select l.task_run_id from orchestration.graph_run_task_run l join orchestration.task t on t.id = l.task_id"
        " where l.graph_run_id = %s and t.name = %s order by l.attempt desc limit 1",
        run, task,
    )  # fmt: skip


def states(connection: Connection, run: object) -> dict[str, str]:
    rows = connection.execute(
        "select distinct on (k.name) k.name, t.status from orchestration.graph_run_task_run l"
        " join orchestration.task_run t on t.id = l.task_run_id join orchestration.task k on k.id = l.task_id"
        " where l.graph_run_id = %s order by k.name, l.attempt desc", (run,)
    )  # fmt: skip
    return {row[0]: row[1] for row in rows}


def waits(watcher: Connection, connection: Connection, work: Future[Any]) -> bool:
    """Wait until the work is done or waits for somebody's lock; whether it waits."""
    pid = connection.info.backend_pid
    deadline = time.monotonic() + 20
    while not work.done():
        if one(watcher, "select cardinality(pg_blocking_pids(%s)) > 0", pid):
            return True
        assert time.monotonic() < deadline
        time.sleep(0.001)
    return False


def shared_in_flight(admin: Connection) -> tuple[object, object, object]:
    """Two runs, the second a rerun of the first, that share `u` in flight; `v` follows it. Runs and task run."""
    define_graph(admin, "g", [("s", "t"), ("u", "v")])
    first = one(admin, "select orchestration.launch_graph('g')")
    admin.execute("select orchestration.mark_task_run(%s, 'FAILED')", (place(admin, first, "s"),))
    second = one(admin, "select orchestration.rerun(%s)", first)
    shared = place(admin, second, "u")
    assert shared == place(admin, first, "u")
    return first, second, shared


@pytest.mark.parametrize("old_ended", [False, True])
@pytest.mark.parametrize("rerun_first", [False, True])
def test_an_end_and_a_rerun_that_shares_it(database: Database, old_ended: bool, rerun_first: bool) -> None:
    with (
        database.connect() as admin,
        database.connect_app(autocommit=False) as event,
        database.connect(autocommit=False) as hand,
        ThreadPoolExecutor(2) as pool,
    ):
        _, old, shared = shared_in_flight(admin)
        redo = None if old_ended else ["s"]
        if old_ended:
            admin.execute("select orchestration.cancel_graph_run(%s)", (old,))
        steps = [
            (hand, lambda: one(hand, "select orchestration.rerun(%s, %s::text[])", old, redo)),
            (event, lambda: one(event, _SUCCESS, shared)),
        ]
        if not rerun_first:
            steps.reverse()
        one(steps[0][0], "select 1")
        steps[0][1]()
        work = pool.submit(steps[1][1])
        assert waits(admin, steps[1][0], work), "the second meets the first"
        steps[0][0].commit()
        work.result(timeout=20)
        steps[1][0].commit()
        new = one(admin, "select max(id) from orchestration.graph_run")
        assert states(admin, new) == {"s": "DISPATCHED", "u": "SUCCESS", "v": "DISPATCHED"}


def test_a_cancel_and_a_rerun_that_shares_what_is_in_flight(database: Database) -> None:
    with (
        database.connect() as admin,
        database.connect(autocommit=False) as hand,
        database.connect(autocommit=False) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        first, second, shared = shared_in_flight(admin)
        admin.execute("select orchestration.cancel_graph_run(%s)", (second,))
        new = one(hand, "select orchestration.rerun(%s)", second)
        work = pool.submit(lambda: other.execute("select orchestration.cancel_graph_run(%s)", (first,)))
        assert waits(admin, other, work), "the cancel of the only open run that shares it waits for the rerun"
        hand.commit()
        work.result(timeout=20)
        other.commit()
        assert states(admin, new)["u"] == "DISPATCHED", "an open run shares it by then"
        assert one(admin, "select status from orchestration.graph_run where id = %s", first) == "CANCELLED"
        admin.execute(_SUCCESS, (shared,))
        assert states(admin, new)["v"] == "DISPATCHED"


def test_purge_leaves_what_a_rerun_shares(database: Database) -> None:
    with (
        database.connect() as admin,
        database.connect(autocommit=False) as hand,
    ):
        first, second, shared = shared_in_flight(admin)
        admin.execute("select orchestration.report(jsonb_build_object('task_run_id', id, 'status', 'SUCCESS'))"
                      " from orchestration.task_run where finished_at is null order by id")  # fmt: skip
        admin.execute("select orchestration.report(jsonb_build_object('task_run_id', id, 'status', 'SUCCESS'))"
                      " from orchestration.task_run where finished_at is null order by id")  # fmt: skip
        assert one(admin, "select count(*) from orchestration.graph_run where status = 'RUNNING'") == 0
        new = one(hand, "select orchestration.rerun(%s, array['v'])", second)
        one(admin, "select orchestration.purge('0 seconds')")
        hand.commit()
        assert place(admin, new, "u") == shared
        assert states(admin, new) == {"s": "SUCCESS", "t": "SUCCESS", "u": "SUCCESS", "v": "DISPATCHED"}
        assert one(admin, "select count(*) from orchestration.graph_run where id = %s", first) == 1


def test_the_record_names_the_login(database: Database) -> None:
    """db_user is who logged in, also behind functions that run as their owner and behind SET ROLE."""
    with database.connect() as admin, database.connect_app(autocommit=False) as app:
        define_graph(admin, "g", [("a", "b"), ("b", "c")])
        user = app.info.user
        app.execute("set local orchestration.actor = 'ann'; set local orchestration.source = 'rest'")
        run = one(app, "select orchestration.launch_graph('g')")
        app.execute("select orchestration.mark_task_run(%s, 'FAILED', 'bad input')", (place(app, run, "a"),))
        again = one(app, "select orchestration.rerun(%s)", run)
        app.execute("select orchestration.cancel_task_run(%s, 'slow')", (place(app, again, "a"),))
        third = one(app, "select orchestration.mark_task_run(%s, 'SUCCESS', 'done')", place(app, again, "a"))
        app.execute("select orchestration.cancel_graph_run(%s, 'enough')", (third,))
        part = one(app, "select orchestration.launch_tasks('g', array['c'])")
        chain = one(app, "select orchestration.launch_chain((select min(id) from orchestration.chain))")
        app.commit()
        rows = admin.execute(
            "select distinct source, actor, db_user from orchestration.task_run_event"
        ).fetchall()
        assert rows == [("rest", "ann", user)]
        opened = (
            "select array_agg(graph_run_id order by graph_run_id) from orchestration.task_run_event"
            " where task_run_id is null and old_status is null"
        )
        assert one(admin, opened) == [run, again, third, part, chain]
        words = "select array_agg(distinct detail order by detail) from orchestration.task_run_event where reason = %s"
        assert one(admin, words, "marked") == [
            "marked FAILED by ann: bad input",
            "marked SUCCESS by ann: done",
        ]
        assert one(admin, words, "cancelled") == ["cancelled by ann: enough", "cancelled by ann: slow"]
