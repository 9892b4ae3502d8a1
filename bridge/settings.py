"""What the bridge is told: read once from the environment and an optional file, checked before any connection.

Any librdkafka property can be set: `security.protocol` by `ORCHESTRATION_KAFKA_SECURITY_PROTOCOL`, or as a line
`security.protocol=SASL_SSL` of the file that `ORCHESTRATION_KAFKA_CONFIG` names; the environment wins. What the
guarantees rest on cannot be changed (`_FIXED`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from orchestration.db.settings import Settings as DatabaseSettings
from orchestration.db.settings import Target, known_secrets

from .errors import SettingsError

BOOTSTRAP = "ORCHESTRATION_KAFKA_BOOTSTRAP"
CONFIG = "ORCHESTRATION_KAFKA_CONFIG"
FROM = "ORCHESTRATION_BRIDGE_FROM"
BATCH = "ORCHESTRATION_BRIDGE_BATCH"
LOG_LEVEL = "ORCHESTRATION_LOG_LEVEL"
_PREFIX = "ORCHESTRATION_KAFKA_"

EVENTS_TOPIC = "etl_finished_tasks"
DISPATCH_TOPICS = ("airflow_tasks", "nifi_tasks")
MAX_MESSAGE_BYTES = 2 * 1024 * 1024

Properties = dict[str, str]

_COMMON: Properties = {
    "client.id": "orchestration-bridge",
    "socket.keepalive.enable": "true",
    "socket.timeout.ms": "15000",
    "reconnect.backoff.ms": "50",
    "reconnect.backoff.max.ms": "1000",
    "log.connection.close": "false",
}
_CONSUMER: Properties = {
    "group.id": "orchestration",
    "session.timeout.ms": "6000",
    "heartbeat.interval.ms": "1000",
    "partition.assignment.strategy": "range",
    "topic.metadata.refresh.interval.ms": "30000",
    "fetch.error.backoff.ms": "100",
    "fetch.max.bytes": str(8 * 1024 * 1024),
    "fetch.message.max.bytes": str(MAX_MESSAGE_BYTES),
    "queued.min.messages": "5000",
    "queued.max.messages.kbytes": str(16 * 1024),
}
_PRODUCER: Properties = {
    "message.timeout.ms": "30000",
    "request.timeout.ms": "10000",
    "message.max.bytes": str(MAX_MESSAGE_BYTES),
    "topic.metadata.propagation.max.ms": "5000",
    "queue.buffering.max.messages": "50000",
    "queue.buffering.max.kbytes": str(32 * 1024),
}

_FIXED: dict[str, tuple[str, ...]] = {
    "enable.auto.commit": ("false",),
    "enable.auto.offset.store": ("false",),
    "auto.offset.reset": ("error",),
    "enable.partition.eof": ("true",),
    "allow.auto.create.topics": ("false",),
    "isolation.level": ("read_committed",),
    "group.protocol": ("classic",),
    "partition.assignment.strategy": ("range", "roundrobin"),
    "enable.idempotence": ("true",),
    "acks": ("all", "-1"),
    "request.required.acks": ("all", "-1"),
    "delivery.report.only.error": ("false",),
    "transactional.id": (),
}
"""What the guarantees rest on, with the values they allow; the first is set where nobody says anything."""

_CONSUMER_ONLY = ("enable.auto.commit", "enable.auto.offset.store", "auto.offset.reset", "enable.partition.eof",
                  "allow.auto.create.topics", "isolation.level", "group.protocol")  # fmt: skip
_PRODUCER_ONLY = ("enable.idempotence", "acks")

_CONSUMER_PREFIXES = ("group.", "session.", "heartbeat.", "max.poll", "partition.assignment", "auto.", "enable.auto",
                      "fetch.", "max.partition.fetch", "queued.", "isolation.", "check.crcs", "enable.partition",
                      "allow.auto", "consume.", "offset.", "coordinator.")  # fmt: skip
_PRODUCER_PREFIXES = ("enable.idempotence", "acks", "request.", "message.timeout", "message.send", "delivery.", "queue.buffering",
                      "linger.", "batch.", "retries", "retry.", "compression.", "sticky.", "partitioner", "queuing.",
                      "enable.gapless", "transaction", "msg_order_cmp")  # fmt: skip
_SECRET_WORDS = ("password", "secret", "key.pem", "sasl.oauthbearer.config", "sasl.jaas")


@dataclass(frozen=True)
class Settings:
    """The bridge's environment, checked. `database` is where to connect; `kafka` what was set, without our defaults."""

    database: Target = field(repr=False)
    kafka: Properties = field(repr=False)
    dev: bool = False
    begin: str | None = None
    batch: int = 1000
    batch_bytes: int = 8 * 1024 * 1024
    in_flight: int = 20_000
    log_level: str = "info"

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, *, begin: str | None = None, batch: int = 1000) -> Settings:
        """Read and check everything. Raises SettingsError."""
        env = os.environ if environ is None else environ
        database = DatabaseSettings.from_env(env)
        kafka = kafka_properties(env)
        return cls(
            database=database.app(),
            kafka=kafka,
            dev=database.dev,
            begin=begin,
            batch=batch,
        )

    @property
    def server(self) -> str:
        """Kafka's address, for messages."""
        return self.kafka["bootstrap.servers"]

    def consumer(self) -> Properties:
        """What the consumer is made of."""
        fixed = {name: _FIXED[name][0] for name in _CONSUMER_ONLY}
        return {**_COMMON, **_CONSUMER, **_without(self.kafka, _PRODUCER_PREFIXES), **fixed}

    def producer(self, linger_ms: int) -> Properties:
        """What a producer is made of; `linger_ms` counts unless one was set."""
        fixed = {name: _FIXED[name][0] for name in _PRODUCER_ONLY}
        own = _without(self.kafka, _CONSUMER_PREFIXES)
        return {**_COMMON, **_PRODUCER, "linger.ms": str(linger_ms), **own, **fixed}

    def admin(self) -> Properties:
        """What an admin client is made of."""
        return admin_properties(self.kafka)


