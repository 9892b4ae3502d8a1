"""ConsumeTaskDispatch without NiFi: flow files, answers, memory, what a crash at each point leaves behind."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError

from tests.nifi.fakes import Context, load
from tests.nifi.schema import matches

INSTALLATION = "0b0e0000-0000-4000-8000-000000000001"
module = load("ConsumeTaskDispatch")


def dispatch(task_run_id: int = 42, **changes: Any) -> dict[str, Any]:
    return {
        "v": 1, "type": "start", "installation": INSTALLATION, "task_run_id": task_run_id, "attempt": 1,
        "graph_run_ids": [7], "graph": "road", "run_key": "2026-11-22", "service": "nifi", "process": "load_stg",
        "task": "load", "config": {"rows": 500, "batch": {"id": "b", "n": 1}, "flag": True, "none": None, "name": "ü"},
        "created_at": "2026-11-22T03:00:00Z", **changes,
    }  # fmt: skip


class Message:
    def __init__(self, offset: int, value: bytes | None, error: KafkaError | None = None) -> None:
        self._offset, self._value, self._error = offset, value, error

    def error(self) -> KafkaError | None:
        return self._error

    def value(self) -> bytes | None:
        return self._value

    def topic(self) -> str:
        return "nifi_tasks"

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._offset


class Kafka:
    """A topic with one partition; a consumer begins at what is committed."""

    def __init__(self) -> None:
        self.log: list[Message] = []
        self.committed = 0
        self.answers: list[dict[str, Any]] = []
        self.settings: dict[str, Any] = {}

    def put(self, message: Any) -> None:
        value = message if isinstance(message, bytes) else json.dumps(message).encode()
        self.log.append(Message(len(self.log), value))

    def consumer(self, settings: dict[str, Any]) -> Any:
        self.settings = settings
        place = [self.committed]

        def poll(_seconds: float) -> Message | None:
            if place[0] >= len(self.log):
                return None
            place[0] += 1
            return self.log[place[0] - 1]

        def commit(offsets: list[Any], asynchronous: bool) -> None:
            self.committed = offsets[0].offset

        return SimpleNamespace(subscribe=lambda _: None, poll=poll, commit=commit, close=lambda: None)

    def producer(self, settings: dict[str, Any]) -> Any:
        def produce(topic: str, value: bytes, key: str, on_delivery: Any) -> None:
            event = json.loads(value)
            assert (topic, key) == ("etl_finished_tasks", str(event["task_run_id"]))
            assert settings["enable.idempotence"] == "true"
            self.answers.append(event)

        return SimpleNamespace(produce=produce, poll=lambda _: None, flush=lambda _: None)


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kafka]:
    made = Kafka()
    monkeypatch.setattr(module, "Consumer", made.consumer)
    monkeypatch.setattr(module, "Producer", made.producer)
    monkeypatch.setattr(module, "BLOCK", 0.0)
    monkeypatch.setattr(module, "end_with_parent", lambda _: None)
    yield made
    assert all(matches("event", each) for each in made.answers)


class Nifi:
    """Calls a processor as NiFi does; `crash` is kill -9 of its process: a new one, without onScheduled."""

    def __init__(self, folder: Path, **properties: str) -> None:
        self.processor = module.ConsumeTaskDispatch()
        values = {name.replace("_", " "): value for name, value in properties.items()}
        self.properties: dict[str, str | None] = {
            "Kafka Brokers": "localhost:9",
            "State Directory": str(folder),
            **values,
        }

    def trigger(self) -> Any:
        return self.processor.create(Context(self.processor, self.properties))

    def drain(self) -> list[Any]:
        found = []
        while (result := self.trigger()) is not None:
            found.append(result)
        return found

    def stop(self) -> None:
        self.processor.onStopped(Context(self.processor, self.properties))

    def crash(self) -> None:
        self.processor = module.ConsumeTaskDispatch()

    @property
    def said(self) -> str:
        return "\n".join(self.processor.logger.said)


@pytest.fixture
def nifi(tmp_path: Path, kafka: Kafka) -> Nifi:
    return Nifi(tmp_path)


def test_a_dispatch_becomes_a_flow_file(kafka: Kafka, nifi: Nifi) -> None:
    assert matches("dispatch", dispatch())
    kafka.put(dispatch())
    result = nifi.trigger()
    assert result.relationship == "success"
    assert json.loads(result.contents) == dispatch()
    assert result.attributes == {
        "dispatch.v": "1", "dispatch.type": "start", "dispatch.installation": INSTALLATION, "dispatch.task_run_id": "42",
        "dispatch.attempt": "1", "dispatch.graph_run_ids": "[7]", "dispatch.graph": "road",
        "dispatch.run_key": "2026-11-22", "dispatch.service": "nifi", "dispatch.process": "load_stg",
        "dispatch.task": "load", "dispatch.created_at": "2026-11-22T03:00:00Z", "dispatch.config.rows": "500",
        "dispatch.config.batch": '{"id":"b","n":1}', "dispatch.config.flag": "true", "dispatch.config.name": "ü",
        "dispatch.redelivered": "false", "mime.type": "application/json",
    }  # fmt: skip


def test_it_is_answered_and_committed_when_nifi_has_it(kafka: Kafka, nifi: Nifi) -> None:
    kafka.put(dispatch())
    nifi.trigger()
    assert (kafka.answers, kafka.committed) == ([], 0)
    assert nifi.trigger() is None
    event = kafka.answers[0]
    assert event.pop("occurred_at")
    assert event == {
        "v": 1, "installation": INSTALLATION, "service": "nifi", "process": "load_stg", "task": "load", "task_run_id": 42,
        "run_key": "2026-11-22", "status": "ACCEPTED", "event_id": f"{INSTALLATION}:42:accepted",
    }  # fmt: skip
    assert kafka.committed == 1


def test_one_flow_file_each_in_order(kafka: Kafka, nifi: Nifi) -> None:
    for number in range(1, 6):
        kafka.put(dispatch(number))
    found = nifi.drain()
    assert [each.attributes["dispatch.task_run_id"] for each in found] == ["1", "2", "3", "4", "5"]
    assert [each["task_run_id"] for each in kafka.answers] == [1, 2, 3, 4, 5]


def test_a_repeat_is_answered_without_a_flow_file(kafka: Kafka, nifi: Nifi) -> None:
    kafka.put(dispatch())
    kafka.put(dispatch())
    assert len(nifi.drain()) == 1
    assert [each["status"] for each in kafka.answers] == ["ACCEPTED", "ACCEPTED"]
    nifi.stop()
    nifi.crash()
    kafka.put(dispatch())
    assert nifi.drain() == []
    assert len(kafka.answers) == 3
    assert kafka.committed == 3


def test_the_same_number_of_another_installation_is_another_task_run(kafka: Kafka, nifi: Nifi) -> None:
    kafka.put(dispatch())
    kafka.put(dispatch(installation="0b0e0000-0000-4000-8000-000000000002"))
    assert len(nifi.drain()) == 2


def test_a_crash_before_nifi_stored_it_hands_it_out_again(kafka: Kafka, nifi: Nifi) -> None:
    kafka.put(dispatch())
    nifi.trigger()
    nifi.crash()
    again = nifi.trigger()
    assert again.attributes["dispatch.task_run_id"] == "42"
    assert again.attributes["dispatch.redelivered"] == "true"
    nifi.trigger()
    assert len(kafka.answers) == 1


def test_a_crash_after_it_was_remembered_does_not(
    kafka: Kafka, nifi: Nifi, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka.put(dispatch())
    nifi.trigger()
    with monkeypatch.context() as patched:
        patched.setattr(module.Clients, "send", lambda *_: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            nifi.trigger()
    nifi.crash()
    assert nifi.trigger() is None
    assert [each["status"] for each in kafka.answers] == ["ACCEPTED"]
    assert kafka.committed == 1


def test_stopping_settles_what_was_handed_out(kafka: Kafka, nifi: Nifi) -> None:
    kafka.put(dispatch())
    nifi.trigger()
    nifi.stop()
    assert len(kafka.answers) == kafka.committed == 1
    nifi.crash()
    assert nifi.trigger() is None


def test_an_error_between_reading_and_handing_out_loses_nothing(
    kafka: Kafka, nifi: Nifi, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka.put(dispatch())
    with monkeypatch.context() as patched:
        patched.setattr(
            module.Memory, "hand", lambda *_: (_ for _ in ()).throw(sqlite3.OperationalError("full"))
        )
        with pytest.raises(sqlite3.OperationalError):
            nifi.trigger()
    assert nifi.trigger().attributes["dispatch.task_run_id"] == "42"


def test_other_services_and_processes_are_passed_over(kafka: Kafka, tmp_path: Path) -> None:
    nifi = Nifi(tmp_path, Processes="load_stg, other")
    kafka.put(dispatch(1, service="spark"))
    kafka.put(dispatch(2, process="unknown"))
    kafka.put(dispatch(3, process="other"))
    assert [each.attributes["dispatch.task_run_id"] for each in nifi.drain()] == ["3"]
    assert [each["task_run_id"] for each in kafka.answers] == [3]
    assert kafka.committed == 3


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (b"\xff", "it is no JSON"),
        (b"[" * 100_000, "it is no JSON"),
        (b"[]", "no JSON object"),
        (b"", "it is no JSON"),
        (dispatch(0), "names no task run"),
        (dispatch(1) | {"task_run_id": "1"}, "names no task run"),
        (dispatch(1, installation="x"), "its installation is no UUID"),
    ],
)
def test_what_names_no_task_run_is_logged_and_passed_over(
    kafka: Kafka, nifi: Nifi, message: Any, words: str
) -> None:
    kafka.put(message)
    kafka.put(dispatch())
    assert len(nifi.drain()) == 1
    assert "nifi_tasks, partition 0, offset 0" in nifi.said
    assert words in nifi.said
    assert len(kafka.answers) == 1
    assert kafka.committed == 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"type": "cancel"}, "its type is 'cancel'"),
        ({"config": [1]}, "its config is no JSON object"),
        ({"process": "p" * 251}, "its process is no name"),
        ({"task": 5}, "its task is no name"),
    ],
)
def test_what_cannot_be_done_is_told(kafka: Kafka, nifi: Nifi, changes: dict[str, Any], words: str) -> None:
    kafka.put(dispatch(**changes))
    assert nifi.drain() == []
    assert [(each["task_run_id"], each["status"]) for each in kafka.answers] == [(42, "FAILED")]
    assert words in kafka.answers[0]["detail"]
    assert kafka.committed == 1


def test_very_long_values_stay_in_the_content(kafka: Kafka, nifi: Nifi) -> None:
    kafka.put(dispatch(config={"long": "x" * 40_000, "short": "y"}))
    result = nifi.trigger()
    assert "dispatch.config.long" not in result.attributes
    assert result.attributes["dispatch.config.short"] == "y"
    assert len(json.loads(result.contents)["config"]["long"]) == 40_000


def test_a_missing_topic_is_said_once_a_minute(kafka: Kafka, nifi: Nifi) -> None:
    for offset in range(3):
        kafka.log.append(Message(offset, None, KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)))
    nifi.drain()
    nifi.drain()
    assert nifi.said.count("topic nifi_tasks does not exist in Kafka: create it") == 1


def test_seven_days_are_remembered(
    kafka: Kafka, nifi: Nifi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka.put(dispatch(1))
    kafka.put(dispatch(2))
    nifi.drain()
    nifi.stop()
    with sqlite3.connect(tmp_path / "nifi_tasks.orchestration-nifi.sqlite") as file:
        file.execute(
            "update dispatch set handed_at = handed_at - 86400 * (task_run_id * 4)"
        )  # 4 and 8 days ago
    file.close()
    nifi.crash()
    kafka.put(dispatch(1))
    kafka.put(dispatch(2))
    assert [each.attributes["dispatch.task_run_id"] for each in nifi.drain()] == ["2"]


def test_a_damaged_memory_is_named(kafka: Kafka, nifi: Nifi, tmp_path: Path) -> None:
    (tmp_path / "nifi_tasks.orchestration-nifi.sqlite").write_bytes(b"no database" * 1000)
    kafka.put(dispatch())
    with pytest.raises(
        module.ProblemError, match=r"nifi_tasks\.orchestration-nifi\.sqlite cannot be used .* move the file"
    ):
        nifi.trigger()


def test_two_concurrent_tasks_are_refused(nifi: Nifi) -> None:
    nifi.processor.onScheduled(Context(nifi.processor, nifi.properties))
    with pytest.raises(module.ProblemError, match="set them to 1"):
        nifi.processor.onScheduled(Context(nifi.processor, nifi.properties, tasks=2))


def test_offsets_are_committed_by_us_alone(kafka: Kafka, tmp_path: Path) -> None:
    nifi = Nifi(tmp_path, **{"fetch.min.bytes": "1", "Start_At": "latest"})
    nifi.trigger()
    assert kafka.settings["enable.auto.commit"] == "false"
    assert kafka.settings["group.id"] == "orchestration-nifi"
    assert kafka.settings["auto.offset.reset"] == "latest"
    assert kafka.settings["fetch.min.bytes"] == "1"
    assert "acks" not in kafka.settings


def test_changed_properties_make_new_clients_and_settle_first(kafka: Kafka, nifi: Nifi) -> None:
    kafka.put(dispatch())
    nifi.trigger()
    nifi.properties["Start At"] = "latest"
    assert nifi.trigger() is None
    assert len(kafka.answers) == kafka.committed == 1


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"enable.auto.commit": "true"}, "enable.auto.commit must be false"),
        ({"no.such": "1"}, "librdkafka refuses"),
        ({"Security_Protocol": "SASL_PLAINTEXT"}, "SASL Username is needed"),
    ],
)
def test_properties_that_are_wrong_are_named(tmp_path: Path, properties: dict[str, str], words: str) -> None:
    nifi = Nifi(tmp_path, **properties)
    found = nifi.processor.customValidate(Context(nifi.processor, nifi.properties))
    assert [words in f"{each.subject} {each.explanation}" for each in found] == [True]


def test_properties_in_order(tmp_path: Path) -> None:
    nifi = Nifi(tmp_path)
    assert nifi.processor.customValidate(Context(nifi.processor, nifi.properties)) == []
    assert all(len(each.description) > 15 for each in nifi.processor.getPropertyDescriptors())


def test_both_processors_have_the_same_lines_about_kafka() -> None:
    """Each is to be dropped in alone, so they share by copy; the copies must not drift apart."""
    folder = Path(__file__).parents[2] / "nifi" / "processors"
    texts = [(folder / f"{name}.py").read_text() for name in ("PublishTaskEvent", "ConsumeTaskDispatch")]
    begin, end = "# -- Kafka: the same lines", "# -- Kafka: end of the lines"
    shared = [text[text.index(begin) : text.index(end)] for text in texts]
    assert shared[0] == shared[1]
    first, last = "    BROKERS = PropertyDescriptor", "    TOPIC = PropertyDescriptor"
    properties = [text[text.index(first) : text.index(last)] for text in texts]
    assert properties[0] == properties[1]
