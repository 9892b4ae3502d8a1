"""A dead letter is replayed once, however many ask for it at the same moment."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import psycopg

from tests.support.databases import Database
from tests.support.graphs import define_graph

CALLERS = 4
ROUNDS = 20


def test_concurrent_replays_take_a_dead_letter_in_once(database: Database) -> None:
    with database.connect() as admin:
        for number in range(ROUNDS):
            event = {"service": "late", "process": f"p_{number}", "status": "SUCCESS"}
            assert admin.execute("select orchestration.report(%s)", [json.dumps(event)]).fetchone() == (None,)
        letters = [row[0] for row in admin.execute("select id from orchestration.dead_letter order by id")]
        define_graph(admin, "g", [("a", "b")])
        admin.execute("insert into orchestration.service (name) values ('late')")
        admin.execute(
            "insert into orchestration.process (service_id, uid)"
            " select id, 'p_' || n from orchestration.service, generate_series(0, %s) n where name = 'late'",
            [ROUNDS - 1],
        )
        admin.execute(
            "insert into orchestration.task (process_id, name)"
            " select p.id, p.uid from orchestration.process p"
            " join orchestration.service s on s.id = p.service_id where s.name = 'late'"
        )
        connections = [database.connect_app() for _ in range(CALLERS)]
        start = Barrier(CALLERS)

        def replay(caller: int, letter: int) -> str:
            start.wait()
            try:
                connections[caller].execute("select orchestration.replay(%s)", [letter])
            except psycopg.Error as error:
                return error.sqlstate or ""
            return "taken in"

        with ThreadPoolExecutor(CALLERS) as pool:
            for letter in letters:
                answers = sorted(pool.map(lambda caller, at=letter: replay(caller, at), range(CALLERS)))
                assert answers == ["OR406"] * (CALLERS - 1) + ["taken in"], (letter, answers)
        for connection in connections:
            connection.close()
        count = admin.execute(
            "select count(*), count(distinct task_id) from orchestration.task_run where status = 'SUCCESS'"
        ).fetchone()
    assert count == (ROUNDS, ROUNDS)
