"""A bridge process under test, and the world around it: events in, dispatches out, and a ledger of both."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition

from tests.support.databases import Database
from tests.support.servers import KafkaServer

EVENTS = "etl_finished_tasks"
DISPATCHES = "airflow_tasks"
PARTITIONS = 6
SESSION = 2.0

Line = dict[str, Any]

DEFINITIONS = """
insert into orchestration.service (name, dispatch_topic, echoes_ids)
values ('tool', null, false), ('airflow', 'airflow_tasks', true), ('absent', 'absent_tasks', true);
insert into orchestration.process (service_id, uid)
select id, v.uid from (values ('tool', 'load'), ('airflow', 'dag'), ('absent', 'nothing')) v (service, uid)
join orchestration.service s on s.name = v.service;
insert into orchestration.task (process_id, name)
select p.id, v.name from (values ('load', 'root'), ('dag', 'next'), ('nothing', 'never')) v (uid, name)
join orchestration.process p on p.uid = v.uid;
insert into orchestration.chain (previous_task_id, next_task_id)
select p.id, n.id from orchestration.task p, orchestration.task n where p.name = 'root' and n.name = 'next';
insert into orchestration.graph (name) values ('graph');
insert into orchestration.graph_chain (graph_id, chain_id)
select g.id, c.id from orchestration.graph g, orchestration.chain c;
"""


def success(key: str, **more: str) -> bytes:
    """The event that the root succeeded under this run key, as a tool with ids of its own sends it."""
    event = {
        "service": "tool",
        "process": "load",
        "status": "SUCCESS",
        "run_key": key,
        "external_id": key,
        **more,
    }
    return json.dumps(event).encode()


def eventually(condition: Callable[[], Any], what: str, seconds: float = 10.0) -> Any:
    """Ask until the answer is true, and return it; the test fails after `seconds`."""
    end = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > end:
            pytest.fail(f"not within {seconds} s: {what}", pytrace=False)
        time.sleep(0.02)
    return answer


class Process:
    """One `orchestration bridge` and what it logged."""

    def __init__(self, environment: Mapping[str, str], log: Path, *words: str) -> None:
        command = Path(sys.executable).with_name("orchestration")
        self.log = log
        self.begun = time.monotonic()
        with log.open("wb") as out:
            self._child = subprocess.Popen(
                [command, "bridge", *words],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def alive(self) -> bool:
        return self._child.poll() is None

    @property
    def memory(self) -> int:
        """Resident bytes."""
        fields = Path(f"/proc/{self.pid}/status").read_text().split("VmRSS:")[1].split()
        return int(fields[0]) * 1024

    def lines(self, event: str | None = None, **fields: object) -> list[Line]:
        """What it logged, as far as it bears this event name and these fields."""
        found = []
        for text in self.log.read_text().splitlines():
            line = json.loads(text)
            if event in (None, line["event"]) and all(line.get(name) == fields[name] for name in fields):
                found.append(line)
        return found

    def wait_for(self, event: str, seconds: float = 10.0, *, count: int = 1, **fields: object) -> Line:
        """The `count`-th such line; fails after `seconds`, or when the process ends without it."""

        def there() -> list[Line]:
            found = self.lines(event, **fields)
            if len(found) < count and not self.alive and len(self.lines(event, **fields)) < count:
                pytest.fail(
                    f"the bridge ended without {event} {fields}: {self.log.read_text()}", pytrace=False
                )
            return found[count - 1 :]

        line: Line = eventually(there, f"{event} {fields} in {self.log.read_text()}", seconds)[0]
        return line

    def signal(self, number: signal.Signals) -> None:
        self._child.send_signal(number)

    def kill(self) -> None:
        """kill -9, and wait."""
        self._child.kill()
        self._child.wait(10)

    def terminate(self, seconds: float = 10.0) -> int:
        """SIGTERM; the exit status, within `seconds`."""
        self._child.terminate()
        return self.ended(seconds)

    def ended(self, seconds: float = 10.0) -> int:
        """The exit status; fails if it does not end."""
        try:
            return self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            pytest.fail(f"the bridge does not end: {self.log.read_text()}", pytrace=False)

    def clean_up(self) -> None:
        """End it whatever its state."""
        if self.alive:
            self._child.send_signal(signal.SIGCONT)
            self.kill()


@dataclass
class World:
    """One database, one broker with new topics, one consumer group, and the bridges of one test."""

    database: Database
    broker: KafkaServer
    folder: Path
    group: str = field(default_factory=lambda: f"test-{uuid4().hex[:8]}")
    processes: list[Process] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        with self.database.connect() as connection:
            connection.execute(DEFINITIONS)
        self._producer: Producer | None = None

    # -- bridges ------------------------------------------------------------------------------------

    def environment(self, **more: str) -> dict[str, str]:
        """What a bridge of this world sees; an empty value takes a variable out."""
        own = {
            name: value for name, value in os.environ.items() if not name.startswith(("ORCHESTRATION_", "PG"))
        }
        ours = {
            **self.database.environment,
            "ORCHESTRATION_KAFKA_BOOTSTRAP": self.broker.bootstrap,
            "ORCHESTRATION_KAFKA_GROUP_ID": self.group,
            "ORCHESTRATION_KAFKA_SESSION_TIMEOUT_MS": str(int(SESSION * 1000)),
            "ORCHESTRATION_KAFKA_HEARTBEAT_INTERVAL_MS": "200",
            **more,
        }
        del ours["ORCHESTRATION_ADMIN_DSN"]
        return {**own, **{name: value for name, value in ours.items() if value}}

    def bridge(self, *words: str, **more: str) -> Process:
        """A started bridge; `words` are options, `more` environment variables."""
        log = self.folder / f"bridge-{len(self.processes)}.log"
        process = Process(self.environment(**more), log, *words)
        self.processes.append(process)
        return process

    def working(self, *words: str, **more: str) -> Process:
        """A bridge that has claimed partitions; the first of a world begins at the earliest offset."""
        process = self.bridge(*(words or (() if self.processes else ("--from", "earliest"))), **more)
        process.wait_for("assigned")
        return process

    # -- events and dispatches ----------------------------------------------------------------------

    @property
    def producer(self) -> Producer:
        if self._producer is None:
            self._producer = Producer(
                {
                    "bootstrap.servers": self.broker.bootstrap,
                    "log_level": 0,
                    "message.timeout.ms": 60_000,
                    "message.max.bytes": 2 * 2**20,
                }
            )
        return self._producer

    def produce(self, value: bytes | None, key: bytes | None = None, partition: int = -1) -> None:
        """Any message on the events topic; `flush` follows."""
        self.producer.produce(EVENTS, value, key, partition)
        self.producer.poll(0)

    def succeed(self, count: int = 1) -> list[str]:
        """Send `count` successes of the root, each with a run key of its own; the keys. The ledger knows them."""
        keys = [f"key-{len(self.sent) + number}" for number in range(count)]
        for key in keys:
            self.produce(success(key), key.encode())
        assert self.producer.flush(30) == 0, "the broker took no events"
        self.sent += keys
        return keys

    def dispatches(self, topic: str = DISPATCHES) -> list[dict[str, Any]]:
        """Every dispatch on the topic, from its beginning."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.broker.bootstrap,
                "group.id": "reader",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
            }
        )
        try:
            places = [TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(PARTITIONS)]
            consumer.assign(places)
            found, unread = [], set(range(PARTITIONS))
            end = time.monotonic() + 20
            while unread and time.monotonic() < end:
                for message in consumer.consume(1000, 0.05):
                    if message.error() is None:
                        found.append(json.loads(message.value() or b""))
                    else:
                        unread.discard(message.partition() or 0)
            assert not unread, f"partitions {unread} of {topic} cannot be read to their end"
            return found
        finally:
            consumer.close()

    def dispatched(self) -> Counter[str]:
        """How many messages bear each run key, whether repeated or not."""
        return Counter(dispatch["run_key"] for dispatch in self.dispatches())

    def wait_dispatched(self, keys: Iterable[str], seconds: float = 15.0) -> Counter[str]:
        """Wait until each key has been dispatched; how often each was."""
        wanted = set(keys)
        last: Counter[str] = Counter()

        def all_there() -> bool:
            nonlocal last
            try:
                last = self.dispatched()
            except (AssertionError, KafkaException):
                return False
            return wanted <= set(last)

        eventually(all_there, f"dispatches of {sorted(wanted)[:3]}…", seconds)
        return last

    # -- the database -------------------------------------------------------------------------------

    def ask(self, sql: str, *parameters: object) -> Any:
        """The first column of the first row, as the superuser."""
        with self.database.connect() as connection:
            row = connection.execute(sql.encode(), parameters).fetchone()
        return row[0] if row else None

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """All rows, as the superuser."""
        with self.database.connect() as connection:
            return connection.execute(sql.encode(), parameters).fetchall()

    def run(self, sql: str) -> None:
        """Statements without an answer, as the superuser."""
        with self.database.connect() as connection:
            connection.execute(sql.encode())

    def positions(self) -> dict[int, int]:
        """The stored offset of each partition."""
        return dict(
            self.rows(
                "select partition, next_offset from orchestration.kafka_offset where topic = %s", EVENTS
            )
        )

    def unsent(self) -> int:
        return int(self.ask("select count(*) from orchestration.dispatch"))

    def check_ledger(self) -> Counter[int]:
        """Nothing lost, nothing doubled: for each event sent exactly one run of the root and one of the next task,
        whose dispatch is on the topic under one task run id. Answers how often each id was sent."""
        expected = dict.fromkeys(self.sent, 1)
        counts = "select run_key, count(*) from orchestration.task_run r join orchestration.task t on t.id = r.task_id "
        assert dict(self.rows(counts + "where t.name = 'root' group by 1")) == expected
        assert dict(self.rows(counts + "where t.name = 'next' group by 1")) == expected
        made = dict(
            self.rows(
                "select r.id, run_key from orchestration.task_run r join orchestration.task t on t.id = r.task_id "
                "where t.name = 'next'"
            )
        )
        dispatches = self.dispatches()
        assert {dispatch["task_run_id"]: dispatch["run_key"] for dispatch in dispatches} == made
        return Counter(dispatch["task_run_id"] for dispatch in dispatches)

    def close(self) -> None:
        for process in self.processes:
            process.clean_up()
        if self._producer is not None:
            self._producer.purge()
            self._producer.flush(1)
