"""Several bridges: partitions shared, taken over after kill -9, a zombie fenced by the database."""

from __future__ import annotations

import random
import signal
import time

from .harness import PARTITIONS, SESSION, World, eventually


def shares(world: World) -> list[int]:
    """How many partitions each living bridge holds, least first."""
    return sorted(
        row[0]
        for row in world.rows(
            "select count(k.partition) from orchestration.bridge_instance b "
            "left join orchestration.kafka_offset k on k.bridge_id = b.id "
            "where b.retired_at is null and b.heartbeat_at > now() - interval '3 s' group by b.id"
        )
    )


def test_two_bridges_share_and_each_event_counts_once(world: World) -> None:
    first, second = world.working(), world.working()
    eventually(lambda: shares(world) == [3, 3], "each holds half")
    world.succeed(2000)
    world.wait_dispatched(world.sent, 60)
    world.check_ledger()
    for bridge in (first, second):
        assert bridge.terminate() == 0
        assert not bridge.lines(level="error")


def test_a_bridge_more_than_partitions_waits_in_reserve(world: World) -> None:
    bridges = [world.working()]
    bridges += [world.bridge() for _ in range(PARTITIONS)]
    eventually(lambda: shares(world) == [0] + [1] * PARTITIONS, "one has none", 40)
    world.succeed(50)
    world.wait_dispatched(world.sent, 30)
    world.check_ledger()


def test_bridges_that_come_and_go_lose_and_double_nothing(world: World) -> None:
    chance = random.Random(7)
    bridges = [world.working()]
    for _ in range(8):
        world.succeed(300)
        if len(bridges) > 1 and chance.random() < 0.5:
            leaving = bridges.pop(chance.randrange(len(bridges)))
            if chance.random() < 0.5:
                leaving.kill()
            else:
                assert leaving.terminate() == 0
        else:
            bridges.append(world.bridge())
        time.sleep(0.4)
    world.wait_dispatched(world.sent, 60)
    world.check_ledger()
    eventually(lambda: world.unsent() == 0, "what dead bridges left is sent", 30)


def test_after_kill_9_another_goes_on_within_the_session_time_out(world: World) -> None:
    first, second = world.working(), world.working()
    eventually(lambda: shares(world) == [3, 3], "each holds half")
    first.kill()
    began = time.monotonic()
    world.succeed(60)
    world.wait_dispatched(world.sent, SESSION + 5)
    assert time.monotonic() - began < SESSION + 3
    world.check_ledger()
    assert second.alive


def test_after_kill_9_of_the_only_one_its_successor_goes_on_within_the_session_time_out(world: World) -> None:
    world.working().kill()
    began = time.monotonic()
    world.bridge()
    world.succeed(10)
    world.wait_dispatched(world.sent, SESSION + 5)
    assert time.monotonic() - began < SESSION + 3


def test_a_zombie_is_refused_by_the_epoch_and_joins_anew(world: World) -> None:
    """Stopped past the session time-out in the midst of work, another takes over, then it wakes up."""
    zombie = world.working()
    world.succeed(2000)
    eventually(lambda: sum(world.positions().values()) > 100, "it is in the midst of it")
    zombie.signal(signal.SIGSTOP)
    heir = world.working()
    eventually(lambda: sum(world.positions().values()) == 2000, "the heir reads on", 40)
    zombie.signal(signal.SIGCONT)
    zombie.wait_for("assigned", 20, count=2)
    world.succeed(500)
    world.wait_dispatched(world.sent, 40)
    world.check_ledger()
    assert heir.alive
    assert zombie.alive


def test_a_write_under_an_old_epoch_is_refused(world: World) -> None:
    """Whatever Kafka thinks: who claims fences the holder, who then closes, joins anew and claims back."""
    bridge = world.working()
    world.succeed(10)
    world.wait_dispatched(world.sent)
    world.run("update orchestration.kafka_offset set epoch = epoch + 1")
    world.succeed(10)
    bridge.wait_for("rejoining")
    bridge.wait_for("assigned", count=2)
    world.wait_dispatched(world.sent)
    world.check_ledger()


def test_dispatches_of_a_silent_bridge_are_sent_by_another(world: World) -> None:
    """What a bridge claimed and never sent is taken over once its heartbeat is silent for `bridge_silence`."""
    world.run("update orchestration.setting set value = '2 seconds' where name = 'bridge_silence'")
    world.working().terminate()
    victim = world.bridge(ORCHESTRATION_FAILPOINT="before_produce")
    victim.wait_for("assigned")
    world.succeed(5)
    assert victim.ended() == -signal.SIGKILL
    assert world.ask("select count(*) from orchestration.dispatch where bridge_id is not null") > 0
    world.bridge()
    world.wait_dispatched(world.sent, 15)
    world.check_ledger()


def test_a_bridge_the_database_has_given_up_registers_anew(world: World) -> None:
    bridge = world.working()
    world.run("update orchestration.bridge_instance set retired_at = now(), state = 'silent'")
    bridge.wait_for("registered", count=2)
    world.succeed(10)
    world.wait_dispatched(world.sent)
    world.check_ledger()
