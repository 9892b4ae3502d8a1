"""Beside the traffic: a tool that fails, repeats and forgets, and people who rerun, mark, cancel, pause and launch."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from typing import Any

import psycopg
from confluent_kafka import Consumer

from .harness import DISPATCHES, EVENTS, World

__all__ = ["FLOW", "People", "Tool", "root"]

FLOW = """
insert into orchestration.process (service_id, uid) select id, 'flow_load' from orchestration.service where name = 'tool';
insert into orchestration.process (service_id, uid)
select id, u from orchestration.service, unnest('{mid,side,last,far}'::text[]) u where name = 'airflow';
insert into orchestration.task (process_id, name, max_attempts, retry_delay, ack_timeout, timeout, config_template)
select p.id, v.name, v.attempts, '0', v.ack, v.timeout, v.template::jsonb
from (values ('load', 1, null::interval, null::interval, '{}'),
             ('mid', 3, null, null, '{"rows": "{{ upstream.load.result.rows }}", "key": "{{ run.run_key }}"}'),
             ('side', 1, '2 seconds', null, '{}'),
             ('last', 2, null, null, '{"attempt": "{{ attempt }}"}'),
             ('far', 2, null, '3 seconds', '{}')) v (name, attempts, ack, timeout, template)
join orchestration.process p on p.uid = case v.name when 'load' then 'flow_load' else v.name end;
insert into orchestration.graph (name) values ('flow'), ('beyond');
with made as (
    insert into orchestration.chain (previous_task_id, next_task_id)
    select a.id, b.id from (values ('load', 'mid'), ('load', 'side'), ('mid', 'last'), ('last', 'far')) v (previous, next)
    join orchestration.task a on a.name = v.previous join orchestration.task b on b.name = v.next
    returning id, next_task_id)
