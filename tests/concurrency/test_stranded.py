"""Sessions launch, report, rerun, mark and cancel at random, graphs meet; then every run ends or awaits a root."""

from __future__ import annotations

import os
import random
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
from psycopg.rows import TupleRow

from tests.support.databases import Database
from tests.support.graphs import define_graph

Connection = psycopg.Connection[TupleRow]

SESSIONS = 4
STEPS = int(os.environ.get("STRANDED_STEPS", "250"))
KEYS = [None, None, "k", "l"]
_ROOTS = """
insert into orchestration.service (name) values ('nifi');
insert into orchestration.process (service_id, uid)
select s.id, u from orchestration.service s, unnest(array['r', 's']) u where s.name = 'nifi';
insert into orchestration.task (process_id, name)
select p.id, p.uid from orchestration.process p where p.uid in ('r', 's');
"""
# what stands in each place, by its last attempt; empty places too
_PLACES = """
create temp view place as
select r.id as run, r.status as run_status, r.reason as run_reason, r.open_count, v.task_id, v.predecessor_ids,
       x.status, x.status in ('FAILED', 'SKIPPED', 'CANCELLED') as failed, a.task_id is not null as awaited
from orchestration.graph_run r
join orchestration.graph_version_task v on v.version_id = r.version_id
left join lateral (
    select t.status from orchestration.graph_run_task_run l join orchestration.task_run t on t.id = l.task_run_id
    where l.graph_run_id = r.id and l.task_id = v.task_id order by l.attempt desc limit 1) x on true
left join orchestration.awaited_root a on a.graph_run_id = r.id and a.task_id = v.task_id
"""
_WRONG = {
    "something is in flight after all": "select * from place where status in ('QUEUED', 'DISPATCHED', 'RUNNING')",
    "an ended run with an empty place": """
        select * from place where run_status <> 'RUNNING' and (status is null or awaited)""",
    "a place both filled and awaited": "select * from place where status is not null and awaited",
    "an open run that awaits nothing": """
        select run from place where run_status = 'RUNNING' group by run having not bool_or(awaited)""",
    "an empty place that nothing keeps from starting": """
        select * from place p where p.run_status = 'RUNNING' and p.status is null and not p.awaited and not exists (
            select from place q
            where q.run = p.run and q.task_id = any (p.predecessor_ids) and q.status is distinct from 'SUCCESS')""",
    "an empty place behind one without success": """
        select * from place p where p.run_status = 'RUNNING' and p.status is null and exists (
            select from place q where q.run = p.run and q.task_id = any (p.predecessor_ids) and q.failed)""",
    "a count of open places that is wrong": """
        select run, open_count from place group by run, open_count
        having open_count <> count(*) filter (where status is null)""",
    "a run's status that is not that of its places": """
        select run, run_status from place
        where run_status <> 'RUNNING' and run_reason is distinct from 'cancelled' group by run, run_status
        having run_status <> case when bool_or(status = 'FAILED') then 'FAILED'
                                  when bool_or(status = 'CANCELLED') then 'CANCELLED' else 'SUCCESS' end""",
    "an awaited root of no open run": """
        select * from orchestration.awaited_root a where not exists (
            select from orchestration.graph_run r where r.id = a.graph_run_id and r.status = 'RUNNING')""",
}


def some(connection: Connection, luck: random.Random, statement: str) -> int:
    """One id of the last fifty or so the statement finds."""
    rows = connection.execute(statement.encode()).fetchall()
    return int(luck.choice(rows)[0]) if rows else -1


