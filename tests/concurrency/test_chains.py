"""All chains together never form a cycle, whoever inserts them at the same moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import psycopg

from tests.support.databases import Database
from tests.support.graphs import define_graph

RING = 6
ROUNDS = 30


def test_a_ring_raced_keeps_all_edges_but_one(database: Database) -> None:
    with database.connect() as admin:
        names = [f"r{n}_{i}" for n in range(ROUNDS) for i in range(RING)]
        define_graph(admin, "seed", [("a", "b")], extra_tasks=names)
        tasks: dict[str, int] = dict(admin.execute("select name, id from orchestration.task").fetchall())
        connections = [database.connect_app() for _ in range(RING)]
        start = Barrier(RING)

        def close_edge(place: int, number: int) -> str | None:
            edge = (tasks[f"r{number}_{place}"], tasks[f"r{number}_{(place + 1) % RING}"])
            start.wait()
            try:
                connections[place].execute(
                    "insert into orchestration.chain (previous_task_id, next_task_id) values (%s, %s)", edge
                )
            except psycopg.Error as error:
                return error.sqlstate
            return None

        with ThreadPoolExecutor(RING) as pool:
            for number in range(ROUNDS):
                states = list(pool.map(lambda place, n=number: close_edge(place, n), range(RING)))
                assert sorted(state or "" for state in states) == [""] * (RING - 1) + ["OR203"], (
                    number,
                    states,
                )
        for connection in connections:
            connection.close()
        broken = admin.execute(
            "select count(*) from orchestration.chain c"
            " join orchestration.task_order a on a.task_id = c.previous_task_id"
            " join orchestration.task_order b on b.task_id = c.next_task_id where a.ord >= b.ord"
        ).fetchone()
    assert broken == (0,)
