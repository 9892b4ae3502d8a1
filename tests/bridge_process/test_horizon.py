"""The horizon of a real bridge: it follows the clock while all is read, and stands still while anything is not."""

from __future__ import annotations

import time

from confluent_kafka import Producer

from .harness import EVENTS, World, eventually, success

AGE = "select extract(epoch from horizon_age)::float8 from orchestration.service_status()"
HORIZON = "select horizon from orchestration.service_status()"


def test_it_follows_the_clock_and_stands_still_with_the_bridge(world: World) -> None:
    bridge = world.working()
    eventually(lambda: (world.ask(AGE) or 99) < 2.5, "an idle topic is read to its end, each second")
    world.succeed(20)
    world.wait_dispatched(world.sent)
    eventually(lambda: (world.ask(AGE) or 99) < 2.5, "so is one with events")
    bridge.kill()
    stood = world.ask(HORIZON)
    time.sleep(1.5)
    assert world.ask(HORIZON) == stood
    world.working()
    eventually(lambda: world.ask(HORIZON) > stood, "another bridge goes on")


def test_it_waits_for_an_open_transaction(world: World) -> None:
    """Its messages cannot be read yet, and were produced before any later instant."""
    world.working()
    eventually(lambda: (world.ask(AGE) or 99) < 2.5, "all is read")
    producer = Producer({"bootstrap.servers": world.broker.bootstrap, "transactional.id": "horizon"})
    producer.init_transactions(20)
    producer.begin_transaction()
    producer.produce(EVENTS, success("held back"), partition=0)
    producer.flush(10)
    began = world.ask("select now()")
    time.sleep(3)
    assert world.ask(HORIZON) < began
    producer.commit_transaction(20)
    eventually(lambda: world.ask(HORIZON) > began, "it goes on, over the transaction's marker")
    assert world.ask("select count(*) from orchestration.task_run where run_key = 'held back'") >= 1
