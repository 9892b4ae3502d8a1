"""What ends the listener, or keeps the plugin quiet: each names the thing and the remedy."""

from __future__ import annotations

__all__ = ["KafkaAwayError", "KafkaRefusedError", "ListenerError", "SettingsError", "TransientError"]


class ListenerError(Exception):
    """One line: the thing, then the remedy."""

    def __init__(self, thing: str, remedy: str) -> None:
        super().__init__(f"{thing}: {remedy}")
        self.thing = thing
        self.remedy = remedy


class SettingsError(ListenerError):
    """A setting is missing, malformed or not allowed."""


class KafkaRefusedError(ListenerError):
    """Kafka answers, but not to us, or librdkafka refuses a property."""


class TransientError(Exception):
    """Airflow does not answer, or not as it should: the same again later. `answered`: it answered with an error."""

    def __init__(self, reason: str, *, answered: bool = False) -> None:
        super().__init__(reason)
        self.answered = answered


class KafkaAwayError(TransientError):
    """The brokers did not take our events."""
