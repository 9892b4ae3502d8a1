"""Failures, late successes, corrections, retries, pauses, cancels at once: every run ends as its last attempts say."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import psycopg
import pytest
from psycopg import Connection
from psycopg.rows import TupleRow

from tests.support.databases import Database
from tests.support.graphs import define_graph

RETRIED = ("40001", "40P01", "55P03")
RUNS = 40
SEED = 7
_FLYING = "select id from orchestration.task_run where status in ('DISPATCHED', 'RUNNING') order by random() limit 8"
_FAILED = "select id from orchestration.task_run where status = 'FAILED' order by random() limit 1"
_OPEN = "select id from orchestration.graph_run where status = 'RUNNING' order by random() limit 1"
# a run whose status is not what the last attempts of its places say
_WRONG = """
with last as (
    select distinct on (l.graph_run_id, l.task_id) l.graph_run_id, l.task_id, t.status
    from orchestration.graph_run_task_run l join orchestration.task_run t on t.id = l.task_run_id
    order by l.graph_run_id, l.task_id, l.attempt desc
), said as (
    select r.id, r.status, r.open_count, v.task_count, count(x.task_id) as places,
           case when bool_or(x.status = 'FAILED') then 'FAILED' when bool_or(x.status = 'CANCELLED') then 'CANCELLED'
                else 'SUCCESS' end as should
    from orchestration.graph_run r
    join orchestration.graph_version v on v.id = r.version_id
    left join last x on x.graph_run_id = r.id
    group by r.id, v.id
)
select * from said where status = 'RUNNING' or open_count <> 0 or places <> task_count
                      or (status <> should and status <> 'CANCELLED')
"""
_GAPS = """
select l.graph_run_id, l.task_id from orchestration.graph_run_task_run l
group by l.graph_run_id, l.task_id having max(l.attempt) <> count(*) and min(l.attempt) = 1
"""
_SUCCEEDED_TWICE = """
select l.graph_run_id, l.task_id
from orchestration.graph_run_task_run l join orchestration.task_run t on t.id = l.task_run_id and t.status = 'SUCCESS'
group by l.graph_run_id, l.task_id having count(*) > 1
"""


def _ids(connection: Connection[TupleRow], query: str) -> list[int]:
    return [row[0] for row in connection.execute(query.encode())]


def _events(said: Sequence[tuple[int, str]]) -> list[str]:
    return [json.dumps({"task_run_id": each, "status": status}) for each, status in said]


def _patiently(connection: Connection[TupleRow], call: str, *arguments: object) -> None:
    """Again where it was the victim of a deadlock; what is refused is refused."""
    for _ in range(100):
        try:
            connection.execute(f"select {call}".encode(), arguments)
        except psycopg.Error as error:
            if (error.sqlstate or "").startswith("OR"):
                return
            if error.sqlstate not in RETRIED:
                raise
        else:
            return
    pytest.fail(f"gave up: {call}")


class Crowd:
    """What happens to the runs of graph g, each method from a connection of its own."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.done = Event()

    def tell(self, number: int) -> None:
        """Report what is in flight, now and then a SUCCESS of what has failed, until nothing flies."""
        chance = random.Random(SEED + number)
        with self.database.connect_app() as connection:
            while flying := _ids(connection, _FLYING):
                said = [(each, chance.choice(("SUCCESS", "SUCCESS", "FAILED", "RUNNING"))) for each in flying]
                said += [(each, "SUCCESS") for each in _ids(connection, _FAILED) if chance.random() < 0.1]
                chance.shuffle(said)
                _patiently(connection, ", ".join(["orchestration.report(%s)"] * len(said)), *_events(said))

    def disturb(self) -> None:
        """Pause and resume; cancel and mark now and then."""
        chance = random.Random(SEED)
        with self.database.connect_app() as connection:
            while not self.done.is_set():
                _patiently(connection, "orchestration.pause_graph('g')")
                _patiently(connection, "orchestration.resume_graph('g')")
                if chance.random() < 0.1:
                    for run in _ids(connection, _OPEN):
                        _patiently(connection, "orchestration.cancel_graph_run(%s)", run)
                    for failed in _ids(connection, _FAILED):
                        _patiently(connection, "orchestration.mark_task_run(%s, 'SUCCESS')", failed)

    def reap(self) -> None:
        """Dispatch what is due."""
        with self.database.connect_app() as connection:
            while not self.done.is_set():
                _patiently(connection, "orchestration.reap_stale_runs()")


def test_all_at_once(database: Database) -> None:
    crowd = Crowd(database)
    with database.connect() as admin:
        define_graph(admin, "g", [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), ("d", "e")])
        admin.execute("update orchestration.task set max_attempts = 3, retry_delay = '0'")
        for number in range(RUNS):
            _patiently(admin, "orchestration.launch_graph('g', run_key => %s)", f"k{number}")
        with ThreadPoolExecutor(5) as pool:
            disturbers = [pool.submit(crowd.disturb), pool.submit(crowd.reap)]
            try:
                for _ in range(3):  # a teller leaves when nothing flies at that moment
                    for teller in [pool.submit(crowd.tell, number) for number in range(3)]:
                        teller.result(timeout=200)
            finally:
                crowd.done.set()
            for disturber in disturbers:
                disturber.result(timeout=60)
        _bring_to_its_end(admin)
        assert admin.execute(_WRONG.encode()).fetchall() == []
        assert admin.execute(_GAPS.encode()).fetchall() == []
        assert admin.execute(_SUCCEEDED_TWICE.encode()).fetchall() == []
        assert _ids(admin, "select id from orchestration.task_run where finished_at is null") == []
        assert _ids(admin, "select count(*) from orchestration.task_run where attempt > 1")[0] > RUNS / 4


def _bring_to_its_end(connection: Connection[TupleRow]) -> None:
    for _ in range(200):
        _patiently(connection, "orchestration.reap_stale_runs()")
        flying = _ids(connection, _FLYING)
        if not flying:
            return
        for event in _events([(each, "SUCCESS") for each in flying]):
            _patiently(connection, "orchestration.report(%s)", event)
