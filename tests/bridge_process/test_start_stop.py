"""Start and stop by the database, and the end by a signal."""

from __future__ import annotations

import signal
import time

import pytest

from .harness import World, eventually


def states(world: World) -> set[str]:
    return {
        row[0]
        for row in world.rows("select state from orchestration.bridge_instance where retired_at is null")
    }


def test_stopped_within_five_seconds_and_started_where_it_stopped(world: World) -> None:
    bridges = [world.working(), world.working()]
    world.succeed(50)
    world.wait_dispatched(world.sent)
    world.run("select orchestration.stop_service()")
    eventually(lambda: states(world) == {"stopped"}, "both bridges have stopped", 5)
    read = world.positions()
    world.succeed(50)
    world.run(
        "insert into orchestration.task_run (task_id) select id from orchestration.task where name = 'next'"
    )
    time.sleep(3 * 2.0)  # past the session time-out: the membership must stay
    assert world.positions() == read
    assert len(world.dispatches()) == 50
    assert world.unsent() == 1
    assert not any(bridge.lines("revoked") for bridge in bridges[1:])
    world.run("select orchestration.start_service()")
    began = time.monotonic()
    world.wait_dispatched(world.sent)
    assert time.monotonic() - began < 5
    eventually(lambda: world.unsent() == 0, "what waited is sent")


def test_a_bridge_that_starts_stopped_stays_so(world: World) -> None:
    world.working().terminate()
    world.run("select orchestration.stop_service()")
    world.succeed(5)
    bridge = world.bridge()
    bridge.wait_for("stopped")
    bridge.wait_for("assigned")
    time.sleep(1.5)
    assert sum(world.positions().values()) == 0
    world.run("select orchestration.start_service()")
    world.wait_dispatched(world.sent)
    world.check_ledger()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_in_the_midst_of_work(world: World, number: signal.Signals) -> None:
    bridge = world.working()
    world.succeed(3000)
    eventually(lambda: sum(world.positions().values()) > 0, "it is in the midst of it")
    began = time.monotonic()
    bridge.signal(number)
    assert bridge.ended(10) == 0
    assert time.monotonic() - began < 10
    assert world.ask("select count(*) from orchestration.bridge_instance where retired_at is null") == 0
    assert world.ask("select count(*) from orchestration.dispatch where bridge_id is not null") == 0
    assert bridge.lines()[-1]["event"] == "ended"
    world.working()
    world.wait_dispatched(world.sent, 60)
    assert set(world.check_ledger().values()) == {1}, "a clean end leaves nothing to be sent twice"


def test_a_stopped_bridge_ends_by_signal_too(world: World) -> None:
    bridge = world.working()
    world.run("select orchestration.stop_service()")
    bridge.wait_for("stopped")
    assert bridge.terminate() == 0


def test_partitions_move_at_once_when_a_bridge_ends(world: World) -> None:
    first, second = world.working(), world.working()
    eventually(lambda: holders(world) == 2, "they share")
    first.terminate()
    began = time.monotonic()
    eventually(lambda: holders(world) == 1, "the other has all")
    assert time.monotonic() - began < 1.5, "without waiting for the session time-out"
    world.succeed(30)
    world.wait_dispatched(world.sent)
    assert second.alive


def holders(world: World) -> int:
    """How many living bridges hold partitions."""
    return int(
        world.ask(
            "select count(distinct b.id) from orchestration.kafka_offset k join orchestration.bridge_instance b "
            "on b.id = k.bridge_id and b.retired_at is null and b.heartbeat_at > now() - interval '3 s'"
        )
    )
