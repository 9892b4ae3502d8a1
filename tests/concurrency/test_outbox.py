"""The outbox is read by state: what commits late is sent, and nothing is taken twice."""

from __future__ import annotations

import psycopg
import pytest

from tests.support.databases import Database
from tests.support.graphs import Feed, define_graph

_START = "insert into orchestration.task_run (task_id) select min(id) from orchestration.task"
_TAKE = "select task_run_id from orchestration.take_dispatches(%s, 100)"


def test_a_dispatch_that_commits_after_a_later_one_is_taken(database: Database) -> None:
    """Ids come from a sequence, so they do not commit in their order."""
    with database.connect() as admin, database.connect(autocommit=False) as early:
        define_graph(admin, "graph", [("a", "b")])
        bridge = Feed(admin).bridge
        early.execute(_START)
        admin.execute(_START)
        first = [row[0] for row in admin.execute(_TAKE, (bridge,)).fetchall()]
        early.commit()
        second = [row[0] for row in admin.execute(_TAKE, (bridge,)).fetchall()]
    assert len(first) == 1
    assert len(second) == 1
    assert second < first


def test_two_bridges_never_take_the_same_dispatch_and_never_wait(database: Database) -> None:
    with database.connect() as admin, database.connect(autocommit=False) as other:
        define_graph(admin, "graph", [("a", "b")])
        bridges = [Feed(admin).bridge, Feed(admin, 1).bridge]
        for _ in range(3):
            admin.execute(_START)
        taken = [row[0] for row in other.execute(_TAKE, (bridges[1],)).fetchall()]
        admin.execute(_START)
        admin.execute("set lock_timeout = '500 ms'")
        try:
            more = [row[0] for row in admin.execute(_TAKE, (bridges[0],)).fetchall()]
        except psycopg.errors.LockNotAvailable as error:
            pytest.fail(f"it waits for what another took: {error}")
        other.commit()
    assert len(taken) == 3
    assert len(more) == 1
    assert not set(taken) & set(more)