insert into orchestration.graph_chain (graph_id, chain_id)
select g.id, m.id from made m join orchestration.task t on t.id = m.next_task_id
join orchestration.graph g on g.name = case t.name when 'far' then 'beyond' else 'flow' end;
"""
"""load -> mid -> last, load -> side; last -> far in another graph. With attempts, time-outs, results in templates."""


def root(world: World, key: str, number: int) -> None:
    """An event that the root has succeeded; the same key again is a correction."""
    event = {
        "service": "tool",
        "process": "flow_load",
        "status": "SUCCESS",
        "run_key": key,
        "event_id": f"load {number}",
        "result": {"rows": number},
    }
    world.produce(json.dumps(event).encode(), key.encode())


class Tool(threading.Thread):
    """Executes what is dispatched: each task run once, however often it is asked. What it makes of one depends on its id."""

    def __init__(self, world: World) -> None:
        super().__init__(daemon=True)
        self.world = world
        self.copies: Counter[int] = Counter()
        self.told: set[str] = set()
        self.failure: BaseException | None = None
        self._over = threading.Event()

    def run(self) -> None:
        try:
            self._work()
        except BaseException as error:
            self.failure = error

    def stop(self) -> None:
        self._over.set()
        self.join(30)
        assert self.failure is None, self.failure

    def _work(self) -> None:
        consumer = Consumer(
            {
                "bootstrap.servers": self.world.broker.bootstrap,
                "group.id": "tool",
                "auto.offset.reset": "earliest",
                "topic.metadata.refresh.interval.ms": 500,
                "log_level": 0,
            }
        )
        consumer.subscribe([DISPATCHES])
        try:
            while not self._over.is_set():
                for message in consumer.consume(100, 0.1):
                    if message.error() is None:
                        self._execute(json.loads(message.value() or b""))
        finally:
            consumer.close()

    def _execute(self, dispatch: dict[str, Any]) -> None:
        number, task = dispatch["task_run_id"], dispatch["task"]
        self.copies[number] += 1
        forgets = task == "side" and number % 4 == 1
        if self.copies[number] != (2 if forgets else 1) or (task == "far" and number % 5 == 2):
            return  # done already; forgotten until it is asked again; or lost
        for status in ("RUNNING",) * (number % 3 == 0) + (("FAILED",) if number % 5 == 0 else ("SUCCESS",)):
            self._tell(number, status)
        if number % 10 == 0:
            self._tell(number, "SUCCESS")  # cleared in the tool

    def _tell(self, number: int, status: str) -> None:
        name = f"{number} {status}"
        self.told.add(name)
        event = {"task_run_id": number, "status": status, "event_id": name, "result": {"of": number}}
        self.world.producer.produce(EVENTS, json.dumps(event).encode(), str(number).encode())
        self.world.producer.poll(0)


class People(threading.Thread):
    """Acts at random, as fast as the database lets them. `done`: how many of which were taken."""

    def __init__(self, world: World, chance: random.Random) -> None:
        super().__init__(daemon=True)
        self.world, self.chance = world, chance
        self.done: Counter[str] = Counter()
        self.failure: BaseException | None = None
        self._over = threading.Event()

    def run(self) -> None:
        try:
            with self.world.database.connect_app() as connection:
                while not self._over.is_set():
                    self._act(connection, self.chance.choice(_ACTS))
                    time.sleep(self.chance.uniform(0, 0.06))
        except BaseException as error:
            self.failure = error

    def stop(self) -> None:
        """They let go of everything they hold back."""
        self._over.set()
        self.join(30)
        assert self.failure is None, self.failure
        for graph in ("flow", "beyond"):
            self.world.ask("select orchestration.resume_graph(%s)", graph)

    def _act(self, connection: psycopg.Connection[Any], act: tuple[str, str]) -> None:
        name, statement = act
        for _ in range(20):
            try:
                found = connection.execute(statement.encode()).rowcount
                self.done[name] += found
                return
            except psycopg.errors.DeadlockDetected:
                continue  # the programs are the victims, and try again
            except psycopg.Error as error:
                if not (error.sqlstate or "").startswith("OR"):
                    raise
                self.done[f"{name} refused"] += 1
                return
        raise AssertionError(f"{name}: a deadlock each time")


def _of_a(what: str, condition: str, act: str) -> str:
    """One row of a table, and something done to it."""
    return (
        f"select orchestration.{act} from (select id from orchestration.{what} where {condition} "
        "order by random() limit 1) x"
    )


_ACTS: list[tuple[str, str]] = [
    ("rerun", _of_a("graph_run", "replaced_by_id is null and id > 0", "rerun(x.id)")),
    ("rerun from", _of_a("graph_run", "replaced_by_id is null", "rerun(x.id, array['mid'])")),
    ("mark ended", _of_a("task_run", "status in ('FAILED', 'SKIPPED', 'CANCELLED')", "mark_task_run(x.id, 'SUCCESS', 'seen to')")),
    ("mark", _of_a("task_run", "status in ('DISPATCHED', 'RUNNING', 'QUEUED')", "mark_task_run(x.id, 'SUCCESS', 'done by hand')")),
    ("fail", _of_a("task_run", "status in ('DISPATCHED', 'RUNNING')", "mark_task_run(x.id, 'FAILED', 'hopeless')")),
    ("cancel task", _of_a("task_run", "finished_at is null", "cancel_task_run(x.id, 'not now')")),
    ("cancel run", _of_a("graph_run", "status = 'RUNNING'", "cancel_graph_run(x.id, 'not now')")),
    ("pause", "select orchestration.pause_graph((array['flow', 'beyond'])[1 + floor(random() * 2)])"),
    *[("resume", "select orchestration.resume_graph(g, skip => random() < 0.2) from unnest(array['flow', 'beyond']) g")] * 3,
    ("launch", "select orchestration.launch_tasks('flow', array['side'], run_key => 'by hand')"),
    ("launch far", "select orchestration.launch_graph('beyond')"),
    ("run alone", "insert into orchestration.task_run (task_id) select id from orchestration.task where name = 'side'"),
]  # fmt: skip
