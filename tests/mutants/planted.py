"""The bugs that are planted, each with the check of the test suite that must not stand it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.bridge_process import test_failpoints as failpoints
from tests.bridge_process import test_flow as flow
from tests.bridge_process import test_poison as poison
from tests.bridge_process import test_wire as wire
from tests.bridge_process.harness import World, eventually
from tests.concurrency import test_chains as chains
from tests.concurrency import test_joins as joins
from tests.concurrency import test_outbox as outbox
from tests.support.databases import Database
from tests.support.pgtap import judge, planned, run, teach

from .mutant import Mutant

__all__ = ["IN_PROGRAMS", "IN_SQL", "OWN_CHECKS"]

SQL_TESTS = Path(__file__).resolve().parent.parent / "sql"


Sql = tuple[Mutant, Callable[[Database], None]]
Program = tuple[Mutant, Callable[[World], None]]


def sql(
    name: str, function: str, *edits: tuple[str, str], caught_by: Callable[[Database], None], shows: str
) -> Sql:
    """A bug in db/functions."""
    return Mutant(name, f"db/functions/{function}.sql", edits, shows), caught_by


def program(
    name: str, module: str, *edits: tuple[str, str], caught_by: Callable[[World], None], shows: str
) -> Program:
    """A bug in bridge/."""
    return Mutant(name, f"bridge/{module}.py", edits, shows), caught_by


def pgtap(name: str) -> Callable[[Database], None]:
    """A file of tests/sql as a check."""

    def check(database: Database) -> None:
        text = (SQL_TESTS / f"{name}.sql").read_text()
        teach(database)
        plan = planned(text) or 0
        tap = run(text, database)
        for number in range(1, plan + 1):
            judge(tap, number, plan)

    return check


LOST = "a dispatch that was not delivered left the outbox"


def killed_at(world: World, name: str) -> None:
    """The campaign of `test_failpoints` for one point: killed there once, then the next one's turn."""
    world.run(failpoints.SHORT_SILENCE)
    world.run(failpoints.POISON)
    world.working(**failpoints.seat()).terminate()
    failpoints.live_and_be_killed(world, name, 1)
    world.bridge(**failpoints.seat())
    world.wait_dispatched(world.sent, 15)
    letters = world.ask("select count(*) from orchestration.dead_letter")
    assert letters == name.count("quarantine"), f"{letters} dead letters"
    world.run("delete from orchestration.task_run where run_key = 'poison'")
    world.check_ledger()


def refused_by_the_broker(world: World) -> None:
    """A dispatch whose topic is missing was not delivered: it stays."""
    bridge = world.working()
    world.run(failpoints.START + "'never'")
    bridge.wait_for("away", topic="absent_tasks")
    world.succeed(5)
    world.wait_dispatched(world.sent)
    eventually(lambda: world.unsent() <= 1, "the others are confirmed")
    assert world.unsent() == 1, LOST


def ended_in_the_midst_of_work(world: World) -> None:
    """SIGTERM while a dispatch waits for its topic: what was not delivered is given back, not forgotten."""
    bridge = world.working()
    world.run(failpoints.START + "'never'")
    eventually(lambda: world.ask("select bridge_id from orchestration.dispatch"), "it is taken")
    assert bridge.terminate() == 0
    assert world.unsent() == 1, LOST


