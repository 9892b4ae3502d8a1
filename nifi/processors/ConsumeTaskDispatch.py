"""NiFi processor: takes dispatches of the orchestrator from their topic, one flow file each, and answers ACCEPTED.

To be dropped into the folder of Python extensions of any NiFi 2. At least once: a dispatch is remembered, answered and
its offset committed when NiFi asks for the next, that is after NiFi has stored the flow file; whatever is killed before
hands it out again, marked `dispatch.redelivered`. A dispatch that comes again is answered ACCEPTED, without a flow file.

Schedule it at 50 ms, with one concurrent task and a run duration of 0 ms.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import threading
import time
from datetime import datetime, timezone

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from nifiapi.flowfilesource import FlowFileSource, FlowFileSourceResult
from nifiapi.properties import (
    PropertyDependency,
    PropertyDescriptor,
    StandardValidators,
    TimeUnit,
    ValidationResult,
)
from nifiapi.relationship import Relationship

BLOCK = 1.0  # seconds one call waits for a message
MAX_ATTRIBUTE = 32 * 1024  # characters; longer values are in the content only
FIXED = {
    "enable.idempotence": "true",
    "acks": "all",
    "enable.auto.commit": "false",
    "enable.auto.offset.store": "false",
    "isolation.level": "read_committed",
}
OWN = frozenset(
    (
        "Topic",
        "Group Id",
        "Start At",
        "Service",
        "Processes",
        "Events Topic",
        "State Directory",
        "Remember For",
    )
)
INSTALLATION = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


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


class Refused(Exception):
    """A message that cannot be done. `told`: what of it may be said back; None where it names no task run."""

    def __init__(self, reason, told=None):
        super().__init__(reason)
        self.told = told


def parse(value):
    """The dispatch in a message, checked; raises Refused."""
    try:
        found = json.loads((value or b"").decode())
    except (ValueError, RecursionError) as error:
        raise Refused(f"it is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise Refused("it is no JSON object")
    task_run_id = found.get("task_run_id")
    if not isinstance(task_run_id, int) or isinstance(task_run_id, bool) or not 0 < task_run_id < 10**18:
        raise Refused("it names no task run")
    installation = found.get("installation")
    if not isinstance(installation, str) or not INSTALLATION.fullmatch(installation):
        raise Refused("its installation is no UUID")
    told = {"task_run_id": task_run_id, "installation": installation}
    for name in ("service", "process", "task", "run_key"):
        text = found.get(name)
        if text is None and name in ("task", "run_key"):
            continue
        if not isinstance(text, str) or not text or name_problem(name, text):
            raise Refused(f"its {name} is no name", told)
        told[name] = text
    if found.get("type") != "start":
        raise Refused(f"its type is {found.get('type')!r}; this NiFi knows start", told)
    if not isinstance(found.get("config"), dict):
        raise Refused("its config is no JSON object", told)
    return found


def as_text(value):
    """A JSON value as an attribute: text as it is, everything else in JSON."""
    return value if isinstance(value, str) else compact(value)


def flattened(dispatch):
    """Attributes: `dispatch.<field>` and `dispatch.config.<key>`; what is null has none, nor what is very long."""
    fields = {name: value for name, value in dispatch.items() if name != "config"}
    fields.update({f"config.{name}": value for name, value in dispatch["config"].items()})
    texts = {f"dispatch.{name}": as_text(value) for name, value in fields.items() if value is not None}
    return {
        name: text.encode(errors="replace").decode()
        for name, text in texts.items()
        if len(text) <= MAX_ATTRIBUTE
    }


def answer(dispatch, status, detail=None):
    """The event that answers a dispatch. Its id is derived, so that the same answer twice counts once."""
    names = ("installation", "service", "process", "task", "task_run_id", "run_key")
    event = {
        "v": 1,
        **{name: dispatch[name] for name in names if dispatch.get(name) is not None},
        "status": status,
    }
    event["event_id"] = f"{dispatch['installation']}:{dispatch['task_run_id']}:{status.lower()}"
    if detail:
        event["detail"] = detail
    event["occurred_at"] = now()
    return event


class Memory:
    """Which task runs were handed out, in a file that outlives NiFi and this process."""

    TABLE = """
        create table if not exists dispatch (
            installation text not null, task_run_id integer not null, handed_at real not null, stored_at real,
            primary key (installation, task_run_id)) without rowid
    """

    def __init__(self, path, seconds):
        self._seconds = seconds
        self._purge_at = 0.0
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            self._file = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
            self._file.execute("pragma journal_mode = wal")
            self._file.execute("pragma synchronous = full")
            self._file.execute(self.TABLE)
        except (OSError, sqlite3.Error) as error:
            raise ProblemError(
                f"the memory of dispatches {path} cannot be used ({error}): make its folder writable, or move the file "
                "away; a repeat of what it held would then run again"
            ) from None

    def state(self, dispatch):
        """None: never seen; `handed`: NiFi may have it; `stored`: NiFi has it."""
        row = self._file.execute(
            "select stored_at from dispatch where installation = ? and task_run_id = ?", self._key(dispatch)
        ).fetchone()
        return None if row is None else "handed" if row[0] is None else "stored"

    def hand(self, dispatch):
        self._file.execute(
            "insert into dispatch (installation, task_run_id, handed_at) values (?, ?, ?) on conflict do nothing",
            (*self._key(dispatch), time.time()),
        )

    def store(self, dispatch):
        self._file.execute(
            "update dispatch set stored_at = ? where installation = ? and task_run_id = ?",
            (time.time(), *self._key(dispatch)),
        )

    def purge(self):
        if time.monotonic() >= self._purge_at:
            self._purge_at = time.monotonic() + 3600
            self._file.execute("delete from dispatch where handed_at < ?", (time.time() - self._seconds,))

    def close(self):
        self._file.close()

    @staticmethod
    def _key(dispatch):
        return dispatch["installation"], dispatch["task_run_id"]


class ProblemError(Exception):
    """What a person must mend; the words say how."""


class Clients:
    """Consumer, producer and memory, made of one set of properties."""

    def __init__(self, values, seconds, logger):
        self.values = values
        self.topic = values["Topic"]
        self.service = values["Service"]
        self.processes = {name.strip() for name in values.get("Processes", "").split(",")} - {""}
        self._events = values.get("Events Topic", "etl_finished_tasks")
        self._logger = logger
        self._said = {}
        self.broken = False
        group = values["Group Id"]
        name = re.sub(r"[^\w.-]", "_", f"{self.topic}.{group}.sqlite")
        self.memory = Memory(os.path.join(os.path.abspath(values["State Directory"]), name), seconds)
        settings = kafka_settings(values)
        try:
            self._producer = Producer(
                {
                    "client.id": "nifi-consume-task-dispatch", "linger.ms": "0", "message.timeout.ms": "0",
                    **_without(settings, CONSUMER_ONLY), **SURE, "error_cb": self._on_error,
                }
            )  # fmt: skip
            self._consumer = Consumer(
                {
                    "client.id": "nifi-consume-task-dispatch", "session.timeout.ms": "10000",
                    "heartbeat.interval.ms": "1000", "fetch.message.max.bytes": "2097152",
                    **_without(settings, PRODUCER_ONLY), **_consumer_fixed(), "group.id": group,
                    "auto.offset.reset": values.get("Start At", "earliest"), "error_cb": self._on_error,
                }
            )  # fmt: skip
        except (KafkaException, ValueError, TypeError) as error:
            self.memory.close()
            raise ProblemError(f"librdkafka refuses the properties: {error}") from None
        self._consumer.subscribe([self.topic])

    def poll(self, seconds):
        """The next message, or None."""
        self._producer.poll(0)
        message = self._consumer.poll(seconds)
        if message is None:
            return None
        error = message.error()
        if error is None:
            return message
        if error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            self.once_a_minute(f"topic {self.topic} does not exist in Kafka: create it")
        elif error.code() != KafkaError._PARTITION_EOF:
            self.once_a_minute(f"Kafka: {error.str()}")
        return None

    def send(self, event):
        """Kept and tried for as long as this process lives; the orchestrator asks again for what is lost with it."""
        try:
            self._producer.produce(
                self._events, compact(event).encode(), str(event["task_run_id"]), on_delivery=self._delivered
            )
        except BufferError:
            self.once_a_minute("Kafka takes no answers; they are left to the repeats of the dispatches")
        self._producer.poll(0)

    def commit(self, message, asynchronous=True):
        """A commit that fails does no harm: the message comes again and is remembered."""
        place = TopicPartition(message.topic(), message.partition(), message.offset() + 1)
        try:
            self._consumer.commit(offsets=[place], asynchronous=asynchronous)
        except KafkaException as error:
            self.once_a_minute(f"Kafka: the offset is not committed: {error.args[0].str()}")

    def once_a_minute(self, words):
        if time.monotonic() - self._said.get(words, -60.0) >= 60:
            self._said[words] = time.monotonic()
            self._logger.warn(words)

    def leave(self):
        """Give the partitions up."""
        self._consumer.close()

    def close(self):
        self._producer.flush(5)
        self.leave()
        self.memory.close()

    def _delivered(self, error, _message):
        if error is not None:
            self.once_a_minute(f"Kafka did not take an answer: {error.str()}")

    def _on_error(self, error):
        if error.fatal():
            self.broken = True
        self.once_a_minute(f"Kafka: {error.str()}")


CONSUMER_ONLY = (
    "enable.auto.commit",
    "enable.auto.offset.store",
    "isolation.level",
    "session.timeout.ms",
    "max.poll.interval.ms",
)
PRODUCER_ONLY = (
    "enable.idempotence",
    "acks",
    "linger.ms",
    "message.timeout.ms",
    "compression.type",
    "message.max.bytes",
)


def _without(settings, names):
    return {name: value for name, value in settings.items() if name not in names}


def _consumer_fixed():
    return {name: value for name, value in FIXED.items() if name not in PRODUCER_ONLY}


class ConsumeTaskDispatch(FlowFileSource):
    class Java:
        implements = ["org.apache.nifi.python.processor.FlowFileSource"]

    class ProcessorDetails:
        version = "1.0.0"
        description = (
            "Takes dispatches of the orchestrator from Kafka: one flow file each, the dispatch as content, its fields as "
            "attributes dispatch.* (config one level deep: dispatch.config.*). Answers ACCEPTED. A dispatch that comes again is "
            "answered, not handed out again. Schedule it at 50 ms, one concurrent task, run duration 0 ms."
        )
        tags = ["orchestration", "kafka", "dispatch", "task", "consume"]
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
        description="The dispatch topic of this NiFi's service.",
        required=True,
        default_value="nifi_tasks",
        validators=[StandardValidators.NON_EMPTY_VALIDATOR],
    )
    GROUP_ID = PropertyDescriptor(
        name="Group Id",
        description="The consumer group, which keeps the place in the topic. Nodes of a cluster share one; processors with "
        "different Processes need different ones.",
        required=True,
        default_value="orchestration-nifi",
        validators=[StandardValidators.NON_EMPTY_VALIDATOR],
    )
    START_AT = PropertyDescriptor(
        name="Start At",
        description="Where a new group begins: earliest takes what waits in the topic, latest only what comes from now on.",
        required=True,
        default_value="earliest",
        allowable_values=["earliest", "latest"],
    )
    SERVICE = PropertyDescriptor(
        name="Service",
        description="What the orchestrator calls this NiFi; dispatches for other services are passed over.",
        required=True,
        default_value="nifi",
        validators=[StandardValidators.NON_EMPTY_VALIDATOR],
    )
    PROCESSES = PropertyDescriptor(
        name="Processes",
        description="The processes whose dispatches are taken, separated by commas; others are passed over. Empty: all, for a "
        "flow that routes by dispatch.process.",
    )
    EVENTS_TOPIC = PropertyDescriptor(
        name="Events Topic",
        description="Where the orchestrator reads events: answers go there.",
        required=True,
        default_value="etl_finished_tasks",
        validators=[StandardValidators.NON_EMPTY_VALIDATOR],
    )
    STATE_DIRECTORY = PropertyDescriptor(
        name="State Directory",
        description="A folder that outlives NiFi, for the memory of dispatches; a relative one lies in NiFi's folder.",
        required=True,
        default_value="./state/task-dispatch",
        validators=[StandardValidators.NON_EMPTY_VALIDATOR],
    )
    REMEMBER_FOR = PropertyDescriptor(
        name="Remember For",
        description="How long a dispatch is known again. The orchestrator repeats one only while its execution is awaited.",
        required=True,
        default_value="7 days",
        validators=[StandardValidators.TIME_PERIOD_VALIDATOR],
    )

    def __init__(self, **kwargs):
        super().__init__()
        self._lock = threading.Lock()
        self._clients = None
        self._handed = None  # (message, dispatch): given to NiFi by the call before
        self._current = None  # a message that was read and not dealt with: an error came between
        self._checked = (None, None)
        self._watched = False
        self._relationships = [
            Relationship(name="success", description="A dispatch to be executed; attributes dispatch.*")
        ]

    def getPropertyDescriptors(self):
        return [
            self.BROKERS, self.TOPIC, self.GROUP_ID, self.START_AT, self.SERVICE, self.PROCESSES, self.EVENTS_TOPIC,
            self.STATE_DIRECTORY, self.REMEMBER_FOR, self.SECURITY_PROTOCOL, self.SASL_MECHANISM, self.SASL_USERNAME,
            self.SASL_PASSWORD, self.SSL_CA, self.SSL_CERTIFICATE, self.SSL_KEY, self.SSL_KEY_PASSWORD,
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
        made_of = tuple(sorted(values.items()))
        if self._checked[0] != made_of:
            self._checked = (made_of, kafka_problem(values))
        problem = self._checked[1]
        if problem is None:
            return []
        return [ValidationResult(subject=problem[0], explanation=problem[1], valid=False)]

    def onScheduled(self, context):
        tasks = context.java_context.getMaxConcurrentTasks()
        if tasks > 1:
            raise ProblemError(
                f"{tasks} concurrent tasks: set them to 1, or a dispatch could be lost in a crash"
            )

    def onStopped(self, context):
        """All calls have ended, so NiFi has stored what the last one gave it."""
        with self._lock:
            if self._clients is not None:
                self._settle(asynchronous=False)
                self._close()

    def create(self, context):
        with self._lock:
            clients = self._open(context)
            self._settle()
            clients.memory.purge()
            end = time.monotonic() + BLOCK
            while True:
                message = self._current or clients.poll(max(0.0, end - time.monotonic()))
                if message is None:
                    if time.monotonic() >= end:
                        return None
                    continue
                self._current = message
                result = self._take(clients, message)
                self._current = None
                if result is not None:
                    return result

    def _take(self, clients, message):
        """A flow file for this message, or None where it needs none; then its offset is committed."""
        where = f"{message.topic()}, partition {message.partition()}, offset {message.offset()}"
        try:
            dispatch = parse(message.value())
        except Refused as refused:
            if refused.told is None:
                self.logger.error(f"message passed over ({where}): {refused}")
            elif self._is_ours(clients, refused.told):
                self.logger.error(f"dispatch refused ({where}): {refused}")
                clients.send(answer(refused.told, "FAILED", f"NiFi cannot take this dispatch: {refused}"))
            clients.commit(message)
            return None
        if not self._is_ours(clients, dispatch):
            clients.commit(message)
            return None
        state = clients.memory.state(dispatch)
        if state == "stored":
            clients.send(answer(dispatch, "ACCEPTED"))
            clients.commit(message)
            return None
        clients.memory.hand(dispatch)
        attributes = {
            **flattened(dispatch),
            "dispatch.redelivered": "true" if state == "handed" else "false",
            "mime.type": "application/json",
        }
        self._handed = (message, dispatch)
        return FlowFileSourceResult("success", attributes=attributes, contents=message.value())

    @staticmethod
    def _is_ours(clients, dispatch):
        if dispatch.get("service", clients.service) != clients.service:
            return False
        return not clients.processes or dispatch.get("process") in clients.processes

    def _settle(self, asynchronous=True):
        """What the call before has given to NiFi is stored there now."""
        if self._handed is None:
            return
        message, dispatch = self._handed
        self._clients.memory.store(dispatch)
        self._handed = None
        self._clients.send(answer(dispatch, "ACCEPTED"))
        self._clients.commit(message, asynchronous)

    def _open(self, context):
        """After a crash of this process nobody calls onScheduled, so everything is made when it is needed."""
        values = set_values(context)
        if self._clients is not None and (self._clients.values != values or self._clients.broken):
            self._settle()
            self._close()
        if self._clients is None:
            seconds = context.getProperty(self.REMEMBER_FOR).asTimePeriod(TimeUnit.MILLISECONDS) / 1000
            self._clients = Clients(values, seconds, self.logger)
            if not self._watched:
                self._watched = True
                end_with_parent(self._leave)
        return self._clients

    def _close(self):
        clients, self._clients, self._current = self._clients, None, None
        clients.close()

    def _leave(self):
        """NiFi is gone: nothing is settled, for nobody knows what it stored; another may have the partitions at once."""
        if self._lock.acquire(timeout=3) and self._clients is not None:
            self._clients.leave()
