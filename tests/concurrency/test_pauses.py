"""Pausing and resuming against events of the same moment: nothing stays behind, nothing waits for a resume."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import psycopg
import pytest
from psycopg import Connection
from psycopg.rows import TupleRow

from tests.support.databases import Database
from tests.support.graphs import define_graph

RETRIED = ("40001", "40P01", "55P03")
RUNS = 60
TOGGLES = 60


@pytest.fixture
def admin(database: Database) -> Iterator[Connection[TupleRow]]:
    with database.connect() as connection:
        define_graph(connection, "g", [("a", "b"), ("b", "c")])
        yield connection


def _value(connection: Connection[TupleRow], query: str, *arguments: object) -> object:
    row = connection.execute(query.encode(), arguments).fetchone()
    return row[0] if row else None


def _report(connection: Connection[TupleRow], task_run: object, status: str = "SUCCESS") -> None:
    connection.execute(
        "select orchestration.report(%s)", [json.dumps({"task_run_id": task_run, "status": status})]
    )


def _launch(connection: Connection[TupleRow]) -> object:
    """A run of the graph; answers the task run of its root."""
    run = _value(connection, "select orchestration.launch_graph('g')")
    return _value(connection, "select id from orchestration.task_run where graph_run_id = %s", run)


def _of_b(connection: Connection[TupleRow]) -> list[TupleRow]:
    return connection.execute(
        "select r.status, d.task_run_id is not null from orchestration.task_run r"
        " join orchestration.task t on t.id = r.task_id and t.name = 'b'"
        " left join orchestration.dispatch d on d.task_run_id = r.id order by r.id"
    ).fetchall()


def test_a_resume_waits_for_who_saw_the_pause(database: Database, admin: Connection[TupleRow]) -> None:
    task_run = _launch(admin)
    admin.execute("select orchestration.pause_graph('g')")
    with database.connect_app(autocommit=False) as batch, database.connect_app() as resumer:
        _report(batch, task_run)  # b is held, not committed yet
        with ThreadPoolExecutor(1) as pool:
            resumed = pool.submit(resumer.execute, "select orchestration.resume_graph('g')")
            with pytest.raises(TimeoutError):
                resumed.result(timeout=1)
            batch.commit()
            resumed.result(timeout=10)
    assert _of_b(admin) == [("DISPATCHED", True)]


def test_nobody_waits_for_a_resume(database: Database, admin: Connection[TupleRow]) -> None:
    task_run = _launch(admin)
    admin.execute("select orchestration.pause_graph('g')")
    with database.connect_app(autocommit=False) as resumer, database.connect_app() as batch:
        resumer.execute("select orchestration.resume_graph('g')")
        batch.execute("set lock_timeout = '5s'")
        _report(batch, task_run)
        resumer.commit()
    assert _of_b(admin) == [("DISPATCHED", True)]


def test_toggled_under_load(database: Database, admin: Connection[TupleRow]) -> None:
    roots = [_launch(admin) for _ in range(RUNS)]
    done = Event()
    halves = [roots[::2], roots[1::2]]

    def retried(connection: Connection[TupleRow], query: str, arguments: list[object]) -> None:
        for _ in range(50):
            try:
                connection.execute(query.encode(), arguments)
            except psycopg.Error as error:
                if error.sqlstate not in RETRIED:
                    raise
            else:
                return
        pytest.fail(f"gave up: {query}")

    def tell(half: int) -> None:
        report = "select orchestration.report(%s)"
        mine = halves[half][:]
        with database.connect_app() as connection:
            while mine:
                mine.sort(key=lambda _: random.random())
                some = mine[:5]
                events = [json.dumps({"task_run_id": each, "status": "SUCCESS"}) for each in some]
                retried(connection, f"select {', '.join([report[7:]] * len(some))}", [*events])
                mine = mine[5:]

    def toggle() -> None:
        with database.connect_app() as connection:
            for _ in range(TOGGLES):
                retried(connection, "select orchestration.pause_graph('g')", [])
                retried(connection, "select orchestration.resume_graph('g')", [])
                if done.is_set():
                    return

    with ThreadPoolExecutor(3) as pool:
        tellers = [pool.submit(tell, half) for half in range(2)]
        toggler = pool.submit(toggle)
        for teller in tellers:
            teller.result(timeout=120)
        done.set()
        toggler.result(timeout=120)
    assert _of_b(admin) == [("DISPATCHED", True)] * RUNS
    assert _value(admin, "select count(*) from orchestration.graph_pause where resumed_at is null") == 0
