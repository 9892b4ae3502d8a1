"""The hot path: an event in, its dispatch out, its confirmation back; and what others made ready."""

from __future__ import annotations

import time

import pytest

from .harness import World, eventually, success


def test_events_become_dispatches_once_each(world: World) -> None:
    bridge = world.working()
    world.succeed(500)
    world.wait_dispatched(world.sent)
    assert set(world.check_ledger().values()) == {1}, "in a quiet run nothing is sent twice"
    eventually(lambda: world.unsent() == 0, "every delivery is confirmed")
    assert bridge.terminate() == 0
    assert not bridge.lines(level="error")


@pytest.mark.long
def test_the_first_dispatch_comes_within_a_second_of_the_start(world: World) -> None:
    world.working().terminate()
    world.succeed(1)
    bridge = world.bridge()
    world.wait_dispatched(world.sent)
    first = world.ask("select extract(epoch from min(dispatched_at)) from orchestration.task_run")
    began = time.time() - (time.monotonic() - bridge.begun)
    assert float(first) - began < 1.0


def test_what_sql_makes_ready_is_sent_on_the_notification(world: World) -> None:
    world.working()
    time.sleep(1.2)
    began = time.monotonic()
    world.run(
        "insert into orchestration.task_run (task_id) select id from orchestration.task where name = 'next'"
    )
    eventually(lambda: world.unsent() == 0, "the dispatch is confirmed")
    assert time.monotonic() - began < 0.8, "without the notification it would wait for the next poll"
    assert len(world.dispatches()) == 1


def test_a_lost_notification_costs_one_poll(world: World) -> None:
    world.working()
    world.run(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'orchestration-dispatcher'"
    )
    world.run(
        "insert into orchestration.task_run (task_id) select id from orchestration.task where name = 'next'"
    )
    eventually(lambda: world.unsent() == 0, "the dispatch is confirmed", 3)
    assert len(world.dispatches()) == 1


def test_without_any_notification_the_poll_finds_it(world: World) -> None:
    """A dispatch that nobody notified of: the table is the truth."""
    world.working()
    world.succeed(1)
    world.wait_dispatched(world.sent)
    eventually(lambda: world.unsent() == 0, "it is confirmed")
    world.run(
        "insert into orchestration.dispatch (task_run_id, topic, key, value) "
        "select id, 'airflow_tasks', 'key', jsonb_build_object('task_run_id', id, 'run_key', 'unheard')::text "
        "from orchestration.task_run where status = 'DISPATCHED'"
    )
    eventually(lambda: world.unsent() == 0, "the poll finds it", 3)
    assert world.dispatched()["unheard"] == 1


def test_messages_without_key_or_value_reach_the_database(world: World) -> None:
    world.working()
    world.produce(None, b"tombstone", 0)
    world.produce(success("key"), None, 0)
    world.producer.flush(10)
    eventually(lambda: world.positions()[0] == 2, "both are read")
    assert world.rows("select key, value from orchestration.dead_letter") == [(b"tombstone", None)]
    assert world.ask("select count(*) from orchestration.task_run where status = 'SUCCESS'") == 1


def test_large_messages_are_taken_in_by_bytes(world: World) -> None:
    """40 events of 500 KiB: more than one batch may hold, far more than memory may."""
    bridge = world.working()
    for number in range(40):
        world.produce(success(f"key-{number}", note="x" * 500 * 1024), b"one partition")
    world.producer.flush(30)
    eventually(lambda: sum(world.positions().values()) == 40, "all are read", 30)
    assert bridge.memory < 150 * 2**20
    assert world.ask("select count(*) from orchestration.dead_letter") == 0