def admin_properties(kafka: Properties) -> Properties:
    """What an admin client is made of, from what was set."""
    return {**_COMMON, **_without(kafka, (*_CONSUMER_PREFIXES, *_PRODUCER_PREFIXES))}


def kafka_properties(env: Mapping[str, str]) -> Properties:
    """The librdkafka properties that file and environment set, checked. Raises SettingsError."""
    properties, sources = _from_file(env.get(CONFIG))
    for variable, value in env.items():
        if variable.startswith(_PREFIX) and variable not in (BOOTSTRAP, CONFIG) and value:
            name = variable.removeprefix(_PREFIX).lower().replace("_", ".")
            properties[name], sources[name] = value, variable
    if env.get(BOOTSTRAP):
        properties["bootstrap.servers"], sources["bootstrap.servers"] = env[BOOTSTRAP], BOOTSTRAP
    if "metadata.broker.list" in properties:
        properties.setdefault("bootstrap.servers", properties.pop("metadata.broker.list"))
    if not properties.get("bootstrap.servers"):
        raise SettingsError(f"{BOOTSTRAP} is not set", "set it, for example kafka1:9093,kafka2:9093")
    for name, allowed in _FIXED.items():
        if name in properties and properties[name].lower() not in allowed:
            wanted = f"it is {' or '.join(allowed)}" if allowed else "it is not used"
            raise SettingsError(
                f"{sources[name]} sets {name}={properties[name]}, which the bridge's guarantees exclude",
                f"unset it: {wanted}",
            )
        properties.pop(name, None) if name != "partition.assignment.strategy" else None
    _require_encryption(env, properties, sources)
    return properties


def secrets(env: Mapping[str, str], kafka: Properties) -> set[str]:
    """Every secret among the settings, for `redact_in_logs`."""
    own = {value for name, value in kafka.items() if any(word in name for word in _SECRET_WORDS)}
    return {secret for secret in own | known_secrets(env) if len(secret) > 2}


def _from_file(path: str | None) -> tuple[Properties, dict[str, str]]:
    properties: Properties = {}
    if not path:
        return properties, {}
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SettingsError(f"{CONFIG}={path} cannot be read ({reason})", "correct the path, or unset it") from None
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text[0] in "#!":
            continue
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise SettingsError(f"line {number} of {path} is not a property", "write name=value, comments begin with #")
        properties[name.strip()] = value.strip()
    return properties, dict.fromkeys(properties, path)


def _require_encryption(env: Mapping[str, str], properties: Properties, sources: dict[str, str]) -> None:
    database = DatabaseSettings.from_env(env)
    protocol = properties.get("security.protocol", "plaintext").lower()
    if database.dev or "kafka" in database.allow_plaintext or protocol in ("ssl", "sasl_ssl"):
        return
    variable = sources.get("security.protocol", f"{_PREFIX}SECURITY_PROTOCOL")
    raise SettingsError(
        f"the connection to Kafka at {properties['bootstrap.servers']} would be plaintext",
        f"set {variable} to SSL or SASL_SSL, or permit it by ORCHESTRATION_ALLOW_PLAINTEXT=kafka",
    )


def _without(properties: Properties, prefixes: tuple[str, ...]) -> Properties:
    """Without the properties only the other kind of client knows: librdkafka would warn of each."""
    return {name: value for name, value in properties.items() if not name.startswith(prefixes)}
