"""1,000 runs in flight while chains come, go and move, graphs are archived and renamed: each ends by its version."""

from __future__ import annotations

import json
import random
import threading
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

import psycopg
from psycopg.rows import TupleRow

from tests.support.databases import Database
from tests.support.graphs import Feed, define_graph

Connection = psycopg.Connection[TupleRow]

RUNS = 1000
TASKS = [f"t{i:02}" for i in range(12)]
_PLACES = """
select l.graph_run_id, l.task_id, l.task_run_id, t.status, coalesce(t.reason, ''), t.dispatched_at, t.finished_at
from orchestration.graph_run_task_run l join orchestration.task_run t on t.id = l.task_run_id
"""
_EDGES = """
select v.version_id, v.task_id, s.id
from orchestration.graph_version_task v left join unnest(v.successor_ids) s(id) on true
"""


@dataclass
class Editor:
    """Edits graph `main` and the graphs around it, one transaction an edit; remembers every shape it committed."""

    connection: Connection
    ids: dict[str, int]
    graphs: dict[str, int]
    edges: dict[str, set[tuple[int, int]]]
    luck: random.Random
    shapes: set[frozenset[tuple[int, int]]] = field(default_factory=set)
    done: int = 0

    def remember(self) -> None:
        self.shapes.add(frozenset(self.edges["main"]))

    def edit(self) -> None:
        """One or a few changes of shape, or of names and flags, committed together."""
        with self.connection.transaction():
            for _ in range(self.luck.randint(1, 3)):
                self.luck.choice([self.add, self.add, self.remove, self.move, self.rename, self.archive])()
        self.remember()
        self.done += 1

    def add(self) -> None:
        low, high = sorted(self.luck.sample([self.ids[name] for name in TASKS], 2))
        if not any((low, high) in edges for edges in self.edges.values()):
            self.connection.execute(
                "with made as ("
                "insert into orchestration.chain (previous_task_id, next_task_id) values (%s, %s) returning id)"
                " insert into orchestration.graph_chain (graph_id, chain_id) select %s, id from made",
                (low, high, self.graphs["main"]),
            )
            self.edges["main"].add((low, high))

    def remove(self) -> None:
        if len(self.edges["main"]) > 10:
            edge = self.luck.choice(sorted(self.edges["main"]))
            self.connection.execute(
                "delete from orchestration.graph_chain g using orchestration.chain c"
                " where c.id = g.chain_id and c.previous_task_id = %s and c.next_task_id = %s",
                edge,
            )
            self.connection.execute(
                "delete from orchestration.chain where previous_task_id = %s and next_task_id = %s", edge
            )
            self.edges["main"].remove(edge)

    def move(self) -> None:
        source, target = ("main", "aside") if len(self.edges["main"]) > 12 else ("aside", "main")
        if self.edges[source]:
            edge = self.luck.choice(sorted(self.edges[source]))
            self.connection.execute(
                "update orchestration.graph_chain set graph_id = %s where chain_id ="
                " (select id from orchestration.chain where previous_task_id = %s and next_task_id = %s)",
                (self.graphs[target], *edge),
            )
            self.edges[source].remove(edge)
            self.edges[target].add(edge)

    def rename(self) -> None:
        word = f"{self.luck.random():.9f}"
        self.connection.execute(
            "update orchestration.graph set name = %s where id = %s", (f"g{word}", self.graphs["main"])
        )
        self.connection.execute(
            "update orchestration.task set name = %s where id = %s",
            (f"n{word}", self.ids[self.luck.choice(TASKS)]),
        )

    def archive(self) -> None:
        self.connection.execute(
            "update orchestration.graph set archived = not archived where id = %s", (self.graphs["hidden"],)
        )


def until(stop: threading.Event, act: Callable[[], object]) -> None:
    while not stop.wait(0.01):
        act()


