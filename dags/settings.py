"""What the parts inside Airflow are told: from the environment and an optional file, never from an Airflow Connection.

A Connection or Variable may be read from Airflow's database, which a dag-run listener must not touch. Any librdkafka
property can be set: `security.protocol` by `ORCHESTRATION_KAFKA_SECURITY_PROTOCOL`, or as a line
`security.protocol=SASL_SSL` of the file that `ORCHESTRATION_KAFKA_CONFIG` names; the environment wins.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from .errors import SettingsError
from .rules import ReportRule, report_rules

__all__ = ["EVENTS_TOPIC", "DagSettings", "Properties", "Settings", "secrets"]

EVENTS_TOPIC = "etl_finished_tasks"
MAX_MESSAGE_BYTES = 2 * 1024 * 1024

_BOOTSTRAP = "ORCHESTRATION_KAFKA_BOOTSTRAP"
_CONFIG = "ORCHESTRATION_KAFKA_CONFIG"
_PREFIX = "ORCHESTRATION_KAFKA_"
_OWN = "ORCHESTRATION_AIRFLOW_"
_ALLOW_PLAINTEXT = "ORCHESTRATION_ALLOW_PLAINTEXT"
_PROTECTED = ("kafka", "postgresql")

Properties = dict[str, str]

_COMMON: Properties = {
    "client.id": "orchestration-airflow",
    "socket.keepalive.enable": "true",
    "socket.timeout.ms": "15000",
    "reconnect.backoff.ms": "50",
    "reconnect.backoff.max.ms": "1000",
    "log.connection.close": "false",
}
_CONSUMER: Properties = {
    "session.timeout.ms": "6000",
    "heartbeat.interval.ms": "1000",
    "topic.metadata.refresh.interval.ms": "10000",
    "fetch.error.backoff.ms": "100",
    "fetch.message.max.bytes": str(MAX_MESSAGE_BYTES),
    "queued.max.messages.kbytes": str(16 * 1024),
}
_FIXED_CONSUMER: Properties = {
    "enable.auto.commit": "false",
    "enable.auto.offset.store": "false",
    "auto.offset.reset": "earliest",
    "allow.auto.create.topics": "false",
    "isolation.level": "read_committed",
    "group.protocol": "classic",
}
_PRODUCER: Properties = {
    "linger.ms": "0",
    "message.max.bytes": str(MAX_MESSAGE_BYTES),
    "topic.metadata.refresh.interval.ms": "10000",
    "topic.metadata.propagation.max.ms": "5000",
}
_LISTENER_PRODUCER: Properties = {"message.timeout.ms": "30000", "request.timeout.ms": "10000"}
_PLUGIN_PRODUCER: Properties = {
    # what is kept while the brokers are away, and for how long: in memory of a process that must never wait for it
    "queue.buffering.max.messages": "20000",
    "queue.buffering.max.kbytes": str(32 * 1024),
    "message.timeout.ms": str(24 * 3600 * 1000),
}
_FIXED_PRODUCER: Properties = {"acks": "all"}
_ALLOWED: dict[str, tuple[str, ...]] = {
    "enable.auto.commit": ("false",),
    "enable.auto.offset.store": ("false",),
    "acks": ("all", "-1"),
    "request.required.acks": ("all", "-1"),
    "transactional.id": (),
}
"""What the guarantees rest on, and the values they allow."""
_IGNORED = ("group.id", "auto.offset.reset")
"""Shared environments set these for the bridge; the listener has its own."""

_SECRET_WORDS = ("password", "secret", "key.pem", "sasl.oauthbearer.config", "sasl.jaas")


@dataclass(frozen=True)
class DagSettings:
    """What the DAG file needs when Airflow parses it."""

    listeners: int = 1
    pool: str = "default_pool"

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> DagSettings:
        """Raises SettingsError, which Airflow shows as the file's import error."""
        env = os.environ if environ is None else environ
        return cls(listeners=_number(env, "LISTENERS", 1, 1, 32), pool=_own(env, "POOL") or "default_pool")


