"""Answers that never arrive: the connection breaks while the server goes on, so nobody knows what was committed."""

from __future__ import annotations

import time

import pytest

from .harness import World, eventually
from .proxy import Wire

SLOW = """
create function public.slow() returns trigger language plpgsql as $$
begin
    perform pg_sleep(1.5);
    return null;
end
$$;
create trigger slow after {event} on orchestration.{table} for each statement execute function public.slow();
"""


def through(world: World, wire: Wire) -> dict[str, str]:
    """The environment of a bridge that reaches PostgreSQL over this wire."""
    port = world.database.app_dsn.rpartition("/")[0].rpartition(":")[2]
    return {"ORCHESTRATION_DSN": world.database.app_dsn.replace(f":{port}/", f":{wire.port}/")}


def port_of(world: World) -> int:
    return int(world.database.app_dsn.rpartition("/")[0].rpartition(":")[2])


@pytest.mark.parametrize(
    ("table", "event"),
    [("kafka_offset", "update"), ("dispatch", "update")],
    ids=["ingest", "take_dispatches"],
)
def test_what_is_committed_after_the_connection_broke_is_sent(world: World, table: str, event: str) -> None:
    """The server claims dispatches for an instance that is gone by then: the bridge gives them back to itself."""
    with Wire(port_of(world)) as wire:
        bridge = world.working("--from", "earliest", **through(world, wire))
        world.succeed(5)
        world.wait_dispatched(world.sent)
        eventually(lambda: world.unsent() == 0, "all is confirmed")
        world.run(SLOW.format(table=table, event=event))
        if table == "dispatch":
            world.run(
                "insert into orchestration.task_run (task_id) select id from orchestration.task where name = 'next'"
            )
        else:
            world.succeed(5)
        time.sleep(0.7)
        assert wire.cut() >= 2, "the consumer, the dispatcher, and the reaper where it has connected"
        time.sleep(2.5)
        world.run(f"drop trigger slow on orchestration.{table}")
        world.wait_dispatched(world.sent)
        eventually(lambda: world.unsent() == 0, "all is sent and confirmed", 15)
        assert bridge.alive


def test_a_wire_cut_again_and_again_loses_and_doubles_nothing(world: World) -> None:
    with Wire(port_of(world)) as wire:
        bridge = world.working("--from", "earliest", **through(world, wire))
        for _ in range(12):
            world.succeed(150)
            wire.cut()
            time.sleep(0.15)
        world.wait_dispatched(world.sent, 60)
        world.check_ledger()
        eventually(lambda: world.unsent() == 0, "all is confirmed", 20)
        assert bridge.alive
