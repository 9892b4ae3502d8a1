"""The consume loop on a real Kafka, with an Airflow that fails on demand."""

from __future__ import annotations

import itertools
import logging
import threading

import pytest
from confluent_kafka import Producer

from dags.errors import KafkaRefusedError, ListenerError, TransientError
from dags.listener import Listener
from dags.messages import RESERVED, run_id_of
from tests.support import topics as topic_tools

from .conftest import Desk
from .fakes import FakeAirflow
from .hostile import HOSTILE, INSTALLATION, dispatch


def by_status(events: list[dict[str, object]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for event in events:
        found[str(event["status"])] = found.get(str(event["status"]), 0) + 1
    return found


def test_a_dispatch_becomes_a_run_and_is_accepted(desk: Desk) -> None:
    desk.send(dispatch(), key="42")
    desk.start()
    (event,) = desk.await_events(1)
    run_id = run_id_of(INSTALLATION, 42)
    assert desk.airflow.made == [run_id]
    conf = desk.airflow.runs["noop", run_id]
    assert conf is not None
    assert conf["batch_id"] == "b-1"
    assert (event["status"], event["external_id"], event["key"]) == ("ACCEPTED", run_id, "42")
    assert "detail" not in event
    desk.eventually(lambda: desk.committed() == 1, "the offset is committed")
    desk.end()
    assert desk.counts[0].words() == {"accepted": 1, "repeated": 0, "refused": 0, "unreadable": 0}


def test_a_paused_dag_is_said(desk: Desk) -> None:
    desk.airflow.dags = {"noop": True}
    desk.send(dispatch())
    desk.start()
    (event,) = desk.await_events(1)
    assert (event["status"], event["detail"]) == ("ACCEPTED", "DAG is paused")


def test_the_same_dispatch_three_times_is_one_run(desk: Desk) -> None:
    desk.send(dispatch(), dispatch(), dispatch())
    desk.start()
    events = desk.await_events(3)
    assert len(desk.airflow.made) == 1
    assert by_status(events) == {"ACCEPTED": 3}
    assert len({event["event_id"] for event in events}) == 1


@pytest.mark.parametrize(
    "conf",
    [
        None,
        {},
        {"batch_id": "b-1", "rows": 3},
        {RESERVED: {"installation": INSTALLATION, "task_run_id": 43}},
        {RESERVED: {"installation": INSTALLATION.replace("0", "1"), "task_run_id": 42}},
    ],
)
def test_a_run_of_that_id_which_is_not_ours_is_no_success(desk: Desk, conf: dict[str, object] | None) -> None:
    desk.airflow.runs["noop", run_id_of(INSTALLATION, 42)] = conf
    desk.send(dispatch(), dispatch(task_run_id=43))
    desk.start()
    failed, accepted = sorted(desk.await_events(2), key=lambda event: event["task_run_id"])
    assert failed["status"] == "FAILED"
    assert "has a run" in failed["detail"]
    assert "was not made for this task run" in failed["detail"]
    assert "external_id" not in failed
    assert accepted["status"] == "ACCEPTED"


def test_an_unknown_dag_is_failed_and_the_loop_goes_on(desk: Desk) -> None:
    desk.send(dispatch(process="nowhere"), dispatch(task_run_id=43))
    desk.start()
    failed, accepted = sorted(desk.await_events(2), key=lambda event: event["task_run_id"])
    assert failed["status"] == "FAILED"
    assert failed["process"] == "nowhere"
    assert failed["installation"] == INSTALLATION
    assert failed["detail"] == "Dag with dag_id: 'nowhere' not found"
    assert accepted["status"] == "ACCEPTED"


def test_hostile_messages_block_nothing_and_none_is_lost(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """All of them at once: each is answered, or is an event that names where it was; then a good one goes through."""
    desk.airflow.dags |= {"d" * 250: False, "a.b-c_d.1": False, "verkäufe": False}
    with caplog.at_level(logging.ERROR):
        desk.send(*(value for value, _ in HOSTILE))
        desk.send(dispatch(task_run_id=4711), partition=0)
        desk.start()
        desk.eventually(lambda: run_id_of(INSTALLATION, 4711) in desk.airflow.made, "the good one", 60)
        desk.eventually(lambda: desk.committed() == len(HOSTILE) + 1, "all are committed")
    events = desk.events()
    assert len(events) == len(HOSTILE) + 1
    kinds = [kind for _, kind in HOSTILE]
    lost = [event for event in events if "unreadable" in event]
    assert len(lost) == kinds.count("junk")
    assert {event["unreadable"]["offset"] for event in lost} == {
        i for i, kind in enumerate(kinds) if kind == "junk"
    }
    assert all(event["status"] == "FAILED" and "task_run_id" not in event for event in lost)
    assert len(
        [record for record in caplog.records if f"no dispatch at {desk.topic}/0/" in record.message]
    ) == len(lost)
    told = [event for event in events if "unreadable" not in event]
    assert by_status(told) == {"FAILED": kinds.count("refusal"), "ACCEPTED": kinds.count("request") + 1}
    assert {dag_id for dag_id, _ in desk.airflow.runs} == {"noop", "d" * 250, "a.b-c_d.1", "verkäufe"}


def test_airflow_away_is_waited_for_and_nothing_is_lost(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.airflow.failing = [TransientError("connection refused") for _ in range(3)]
    with caplog.at_level(logging.INFO):
        desk.send(*(dispatch(task_run_id=i) for i in range(1, 21)))
        desk.start()
        events = desk.await_events(20)
        desk.eventually(lambda: desk.committed() == 20, "all are committed")
    assert sorted(desk.airflow.made) == sorted(run_id_of(INSTALLATION, i) for i in range(1, 21))
    assert {event["task_run_id"] for event in events} == set(range(1, 21))
    assert by_status(events) == {"ACCEPTED": 20}
    words = [record.message for record in caplog.records]
    assert any("Airflow's API is away" in word and "connection refused" in word for word in words)
    assert any("Airflow's API is back" in word for word in words)


def test_nothing_is_committed_while_airflow_is_away(desk: Desk) -> None:
    desk.airflow.failing = [TransientError("connection refused") for _ in range(1000)]
    desk.send(*(dispatch(task_run_id=i) for i in range(1, 4)))
    desk.start()
    desk.eventually(lambda: desk.airflow.asked >= 3, "it tries again")
    assert desk.committed() == 0
    desk.end()
    assert desk.events() == []


def test_what_airflow_alone_cannot_stand_is_refused_in_the_end(desk: Desk) -> None:
    """One message answered by errors while others are not must not hold the partition."""
    desk.airflow.poison = run_id_of(INSTALLATION, 2)
    desk.send(*(dispatch(task_run_id=i) for i in range(1, 4)))
    desk.start()
    desk.eventually(lambda: desk.committed() == 3, "it goes on")
    told = {event["task_run_id"]: event for event in desk.events() if event["status"] == "FAILED"}
    assert list(told) == [2]
    assert told[2]["detail"].startswith("Airflow answers with an error of its own, 3 times: HTTP 500")
    assert len(desk.airflow.made) == 2


def test_errors_of_an_airflow_that_answers_nothing_else_refuse_nothing(desk: Desk) -> None:
    desk.airflow.failing = [TransientError("HTTP 500", answered=True) for _ in range(8)]
    desk.send(dispatch())
    desk.start()
    (event,) = desk.await_events(1, 60)
    assert event["status"] == "ACCEPTED"


def test_a_listener_that_is_killed_is_followed_by_one_that_repeats_and_ends_the_work(desk: Desk) -> None:
    """Killed as hard as a thread can be: an exception nobody handles, after runs were made and before any answer."""

    class Killed(BaseException):
        pass

    class Mortal(FakeAirflow):
        def create(self, request):  # type: ignore[no-untyped-def]
            if len(self.made) == 5:
                raise Killed
            return super().create(request)

    first = Mortal(runs=desk.airflow.runs, made=desk.airflow.made)
    desk.send(*(dispatch(task_run_id=i) for i in range(1, 11)))
    desk.start(first)
    desk.threads[0].join(30)
    assert isinstance(desk.errors.pop(), Killed)
    assert desk.committed() == 0
    desk.start()
    events = desk.await_events(10)
    assert len(desk.airflow.made) == len(set(desk.airflow.made)) == 10
    assert {event["task_run_id"] for event in events} == set(range(1, 11))
    desk.end()
    assert desk.counts[0].words() == {"accepted": 5, "repeated": 5, "refused": 0, "unreadable": 0}


def test_several_listeners_share_the_partitions(desk: Desk) -> None:
    """300 dispatches over 6 partitions, two listeners, one of which ends in the middle: each run is made once."""
    stop = threading.Event()
    desk.start(stop=stop)
    desk.start()
    for partition in range(6):
        ids = range(1 + partition * 25, 26 + partition * 25)
        desk.send(*(dispatch(task_run_id=i) for i in ids), partition=partition)
    desk.eventually(lambda: len(desk.airflow.made) >= 20, "they work")
    stop.set()
    for partition in range(6):
        ids = range(1001 + partition * 25, 1026 + partition * 25)
        desk.send(*(dispatch(task_run_id=i) for i in ids), partition=partition)
    desk.eventually(lambda: desk.committed() == 300, "all are done", 60)
    assert len(desk.airflow.made) == len(set(desk.airflow.made)) == 300


def test_a_lifetime_ends(desk: Desk) -> None:
    """By a clock on which an hour goes by between two looks."""
    hours = itertools.count()
    counts = Listener(desk.settings(), desk.airflow, clock=lambda: 3600.0 * next(hours)).run()
    assert counts.words() == {"accepted": 0, "repeated": 0, "refused": 0, "unreadable": 0}


def test_an_airflow_that_stays_away_ends_the_task(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dags.listener._PATIENCE", 1.0)
    desk.airflow.failing = [TransientError("HTTP 401") for _ in range(1000)]
    desk.send(dispatch())
    desk.start()
    desk.threads[0].join(60)
    error = desk.errors.pop()
    assert isinstance(error, ListenerError)
    assert "HTTP 401" in str(error)
    assert desk.committed() == 0


def test_a_property_that_librdkafka_does_not_know_is_named(desk: Desk) -> None:
    with pytest.raises(KafkaRefusedError, match=r"no\.such\.property"):
        desk.start(ORCHESTRATION_KAFKA_NO_SUCH_PROPERTY="1")


def test_a_topic_that_is_not_there_is_waited_for(desk: Desk) -> None:
    desk.start(ORCHESTRATION_AIRFLOW_TOPIC="late_tasks")
    desk.eventually(lambda: desk.threads[0].is_alive(), "it waits")
    topic_tools.renew(desk.broker.bootstrap, ["late_tasks"])
    producer = Producer({"bootstrap.servers": desk.broker.bootstrap})
    producer.produce("late_tasks", dispatch())
    assert producer.flush(20) == 0
    desk.eventually(lambda: len(desk.airflow.made) == 1, "it is found", 60)
