"""The environment of the parts inside Airflow: what is read, what is refused, and that no secret is shown."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from dags.errors import SettingsError
from dags.rules import ReportRule, find_rule, report_rules, run_key_of
from dags.settings import DagSettings, Settings, secrets

DEV = {"ORCHESTRATION_ENV": "dev", "ORCHESTRATION_KAFKA_BOOTSTRAP": "kafka:9092"}


def test_defaults() -> None:
    settings = Settings.from_env(DEV)
    assert (settings.service, settings.topic, settings.trigger) == ("airflow", "airflow_tasks", "supervisor")
    consumer = settings.consumer()
    assert consumer["group.id"] == "orchestration-airflow"
    assert consumer["enable.auto.commit"] == "false"
    assert consumer["auto.offset.reset"] == "earliest"
    assert settings.producer()["acks"] == "all"
    assert int(settings.plugin_producer()["queue.buffering.max.kbytes"]) <= 32 * 1024


def test_what_is_set_for_the_bridge_does_not_reach_the_listeners_group() -> None:
    settings = Settings.from_env(
        {
            **DEV,
            "ORCHESTRATION_KAFKA_GROUP_ID": "orchestration",
            "ORCHESTRATION_KAFKA_AUTO_OFFSET_RESET": "error",
        }
    )
    assert settings.consumer()["group.id"] == "orchestration-airflow"
    assert settings.consumer()["auto.offset.reset"] == "earliest"


def test_a_file_of_properties_and_the_environment_above_it(tmp_path: Path) -> None:
    path = tmp_path / "kafka.properties"
    path.write_text("# ours\nsecurity.protocol=SASL_SSL\nsasl.password = tiger \nclient.id=file\n")
    settings = Settings.from_env(
        {
            "ORCHESTRATION_KAFKA_BOOTSTRAP": "kafka:9093",
            "ORCHESTRATION_KAFKA_CONFIG": str(path),
            "ORCHESTRATION_KAFKA_CLIENT_ID": "environment",
        }
    )
    assert settings.consumer()["sasl.password"] == "tiger"
    assert settings.consumer()["client.id"] == "environment"
    assert secrets(settings) == {"tiger"}
    assert "tiger" not in repr(settings)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"ORCHESTRATION_KAFKA_BOOTSTRAP": ""}, "ORCHESTRATION_KAFKA_BOOTSTRAP is not set"),
        ({"ORCHESTRATION_ENV": ""}, "kafka:9092 would be plaintext"),
        ({"ORCHESTRATION_ALLOW_PLAINTEXT": "kafkaa"}, "does not know 'kafkaa'"),
        (
            {"ORCHESTRATION_KAFKA_ENABLE_AUTO_COMMIT": "true"},
            "ENABLE_AUTO_COMMIT sets enable.auto.commit to true",
        ),
        ({"ORCHESTRATION_KAFKA_ACKS": "1"}, "unset it, or set it to all"),
        ({"ORCHESTRATION_KAFKA_CONFIG": "/nowhere/x"}, "/nowhere/x cannot be read"),
        ({"ORCHESTRATION_AIRFLOW_TRIGGER": "magic"}, "TRIGGER=magic is unknown: set it to supervisor"),
        ({"ORCHESTRATION_AIRFLOW_TRIGGER": "rest"}, "ORCHESTRATION_AIRFLOW_URL is not set"),
        (
            {"ORCHESTRATION_AIRFLOW_TRIGGER": "rest", "ORCHESTRATION_AIRFLOW_URL": "airflow:8080"},
            "URL is not set",
        ),
        ({"ORCHESTRATION_AIRFLOW_LIFETIME": "soon"}, "LIFETIME=soon is not a whole number from 10"),
        ({"ORCHESTRATION_AIRFLOW_BATCH": "0"}, "BATCH=0 is not a whole number from 1 to 1000"),
        ({"ORCHESTRATION_AIRFLOW_BATCH": "9" * 30}, "is not a whole number"),
        ({"ORCHESTRATION_AIRFLOW_BATCH": "٣"}, "is not a whole number"),
        ({"ORCHESTRATION_AIRFLOW_TIMEZONE": "../../etc/passwd"}, "is no time zone"),
        ({"ORCHESTRATION_AIRFLOW_TIMEZONE": "Europe/Nowhere"}, "is no time zone"),
        ({"ORCHESTRATION_AIRFLOW_SERVICE": "a\nb"}, "SERVICE is not text of 1 to 250"),
        ({"ORCHESTRATION_AIRFLOW_REPORT_DAGS": "a=day"}, "REPORT_DAGS holds 'a=day'"),
        ({"ORCHESTRATION_AIRFLOW_REPORT_DAGS": "=%Y"}, "REPORT_DAGS holds '=%Y'"),
        ({"ORCHESTRATION_AIRFLOW_REPORT_DAGS": "a=" + "%Y" * 70}, "REPORT_DAGS holds"),
    ],
)
def test_refused(more: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsError) as raised:
        Settings.from_env({**DEV, **more})
    assert words in str(raised.value)


def test_a_line_that_is_no_property_is_named(tmp_path: Path) -> None:
    path = tmp_path / "kafka.properties"
    path.write_text("security.protocol=SSL\nnonsense\n")
    with pytest.raises(SettingsError, match=f"line 2 of {path}"):
        Settings.from_env({**DEV, "ORCHESTRATION_KAFKA_CONFIG": str(path)})


def test_plaintext_by_permission() -> None:
    Settings.from_env(
        {"ORCHESTRATION_KAFKA_BOOTSTRAP": "k:1", "ORCHESTRATION_ALLOW_PLAINTEXT": "kafka,postgresql"}
    )


def test_what_the_dag_file_reads() -> None:
    assert DagSettings.from_env({}) == DagSettings(1, "default_pool")
    read = DagSettings.from_env({"ORCHESTRATION_AIRFLOW_LISTENERS": "3", "ORCHESTRATION_AIRFLOW_POOL": "own"})
    assert read == DagSettings(3, "own")
    with pytest.raises(SettingsError, match="LISTENERS=none"):
        DagSettings.from_env({"ORCHESTRATION_AIRFLOW_LISTENERS": "none"})


def test_report_rules() -> None:
    rules = report_rules("sales_*, hourly=%Y-%m-%dT%H,,*", "X")
    assert rules == (ReportRule("sales_*"), ReportRule("hourly", "%Y-%m-%dT%H"), ReportRule("*"))
    assert find_rule(rules, "hourly") == rules[1]
    assert find_rule(rules, "SALES_1") == rules[2]
    assert find_rule(rules[:2], "other") is None


@pytest.mark.parametrize(
    ("logical_date", "partition_key", "zone", "form", "run_key"),
    [
        (None, None, "UTC", "%Y-%m-%d", None),
        ("2026-11-22T23:00:00+00:00", None, "UTC", "%Y-%m-%d", "2026-11-22"),
        ("2026-11-22T23:00:00+00:00", None, "Europe/Berlin", "%Y-%m-%d", "2026-11-23"),
        ("2026-11-22T23:00:00+00:00", None, "UTC", "%Y-%m-%dT%H", "2026-11-22T23"),
        ("2026-11-22T23:00:00+00:00", "eu|2026-11-20", "UTC", "%Y-%m-%d", "eu|2026-11-20"),
        (None, "p" * 250, "UTC", "%Y-%m-%d", "p" * 250),
        (None, "p" * 251, "UTC", "%Y-%m-%d", None),
        ("2026-11-22T23:00:00+00:00", "a\nb", "UTC", "%Y-%m-%d", None),
        ("2026-11-22T23:00:00+00:00", "", "UTC", "%Y-%m-%d", "2026-11-22"),
    ],
)
def test_run_keys(
    logical_date: str | None, partition_key: str | None, zone: str, form: str, run_key: str | None
) -> None:
    at = None if logical_date is None else datetime.fromisoformat(logical_date).astimezone(timezone.utc)
    assert run_key_of(ReportRule("*", form), ZoneInfo(zone), at, partition_key) == run_key
