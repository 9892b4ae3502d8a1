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
    # memory: what librdkafka may read ahead of us
    "fetch.max.bytes": str(8 * 1024 * 1024),
    "fetch.message.max.bytes": str(MAX_MESSAGE_BYTES),
    "queued.min.messages": "5000",
    "queued.max.messages.kbytes": str(16 * 1024),
}
_PRODUCER: Properties = {
    "message.timeout.ms": "30000",
    "request.timeout.ms": "10000",
    "message.max.bytes": str(MAX_MESSAGE_BYTES),
    # a topic that is made while we run is found within 10 s
    "topic.metadata.refresh.interval.ms": "10000",
    "topic.metadata.propagation.max.ms": "5000",
    "queue.buffering.max.messages": "50000",
    "queue.buffering.max.kbytes": str(32 * 1024),
}

_FIXED_CONSUMER: Properties = {
    "enable.auto.commit": "false",
    "enable.auto.offset.store": "false",
    "auto.offset.reset": "error",
    "enable.partition.eof": "true",
    "allow.auto.create.topics": "false",
    "isolation.level": "read_committed",
    "group.protocol": "classic",
}
_FIXED_PRODUCER: Properties = {
    "enable.idempotence": "true",
    "acks": "all",
}
_ALLOWED: dict[str, tuple[str, ...]] = {
    **{name: (value,) for name, value in _FIXED_CONSUMER.items()},
    **{name: (value,) for name, value in _FIXED_PRODUCER.items()},
    "acks": ("all", "-1"),
    "request.required.acks": ("all", "-1"),
    "partition.assignment.strategy": ("range", "roundrobin"),
    "delivery.report.only.error": ("false",),
    "transactional.id": (),
}
"""What the guarantees rest on, and the values they allow."""

_SECRET_WORDS = ("password", "secret", "key.pem", "sasl.oauthbearer.config", "sasl.jaas")


@dataclass(frozen=True)
class Settings:
    """The bridge's environment, checked. `database` is where to connect; `kafka` what was set, without defaults.

    `batch` messages or `batch_bytes` are the most one transaction takes in; `in_flight` dispatches the most that may
    wait for their delivery reports. `begin`: earliest, latest or None, see `claims`.
    """

    database: Target = field(repr=False)
    kafka: Properties = field(repr=False)
    dev: bool = False
    begin: str | None = None
    batch: int = 1000
    batch_bytes: int = 8 * 1024 * 1024
    in_flight: int = 20_000

    @classmethod
    def from_env(
        cls, environ: Mapping[str, str] | None = None, *, begin: str | None = None, batch: int = 1000
    ) -> Settings:
        """Read and check everything. Raises SettingsError."""
        env = os.environ if environ is None else environ
        database = DatabaseSettings.from_env(env)
        return cls(
            database=database.app(), kafka=kafka_properties(env), dev=database.dev, begin=begin, batch=batch
        )

    @property
    def server(self) -> str:
        """Kafka's address, for messages."""
        return self.kafka["bootstrap.servers"]

    def consumer(self) -> Properties:
        """What the consumer is made of."""
        return {**_COMMON, **_CONSUMER, **self.kafka, **_FIXED_CONSUMER}

    def producer(self, linger_ms: int) -> Properties:
        """What a producer is made of; `linger_ms` counts unless one was set."""
        return {**_COMMON, **_PRODUCER, "linger.ms": str(linger_ms), **self.kafka, **_FIXED_PRODUCER}

    def admin(self) -> Properties:
        """What an admin client is made of."""
        return admin_properties(self.kafka)


def admin_properties(kafka: Properties) -> Properties:
    """What an admin client is made of, from what was set."""
    return {**_COMMON, **kafka}


def kafka_properties(env: Mapping[str, str]) -> Properties:
    """The librdkafka properties that file and environment set, checked. Raises SettingsError."""
    path = env.get(CONFIG)
    properties = _read_file(path) if path else {}
    sources = dict.fromkeys(properties, f"{CONFIG}={path}")
    for variable, value in env.items():
        if variable.startswith(_PREFIX) and variable not in (BOOTSTRAP, CONFIG) and value:
            name = variable.removeprefix(_PREFIX).lower().replace("_", ".")
            properties[name], sources[name] = value, variable
    if env.get(BOOTSTRAP):
        properties["bootstrap.servers"] = env[BOOTSTRAP]
    if not properties.get("bootstrap.servers"):
        raise SettingsError(f"{BOOTSTRAP} is not set", "set it, for example kafka1:9093,kafka2:9093")
    for name, allowed in _ALLOWED.items():
        if name in properties and properties[name].lower() not in allowed:
            raise SettingsError(
                f"{sources[name]} sets {name} to {properties[name]}, which the bridge's guarantees exclude",
                f"unset it, or set it to {' or '.join(allowed)}" if allowed else "unset it",
            )
    _require_encryption(env, properties)
    return properties


def secrets(env: Mapping[str, str], kafka: Properties) -> set[str]:
    """Every secret among the settings, for `redact_in_logs`."""
    own = {value for name, value in kafka.items() if any(word in name for word in _SECRET_WORDS)}
    return {secret for secret in own | known_secrets(env) if len(secret) > 2}


def _read_file(path: str) -> Properties:
    """name=value lines; # begins a comment."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SettingsError(f"{CONFIG}={path} cannot be read ({reason})", "correct it, or unset it") from None
    properties: Properties = {}
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text[0] in "#!":
            continue
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise SettingsError(
                f"line {number} of {path} is not a property", "write name=value; a comment begins with #"
            )
        properties[name.strip()] = value.strip()
    return properties


def _require_encryption(env: Mapping[str, str], properties: Properties) -> None:
    database = DatabaseSettings.from_env(env)
    protocol = properties.get("security.protocol", "plaintext").lower()
    if database.dev or "kafka" in database.allow_plaintext or protocol in ("ssl", "sasl_ssl"):
        return
    raise SettingsError(
        f"the connection to Kafka at {properties['bootstrap.servers']} would be plaintext",
        f"set {_PREFIX}SECURITY_PROTOCOL to SSL or SASL_SSL, or permit it by ORCHESTRATION_ALLOW_PLAINTEXT=kafka",
    )
