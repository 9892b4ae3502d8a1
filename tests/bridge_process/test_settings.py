"""Settings: any librdkafka property, none that breaks a guarantee, no plaintext outside DEV, no secret in a line."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration.bridge.errors import SettingsError
from orchestration.bridge.settings import Settings, kafka_properties, secrets

DATABASE = {"ORCHESTRATION_DSN": "postgresql://user:hush-hush@db1/orchestration?sslmode=require"}
KAFKA = {"ORCHESTRATION_KAFKA_BOOTSTRAP": "kafka1:9093"}
DEV = {"ORCHESTRATION_ENV": "dev"}
TLS = {"ORCHESTRATION_KAFKA_SECURITY_PROTOCOL": "SSL"}


def test_any_property_by_environment() -> None:
    settings = Settings.from_env({**DATABASE, **KAFKA, **DEV, "ORCHESTRATION_KAFKA_FETCH_WAIT_MAX_MS": "7"})
    assert settings.consumer()["fetch.wait.max.ms"] == "7"
    assert (
        settings.consumer()["bootstrap.servers"] == settings.producer(0)["bootstrap.servers"] == "kafka1:9093"
    )


def test_the_environment_wins_over_the_file_and_both_over_our_defaults(tmp_path: Path) -> None:
    file = tmp_path / "kafka.properties"
    file.write_text("# a comment\n\nsession.timeout.ms = 7000\nclient.id=file\nsasl.password=a=b\n")
    env = {
        **DATABASE,
        **KAFKA,
        **DEV,
        "ORCHESTRATION_KAFKA_CONFIG": str(file),
        "ORCHESTRATION_KAFKA_CLIENT_ID": "env",
    }
    consumer = Settings.from_env(env).consumer()
    assert (consumer["session.timeout.ms"], consumer["client.id"], consumer["sasl.password"]) == (
        "7000",
        "env",
        "a=b",
    )


def test_linger_is_ours_unless_it_was_set() -> None:
    env = {**DATABASE, **KAFKA, **DEV}
    assert Settings.from_env(env).producer(5)["linger.ms"] == "5"
    assert Settings.from_env({**env, "ORCHESTRATION_KAFKA_LINGER_MS": "9"}).producer(5)["linger.ms"] == "9"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AUTO_OFFSET_RESET", "earliest"),
        ("ENABLE_AUTO_COMMIT", "true"),
        ("ENABLE_IDEMPOTENCE", "false"),
        ("ACKS", "1"),
        ("ISOLATION_LEVEL", "read_uncommitted"),
        ("PARTITION_ASSIGNMENT_STRATEGY", "cooperative-sticky"),
        ("GROUP_PROTOCOL", "consumer"),
        ("DELIVERY_REPORT_ONLY_ERROR", "true"),
        ("TRANSACTIONAL_ID", "mine"),
    ],
)
def test_what_guarantees_rest_on_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"ORCHESTRATION_KAFKA_{name}"):
        kafka_properties({**KAFKA, **DEV, f"ORCHESTRATION_KAFKA_{name}": value})


def test_what_guarantees_rest_on_may_be_set_to_what_it_is() -> None:
    env = {**DATABASE, **KAFKA, **DEV, "ORCHESTRATION_KAFKA_ACKS": "all",
           "ORCHESTRATION_KAFKA_PARTITION_ASSIGNMENT_STRATEGY": "roundrobin"}  # fmt: skip
    settings = Settings.from_env(env)
    assert settings.consumer()["partition.assignment.strategy"] == "roundrobin"
    assert settings.consumer()["auto.offset.reset"] == "error"


@pytest.mark.parametrize("protocol", [None, "PLAINTEXT", "SASL_PLAINTEXT"])
def test_plaintext_kafka_is_refused_outside_dev(protocol: str | None) -> None:
    env = {**KAFKA, **({"ORCHESTRATION_KAFKA_SECURITY_PROTOCOL": protocol} if protocol else {})}
    with pytest.raises(
        SettingsError, match=r"kafka1:9093 would be plaintext.*ORCHESTRATION_ALLOW_PLAINTEXT=kafka"
    ):
        kafka_properties(env)
    with pytest.raises(SettingsError, match="would be plaintext"):
        kafka_properties({**env, "ORCHESTRATION_ALLOW_PLAINTEXT": "postgresql"})
    for permission in ({"ORCHESTRATION_ALLOW_PLAINTEXT": "postgresql,kafka"}, DEV):
        assert kafka_properties({**env, **permission})["bootstrap.servers"] == "kafka1:9093"


def test_plaintext_postgresql_is_refused_outside_dev() -> None:
    env = {**KAFKA, **TLS, "ORCHESTRATION_DSN": "postgresql://user:pw@db1/orchestration"}
    with pytest.raises(SettingsError, match=r"ORCHESTRATION_DSN.*ORCHESTRATION_ALLOW_PLAINTEXT=postgresql"):
        Settings.from_env(env)


@pytest.mark.parametrize("missing", ["ORCHESTRATION_DSN", "ORCHESTRATION_KAFKA_BOOTSTRAP"])
def test_a_missing_address_is_named(missing: str) -> None:
    env = {**DATABASE, **KAFKA, **TLS}
    del env[missing]
    with pytest.raises(SettingsError, match=f"{missing} is not set"):
        Settings.from_env(env)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    env = {**KAFKA, **DEV, "ORCHESTRATION_KAFKA_CONFIG": str(tmp_path / "none")}
    with pytest.raises(SettingsError, match=r"ORCHESTRATION_KAFKA_CONFIG=.*none cannot be read"):
        kafka_properties(env)
    file = tmp_path / "wrong"
    file.write_text("client.id=a\nnonsense\n")
    with pytest.raises(SettingsError, match=r"line 2 of .*wrong is not a property"):
        kafka_properties({**env, "ORCHESTRATION_KAFKA_CONFIG": str(file)})


def test_secrets_are_known_and_never_shown() -> None:
    env = {**DATABASE, **KAFKA, **TLS, "ORCHESTRATION_KAFKA_SASL_PASSWORD": "kafka-hush",
           "ORCHESTRATION_KAFKA_SSL_KEY_PASSWORD": "key-hush"}  # fmt: skip
    settings = Settings.from_env(env)
    assert secrets(env, settings.kafka) == {"hush-hush", "kafka-hush", "key-hush"}
    assert "hush" not in repr(settings)
