"""What the broker says beside messages: which cluster and topic this is, and where its log begins and ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from .errors import BrokerError, SettingsError, TopicMissingError
from .log import Outage, logger

if TYPE_CHECKING:
    from .settings import Properties

log = logger("kafka")

Client = TypeVar("Client")

_TIMEOUT = 3.0
_REFUSING = frozenset(
    {
        KafkaError._AUTHENTICATION,
        KafkaError._SSL,
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.UNSUPPORTED_SASL_MECHANISM,
    }
)
_NO_TOPIC = frozenset(
    {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.UNKNOWN_TOPIC_ID, KafkaError._UNKNOWN_TOPIC}
)

_FIRST: OffsetSpec = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
_NEXT: OffsetSpec = OffsetSpec.latest()  # type: ignore[no-untyped-call]


class KafkaAwayError(Exception):
    """The brokers do not answer; the text says why."""


@dataclass(frozen=True)
class Topic:
    """One incarnation of a topic on one cluster."""

    name: str
    cluster_id: str
    topic_id: str
    partitions: tuple[int, ...]


@dataclass(frozen=True)
class Ends:
    """Where the log ended, by partition, at some instant after `at`, which is the database's."""

    at: datetime | None = None
    offsets: Mapping[int, int] = field(default_factory=dict)


class _Forward:
    """librdkafka's own log lines, which repeat themselves while a server is away: debug."""

    def log(self, _level: int, words: str, *args: object) -> None:
        log.debug("librdkafka", message=words % args if args else words)


def make(
    kind: Callable[..., Client], properties: Properties, on_error: Callable[[KafkaError], None]
) -> Client:
    """A librdkafka client. Raises SettingsError for a property librdkafka does not know or cannot use."""

    def contained(error: KafkaError) -> None:
        try:
            on_error(error)
        except Exception:  # an exception in this callback would corrupt later ones
            log.crash("error_callback_failed")

    try:
        return kind({**properties, "error_cb": contained, "logger": _Forward()})
    except KafkaException as error:
        raise SettingsError(
            f"librdkafka refuses a setting: {error.args[0].str()}",
            "correct the ORCHESTRATION_KAFKA_… variable, or the file of ORCHESTRATION_KAFKA_CONFIG, that sets it",
        ) from None


def is_refusing(error: KafkaError) -> bool:
    """True if the broker answers, but not to us: credentials or permissions."""
    return error.code() in _REFUSING


def refusal_error(server: str, error: KafkaError) -> BrokerError:
    """The error for a broker that answers, but not to us."""
    return BrokerError(
        f"Kafka at {server} refuses us: {error.str()}",
        "correct the ORCHESTRATION_KAFKA_… settings of security, or the permissions there",
    )


def says_away(error: KafkaError) -> bool:
    """True if no broker can be used: a single one that is down among several is librdkafka's affair."""
    return error.code() == KafkaError._ALL_BROKERS_DOWN or is_refusing(error)


def says_no_topic(error: KafkaError) -> bool:
    """True if the broker knows no such topic (any more)."""
    return error.code() in _NO_TOPIC


