"""kill -9 at each named point, then the next bridge: nothing lost, nothing started twice, no operator."""

from __future__ import annotations

import signal

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
SEAT = {
    "ORCHESTRATION_KAFKA_GROUP_INSTANCE_ID": "the only one",
    "ORCHESTRATION_KAFKA_TOPIC_METADATA_PROPAGATION_MAX_MS": "500",
}
"""A static member: who comes after a kill has the partitions at once, not after the session time-out."""

ONCE = {"after_register", "on_assign", "after_claim", "dispatcher_after_take", "dispatcher_after_produce",
        "before_release", "before_retire", "after_retire"}  # fmt: skip
"""Points that a life as short as these may pass but once."""


def provoke(world: World, name: str) -> None:
    """What makes a bridge pass this point, beside events: work of SQL, a poisonous message, a topic that is missing."""
    if name.startswith("dispatcher_"):
        for _ in range(2):
            world.run(START + "'next'")
    elif name.endswith("_quarantine"):
        for _ in range(2):
            world.produce(success("poison"), b"poison", 0)
    elif name == "before_release":
        world.run(START + "'never'")
    world.succeed(60)


def live_and_be_killed(world: World, name: str, passing: int) -> Process:
    victim = world.bridge("--batch", "10", **SEAT, ORCHESTRATION_FAILPOINT=f"{name}:{passing}")
    provoke(world, name)
    if name.endswith("_retire"):
        victim.wait_for("assigned")
        victim.signal(signal.SIGTERM)
    assert victim.ended(30) == -signal.SIGKILL, victim.log.read_text()
    return victim


@pytest.mark.parametrize("passing", [1, 2])
def test_killed_at_each_point_nothing_is_lost_or_doubled(world: World, passing: int) -> None:
    """One bridge after the other is killed, each at its point; what it leaves is the next one's."""
    world.run("update orchestration.setting set value = '2 seconds' where name = 'bridge_silence'")
    world.run(POISON)
    world.working(**SEAT).terminate()
    for name in NAMES:
        live_and_be_killed(world, name, 1 if name in ONCE else passing)
    world.bridge(**SEAT)
    world.wait_dispatched(world.sent, 40)
    eventually(lambda: world.unsent() == 1, "all is confirmed but what has no topic", 20)
    by_key: dict[str | None, set[int]] = {}
    for dispatch in world.dispatches():
        by_key.setdefault(dispatch["run_key"], set()).add(dispatch["task_run_id"])
    by_hand = by_key.pop(None)
    assert {key: len(ids) for key, ids in by_key.items()} == dict.fromkeys(world.sent, 1)
    assert len(by_hand) == 2 * len([name for name in NAMES if name.startswith("dispatcher_")])
    count = "select count(*) from orchestration.task_run r join orchestration.task t on t.id = r.task_id and t.name = "
    assert world.ask(count + "'root'") == len(world.sent)
    assert world.ask(count + "'next'") == len(world.sent) + len(by_hand)
    assert world.ask("select count(*) from orchestration.dead_letter") == 4