@dataclass(frozen=True)
class Settings:
    """The environment, checked. `kafka` is what was set, without defaults.

    `service`: our name at the orchestrator. `trigger`: how DAG runs are made, `supervisor` or `rest`. `lifetime`:
    seconds until a listener task ends and the next begins, with new code. `report`: which DAGs' own runs are told.
    """

    kafka: Properties = field(repr=False)
    service: str = "airflow"
    topic: str = "airflow_tasks"
    group: str = "orchestration-airflow"
    trigger: str = "supervisor"
    batch: int = 100
    lifetime: int = 600
    sweep: int = 20
    report: tuple[ReportRule, ...] = ()
    timezone: tzinfo = ZoneInfo("UTC")  # noqa: RUF009 - immutable
    airflow_url: str | None = None
    airflow_token: str | None = field(default=None, repr=False)
    airflow_token_file: str | None = None
    airflow_user: str | None = None
    airflow_password: str | None = field(default=None, repr=False)
    api_url: str | None = None
    api_token: str | None = field(default=None, repr=False)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read and check everything. Raises SettingsError."""
        env = os.environ if environ is None else environ
        made = cls(
            kafka=_kafka_properties(env),
            service=_own(env, "SERVICE") or "airflow",
            topic=_own(env, "TOPIC") or "airflow_tasks",
            group=_own(env, "GROUP") or "orchestration-airflow",
            trigger=_own(env, "TRIGGER") or "supervisor",
            batch=_number(env, "BATCH", 100, 1, 1000),
            lifetime=_number(env, "LIFETIME", 600, 10, 86_400),
            sweep=_number(env, "SWEEP", 20, 1, 3600),
            report=report_rules(_own(env, "REPORT_DAGS"), _OWN + "REPORT_DAGS"),
            timezone=_timezone(env),
            airflow_url=_own(env, "URL") or env.get("AIRFLOW_URL") or None,
            airflow_token=_own(env, "TOKEN") or None,
            airflow_token_file=_own(env, "TOKEN_FILE") or None,
            airflow_user=_own(env, "USERNAME") or None,
            airflow_password=_own(env, "PASSWORD") or None,
            api_url=env.get("ORCHESTRATION_API_URL") or None,
            api_token=env.get("ORCHESTRATION_API_TOKEN") or None,
        )
        made._check()
        return made

    def consumer(self) -> Properties:
        """What the listener's consumer is made of."""
        return {**_COMMON, **_CONSUMER, **self.kafka, **_FIXED_CONSUMER, "group.id": self.group}

    def producer(self) -> Properties:
        """What the listener's producer is made of: it waits for what it sends."""
        return {**_COMMON, **_PRODUCER, **_LISTENER_PRODUCER, **self.kafka, **_FIXED_PRODUCER}

    def plugin_producer(self) -> Properties:
        """What the plugin's producer is made of: nobody waits for it."""
        return {**_COMMON, **_PRODUCER, **_PLUGIN_PRODUCER, **self.kafka, **_FIXED_PRODUCER}

    def _check(self) -> None:
        if self.trigger not in ("supervisor", "rest"):
            raise SettingsError(
                f"{_OWN}TRIGGER={self.trigger} is unknown", "set it to supervisor (the default) or rest"
            )
        if self.trigger == "rest" and not (self.airflow_url or "").startswith(("http://", "https://")):
            raise SettingsError(
                f"{_OWN}URL is not set, but {_OWN}TRIGGER=rest needs it",
                "set it to the address of Airflow's api-server, for example https://airflow:8080",
            )
        for name, value in (("SERVICE", self.service), ("TOPIC", self.topic), ("GROUP", self.group)):
            if len(value) > 250 or not value.isprintable():
                raise SettingsError(
                    f"{_OWN}{name} is not text of 1 to 250 characters without control characters",
                    "correct it",
                )


def secrets(settings: Settings) -> set[str]:
    """Every secret among the settings, to be cut out of words that are shown."""
    own = {value for name, value in settings.kafka.items() if any(word in name for word in _SECRET_WORDS)}
    given = (settings.airflow_token, settings.airflow_password, settings.api_token)
    return {secret for secret in own.union(secret for secret in given if secret) if len(secret) > 2}


def _own(env: Mapping[str, str], name: str) -> str:
    return env.get(_OWN + name, "").strip()


def _number(env: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = _own(env, name)
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and least <= int(text[:9]) <= most and len(text) < 10):
        raise SettingsError(
            f"{_OWN}{name}={text[:40]} is not a whole number from {least} to {most}",
            "correct it, or unset it",
        )
    return int(text)


def _timezone(env: Mapping[str, str]) -> tzinfo:
    name = _own(env, "TIMEZONE") or "UTC"
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise SettingsError(
            f"{_OWN}TIMEZONE={name[:60]} is no time zone", "write one as Europe/Berlin, or unset it for UTC"
        ) from None


def _kafka_properties(env: Mapping[str, str]) -> Properties:
    path = env.get(_CONFIG)
    properties = _read_file(path) if path else {}
    sources = dict.fromkeys(properties, f"{_CONFIG}={path}")
    for variable, value in env.items():
        if variable.startswith(_PREFIX) and variable not in (_BOOTSTRAP, _CONFIG) and value:
            name = variable.removeprefix(_PREFIX).lower().replace("_", ".")
            properties[name], sources[name] = value, variable
    if env.get(_BOOTSTRAP):
        properties["bootstrap.servers"] = env[_BOOTSTRAP]
    if not properties.get("bootstrap.servers"):
        raise SettingsError(f"{_BOOTSTRAP} is not set", "set it, for example kafka1:9093,kafka2:9093")
    for name in _IGNORED:
        properties.pop(name, None)
    for name, allowed in _ALLOWED.items():
        if name in properties and properties[name].lower() not in allowed:
            raise SettingsError(
                f"{sources[name]} sets {name} to {properties[name]}, which the listener's guarantees exclude",
                f"unset it, or set it to {' or '.join(allowed)}" if allowed else "unset it",
            )
    _require_encryption(env, properties)
    return properties


def _read_file(path: str) -> Properties:
    """name=value lines; # begins a comment."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SettingsError(
            f"{_CONFIG}={path} cannot be read ({reason})", "correct it, or unset it"
        ) from None
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
    allowed = {word.strip() for word in env.get(_ALLOW_PLAINTEXT, "").split(",") if word.strip()}
    if unknown := sorted(allowed.difference(_PROTECTED)):
        raise SettingsError(
            f"{_ALLOW_PLAINTEXT} does not know {', '.join(map(repr, unknown))}",
            f"it is a list of: {', '.join(_PROTECTED)}",
        )
    dev = env.get("ORCHESTRATION_ENV", "").strip() == "dev"
    protocol = properties.get("security.protocol", "plaintext").lower()
    if dev or "kafka" in allowed or protocol in ("ssl", "sasl_ssl"):
        return
    raise SettingsError(
        f"the connection to Kafka at {properties['bootstrap.servers']} would be plaintext",
        f"set {_PREFIX}SECURITY_PROTOCOL to SSL or SASL_SSL, or permit it by {_ALLOW_PLAINTEXT}=kafka",
    )