def test_every_run_ends_as_its_version_says(database: Database) -> None:
    luck = random.Random(20261122)
    chains = [
        (TASKS[i], TASKS[j])
        for i in range(11)
        for j in range(i + 1, 12)
        if luck.random() < 0.25 or j == i + 1
    ]
    with (
        database.connect() as admin,
        database.connect() as edits,
        database.connect() as events,
        ThreadPoolExecutor(1) as pool,
    ):
        define_graph(admin, "main", chains)
        define_graph(admin, "next", [(TASKS[-1], "u0"), ("u0", "u1")])  # where graphs meet
        define_graph(admin, "hidden", [("x0", "x1"), ("x1", "x2")])
        define_graph(admin, "aside", [("y0", "y1")])
        # chains move in and out of it; its runs are not this test's matter
        admin.execute("update orchestration.graph set archived = true where name = 'aside'")
        graphs: dict[str, int] = dict(admin.execute("select name, id from orchestration.graph").fetchall())
        ids: dict[str, int] = dict(admin.execute("select name, id from orchestration.task").fetchall())
        edges = {"main": {(ids[p], ids[n]) for p, n in chains}, "aside": {(ids["y0"], ids["y1"])}}
        editor = Editor(edits, ids, graphs, edges, luck)
        editor.remember()
        for i in range(50):
            admin.execute("select orchestration.launch_graph('hidden', run_key => %s)", (f"{i}",))

        stop = threading.Event()
        editing = pool.submit(until, stop, editor.edit)
        try:
            for _ in range(RUNS):
                admin.execute("insert into orchestration.graph_run (graph_id) values (%s)", (graphs["main"],))
            assert count(admin, "where graph_id = %s", graphs["main"]) == RUNS, "all in flight"
            edited = editor.done
            finish_all(Feed(events), random.Random(7))
        finally:
            stop.set()
            editing.result(timeout=60)
        assert len(editor.shapes) >= 20
        assert editor.done > edited >= 20, "edits went on all the time"
        judge(admin, graphs, editor.shapes, ids[TASKS[-1]])


def count(admin: Connection, where: str, *values: object) -> int:
    row = admin.execute(
        f"select count(*) from orchestration.graph_run {where} and status = 'RUNNING'".encode(), values
    ).fetchone()
    assert row is not None
    return int(row[0])


def finish_all(feed: Feed, luck: random.Random) -> None:
    """Answer every dispatch, in random order, in batches: 1 in 25 with FAILED."""
    while True:
        rows = feed.connection.execute(
            "select id from orchestration.task_run where status = 'DISPATCHED' order by id"
        ).fetchall()
        if not rows:
            return
        batch = [row[0] for row in luck.sample(rows, min(len(rows), 500))]
        feed.send(
            [
                json.dumps(
                    {"task_run_id": i, "status": "FAILED" if luck.random() < 0.04 else "SUCCESS"}
                ).encode()
                for i in batch
            ]
        )


@dataclass(frozen=True)
class Place:
    task_run: int
    status: str
    reason: str
    dispatched: datetime | None
    finished: datetime


def judge(
    admin: Connection, graphs: dict[str, int], shapes: set[frozenset[tuple[int, int]]], meeting: int
) -> None:
    """Every run of `main` went through one committed shape, exactly; its successes of `meeting` crossed, once each."""
    versions: dict[int, tuple[set[int], set[tuple[int, int]]]] = defaultdict(lambda: (set(), set()))
    for version, task, successor in admin.execute(_EDGES).fetchall():
        versions[version][0].add(task)
        if successor is not None:
            versions[version][1].add((task, successor))
    places: dict[int, dict[int, Place]] = defaultdict(dict)
    for run, task, *rest in admin.execute(_PLACES).fetchall():
        assert task not in places[run], "one task run a place"
        places[run][task] = Place(*rest)
    runs = admin.execute(
        "select id, graph_id, version_id, status from orchestration.graph_run order by id"
    ).fetchall()
    used = set()
    for run, graph, version, status in runs:
        tasks, edges = versions[version]
        assert set(places[run]) == tasks, "every task of the version, and no other"
        if graph == graphs["main"]:
            assert frozenset(edges) in shapes, "a version is what one transaction committed"
            used.add(version)
        for task, place in places[run].items():
            before = [places[run][previous] for previous, following in edges if following == task]
            if all(other.status == "SUCCESS" for other in before):
                assert place.status in ("SUCCESS", "FAILED"), (run, task, place)
                assert place.dispatched is not None
                assert all(other.finished <= place.dispatched for other in before) or graph == graphs["next"]
            else:
                assert (place.status, place.reason, place.dispatched) == ("SKIPPED", "upstream", None)
        words = {place.status for place in places[run].values()}
        assert status == ("FAILED" if "FAILED" in words else "SUCCESS")
    assert len(used) >= 20, "runs of many versions were in flight together"
    crossed = sorted(places[run][meeting].task_run for run, graph, _, _ in runs if graph == graphs["next"])
    succeeded = sorted(
        places[run][meeting].task_run
        for run, graph, _, _ in runs
        if graph == graphs["main"] and meeting in places[run] and places[run][meeting].status == "SUCCESS"
    )
    assert crossed == succeeded, "each success of the last task started one run of the next graph"
    assert admin.execute("select count(*) from orchestration.dead_letter").fetchone() == (0,)
