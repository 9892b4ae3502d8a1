"""kill -9: at each named point, at random, and frozen past the session time-out. Nothing lost, nothing started twice.

Each campaign ends with a ledger; `make test-long` runs them four times as long.
"""

from __future__ import annotations

import random
import signal
import time

import pytest

from orchestration.bridge.failpoints import NAMES

from .harness import Process, World, eventually, success

POISON = """
create function public.poison() returns trigger language plpgsql as $$
begin
    perform 1 / (new.run_key <> 'poison')::integer;
    return new;
end
$$;
create trigger poison before insert on orchestration.task_run for each row execute function public.poison();
"""
START = "insert into orchestration.task_run (task_id) select id from orchestration.task where name = "
SHORT_SILENCE = "update orchestration.setting set value = '2 seconds' where name = 'bridge_silence'"
ONCE = {"after_register", "on_assign", "after_claim", "dispatcher_after_take", "dispatcher_after_produce",
        "before_release", "before_retire", "after_retire"}  # fmt: skip
"""Points that a life as short as these may pass but once."""


def seat(number: int = 0) -> dict[str, str]:
    """A static member: who comes after a kill has the partitions at once, not after the session time-out."""
    return {
        "ORCHESTRATION_KAFKA_GROUP_INSTANCE_ID": f"seat {number}",
        "ORCHESTRATION_KAFKA_TOPIC_METADATA_PROPAGATION_MAX_MS": "500",
    }


def campaign(normal: int, long: int) -> pytest.MarkDecorator:
    """How many times: by `make test`, and by `make test-long`."""
    return pytest.mark.parametrize("times", [normal, pytest.param(long, marks=pytest.mark.long)])


def provoke(world: World, name: str, passing: int) -> None:
    """What makes a bridge pass this point beside events: work of SQL, poisonous messages, a topic that is missing."""
    if name.startswith("dispatcher_"):
        for _ in range(2):
            world.run(START + "'next'")
    elif name.endswith("_quarantine"):
        for _ in range(passing):
            world.produce(success("poison"), b"poison", 0)
    elif name == "before_release":
        world.run(START + "'never'")
    world.succeed(30)


def live_and_be_killed(world: World, name: str, passing: int) -> None:
    victim = world.bridge("--batch", "10", **seat(), ORCHESTRATION_FAILPOINT=f"{name}:{passing}")
    provoke(world, name, passing)
    if name.endswith("_retire"):
        victim.wait_for("assigned")
        victim.signal(signal.SIGTERM)
    assert victim.ended(30) == -signal.SIGKILL, victim.log.read_text()


@campaign(5, 20)
def test_killed_at_each_point_nothing_is_lost_or_doubled(world: World, times: int) -> None:
    """One bridge after the other is killed, each at its point; what it leaves is the next one's."""
    world.run(SHORT_SILENCE)
    world.run(POISON)
    world.working(**seat()).terminate()
    for number in range(times):
        for name in NAMES:
            live_and_be_killed(world, name, 1 if name in ONCE else 1 + number % 3)
    world.bridge(**seat())
    world.wait_dispatched(world.sent, 60)
    eventually(lambda: world.unsent() == times, "all is confirmed but what has no topic", 20)
    by_key: dict[str | None, set[int]] = {}
    for dispatch in world.dispatches():
        by_key.setdefault(dispatch["run_key"], set()).add(dispatch["task_run_id"])
    by_hand = by_key.pop(None)
    assert {key: len(ids) for key, ids in by_key.items()} == dict.fromkeys(world.sent, 1)
    assert len(by_hand) == 2 * times * len([name for name in NAMES if name.startswith("dispatcher_")])
    count = "select count(*) from orchestration.task_run r join orchestration.task t on t.id = r.task_id and t.name = "
    assert world.ask(count + "'root'") == len(world.sent)
    assert world.ask(count + "'next'") == len(world.sent) + len(by_hand)
    poisoned = 2 * sum(1 + number % 3 for number in range(times))
    assert world.ask("select count(*) from orchestration.dead_letter") == poisoned


@campaign(40, 200)
def test_killed_at_random_nothing_is_lost_or_doubled(world: World, times: int) -> None:
    """Two bridges under load; one of them is killed at a random moment of its life and started anew at once."""
    chance = random.Random(42)
    world.run(SHORT_SILENCE)
    bridges = [world.working(**seat(0)), world.working(**seat(1))]
    for _ in range(times):
        world.succeed(chance.randrange(20, 120))
        time.sleep(chance.uniform(0.0, 0.9))
        number = chance.randrange(2)
        bridges[number].kill()
        bridges[number] = world.bridge(**seat(number))
    world.wait_dispatched(world.sent, 90)
    world.check_ledger()
    eventually(lambda: world.unsent() == 0, "all is confirmed", 30)


@campaign(5, 100)
def test_zombies_are_refused_by_the_epoch(world: World, times: int) -> None:
    """Frozen between poll and ingest past the session time-out; another takes over; its stale write is refused."""
    quick = {"ORCHESTRATION_KAFKA_SESSION_TIMEOUT_MS": "1000"}
    world.run(SHORT_SILENCE)
    world.working(**quick).terminate()
    for number in range(times):
        zombie = world.bridge(
            "--batch", "20", **quick, ORCHESTRATION_FAILPOINT=f"before_ingest:{1 + number % 4}:stop"
        )
        world.succeed(200)
        eventually(lambda z=zombie: frozen(z), "it is frozen")  # type: ignore[misc]
        heir = world.bridge(**quick)
        heir.wait_for("assigned", 20)
        eventually(lambda: sum(world.positions().values()) == len(world.sent), "the heir reads all", 30)
        zombie.signal(signal.SIGCONT)
        refused = zombie.wait_for("rejoining", 20)
        assert "no longer holds" in refused["reason"], refused
        zombie.wait_for("assigned", 20, count=2)
        for bridge in (zombie, heir):
            assert bridge.terminate() == 0
    world.bridge(**quick)
    world.wait_dispatched(world.sent, 60)
    world.check_ledger()
    eventually(lambda: world.unsent() == 0, "all is confirmed", 30)


def frozen(process: Process) -> bool:
    """Whether it was stopped by a signal."""
    with open(f"/proc/{process.pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] == "T"
