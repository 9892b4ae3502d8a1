"""Errors of the database that a batch meets: retried, waited out, or pinned on the one message that is guilty."""

from __future__ import annotations

import time

from .harness import PARTITIONS, World, eventually, success
from .hostile import HOSTILE

TRAP = """
create sequence public.trap_passes;
grant all on sequence public.trap_passes to public;
create function public.trap() returns trigger language plpgsql as $$
begin
    if new.run_key like 'trap%%' then
        {body}
    end if;
    return new;
end
$$;
create trigger trap before insert on orchestration.task_run for each row execute function public.trap();
"""


def set_trap(world: World, body: str) -> None:
    """From now on a task run whose key begins with `trap` meets `body`."""
    world.run(TRAP.format(body=body).replace("%%", "%"))


def send(world: World, keys: list[str]) -> None:
    """Successes of the root with these run keys, in one partition and so in this order."""
    for key in keys:
        world.produce(success(key), b"one", 0)
    world.producer.flush(10)


def letters(world: World) -> list[tuple[object, ...]]:
    return world.rows(
        'select partition, "offset", reason, detail from orchestration.dead_letter order by "offset"'
    )


def test_the_guilty_message_alone_becomes_a_dead_letter(world: World) -> None:
    """Among 400 in one transaction three raise: these are dead letters with their bytes, the others are applied."""
    set_trap(world, "perform 1 / 0;")
    world.working().terminate()
    keys = [f"good-{number}" for number in range(400)]
    for number in (0, 123, 399):
        keys[number] = f"trap-{number}"
    send(world, keys)
    bridge = world.working()
    world.wait_dispatched([key for key in keys if key.startswith("good")])
    eventually(lambda: world.positions()[0] == 400, "all are read")
    assert [(partition, offset, reason) for partition, offset, reason, _ in letters(world)] == [
        (0, 0, "error"), (0, 123, "error"), (0, 399, "error")
    ]  # fmt: skip
    assert all("22012" in str(detail) and "division by zero" in str(detail) for *_, detail in letters(world))
    assert b"trap-123" in world.ask('select value from orchestration.dead_letter where "offset" = 123')
    assert len(bridge.lines("quarantined")) == 3
    assert world.dispatched().total() == 397
    assert world.ask("select count(*) from orchestration.task_run where run_key like 'good%%'") == 2 * 397


def test_serialization_failures_are_retried_and_blame_nobody(world: World) -> None:
    set_trap(
        world,
        "if nextval('public.trap_passes') <= 7 then raise exception 'not now' using errcode = '40001'; end if;",
    )
    bridge = world.working()
    send(world, ["trap-1", "good-1"])
    world.wait_dispatched(["trap-1", "good-1"])
    assert letters(world) == []
    assert len(bridge.lines("batch_retried", code="40001")) == 7


def test_a_function_missing_for_a_while_blames_nobody(world: World) -> None:
    """As during a deployment that goes wrong: wait, apply again, go on."""
    world.working()
    world.run("alter function orchestration._apply_events rename to _apply_events_away")
    world.succeed(30)
    time.sleep(3)
    assert letters(world) == []
    world.run("alter function orchestration._apply_events_away rename to _apply_events")
    world.wait_dispatched(world.sent)
    world.check_ledger()
    assert letters(world) == []


def test_a_broken_deployment_blames_nobody_however_long_it_lasts(world: World) -> None:
    bridge = world.working()
    world.run("alter function orchestration.confirm_dispatches rename to confirm_dispatches_away")
    world.run("alter function orchestration.ingest rename to ingest_away")
    world.succeed(5)
    time.sleep(14)
    assert letters(world) == []
    assert bridge.lines("database_suspected")[0]["remedy"].startswith("orchestration db apply")
    world.run("alter function orchestration.confirm_dispatches_away rename to confirm_dispatches")
    world.run("alter function orchestration.ingest_away rename to ingest")
    world.wait_dispatched(world.sent)
    world.check_ledger()


def test_a_function_missing_for_long_floods_nothing(world: World) -> None:
    """An empty batch passes, each message fails: after three in a row the database is suspected again."""
    bridge = world.working()
    world.run("alter function orchestration._apply_events rename to _apply_events_away")
    world.succeed(30)
    eventually(lambda: len(letters(world)) == 3, "three are blamed", 40)
    time.sleep(3)
    world.run("alter function orchestration._apply_events_away rename to _apply_events")
    eventually(lambda: sum(world.positions().values()) == 30, "the others are applied")
    assert len(letters(world)) == 3
    assert len(world.dispatches()) == 27
    assert bridge.alive


def test_an_internal_error_of_one_message_does_not_block_the_others(world: World) -> None:
    """The same class of error as a broken deployment, but only one message meets it: after a while it is set aside."""
    set_trap(world, "raise exception 'cache lookup failed' using errcode = 'XX000';")
    world.working()
    send(world, ["good-1", "trap-1", "good-2"])
    world.wait_dispatched(["good-1", "good-2"], 40)
    eventually(lambda: world.positions()[0] == 3, "all are read", 20)
    assert [row[1] for row in letters(world)] == [1]


def test_hostile_messages_among_good_ones_become_dead_letters_and_block_nothing(world: World) -> None:
    """Each with its bytes and its coordinates; every good one is applied once; the bridge lives."""
    assert len(HOSTILE) >= 200
    bridge = world.working()
    for number, message in enumerate(HOSTILE):
        world.produce(message, b"hostile", number % PARTITIONS)
        world.succeed(1) if number % 10 == 0 else world.producer.poll(0)
    assert world.producer.flush(30) == 0
    world.wait_dispatched(world.sent, 60)
    found = world.rows("select value, partition, reason, detail from orchestration.dead_letter")
    missing = set(HOSTILE) - {bytes(value) for value, *_ in found}
    assert not missing, f"no dead letters: {sorted(missing, key=len)[:5]}"
    assert len(found) == len(HOSTILE)
    places = {message: number % PARTITIONS for number, message in enumerate(HOSTILE)}
    assert all(places[bytes(value)] == partition for value, partition, *_ in found)
    assert all(detail for *_, detail in found)
    assert {reason for _, _, reason, _ in found} == {"malformed", "foreign", "unknown"}
    assert sum(world.positions().values()) == len(HOSTILE) + len(world.sent)
    world.check_ledger()
    assert bridge.alive
    assert not bridge.lines(level="error")