def step(connection: Connection, luck: random.Random) -> None:
    """One act of a person or a tool."""
    run = "select id from orchestration.graph_run order by id desc limit 40"
    flying = "select id from orchestration.task_run where finished_at is null order by id limit 60"
    any_task_run = "select id from orchestration.task_run order by id desc limit 80"
    key = luck.choice(KEYS)
    report = "select orchestration.report(jsonb_build_object('task_run_id', %s::bigint, 'status', %s::text))"
    match luck.choices(range(10), weights=[6, 3, 30, 12, 8, 6, 3, 3, 3, 2])[0]:
        case 0:
            graph = luck.choice(["main", "next", "side"])
            connection.execute("select orchestration.launch_graph(%s, run_key => %s)", (graph, key))
        case 1:
            tasks = luck.sample(["a", "b", "c", "d", "j"], luck.randint(1, 2))
            connection.execute("select orchestration.launch_tasks('main', %s, run_key => %s)", (tasks, key))
        case 2:
            word = luck.choices(["SUCCESS", "FAILED", "SKIPPED", "RUNNING"], weights=[12, 3, 1, 2])[0]
            connection.execute(report, (some(connection, luck, flying), word))
        case 3:
            event = {
                "service": "nifi",
                "process": luck.choice("rs"),
                "status": luck.choice(["SUCCESS"] * 4 + ["FAILED"]),
            }
            connection.execute(
                "select orchestration.report(jsonb_strip_nulls(jsonb_build_object('service', %(service)s::text,"
                " 'process', %(process)s::text, 'status', %(status)s::text, 'run_key', %(key)s::text)))",
                {**event, "key": key},
            )
        case 4:
            connection.execute("select orchestration.rerun(%s)", (some(connection, luck, run),))
        case 5:
            tasks = luck.sample(["r", "a", "b", "c", "d", "j", "e", "f"], luck.randint(1, 2))
            connection.execute("select orchestration.rerun(%s, %s)", (some(connection, luck, run), tasks))
        case 6:
            word = luck.choice(["SUCCESS", "SUCCESS", "FAILED"])
            connection.execute(
                "select orchestration.mark_task_run(%s, %s, 'so')",
                (some(connection, luck, any_task_run), word),
            )
        case 7:
            connection.execute("select orchestration.cancel_graph_run(%s)", (some(connection, luck, run),))
        case 8:
            connection.execute("select orchestration.cancel_task_run(%s)", (some(connection, luck, flying),))
        case _:
            connection.execute(
                "update orchestration.task_run set status = %s where id = %s",
                (luck.choice(["SUCCESS", "FAILED", "CANCELLED"]), some(connection, luck, flying)),
            )


def work(database: Database, seed: int) -> dict[str, int]:
    """A session's acts; refusals are answers, the victim of a deadlock tries again. How often which SQLSTATE came."""
    luck = random.Random(seed)
    met: dict[str, int] = {}
    with database.connect() as connection:
        for _ in range(STEPS):
            state = luck.getstate()
            for _ in range(20):
                luck.setstate(state)
                try:
                    step(connection, luck)
                except psycopg.Error as error:
                    code = error.sqlstate or "none"
                    met[code] = met.get(code, 0) + 1
                    if code == "40P01":
                        continue
                    if not code.startswith("OR"):
                        raise
                break
    return met


def test_nothing_is_stranded(database: Database) -> None:
    seed = int(os.environ.get("STRANDED_SEED", time.time_ns() % 1_000_000))
    print("STRANDED_SEED =", seed)
    with database.connect() as admin:
        admin.execute(_ROOTS)
        define_graph(
            admin,
            "main",
            [("r", "a"), ("a", "b"), ("a", "c"), ("b", "j"), ("c", "j"), ("s", "d"), ("d", "j")],
        )
        define_graph(admin, "next", [("j", "e"), ("e", "f"), ("c", "f")])
        define_graph(admin, "side", [("r", "g"), ("g", "h")])
        with ThreadPoolExecutor(SESSIONS) as pool:
            for met in pool.map(lambda n: work(database, seed + n), range(SESSIONS)):
                print(met)
        admin.execute(_PLACES)
        flying = "(select id from orchestration.task_run where finished_at is null order by id limit 1) x"
        end = f"select orchestration.report(jsonb_build_object('task_run_id', id, 'status', 'SUCCESS')) from {flying}"
        while admin.execute(end.encode()).fetchone():
            pass
        for what, query in _WRONG.items():
            assert admin.execute(query.encode()).fetchmany(5) == [], what
        runs = admin.execute("select count(*) from orchestration.graph_run").fetchone()
        assert runs is not None
        assert runs[0] > SESSIONS * STEPS / 10
