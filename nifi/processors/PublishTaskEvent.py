"""NiFi processor: posts one event about an execution to the orchestrator's topic and waits until Kafka has it.

To be dropped into the folder of Python extensions of any NiFi 2. The event's JSON is made from properties, so that no
flow builds it by hand; `event_id` is the flow file's uuid, so that one delivered twice counts once.
"""

from __future__ import annotations

import json
import os
import threading
import time
from datetime import datetime, timezone

from confluent_kafka import KafkaException, Producer
from nifiapi.flowfiletransform import FlowFileTransform, FlowFileTransformResult
from nifiapi.properties import (
    ExpressionLanguageScope,
    PropertyDependency,
    PropertyDescriptor,
    StandardValidators,
    TimeUnit,
    ValidationResult,
)
from nifiapi.relationship import Relationship

MAX_RESULT = 256 * 1024
MAX_DETAIL = 8000  # characters; what is longer is cut
FIXED = {"enable.idempotence": "true", "acks": "all"}
OWN = frozenset(
    (
        "Topic", "Service", "Process", "Task", "Status", "Detail", "Task Run Id", "Installation", "Run Key",
        "External Id", "Event Id", "Result From", "Result Attributes", "Delivery Timeout",
    )
)  # fmt: skip


class Invalid(Exception):
    """The flow file cannot become an event, however often it is tried."""


# -- Kafka: the same lines in PublishTaskEvent and ConsumeTaskDispatch, each of which is to be dropped in alone ---------------

SSL = ("SSL", "SASL_SSL")
SASL = ("SASL_PLAINTEXT", "SASL_SSL")
NAMED = {
    "Kafka Brokers": "bootstrap.servers",
    "Security Protocol": "security.protocol",
    "SASL Mechanism": "sasl.mechanism",
    "SASL Username": "sasl.username",
    "SASL Password": "sasl.password",
    "SSL CA Location": "ssl.ca.location",
    "SSL Certificate Location": "ssl.certificate.location",
    "SSL Key Location": "ssl.key.location",
    "SSL Key Password": "ssl.key.password",
}
COMMON = {
    "socket.keepalive.enable": "true",
    "reconnect.backoff.ms": "50",
    "reconnect.backoff.max.ms": "1000",
    "log.connection.close": "false",
    "topic.metadata.propagation.max.ms": "5000",
    "message.max.bytes": "2097152",
}
SURE = {"enable.idempotence": "true", "acks": "all"}
MAX_MESSAGE = 1024 * 1024
MAX_NAME = 250
STATUSES = ("ACCEPTED", "RUNNING", "SUCCESS", "FAILED", "SKIPPED")


def set_values(context):
    """Every property that has a value, by name."""
    found = {}
    for descriptor, value in context.getProperties().items():
        if value not in (None, ""):
            found[descriptor.name] = value
    return found


def kafka_settings(values):
    """The librdkafka properties among the processor's properties: the named ones, and those added by hand."""
    settings = dict(COMMON)
    for name, value in values.items():
        if name in NAMED:
            settings[NAMED[name]] = value
        elif name not in OWN:
            settings[name] = value
    protocol = settings.get("security.protocol", "PLAINTEXT")
    if protocol not in SASL:
        settings = {name: value for name, value in settings.items() if not name.startswith("sasl.")}
    if protocol not in SSL:
        settings = {name: value for name, value in settings.items() if not name.startswith("ssl.")}
    return settings


def kafka_problem(values):
    """What is wrong with them, as (property, words), or None. librdkafka itself is asked; nothing is sent."""
    settings = kafka_settings(values)
    for name, wanted in FIXED.items():
        if settings.get(name, wanted) != wanted:
            return name, f"must be {wanted}: what this processor guarantees rests on it"
    for name in ("SASL Username", "SASL Password"):
        plain = values.get("SASL Mechanism", "PLAIN") not in ("OAUTHBEARER", "GSSAPI")
        if values.get("Security Protocol") in SASL and plain and name not in values:
            return name, f"is needed by {values['Security Protocol']}"
    try:
        Producer({**settings, **SURE, "log_level": 0})
    except (KafkaException, ValueError, TypeError) as error:
        words = error.args[0].str() if isinstance(error, KafkaException) else str(error)
        return "Kafka", f"librdkafka refuses these properties: {words}"
    return None


