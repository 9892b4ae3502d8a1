"""A join starts exactly once, in whatever order its predecessors' transactions run, commit and roll back."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import psycopg
import pytest
from psycopg.rows import TupleRow

from tests.support.databases import Database
from tests.support.graphs import Feed, define_graph

_REPORT = "select orchestration.report(jsonb_build_object('task_run_id', %s::bigint, 'status', 'SUCCESS'))"


def schedules(sessions: int) -> Iterator[tuple[int, ...]]:
    """Every order of two steps (report, end) of each session: session numbers, first occurrence = report, second = end.

    The predecessors are alike, so of orders that differ only in their names one stands for all.
    """
    orders = set(itertools.permutations(sorted([*range(sessions)] * 2)))
    return iter(
        sorted(order for order in orders if sorted(set(order), key=order.index) == [*range(sessions)])
    )


class Session:
    """One transaction that reports one predecessor; a step that waits for another's lock is finished when it can be."""

    def __init__(self, database: Database, pool: ThreadPoolExecutor) -> None:
        self.connection = database.connect(autocommit=False)
        self.pool = pool
        self.pid = self.connection.info.backend_pid
        self.work: Future[object] | None = None

    def begin(self, task_run_id: int, watcher: psycopg.Connection[TupleRow]) -> None:
        """Report SUCCESS; return when it is done or waits for a lock."""
        self.work = self.pool.submit(
            self.connection.execute,
            _REPORT, (task_run_id,),
        )  # fmt: skip
        while not self.work.done():
            if watcher.execute("select cardinality(pg_blocking_pids(%s)) > 0", (self.pid,)).fetchone() == (
                True,
            ):
                return
            time.sleep(0.0005)

    @property
    def reported(self) -> bool:
        return self.work is not None and self.work.done()

    def end(self, commit: bool) -> None:
        assert self.work is not None
        self.work.result(timeout=10)
        if commit:
            self.connection.commit()
        else:
            self.connection.rollback()


@pytest.mark.parametrize("predecessors", [2, 3])
def test_every_interleaving_starts_the_join_once(database: Database, predecessors: int) -> None:
    names = [f"p{i}" for i in range(predecessors)]
    with database.connect() as admin, ThreadPoolExecutor(predecessors) as pool:
        define_graph(admin, "join", [("root", name) for name in names] + [(name, "join") for name in names])
        sessions = [Session(database, pool) for _ in names]
        cases = 0
        for schedule in schedules(predecessors):
            for commits in itertools.product([True, False], repeat=predecessors):
                run = _launch(admin)
                ids = [_place(admin, run, name) for name in names]
                _play(schedule, commits, sessions, ids, admin)
                cases += 1
                if all(commits):
                    assert _count(admin, run) == 1, (schedule, commits)
                    continue
                assert _count(admin, run) == 0, (schedule, commits)
                for i, commit in enumerate(commits):
                    if not commit:
                        admin.execute(
                            _REPORT,
                            (ids[i],),
                        )
                assert _count(admin, run) == 1, (schedule, commits)
        for session in sessions:
            session.connection.close()
    assert cases == {2: 3 * 4, 3: 15 * 8}[predecessors]


def _play(
    schedule: tuple[int, ...],
    commits: tuple[bool, ...],
    sessions: list[Session],
    ids: list[int],
    watcher: psycopg.Connection[TupleRow],
) -> None:
    """Run the steps in order; an end whose report still waits is made up for as soon as the report is through."""
    begun: set[int] = set()
    late: list[int] = []
    for number in schedule:
        if number not in begun:
            begun.add(number)
            sessions[number].begin(ids[number], watcher)
        elif sessions[number].reported:
            sessions[number].end(commits[number])
        else:
            late.append(number)
    deadline = time.monotonic() + 20
    while late:
        assert time.monotonic() < deadline, "a session waits for ever"
        for number in [n for n in late if sessions[n].reported]:
            sessions[number].end(commits[number])
            late.remove(number)
        time.sleep(0.0005)


def _launch(admin: psycopg.Connection[TupleRow]) -> int:
    row = admin.execute("select orchestration.launch_graph('join')").fetchone()
    assert row is not None
    admin.execute(
        "select orchestration.report(jsonb_build_object('task_run_id', l.task_run_id, 'status', 'SUCCESS'))"
        " from orchestration.graph_run_task_run l where l.graph_run_id = %s", (row[0],)
    )  # fmt: skip
    return int(row[0])


def _place(admin: psycopg.Connection[TupleRow], run: int, task: str) -> int:
    row = admin.execute(
        "select l.task_run_id from orchestration.graph_run_task_run l join orchestration.task t on t.id = l.task_id"
        " where l.graph_run_id = %s and t.name = %s", (run, task)
    ).fetchone()  # fmt: skip
    assert row is not None
    return int(row[0])


def _count(admin: psycopg.Connection[TupleRow], run: int) -> int:
    row = admin.execute(
        "select count(*) from orchestration.task_run r join orchestration.task t on t.id = r.task_id"
        " where r.graph_run_id = %s and t.name = 'join'", (run,)
    ).fetchone()  # fmt: skip
    assert row is not None
    return int(row[0])


def test_20000_contended_joins_with_double_delivery(database: Database) -> None:
    """Both predecessors of every join end at the same moment in two bridges, and every event comes twice."""
    joins, batch = 20_000, 500
    with database.connect() as admin, database.connect_app() as left, database.connect_app() as right:
        define_graph(admin, "diamond", [("root", "a"), ("root", "b"), ("a", "join"), ("b", "join")])
        feeds = [Feed(left, 0), Feed(right, 1)]
        root = b'{"service": "runner", "process": "root", "status": "SUCCESS"}'
        with ThreadPoolExecutor(2) as pool:
            for _ in range(joins // batch):
                started = [id_ for id_, _ in feeds[0].send([root] * batch)]
                side = {
                    name: [row[0] for row in admin.execute(
                        "select r.id from orchestration.task_run r join orchestration.task t on t.id = r.task_id"
                        " where r.id = any(%s) and t.name = %s order by r.graph_run_id", (started, name)).fetchall()]
                    for name in ("a", "b")
                }  # fmt: skip
                events = {
                    name: [b'{"task_run_id": %d, "status": "SUCCESS"}' % id_ for id_ in ids]
                    for name, ids in side.items()
                }
                halves = [events["a"] + events["b"], events["b"] + events["a"]]
                answers = list(pool.map(_send_until_done, feeds, halves))
                assert sum(len(answer) for answer in answers) == batch
        row = admin.execute(
            "select count(*), count(distinct r.graph_run_id) from orchestration.task_run r"
            " join orchestration.task t on t.id = r.task_id where t.name = 'join'"
        ).fetchone()
        assert row == (joins, joins)
        assert admin.execute(
            "select count(*) from orchestration.countdown where remaining <> 0"
        ).fetchone() == (0,)


def _send_until_done(feed: Feed, events: list[bytes]) -> list[tuple[int, bytes]]:
    """As the bridge: a deadlock is retried."""
    while True:
        try:
            return feed.send(events)
        except psycopg.errors.DeadlockDetected:
            continue
