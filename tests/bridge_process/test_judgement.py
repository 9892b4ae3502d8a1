"""What an error means: SQLSTATE and delivery report sorted in one place."""

from __future__ import annotations

import psycopg
import pytest
from confluent_kafka import KafkaError

from orchestration.bridge.errors import Delivery, Verdict, judge, judge_delivery


def raised(state: str | None, kind: type[psycopg.Error] = psycopg.Error) -> psycopg.Error:
    """An error as psycopg raises it, with this SQLSTATE."""
    error = kind("words")
    error.sqlstate = state
    return error


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        ("OR701", Verdict.OPERATOR),
        ("OR702", Verdict.OPERATOR),
        ("OR703", Verdict.OPERATOR),
        ("OR710", Verdict.FENCED),
        ("OR711", Verdict.STOPPED),
        ("OR712", Verdict.UNREGISTERED),
        ("40001", Verdict.RETRY),
        ("40P01", Verdict.RETRY),
        ("55P03", Verdict.RETRY),
        ("57014", Verdict.RETRY),
        ("08006", Verdict.AWAY),
        ("53100", Verdict.AWAY),
        ("53300", Verdict.AWAY),
        ("57P01", Verdict.AWAY),
        ("57P03", Verdict.AWAY),
        ("25006", Verdict.AWAY),
        ("42883", Verdict.SUSPECT),
        ("42501", Verdict.SUSPECT),
        ("3F000", Verdict.SUSPECT),
        ("XX000", Verdict.SUSPECT),
        ("22P05", Verdict.GUILTY),
        ("23505", Verdict.GUILTY),
        ("P0001", Verdict.GUILTY),
        ("54001", Verdict.GUILTY),
        ("OR304", Verdict.GUILTY),
    ],
)
def test_an_sqlstate_has_one_meaning(state: str, verdict: Verdict) -> None:
    assert judge(raised(state)) is verdict


def test_no_message_is_blamed_for_an_error_of_the_client() -> None:
    assert judge(raised(None, psycopg.OperationalError)) is Verdict.AWAY
    assert judge(raised(None, psycopg.InterfaceError)) is Verdict.AWAY
    assert judge(raised(None, psycopg.ProgrammingError)) is Verdict.SUSPECT


@pytest.mark.parametrize(
    ("error", "delivery"),
    [
        (KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART), Delivery.PARK),
        (KafkaError(KafkaError._UNKNOWN_TOPIC), Delivery.PARK),
        (KafkaError(KafkaError.MSG_SIZE_TOO_LARGE), Delivery.PARK),
        (KafkaError(KafkaError._MSG_TIMED_OUT), Delivery.PARK),
        (KafkaError(KafkaError._QUEUE_FULL), Delivery.RELEASE),
        (KafkaError(KafkaError._PURGE_QUEUE), Delivery.RELEASE),
        (KafkaError(KafkaError._FATAL), Delivery.FATAL),
        (KafkaError(KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER, "words", True), Delivery.FATAL),
    ],
)
def test_a_delivery_report_has_one_meaning(error: KafkaError, delivery: Delivery) -> None:
    assert judge_delivery(error) is delivery
