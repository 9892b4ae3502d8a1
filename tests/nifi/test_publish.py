"""PublishTaskEvent without NiFi: the event it makes, what it refuses, what it asks of Kafka."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError

from tests.nifi.fakes import Context, FlowFile, load
from tests.nifi.schema import matches

UUID = "11111111-2222-3333-4444-555555555555"
INSTALLATION = "0b0e0000-0000-4000-8000-000000000001"
module = load("PublishTaskEvent")


class FakeProducer:
    """Answers in poll: with what `answers` says, or success."""

    error: KafkaError | None = None

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.sent: list[tuple[str, bytes, str]] = []
        self.waiting: list[Any] = []

    def produce(self, topic: str, value: bytes, key: str, on_delivery: Any) -> None:
        self.sent.append((topic, value, key))
        self.waiting.append(on_delivery)

    def poll(self, _seconds: float) -> None:
        message = SimpleNamespace(topic=lambda: "t", partition=lambda: 3, offset=lambda: 42)
        while self.waiting:
            self.waiting.pop()(self.error, message)

    def flush(self, _seconds: float) -> None:
        pass


class Sent:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.producers: list[FakeProducer] = []
        monkeypatch.setattr(module, "Producer", self._make)
        monkeypatch.setattr(module, "end_with_parent", lambda _: None)

    def _make(self, settings: dict[str, Any]) -> FakeProducer:
        made = FakeProducer(settings)
        if "log_level" not in settings:  # else it is only asked whether the properties are in order
            self.producers.append(made)
        return made

    @property
    def last(self) -> dict[str, Any]:
        return dict(json.loads(self.producers[-1].sent[-1][1]))

    @property
    def key(self) -> str:
        return self.producers[-1].sent[-1][2]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    return Sent(monkeypatch)


def publish(flowfile: FlowFile, /, processor: Any = None, **properties: str | None) -> Any:
    processor = processor or module.PublishTaskEvent()
    values: dict[str, str | None] = {"Kafka Brokers": "localhost:9", "Process": "load_stg"}
    values |= {name.replace("_", " "): value for name, value in properties.items()}
    return processor.transform(Context(processor, values), flowfile)


def test_work_that_nifi_started_by_itself(sent: Sent) -> None:
    result = publish(FlowFile(external_id="first"))
    assert result.relationship == "success"
    event = sent.last
    del event["occurred_at"]
    assert event == {
        "v": 1, "service": "nifi", "process": "load_stg", "status": "SUCCESS", "external_id": "first", "event_id": UUID,
    }  # fmt: skip
    assert sent.key == "first"
    assert result.attributes == {"event.topic": "t", "event.partition": "3", "event.offset": "42"}
    assert matches("event", sent.last)


def test_work_that_was_dispatched(sent: Sent) -> None:
    attributes = {
        "dispatch.task_run_id": "42", "dispatch.installation": INSTALLATION, "dispatch.run_key": "2026-11-22",
        "dispatch.task": "load", "external_id": "first",
    }  # fmt: skip
    publish(FlowFile(b"", **attributes), Status="RUNNING")
    event = sent.last
    assert (event["task_run_id"], event["installation"]) == (42, INSTALLATION)
    assert (event["task"], event["run_key"], event["status"]) == ("load", "2026-11-22", "RUNNING")
    assert sent.key == "42"
    assert matches("event", event)


def test_without_an_external_id_the_flow_files_own_uuid(sent: Sent) -> None:
    publish(FlowFile())
    assert sent.last["external_id"] == UUID


def test_result_from_attributes(sent: Sent) -> None:
    flowfile = FlowFile(batch_id="007", rows="500", flag="true", empty="")
    publish(
        flowfile,
        Result_From="attributes",
        Result_Attributes="batch_id, count=rows:json, flag:json,gone,empty",
    )
    assert sent.last["result"] == {"batch_id": "007", "count": 500, "flag": True, "empty": ""}
    assert matches("event", sent.last)


def test_result_from_content(sent: Sent) -> None:
    publish(FlowFile(b'{"rows": 3}'), Result_From="content")
    assert sent.last["result"] == {"rows": 3}


def test_the_cause_of_a_failure_is_cut_and_cleaned(sent: Sent) -> None:
    publish(FlowFile(cause="a\0b" + "x" * 9000), Status="FAILED", Detail="${cause}")
    assert sent.last["detail"].startswith("a\ufffdbxx")
    assert len(sent.last["detail"]) == 8000


@pytest.mark.parametrize(
    ("flowfile", "properties", "words"),
    [
        (FlowFile(), {"Status": "DONE"}, "status 'DONE' is none of"),
        (FlowFile(), {"Status": "${gone}"}, "status '' is none of"),
        (FlowFile(), {"Process": "${gone}"}, "process is empty"),
        (FlowFile(), {"Process": "p" * 251}, "process has 251 characters, 250 are allowed"),
        (FlowFile(), {"Run_Key": "a\tb"}, "run_key has a control character"),
        (FlowFile(), {"Task_Run_Id": "forty"}, "task run id 'forty' is no number"),
        (FlowFile(), {"Task_Run_Id": "1" * 19}, "no number of at most 18 digits"),
        (FlowFile(), {"Task_Run_Id": "٤"}, "no number of at most 18 digits"),
        (FlowFile(b"no"), {"Result_From": "content"}, "the content is no JSON"),
        (FlowFile(b"[1]"), {"Result_From": "content"}, "JSON, but no object"),
        (FlowFile(b'{"a": NaN}'), {"Result_From": "content"}, "cannot be written as JSON"),
        (FlowFile(b'{"a": "\\u0000"}'), {"Result_From": "content"}, "NUL character"),
        (FlowFile(b'{"a": "\\ud800"}'), {"Result_From": "content"}, "cannot be written as JSON"),
        (FlowFile(b'{"a": "' + b"x" * 2**18 + b'"}'), {"Result_From": "content"}, "262144 are allowed"),
        (FlowFile(b" " * (2**20 + 1)), {"Result_From": "content"}, "content has 1048577 bytes"),
        (FlowFile(rows="many"), {"Result_From": "attributes", "Result_Attributes": "rows:json"}, "rows is no JSON"),
        (FlowFile(), {"Result_From": "attributes", "Result_Attributes": "rows:int"}, "there is only json"),
    ],
)  # fmt: skip
def test_what_cannot_be_an_event_goes_to_invalid(
    sent: Sent, flowfile: FlowFile, properties: dict[str, str], words: str
) -> None:
    result = publish(flowfile, **properties)
    assert result.relationship == "invalid"
    assert words in result.attributes["event.invalid"]
    assert not any(producer.sent for producer in sent.producers)


def test_what_kafka_does_not_take_goes_to_failure(sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeProducer, "error", KafkaError(KafkaError._MSG_TIMED_OUT))
    result = publish(FlowFile())
    assert result.relationship == "failure"
    assert "Kafka did not take the event" in result.attributes["event.failure"]


def test_acks_of_all_replicas_and_no_doubles(sent: Sent) -> None:
    publish(FlowFile(), **{"linger.ms": "7"})
    settings = sent.producers[0].settings
    assert (settings["acks"], settings["enable.idempotence"]) == ("all", "true")
    assert settings["bootstrap.servers"] == "localhost:9"
    assert settings["message.timeout.ms"] == "30000"
    assert settings["linger.ms"] == "7"
    assert not any(name.startswith(("sasl.", "ssl.")) for name in settings)


def test_one_producer_until_properties_change_or_it_is_broken(sent: Sent) -> None:
    processor = module.PublishTaskEvent()
    publish(FlowFile(), processor)
    publish(FlowFile(), processor)
    assert len(sent.producers) == 1
    publish(FlowFile(), processor, Topic="other")
    assert len(sent.producers) == 2
    sent.producers[-1].settings["error_cb"](SimpleNamespace(fatal=lambda: True))
    publish(FlowFile(), processor, Topic="other")
    assert len(sent.producers) == 3


def test_a_login_reaches_librdkafka(sent: Sent) -> None:
    login = {"Security_Protocol": "SASL_SSL", "SASL_Username": "u", "SASL_Password": "p"}
    publish(FlowFile(), **login)
    settings = sent.producers[0].settings
    assert settings["security.protocol"] == "SASL_SSL"
    assert (settings["sasl.mechanism"], settings["sasl.username"]) == ("SCRAM-SHA-512", "u")


def validate(**properties: str | None) -> list[str]:
    processor = module.PublishTaskEvent()
    values: dict[str, str | None] = {"Kafka Brokers": "localhost:9", "Process": "p"}
    values |= {name.replace("_", " "): value for name, value in properties.items()}
    found = processor.customValidate(Context(processor, values))
    assert not any(each.valid for each in found)
    return [f"{each.subject} {each.explanation}" for each in found]


def test_properties_in_order() -> None:
    assert validate() == []
    assert validate(Status="${status}") == []


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"Status": "DONE"}, "Status must be one of ACCEPTED"),
        ({"acks": "1"}, "acks must be all"),
        ({"enable.idempotence": "false"}, "enable.idempotence must be true"),
        ({"no.such.property": "1"}, 'No such configuration property: "no.such.property"'),
        ({"linger.ms": "soon"}, "librdkafka refuses"),
        ({"Security_Protocol": "SASL_SSL"}, "SASL Username is needed by SASL_SSL"),
        ({"Security_Protocol": "SASL_SSL", "SASL_Username": "u"}, "SASL Password is needed"),
        ({"Security_Protocol": "SSL", "SSL_CA_Location": "/no/such/file"}, "librdkafka refuses"),
    ],
)
def test_properties_that_are_wrong_are_named(properties: dict[str, str], words: str) -> None:
    assert any(words in each for each in validate(**properties))


def test_every_property_says_what_it_is_for() -> None:
    processor = module.PublishTaskEvent()
    assert all(len(each.description) > 15 for each in processor.getPropertyDescriptors())
    assert [each.name for each in processor.getRelationships()] == ["success", "invalid"]
