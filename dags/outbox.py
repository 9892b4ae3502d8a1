"""Events to Kafka, waited for: what `flush` has answered is on the brokers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from confluent_kafka import KafkaError, KafkaException, Producer

from .errors import KafkaAwayError, KafkaRefusedError
from .settings import EVENTS_TOPIC

if TYPE_CHECKING:
    from .events import Event
    from .settings import Properties

__all__ = ["Outbox", "make"]

Client = TypeVar("Client")

_FLUSH = 20.0


class _Forward:
    """librdkafka's own log lines, which repeat themselves while a server is away: debug."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log

    def log(self, _level: int, words: str, *args: object) -> None:
        self._log.debug("librdkafka: %s", words % args if args else words)


def make(
    kind: Callable[..., Client],
    properties: Properties,
    on_error: Callable[[KafkaError], None],
    log: logging.Logger,
) -> Client:
    """A librdkafka client. Raises KafkaRefusedError for a property librdkafka does not know or cannot use."""

    def contained(error: KafkaError) -> None:
        try:
            on_error(error)
        except Exception:  # an exception in this callback would corrupt later ones
            log.exception("the error callback failed")

    options: dict[str, Any] = {**properties, "error_cb": contained, "logger": _Forward(log)}
    try:
        return kind(options)
    except KafkaException as error:
        raise KafkaRefusedError(
            f"librdkafka refuses a setting: {error.args[0].str()}",
            "correct the ORCHESTRATION_KAFKA_… variable, or the file of ORCHESTRATION_KAFKA_CONFIG, that sets it",
        ) from None


class Outbox:
    """Send, then flush. Not for two threads at once."""

    def __init__(self, properties: Properties, log: logging.Logger, topic: str = EVENTS_TOPIC) -> None:
        self._topic = topic
        self._failed: KafkaError | None = None
        self._producer = make(Producer, properties, lambda error: log.debug("Kafka: %s", error.str()), log)

    def send(self, event: Event) -> None:
        """Hand it to librdkafka. Raises KafkaAwayError: its queue stays full."""
        for _ in range(100):
            try:
                self._producer.produce(self._topic, event.value, event.key, on_delivery=self._delivered)
            except BufferError:
                self._producer.poll(0.1)
            else:
                return
        raise KafkaAwayError("Kafka takes no more events")

    def flush(self, seconds: float = _FLUSH) -> None:
        """Wait until all is on the brokers. Raises KafkaAwayError; then everything since the last flush is to be sent
        again, and sending it twice does no harm.
        """
        left = self._producer.flush(seconds)
        failed, self._failed = self._failed, None
        if left:
            self._producer.purge()
            self._producer.flush(1)
            self._failed = None
        if left or failed is not None:
            raise KafkaAwayError(f"Kafka did not take our events: {failed.str() if failed else 'no answer'}")

    def close(self) -> None:
        """Whatever was sent and not flushed is lost."""
        self._producer.purge()
        self._producer.flush(1)

    def _delivered(self, error: KafkaError | None, _message: object) -> None:
        if error is not None:
            self._failed = error
