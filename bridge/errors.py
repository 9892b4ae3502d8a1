"""What an error means for the bridge, decided in one place: retry, wait, give way, stop, or set a message aside.

`judge` sorts what PostgreSQL raises by SQLSTATE; `judge_delivery` what a delivery report says. The exceptions are
what ends the program, each one line that names the thing and the remedy (`DeployError`).
"""

from __future__ import annotations

from enum import Enum

import psycopg
from confluent_kafka import KafkaError

from orchestration.db.errors import DeployError, SettingsError

__all__ = [
    "BrokerError",
    "Delivery",
    "DeployError",
    "OffsetsError",
    "SettingsError",
    "TopicMissingError",
    "Verdict",
    "hint_of",
    "judge",
    "judge_delivery",
]


class Verdict(Enum):
    """What to do after the database raised."""

    RETRY = "retry"
    """Rolled back; the same batch again at once."""
    AWAY = "away"
    """The connection is gone or the server short of something: back off, connect anew, claim anew."""
    FENCED = "fenced"
    """Another bridge holds the partition: close the consumer and join anew."""
    STOPPED = "stopped"
    """The service is stopped: pause, keep the batch."""
    UNREGISTERED = "unregistered"
    """The database does not know this instance any more: register anew."""
    OPERATOR = "operator"
    """The stored offsets do not fit the topic: an operator decides."""
    SUSPECT = "suspect"
    """The database itself or its deployment, most likely: wait a while before a message is blamed."""
    GUILTY = "guilty"
    """A message: the batch is cut until it stands alone, then it becomes a dead letter."""


_BY_CODE = {
    "OR701": Verdict.OPERATOR,
    "OR702": Verdict.OPERATOR,
    "OR703": Verdict.OPERATOR,
    "OR704": Verdict.OPERATOR,
    "OR710": Verdict.FENCED,
    "OR711": Verdict.STOPPED,
    "OR712": Verdict.UNREGISTERED,
    "40001": Verdict.RETRY,  # serialization_failure
    "40P01": Verdict.RETRY,  # deadlock_detected
    "55P03": Verdict.RETRY,  # lock_not_available
    "57014": Verdict.RETRY,  # query_canceled
    "0A000": Verdict.RETRY,  # cached plan must not change result type: a deployment went by
    "25006": Verdict.AWAY,  # read_only_sql_transaction: a standby after a failover
    "26000": Verdict.AWAY,  # invalid_sql_statement_name: a pooler gave us another session
}
_BY_CLASS = {
    "08": Verdict.AWAY,  # connection exception
    "25": Verdict.AWAY,  # invalid transaction state
    "28": Verdict.AWAY,  # invalid authorization: a role changed under us
    "3D": Verdict.AWAY,  # invalid catalog name
    "53": Verdict.AWAY,  # insufficient resources
    "57": Verdict.AWAY,  # operator intervention
    "58": Verdict.AWAY,  # system error
    "3F": Verdict.SUSPECT,  # invalid schema name: not applied
    "42": Verdict.SUSPECT,  # undefined function, no privilege
    "XX": Verdict.SUSPECT,  # internal error
}


def judge(error: psycopg.Error) -> Verdict:
    """What to do after `error`. One without an SQLSTATE comes from the client side: the connection, or a bug."""
    state = error.sqlstate
    if state is None:
        broken = isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError))
        return Verdict.AWAY if broken else Verdict.SUSPECT
    return _BY_CODE.get(state) or _BY_CLASS.get(state[:2]) or Verdict.GUILTY


def hint_of(error: psycopg.Error) -> str:
    """The server's HINT in one line, or nothing."""
    return " ".join((error.diag.message_hint or "").split())


class Delivery(Enum):
    """What to do with a dispatch that the broker did not take."""

    RELEASE = "release"
    """Not taken in time: any bridge may send it again."""
    PARK = "park"
    """Its topic is missing, forbidden or stuck: hold it back, let other topics go on, look again later."""
    FATAL = "fatal"
    """This producer is of no use any more: make another, send again."""


_PARKED = frozenset(
    {
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_TOPIC,
        KafkaError._UNKNOWN_PARTITION,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.TOPIC_EXCEPTION,
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.NOT_ENOUGH_REPLICAS,
        KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
        KafkaError._MSG_TIMED_OUT,
        KafkaError.POLICY_VIOLATION,
        KafkaError.INVALID_RECORD,
        KafkaError.INVALID_MSG,
    }
)


def judge_delivery(error: KafkaError) -> Delivery:
    """What to do with the dispatch whose delivery report is `error`."""
    if error.fatal() or error.code() == KafkaError._FATAL:
        return Delivery.FATAL
    return Delivery.PARK if error.code() in _PARKED else Delivery.RELEASE


class OffsetsError(DeployError):
    """OR701-OR704: no stored offset, or one that does not fit the topic any more. Only an operator's command helps."""

    exit_code = 3

    def __init__(self, code: str, thing: str, remedy: str) -> None:
        super().__init__(f"{code} {thing}", remedy)
        self.code = code


class TopicMissingError(DeployError):
    """A topic the bridge reads is not there."""

    exit_code = 2

    def __init__(self, topic: str, server: str) -> None:
        super().__init__(f"Kafka at {server} has no topic {topic}", "make it by: orchestration topics create")
        self.topic = topic


class BrokerError(SettingsError):
    """Kafka refuses us for good: wrong credentials, no permission, a property it does not know."""