def name_problem(what, text):
    """Why a name cannot be part of an event."""
    if len(text) > MAX_NAME:
        return f"{what} has {len(text)} characters, {MAX_NAME} are allowed"
    if any(ord(sign) < 32 or 127 <= ord(sign) < 160 for sign in text):
        return f"{what} has a control character"
    return None


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def now():
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def end_with_parent(before):
    """A NiFi that was killed leaves this process alive: it would keep its partitions, so it ends itself."""
    parent = os.getppid()

    def watch():
        while os.getppid() == parent:
            time.sleep(0.5)
        before()
        os._exit(1)

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()


# -- Kafka: end of the lines that both have ------------------------------------------------------------------------------------


def typed_attributes(wanted, attribute):
    """The result from attributes: `name` is text, `name:json` a number, true, null, list or object; `key=name` renames."""
    result = {}
    for word in (each.strip() for each in wanted.split(",")):
        if not word:
            continue
        key, _, source = word.rpartition("=")
        name, _, kind = source.partition(":")
        name, key = name.strip(), (key or name).strip()
        if kind.strip() not in ("", "json"):
            raise Invalid(f"Result Attributes: {word} asks for the kind {kind}; there is only json")
        value = attribute(name)
        if value is None:
            continue
        if kind:
            try:
                value = json.loads(value)
            except ValueError:
                raise Invalid(f"attribute {name} is no JSON: {value[:80]}") from None
        result[key] = value
    return result