IN_SQL = (
    sql(
        "no lock on a join: counted from what was there before, the graph run locked too late", "_settle",
        ("    select e.versions, e.filled into v_versions, v_filled from orchestration._end_places(p_run_ids, p_statuses) e;\n",
         "    select array_agg(r.version_id order by p.i), array_agg(true order by p.i) into v_versions, v_filled"
         " from generate_series(1, cardinality(p_run_ids)) p(i) join orchestration.graph_run r on r.id = p_run_ids[p.i];\n"),
        ("max(a.needs), max(a.needs) - count(*)\n",
         "max(a.needs), max(a.needs) - count(*)"
         " - coalesce((select x.needed - x.remaining from orchestration.countdown x"
         " where x.graph_run_id = a.run_id and x.task_id = a.task_id), 0)\n"),
        ("remaining = c.remaining - (excluded.needed - excluded.remaining)", "remaining = excluded.remaining"),
        ("    if v_runs is not null then\n",
         "    perform orchestration._end_places(p_run_ids, p_statuses);\n    if v_runs is not null then\n"),
        caught_by=partial(joins.test_every_interleaving_starts_the_join_once, predecessors=2),
        shows="assert 0 == 1",
    ),
    sql(
        "chains are inserted without the lock", "tg_chain__order",
        ("    perform pg_advisory_xact_lock(hashtextextended('orchestration.chain', 0));\n", ""),
        caught_by=chains.test_a_ring_raced_keeps_all_edges_but_one,
        shows="OR203",
    ),
    sql(
        "the epoch is not checked", "ingest",
        (" and k.epoch = o.epoch", ""),
        caught_by=pgtap("ingest/offsets_and_fencing"),
        shows="whoever held it is fenced",
    ),
    sql(
        "the stored offset is not compared", "ingest",
        (" and k.next_offset = o.expected", ""),
        caught_by=pgtap("ingest/offsets_and_fencing"),
        shows="the expected offset is not the stored one",
    ),
    sql(
        "an event seen before counts again", "_match_events",
        ("where x.hit or x.earlier is not null", "where false"),
        caught_by=pgtap("events/repeats"),
        shows="the same event again answers the same task run",
    ),
    sql(
        "an UPDATE to the same value has effects again", "tg_task_run__advance",
        (" where (n.id, n.status) not in (select o.id, o.status from before o)", ""),
        caught_by=pgtap("task_run/update"),
        shows="graph_run_task_run_place_is_unique",
    ),
    sql(
        "the outbox is read by a cursor of ids", "take_dispatches",
        ("where x.bridge_id is null and",
         "where x.task_run_id > coalesce(nullif(current_setting('orchestration.cursor', true), '')::bigint, 0) and"),
        ("    returning d.task_run_id, d.topic",
         "    returning set_config('orchestration.cursor', d.task_run_id::text, false)::bigint as task_run_id, d.topic"),
        caught_by=outbox.test_a_dispatch_that_commits_after_a_later_one_is_taken,
        shows="assert 0 == 1",
    ),
    sql(
        "two bridges take the same dispatch", "take_dispatches",
        (" for update skip locked", ""),
        caught_by=outbox.test_two_bridges_never_take_the_same_dispatch_and_never_wait,
        shows="it waits for what another took",
    ),
)  # fmt: skip

IN_PROGRAMS = (
    program(
        "the offset is stored before the work", "intake",
        ('        reach("before_ingest")\n',
         "        self._database.ingest(instance, self._topic, Batch(), claims, list(ends.values()), [])\n"
         "        claims = [(partition, ends[partition], epoch) for partition, _, epoch in claims]\n"
         '        reach("before_ingest")\n'),
        caught_by=partial(killed_at, name="before_ingest"),
        shows="dispatches of",
    ),
    program(
        "a dead letter is written after its offset, in a transaction of its own", "intake",
        ('        reach("before_quarantine")\n',
         "        self._database.ingest(instance, self._topic, Batch(), [claim], [offset + 1], [])\n"
         "        claim = (partition, offset + 1, held.epoch)\n"
         '        reach("before_quarantine")\n'),
        caught_by=partial(killed_at, name="before_quarantine"),
        shows="dead letters",
    ),
    program(
        "a dispatch is confirmed when it is handed to librdkafka, not when its delivery report comes", "producer",
        ("                produce(name, value, key, -1, partial(report, task_run_id))\n",
         "                produce(name, value, key, -1, partial(report, task_run_id))\n"
         "                self._delivered.append(task_run_id)\n"),
        ("        if error is None:\n            self._delivered.append(task_run_id)\n", "        if error is None:\n"),
        caught_by=refused_by_the_broker,
        shows="left the outbox",
    ),
    program(
        "flush is not looked at: at the end all counts as delivered", "producer",
        ("            self._sent += len(dispatches)\n",
         "            self._sent += len(dispatches)\n"
         '            self._handed = getattr(self, "_handed", []) + [dispatch[0] for dispatch in dispatches]\n'),
        ("        self.serve()\n        return self.outstanding\n",
         '        self._delivered.extend(getattr(self, "_handed", []))\n        return 0\n'),
        caught_by=ended_in_the_midst_of_work,
        shows="left the outbox",
    ),
    program(
        "NOTIFY is not followed by a poll", "dispatcher",
        ("else self._taken_at + _POLL\n", 'else float("inf")\n'),
        caught_by=flow.test_without_any_notification_the_poll_finds_it,
        shows="the poll finds it",
    ),
    program(
        "a batch that is to be retried is dropped", "intake",
        ("        self._retries += 1\n", "        self._retries += 1\n        self._queue.popleft()\n        return\n"),
        caught_by=poison.test_serialization_failures_are_retried_and_blame_nobody,
        shows="dispatches of",
    ),
    program(
        "after a lost answer the bridge goes on as if nothing had been committed", "service",
        ("        self._registration.doubt.set()  # the answer", "        # the answer"),
        caught_by=partial(
            wire.test_what_is_committed_after_the_connection_broke_is_sent, table="kafka_offset", event="update"
        ),
        shows="dispatches of",
    ),
)  # fmt: skip

OWN_CHECKS = (
    partial(killed_at, name="before_ingest"),
    partial(killed_at, name="before_quarantine"),
    refused_by_the_broker,
    ended_in_the_midst_of_work,
)
"""The checks above that are no tests of the suite by themselves."""