class Broker:
    """Questions about one topic. Raises KafkaAwayError, TopicMissingError or BrokerError."""

    def __init__(self, properties: Properties, topic: str, outage: Outage) -> None:
        self._server = properties["bootstrap.servers"]
        self._topic = topic
        self._outage = outage
        self._refusal: KafkaError | None = None
        self._admin = make(AdminClient, properties, self._on_error)
        self._asked: dict[int, Future[Any]] = {}
        self._asked_at: datetime | None = None
        self._asked_beyond: Mapping[int, int] = {}
        self._asked_identity: tuple[Future[Any], Future[Any]] | None = None

    def topic(self) -> Topic:
        """The topic as it is now."""
        futures = self._ask_identity()
        return self._identity(*futures)

    def offsets(self, partitions: Sequence[int], begin: str) -> dict[int, int]:
        """The first (`begin` earliest) or the next offset (latest), by partition."""
        futures = self._ask_offsets(partitions, _FIRST if begin == "earliest" else _NEXT)
        return {partition: self._result(future).offset for partition, future in futures.items()}

    def ask(self, stored: Mapping[int, int], *, at: datetime, identity: bool) -> None:
        """Ask for the ends of partitions, and with `identity` what the topic is; `answer` has them later.

        `stored`: the offset stored of each; `at`: an instant that has gone by in the database.
        """
        self._admin.poll(0)
        if stored and not self._asked:
            self._asked = self._ask_offsets(list(stored), _NEXT, IsolationLevel.READ_UNCOMMITTED)
            self._asked_at, self._asked_beyond = at, stored
        if identity and self._asked_identity is None:
            self._asked_identity = self._ask_identity()

    def answer(self) -> Ends:
        """The ends asked for; none where they are not in yet.

        The end of an open transaction counts, whose messages cannot be read yet: they may have been produced before
        any instant. An end before what had been stored is of another incarnation of the topic and says nothing.
        """
        if not self._asked or not all(future.done() for future in self._asked.values()):
            return Ends()
        asked, self._asked = self._asked, {}
        try:
            ends = {partition: int(future.result().offset) for partition, future in asked.items()}
        except KafkaException as error:
            self._outage.failed(error.args[0].str())
            return Ends()
        self._outage.over()
        return Ends(self._asked_at, {p: end for p, end in ends.items() if end >= self._asked_beyond[p]})

    def identity(self) -> Topic | None:
        """The topic as it was after `ask`; None where the answer is not in. Raises TopicMissingError."""
        if self._asked_identity is None or not all(future.done() for future in self._asked_identity):
            return None
        futures, self._asked_identity = self._asked_identity, None
        try:
            return self._identity(*futures)
        except (KafkaAwayError, BrokerError) as error:
            self._outage.failed(str(error))
            return None

    # -- helpers ------------------------------------------------------------------------------------

    def _ask_identity(self) -> tuple[Future[Any], Future[Any]]:
        described = self._admin.describe_topics(TopicCollection([self._topic]), request_timeout=_TIMEOUT)
        return described[self._topic], self._admin.describe_cluster(request_timeout=_TIMEOUT)

    def _identity(self, described: Future[Any], cluster: Future[Any]) -> Topic:
        topic = self._result(described)
        cluster_id = self._result(cluster).cluster_id
        partitions = tuple(sorted(partition.id for partition in topic.partitions))
        return Topic(self._topic, str(cluster_id), str(topic.topic_id), partitions)

    def _ask_offsets(
        self,
        partitions: Sequence[int],
        spec: OffsetSpec,
        isolation: IsolationLevel = IsolationLevel.READ_COMMITTED,
    ) -> dict[int, Future[Any]]:
        asked = self._admin.list_offsets(
            {TopicPartition(self._topic, partition): spec for partition in partitions},
            isolation_level=isolation,
            request_timeout=_TIMEOUT,
        )
        return {where.partition: future for where, future in asked.items()}

    def _result(self, future: Future[Any]) -> Any:
        try:
            answer = future.result(timeout=_TIMEOUT + 1)
        except TimeoutError:
            self._admin.poll(0)
            raise KafkaAwayError("no answer") from None
        except KafkaException as error:
            self._admin.poll(0)
            self._raise(error.args[0])
        self._outage.over()
        self._refusal = None
        return answer

    def _raise(self, error: KafkaError) -> None:
        if says_no_topic(error):
            raise TopicMissingError(self._topic, self._server) from None
        refusal = error if is_refusing(error) else self._refusal
        if refusal is not None:
            raise refusal_error(self._server, refusal) from None
        raise KafkaAwayError(error.str()) from None

    def _on_error(self, error: KafkaError) -> None:
        if is_refusing(error):
            self._refusal = error
        if says_away(error):
            self._outage.failed(error.str())