def content_result(content):
    """The result from the flow file's content."""
    try:
        found = json.loads(content)
    except ValueError as error:
        raise Invalid(f"the content is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise Invalid("the content is JSON, but no object")
    return found


def checked(event):
    """The event as it is sent, or Invalid."""
    for name in ("service", "process", "task", "run_key", "external_id", "event_id", "installation"):
        problem = name in event and name_problem(name, event[name])
        if problem:
            raise Invalid(problem)
    if event["status"] not in STATUSES:
        raise Invalid(f"status {event['status'][:40]!r} is none of {', '.join(STATUSES)}")
    for name in ("service", "process"):
        if not event.get(name):
            raise Invalid(f"{name} is empty")
    try:
        size = len(json.dumps(event.get("result"), ensure_ascii=False, allow_nan=False).encode())
        value = compact(event).encode()
    except ValueError as error:
        raise Invalid(f"the event cannot be written as JSON: {error}") from None
    if size > MAX_RESULT:
        raise Invalid(f"the result has {size} bytes, {MAX_RESULT} are allowed")
    if b"\\u0000" in value:
        raise Invalid("the result has a NUL character")
    if len(value) > MAX_MESSAGE:
        raise Invalid(f"the event has {len(value)} bytes, {MAX_MESSAGE} are allowed")
    return value


class PublishTaskEvent(FlowFileTransform):
    class Java:
        implements = ["org.apache.nifi.python.processor.FlowFileTransform"]

    class ProcessorDetails:
        version = "1.0.0"
        description = (
            "Reports an execution to the orchestrator: sends one event (RUNNING, SUCCESS, FAILED ...) made from properties, "
            "and waits until all replicas of Kafka have it. The flow file goes on unchanged."
        )
        tags = ["orchestration", "kafka", "event", "task", "publish"]
        dependencies = ["confluent-kafka>=2.13.2"]

    BROKERS = PropertyDescriptor(
        name="Kafka Brokers",
        description="Kafka's brokers: host:port, separated by commas.",
        required=True,
        validators=[StandardValidators.NON_EMPTY_VALIDATOR],
    )
    SECURITY_PROTOCOL = PropertyDescriptor(
        name="Security Protocol",
        description="How to talk to Kafka. PLAINTEXT and SASL_PLAINTEXT are for closed networks and for trying out.",
        required=True,
        default_value="PLAINTEXT",
        allowable_values=["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"],
    )
    SASL_MECHANISM = PropertyDescriptor(
        name="SASL Mechanism",
        description="How to log in to Kafka. OAUTHBEARER and GSSAPI need further librdkafka properties, added by hand.",
        required=True,
        default_value="SCRAM-SHA-512",
        allowable_values=["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER", "GSSAPI"],
        dependencies=[PropertyDependency(SECURITY_PROTOCOL, "SASL_PLAINTEXT", "SASL_SSL")],
    )
    SASL_USERNAME = PropertyDescriptor(
        name="SASL Username",
        description="The user at Kafka.",
        dependencies=[PropertyDependency(SECURITY_PROTOCOL, "SASL_PLAINTEXT", "SASL_SSL")],
        validators=[StandardValidators.NON_EMPTY_VALIDATOR],
    )
    SASL_PASSWORD = PropertyDescriptor(
        name="SASL Password",
        description="The password of that user.",
        sensitive=True,
        dependencies=[PropertyDependency(SECURITY_PROTOCOL, "SASL_PLAINTEXT", "SASL_SSL")],
        validators=[StandardValidators.NON_EMPTY_VALIDATOR],
    )
    SSL_CA = PropertyDescriptor(
        name="SSL CA Location",
        description="File with the certificates of the authorities that sign the brokers' (PEM), as NiFi's machine sees it; "
        "empty: those of the system.",
        dependencies=[PropertyDependency(SECURITY_PROTOCOL, "SSL", "SASL_SSL")],
        validators=[StandardValidators.FILE_EXISTS_VALIDATOR],
    )
    SSL_CERTIFICATE = PropertyDescriptor(
        name="SSL Certificate Location",
        description="File with this client's certificate (PEM), where the brokers ask for one.",
        dependencies=[PropertyDependency(SECURITY_PROTOCOL, "SSL", "SASL_SSL")],
        validators=[StandardValidators.FILE_EXISTS_VALIDATOR],
    )
    SSL_KEY = PropertyDescriptor(
        name="SSL Key Location",
        description="File with the key of that certificate (PEM).",
        dependencies=[PropertyDependency(SECURITY_PROTOCOL, "SSL", "SASL_SSL")],
        validators=[StandardValidators.FILE_EXISTS_VALIDATOR],
    )
    SSL_KEY_PASSWORD = PropertyDescriptor(
        name="SSL Key Password",
        description="The password of that key.",
        sensitive=True,
        dependencies=[PropertyDependency(SECURITY_PROTOCOL, "SSL", "SASL_SSL")],
        validators=[StandardValidators.NON_EMPTY_VALIDATOR],
    )
    TOPIC = PropertyDescriptor(
        name="Topic",
        description="Where the orchestrator reads events.",
        required=True,
        default_value="etl_finished_tasks",
        validators=[StandardValidators.NON_EMPTY_VALIDATOR],
    )
    SERVICE = PropertyDescriptor(
        name="Service",
        description="What the orchestrator calls this NiFi.",
        required=True,
        default_value="nifi",
        expression_language_scope=ExpressionLanguageScope.FLOWFILE_ATTRIBUTES,
        validators=[StandardValidators.NON_EMPTY_VALIDATOR],
    )
    PROCESS = PropertyDescriptor(
        name="Process",
        description="What the orchestrator calls this flow: the uid of a process of that service, say the process group's name.",
        required=True,
        expression_language_scope=ExpressionLanguageScope.FLOWFILE_ATTRIBUTES,
        validators=[StandardValidators.NON_EMPTY_VALIDATOR],
    )
    TASK = PropertyDescriptor(
        name="Task",
        description="The task, where several share the process; empty: the orchestrator finds it.",
        expression_language_scope=ExpressionLanguageScope.FLOWFILE_ATTRIBUTES,
        default_value="${dispatch.task}",
    )
    STATUS = PropertyDescriptor(
        name="Status",
        description="ACCEPTED, RUNNING, SUCCESS, FAILED or SKIPPED.",
        required=True,
        default_value="SUCCESS",
        expression_language_scope=ExpressionLanguageScope.FLOWFILE_ATTRIBUTES,
        validators=[StandardValidators.NON_EMPTY_VALIDATOR],
    )
    DETAIL = PropertyDescriptor(
        name="Detail",
        description="Words for people: the cause of a failure. Cut at 8000 characters.",
        expression_language_scope=ExpressionLanguageScope.FLOWFILE_ATTRIBUTES,
    )
    TASK_RUN_ID = PropertyDescriptor(
        name="Task Run Id",
        description="The execution as dispatched; empty: work that NiFi started by itself.",
        expression_language_scope=ExpressionLanguageScope.FLOWFILE_ATTRIBUTES,
        default_value="${dispatch.task_run_id}",
    )
    INSTALLATION = PropertyDescriptor(
        name="Installation",
        description="The orchestrator's installation as dispatched; empty: none was.",
        expression_language_scope=ExpressionLanguageScope.FLOWFILE_ATTRIBUTES,
        default_value="${dispatch.installation}",
    )
    RUN_KEY = PropertyDescriptor(
        name="Run Key",
        description="What ties runs to their day, usually the business date; may be empty.",
        expression_language_scope=ExpressionLanguageScope.FLOWFILE_ATTRIBUTES,
        default_value="${dispatch.run_key}",
    )
    EXTERNAL_ID = PropertyDescriptor(
        name="External Id",
        description="NiFi's own id of this execution, the same in all its events: the uuid of its first flow file, which the flow "
        "keeps in an attribute from its start (UpdateAttribute external_id = ${uuid}). Empty: the flow file's uuid.",
        expression_language_scope=ExpressionLanguageScope.FLOWFILE_ATTRIBUTES,
        default_value="${external_id}",
    )
    EVENT_ID = PropertyDescriptor(
        name="Event Id",
        description="An event with the same id and status counts once. Leave it: the flow file's uuid.",
        expression_language_scope=ExpressionLanguageScope.FLOWFILE_ATTRIBUTES,
        default_value="${uuid}",
    )
    RESULT_FROM = PropertyDescriptor(
        name="Result From",
        description="Where the result comes from, which templates of later tasks can read: the attributes named below, or the "
        "content, a JSON object. At most 256 KiB.",
        required=True,
        default_value="none",
        allowable_values=["none", "attributes", "content"],
    )
    RESULT_ATTRIBUTES = PropertyDescriptor(
        name="Result Attributes",
        description="Names separated by commas. `batch_id` is sent as text, `rows:json` as what it is in JSON (a number), "
        "`count=rows:json` under another name. An attribute that is not there is left out.",
        required=True,
        dependencies=[PropertyDependency(RESULT_FROM, "attributes")],
        validators=[StandardValidators.NON_EMPTY_VALIDATOR],
    )
    DELIVERY_TIMEOUT = PropertyDescriptor(
        name="Delivery Timeout",
        description="How long one flow file waits for Kafka before it goes to failure. Lead failure back to this processor: "
        "delivered twice counts once.",
        required=True,
        default_value="30 sec",
        validators=[StandardValidators.TIME_PERIOD_VALIDATOR],
    )

    def __init__(self, **kwargs):
        super().__init__()
        self._lock = threading.Lock()
        self._producer = None
        self._made_of = None
        self._broken = False
        self._checked = (None, None)
        self._watched = False
        self._relationships = [
            Relationship(name="success", description="Kafka has the event"),
            Relationship(
                name="invalid",
                description="No event can be made of it; attribute event.invalid says why. Trying again is useless",
            ),
        ]

    def getPropertyDescriptors(self):
        return [
            self.BROKERS, self.TOPIC, self.SERVICE, self.PROCESS, self.TASK, self.STATUS, self.DETAIL, self.TASK_RUN_ID,
            self.INSTALLATION, self.RUN_KEY, self.EXTERNAL_ID, self.EVENT_ID, self.RESULT_FROM, self.RESULT_ATTRIBUTES,
            self.DELIVERY_TIMEOUT, self.SECURITY_PROTOCOL, self.SASL_MECHANISM, self.SASL_USERNAME, self.SASL_PASSWORD,
            self.SSL_CA, self.SSL_CERTIFICATE, self.SSL_KEY, self.SSL_KEY_PASSWORD,
        ]  # fmt: skip

    def getDynamicPropertyDescriptor(self, propertyname):
        return PropertyDescriptor(
            name=propertyname,
            description="A property of librdkafka",
            dynamic=True,
            validators=[StandardValidators.NON_EMPTY_VALIDATOR],
        )

    def getRelationships(self):
        return self._relationships

    def customValidate(self, context):
        values = set_values(context)
        found = []
        status = values.get("Status", "")
        if "${" not in status and status not in STATUSES:
            found.append(("Status", f"must be one of {', '.join(STATUSES)}, or an expression"))
        made_of = tuple(sorted(values.items()))
        if self._checked[0] != made_of:
            self._checked = (made_of, kafka_problem(values))
        if self._checked[1]:
            found.append(self._checked[1])
        return [ValidationResult(subject=subject, explanation=words, valid=False) for subject, words in found]

    def onStopped(self, context):
        with self._lock:
            self._close()

    def transform(self, context, flowfile):
        seconds = context.getProperty(self.DELIVERY_TIMEOUT).asTimePeriod(TimeUnit.MILLISECONDS) / 1000
        try:
            event = self._event(context, flowfile)
            value = checked(event)
            producer = self._open(context, seconds)
        except Invalid as problem:
            self.logger.error(f"no event is sent: {problem}")
            return FlowFileTransformResult("invalid", attributes={"event.invalid": str(problem)})
        key = str(event.get("task_run_id") or event["external_id"])
        try:
            message = self._deliver(producer, context.getProperty(self.TOPIC).getValue(), key, value, seconds)
        except (KafkaException, BufferError) as error:
            words = f"Kafka did not take the event: {error.args[0].str() if isinstance(error, KafkaException) else error}"
            self.logger.error(words)
            return FlowFileTransformResult("failure", attributes={"event.failure": words})
        return FlowFileTransformResult(
            "success",
            attributes={
                "event.topic": message.topic(),
                "event.partition": str(message.partition()),
                "event.offset": str(message.offset()),
            },
        )

    def _event(self, context, flowfile):
        def said(descriptor):
            value = context.getProperty(descriptor).evaluateAttributeExpressions(flowfile).getValue()
            return (value or "").strip()

        event = {
            "v": 1,
            "service": said(self.SERVICE),
            "process": said(self.PROCESS),
            "status": said(self.STATUS),
        }
        for name, descriptor in (
            ("installation", self.INSTALLATION), ("task", self.TASK), ("run_key", self.RUN_KEY),
        ):  # fmt: skip
            if said(descriptor):
                event[name] = said(descriptor)
        task_run_id = said(self.TASK_RUN_ID)
        if task_run_id:
            if not (task_run_id.isascii() and task_run_id.isdigit() and len(task_run_id) <= 18):
                raise Invalid(f"task run id {task_run_id[:40]!r} is no number of at most 18 digits")
            event["task_run_id"] = int(task_run_id)
        uuid = flowfile.getAttribute("uuid")
        event["external_id"] = said(self.EXTERNAL_ID) or uuid
        event["event_id"] = said(self.EVENT_ID) or uuid
        detail = said(self.DETAIL).replace("\0", "\ufffd").encode(errors="replace").decode()
        if detail:
            event["detail"] = detail if len(detail) <= MAX_DETAIL else detail[: MAX_DETAIL - 1] + "…"
        source = context.getProperty(self.RESULT_FROM).getValue()
        if source == "attributes":
            event["result"] = typed_attributes(
                context.getProperty(self.RESULT_ATTRIBUTES).getValue(), flowfile.getAttribute
            )
        elif source == "content":
            if flowfile.getSize() > MAX_MESSAGE:
                raise Invalid(f"the content has {flowfile.getSize()} bytes, {MAX_RESULT} are allowed")
            event["result"] = content_result(flowfile.getContentsAsBytes())
        event["occurred_at"] = now()
        return event

    def _open(self, context, seconds):
        """The producer. After a crash of this process nobody calls onScheduled, so it is made when it is needed."""
        values = set_values(context)
        with self._lock:
            if self._producer is None or self._made_of != values or self._broken:
                self._close()
                problem = kafka_problem(values)
                if problem:
                    raise Invalid(f"{problem[0]} {problem[1]}")
                timeout = str(max(1000, int(seconds * 1000)))
                self._producer = Producer(
                    {
                        "client.id": "nifi-publish-task-event", "linger.ms": "0", "message.timeout.ms": timeout,
                        **kafka_settings(values), **SURE, "error_cb": self._on_error,
                    }
                )  # fmt: skip
                self._made_of, self._broken = values, False
                if not self._watched:
                    self._watched = True
                    end_with_parent(lambda: None)
            return self._producer

    def _on_error(self, error):
        if error.fatal():
            self._broken = True  # an idempotent producer that lost its place: the next event gets a new one

    def _close(self):
        if self._producer is not None:
            self._producer.flush(5)
            self._producer = None

    def _deliver(self, producer, topic, key, value, seconds):
        """Send and wait for the answer of the brokers; raises KafkaException."""
        answer = []

        def delivered(error, message):
            answer.append((error, message))

        producer.produce(topic, value, key, on_delivery=delivered)
        end = time.monotonic() + seconds + 5  # librdkafka keeps the time; this only bounds what it does not
        while not answer and time.monotonic() < end:
            producer.poll(0.05)
        if not answer:
            raise KafkaException(_no_answer())
        error, message = answer[0]
        if error is not None:
            raise KafkaException(error)
        return message


def _no_answer():
    from confluent_kafka import KafkaError

    return KafkaError(KafkaError._MSG_TIMED_OUT, "no answer in time")
