"""32 connections at once: bridges, reapers, people by hand and DBAs with bulk statements. One lock order for all.

The programs try again and are the victims of deadlocks; a DBA's statement fails only with a clear error of ours, or a
deadlock that PostgreSQL names; nothing is lost and no run is stuck. `make test-long` goes on for three minutes.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.concurrency.test_attempts import (
    _FAILED,
    _FLYING,
    _OPEN,
    _SUCCEEDED_TWICE,
    _WRONG,
    RETRIED,
    _bring_to_its_end,
    _ids,
    _patiently,
)
from tests.support.databases import Database
from tests.support.graphs import Feed, define_graph

CROWD = {"bridge": 12, "dba": 6, "hand": 6, "launch": 4, "reaper": 2, "pause": 2}
_BULK = (
    "update orchestration.task_run set status = 'SUCCESS' where status = 'DISPATCHED'",
    "update orchestration.task_run set status = 'FAILED' where id in (select id from orchestration.task_run "
    "where status in ('DISPATCHED', 'RUNNING') order by id desc limit 20)",
    "update orchestration.task_run set status = 'SUCCESS' where id in (select id from orchestration.task_run "
    "where status in ('DISPATCHED', 'RUNNING') order by random() limit 30)",
    "update orchestration.task set retry_delay = retry_delay where name = 'a'",
)


class Crowd:
    """Everybody works until `until`; `met` counts what a DBA's statements and the bridges met."""

    def __init__(self, database: Database, seconds: float) -> None:
        self.database = database
        self.until = time.monotonic() + seconds
        self.met: Counter[str] = Counter()

    def bridge(self, number: int) -> None:
        """Batches of ends, as a bridge sends them; the same batch again where it was a deadlock's victim."""
        with self.database.connect_app() as connection:
            feed = Feed(connection, number)
            while time.monotonic() < self.until:
                events = [
                    b'{"task_run_id":%d,"status":"SUCCESS"}' % each for each in _ids(connection, _FLYING)
                ]
                events.append(
                    b'{"service":"runner","process":"a","status":"SUCCESS","run_key":"%d"}' % (number % 4)
                )
                for _ in range(100):
                    try:
                        feed.send(events)
                        break
                    except psycopg.Error as error:
                        if error.sqlstate not in RETRIED:
                            raise
                        self.met[f"bridge {error.sqlstate}"] += 1
                else:
                    pytest.fail("a bridge gave up")

    def dba(self, number: int) -> None:
        """Bulk statements of a person, who does not try again."""
        chance = random.Random(number)
        with self.database.connect_app() as connection:
            while time.monotonic() < self.until:
                statement = _BULK[3] if number == 0 else chance.choice(_BULK[:3])
                try:
                    connection.execute(statement.encode())
                    self.met["dba done"] += 1
                except psycopg.Error as error:
                    if error.sqlstate not in RETRIED and not (error.sqlstate or "").startswith("OR"):
                        raise
                    self.met[f"dba {error.sqlstate}"] += 1
                time.sleep(chance.uniform(0, 0.1))

    def hand(self, number: int) -> None:
        """Reruns, marks and cancels."""
        chance = random.Random(100 + number)
        with self.database.connect_app() as connection:
            while time.monotonic() < self.until:
                for run in _ids(connection, _OPEN):
                    act = chance.choice(
                        ("rerun(%s)", "rerun(%s, array['b'])", "cancel_graph_run(%s, 'enough')")
                    )
                    _patiently(connection, f"orchestration.{act}", run)
                for failed in _ids(connection, _FAILED):
                    _patiently(connection, "orchestration.mark_task_run(%s, 'SUCCESS', 'by hand')", failed)
                time.sleep(chance.uniform(0, 0.05))

    def launch(self, number: int) -> None:
        """New runs."""
        with self.database.connect_app() as connection:
            while time.monotonic() < self.until:
                _patiently(connection, "orchestration.launch_graph('g', run_key => %s)", f"{number}")
                time.sleep(0.05)

    def reaper(self, _number: int) -> None:
        """What is due."""
        with self.database.connect_app() as connection:
            while time.monotonic() < self.until:
                _patiently(connection, "orchestration.reap_stale_runs()")
                time.sleep(0.02)

    def pause(self, _number: int) -> None:
        """Now held, now sent."""
        with self.database.connect_app() as connection:
            while time.monotonic() < self.until:
                _patiently(connection, "orchestration.pause_graph('h')")
                time.sleep(0.1)
                _patiently(connection, "orchestration.resume_graph('h')")
                time.sleep(0.1)


@pytest.mark.parametrize("seconds", [12, pytest.param(180, marks=pytest.mark.long)])
def test_nothing_is_lost_or_stuck(database: Database, seconds: int) -> None:
    with database.connect() as admin:
        define_graph(admin, "g", [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")])
        define_graph(admin, "h", [("d", "x"), ("x", "y")])
        admin.execute("update orchestration.task set max_attempts = 2, retry_delay = '0'")
        crowd = Crowd(database, seconds)
        with ThreadPoolExecutor(sum(CROWD.values())) as pool:
            works: list[Callable[[int], None]] = [getattr(crowd, kind) for kind in CROWD]
            everybody = [
                pool.submit(work, number)
                for work, many in zip(works, CROWD.values(), strict=True)
                for number in range(many)
            ]
            for one in everybody:
                one.result(timeout=seconds + 120)
        _patiently(admin, "orchestration.resume_graph('h')")
        _bring_to_its_end(admin)
        assert admin.execute(_WRONG.encode()).fetchall() == []
        assert admin.execute(_SUCCEEDED_TWICE.encode()).fetchall() == []
        assert _ids(admin, "select id from orchestration.task_run where finished_at is null") == []
        assert crowd.met["dba done"] > 20, crowd.met
