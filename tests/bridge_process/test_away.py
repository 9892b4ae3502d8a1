"""Servers that are away, at the start and later: waited for without operator, one line a minute, nothing lost."""

from __future__ import annotations

import time

from .harness import Process, World, eventually


def away_lines(bridge: Process, server: str) -> list[str]:
    return [line["server"] for line in bridge.lines("away") if server in line["server"]]


def test_the_database_away_at_the_start(own_world: World) -> None:
    own_world.database.server.stop()
    bridge = own_world.bridge("--from", "earliest")
    bridge.wait_for("away")
    time.sleep(4)
    assert bridge.alive
    assert len(away_lines(bridge, "PostgreSQL")) == 1
    own_world.database.server.start()
    bridge.wait_for("assigned", 15)
    own_world.succeed(20)
    own_world.wait_dispatched(own_world.sent)
    own_world.check_ledger()


def test_the_broker_away_at_the_start(own_world: World) -> None:
    own_world.broker.stop()
    bridge = own_world.bridge("--from", "earliest")
    bridge.wait_for("away", 20)
    time.sleep(4)
    assert bridge.alive
    assert len(away_lines(bridge, "Kafka")) == 1
    assert own_world.ask("select heartbeat_at > now() - interval '8 s' from orchestration.bridge_instance")
    own_world.broker.start()
    bridge.wait_for("assigned", 20)
    own_world.succeed(20)
    own_world.wait_dispatched(own_world.sent)
    own_world.check_ledger()


def test_a_dispatch_made_while_the_broker_is_away_goes_out_when_it_is_back(own_world: World) -> None:
    bridge = own_world.working()
    own_world.broker.kill()
    own_world.run(
        "insert into orchestration.task_run (task_id) "
        "select id from orchestration.task, generate_series(1, 50) where name = 'next'"
    )
    time.sleep(5)
    assert own_world.unsent() == 50
    own_world.broker.start()
    eventually(lambda: own_world.unsent() == 0, "all are sent and confirmed", 30)
    assert {dispatch["task_run_id"] for dispatch in own_world.dispatches()} == set(range(1, 51)), (
        "each is on the topic"
    )
    assert bridge.alive


def test_the_database_killed_under_load(own_world: World) -> None:
    """Three times kill -9 of PostgreSQL, so that the answer to a COMMIT is lost sooner or later."""
    bridge = own_world.working()
    for _ in range(3):
        own_world.succeed(2000)
        time.sleep(0.3)
        own_world.database.server.kill()
        own_world.database.server.start()
    own_world.wait_dispatched(own_world.sent, 90)
    own_world.check_ledger()
    eventually(lambda: own_world.unsent() == 0, "all is confirmed", 20)
    assert bridge.alive


def test_sessions_terminated_under_load(world: World) -> None:
    bridge = world.working()
    kill = (
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where datname = current_database() and application_name like 'orchestration-%'"
    )
    for _ in range(10):
        world.succeed(300)
        world.run(kill)
        time.sleep(0.1)
    world.wait_dispatched(world.sent, 60)
    world.check_ledger()
    eventually(lambda: world.unsent() == 0, "all is confirmed", 20)
    assert bridge.alive
    assert not bridge.lines("dispatcher_failed")


def test_the_broker_killed_under_load(own_world: World) -> None:
    bridge = own_world.working()
    for _ in range(2):
        own_world.succeed(2000)
        time.sleep(0.2)
        own_world.broker.kill()
        time.sleep(1)
        own_world.broker.start()
    own_world.wait_dispatched(own_world.sent, 90)
    own_world.check_ledger()
    eventually(lambda: own_world.unsent() == 0, "all is confirmed", 60)
    assert bridge.alive


def test_partitions_are_claimed_once_the_database_is_back_and_never_read_before(own_world: World) -> None:
    """A bridge joins the group while the database is down: no offset of Kafka's may fill the gap."""
    first = own_world.working()
    own_world.succeed(40)
    own_world.wait_dispatched(own_world.sent)
    second = own_world.bridge()
    second.wait_for("joining")
    own_world.database.server.kill()
    first.kill()
    time.sleep(4)
    own_world.succeed(40)
    assert second.alive
    own_world.database.server.start()
    own_world.wait_dispatched(own_world.sent, 40)
    own_world.check_ledger()


def test_a_signal_ends_it_while_both_servers_are_away(own_world: World) -> None:
    bridge = own_world.working()
    own_world.database.server.kill()
    own_world.broker.kill()
    bridge.wait_for("away", 20)
    began = time.monotonic()
    assert bridge.terminate(12) == 0
    assert time.monotonic() - began < 10


def test_a_signal_ends_it_while_the_database_hangs(own_world: World) -> None:
    bridge = own_world.working()
    own_world.database.server.freeze()
    try:
        time.sleep(1.5)
        began = time.monotonic()
        assert bridge.terminate(12) == 0
        assert time.monotonic() - began < 10
    finally:
        own_world.database.server.thaw()


def test_a_missing_dispatch_topic_blocks_no_other(world: World) -> None:
    """Dispatches for a topic that is not there wait; those for other topics go out meanwhile."""
    bridge = world.working()
    world.run(
        "insert into orchestration.task_run (task_id) "
        "select id from orchestration.task, generate_series(1, 2000) where name = 'never'"
    )
    away = bridge.wait_for("away", 15, topic="absent_tasks")
    assert "orchestration topics create" in away["remedy"]
    world.succeed(20)
    world.wait_dispatched(world.sent)
    world.check_ledger()
    eventually(lambda: world.unsent() == 2000, "the others wait")
    assert len(bridge.lines("away")) == 1
