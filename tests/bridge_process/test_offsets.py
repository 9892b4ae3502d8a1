"""Where reading begins: never guessed. First start, re-created topic, other cluster, lost offset, missing topic."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions

from tests.support.topics import renew

from .harness import EVENTS, PARTITIONS, Process, World, eventually, success


def refusal(bridge: Process) -> tuple[str, str]:
    """How it ended: the error and the remedy of its last line; exactly one error, and the exit status of offsets."""
    assert bridge.ended() == 3
    (line,) = bridge.lines(level="error")
    assert "\n" not in line["error"] + line["remedy"]
    return line["error"], line.get("remedy", "")


def with_admin(world: World, ask: Callable[[AdminClient], Mapping[Any, Future[Any]]]) -> None:
    """Ask and wait for the answers; the client has to outlive them."""
    admin = AdminClient({"bootstrap.servers": world.broker.bootstrap})
    for future in ask(admin).values():
        future.result(10)


def delete_records(world: World, before: int) -> None:
    """Drop the log of every partition before this offset, as retention does."""
    places = [TopicPartition(EVENTS, number, before) for number in range(PARTITIONS)]
    with_admin(world, lambda admin: admin.delete_records(places))


def delete_topic(world: World) -> None:
    with_admin(world, lambda admin: admin.delete_topics([EVENTS]))


def test_the_first_start_without_an_order_is_refused(world: World) -> None:
    error, remedy = refusal(world.bridge())
    assert error.startswith("OR701 ")
    assert EVENTS in error
    assert "--from earliest" in remedy
    assert "--from latest" in remedy
    assert world.positions() == {}


def test_from_earliest_reads_what_is_there(world: World) -> None:
    world.succeed(20)
    world.working("--from", "earliest")
    world.wait_dispatched(world.sent)
    world.check_ledger()


def test_from_latest_skips_what_is_there(world: World) -> None:
    skipped = world.succeed(20)
    world.working("--from", "latest")
    world.sent.clear()
    world.sent.extend(skipped)
    seen = world.succeed(5)
    world.wait_dispatched(seen)
    assert set(world.dispatched()) == set(seen)


def test_an_order_to_begin_changes_no_offset_that_is_good(world: World) -> None:
    bridge = world.working("--from", "earliest")
    world.succeed(10)
    world.wait_dispatched(world.sent)
    bridge.terminate()
    world.succeed(10)
    bridge = world.working("--from", "latest")
    world.wait_dispatched(world.sent)
    world.check_ledger()
    assert not bridge.lines("offsets_seeded")


def test_two_bridges_at_the_first_start_begin_once(world: World) -> None:
    world.succeed(50)
    bridges = [world.bridge("--from", "earliest") for _ in range(3)]
    for bridge in bridges:
        bridge.wait_for("assigned", 15)
    world.wait_dispatched(world.sent)
    world.check_ledger()
    assert sum(len(bridge.lines("offsets_seeded")) for bridge in bridges) == 1


def test_a_topic_created_anew_stops_the_bridge_at_its_start(world: World) -> None:
    world.working().terminate()
    renew(world.broker.bootstrap, [EVENTS])
    error, remedy = refusal(world.bridge())
    assert error.startswith("OR702 ")
    assert "--from" in remedy
    world.succeed(3)
    world.working("--from", "earliest")
    world.wait_dispatched(world.sent)
    world.check_ledger()


@pytest.mark.parametrize("refill", [0, 30])
def test_a_topic_created_anew_stops_a_running_bridge(world: World, refill: int) -> None:
    """Within 10 s, also where the new log is as long as the old one and no offset looks wrong."""
    bridge = world.working()
    world.succeed(30)
    world.wait_dispatched(world.sent)
    renew(world.broker.bootstrap, [EVENTS])
    began = time.monotonic()
    if refill:
        world.succeed(refill)
    error, _ = refusal(bridge)
    assert error.startswith("OR702 ")
    assert time.monotonic() - began < 10


def test_another_cluster_stops_the_bridge(own_world: World) -> None:
    own_world.working().terminate()
    own_world.run("update orchestration.kafka_topic set cluster_id = 'another'")
    error, remedy = refusal(own_world.bridge())
    assert error.startswith("OR703 ")
    assert "ORCHESTRATION_KAFKA_BOOTSTRAP" in remedy


def test_an_offset_that_retention_overtook_stops_the_bridge(world: World) -> None:
    world.working().terminate()
    world.succeed(60)
    delete_records(world, before=2)
    error, remedy = refusal(world.bridge())
    assert error.startswith("OR704 ")
    assert "0" in error
    assert "--from earliest" in remedy
    stored = world.positions()
    assert set(stored.values()) == {0}, "nothing was skipped"
    bridge = world.working("--from", "earliest")
    assert set(bridge.wait_for("offsets_seeded")["offsets"].values()) == {2}
    eventually(lambda: sum(world.positions().values()) == 60, "the rest is read")


def test_an_offset_beyond_the_log_stops_the_bridge(world: World) -> None:
    world.working().terminate()
    world.run("update orchestration.kafka_offset set next_offset = 5000 where partition = 3")
    error, _ = refusal(world.bridge())
    assert error.startswith("OR704 ")
    assert "5000 of partition 3" in error


def test_only_the_lost_offsets_are_begun_anew(world: World) -> None:
    world.working().terminate()
    world.succeed(30)
    world.run("update orchestration.kafka_offset set next_offset = 5000 where partition = 3")
    bridge = world.working("--from", "latest")
    assert list(bridge.wait_for("offsets_seeded")["offsets"]) == ["3"]


def test_a_missing_topic_ends_the_bridge_with_the_remedy(own_world: World) -> None:
    delete_topic(own_world)
    bridge = own_world.bridge()
    assert bridge.ended() == 2
    (line,) = bridge.lines(level="error")
    assert EVENTS in line["error"]
    assert "orchestration topics create" in line["remedy"]


def test_a_topic_deleted_under_a_running_bridge_ends_it(own_world: World) -> None:
    bridge = own_world.working()
    delete_topic(own_world)
    assert bridge.ended(20) == 2
    assert "orchestration topics create" in bridge.lines(level="error")[0]["remedy"]


def test_a_partition_that_is_added_is_read_from_its_beginning(own_world: World) -> None:
    own_world.working("--from", "earliest", ORCHESTRATION_KAFKA_TOPIC_METADATA_REFRESH_INTERVAL_MS="1000")
    with_admin(own_world, lambda admin: admin.create_partitions([NewPartitions(EVENTS, PARTITIONS + 1)]))

    def sent() -> bool:
        try:
            own_world.produce(success("key-0"), b"e", PARTITIONS)
        except Exception:
            return False
        return own_world.producer.flush(5) == 0

    eventually(sent, "the producer sees the partition")
    own_world.wait_dispatched(["key-0"], 60)
