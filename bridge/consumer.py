"""One membership of the consumer group.

Offsets never come from Kafka. What the group grants is not read before it was claimed in the database: the rebalance
callbacks only note what happened (an exception in one would make confluent-kafka fall back to Kafka's offsets), the
bridge claims between two polls and then calls `read_from`. Assignments are eager: a rebalance takes everything first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import confluent_kafka
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from .batch import Batch
from .kafka import is_refusing, make, says_away, says_no_topic
from .log import Outage, logger

if TYPE_CHECKING:
    from .settings import Settings

log = logger("consumer")

_CHUNK = 500


class OffsetGoneError(Exception):
    """The log does not hold the offset a partition was to be read from."""

    def __init__(self, partition: int) -> None:
        super().__init__(partition)
        self.partition = partition


class RejoinError(Exception):
    """This membership is of no use any more; the text says why."""


@dataclass(slots=True)
class Held:
    """A claimed partition: the epoch we hold it under and how far we are.

    `stored`: the offset last stored in the database; `fetched`: the offset after the last message read;
    `end`: an end of the log that was reached when all before `end_after` had been fetched.
    """

    epoch: int
    stored: int
    fetched: int
    end: int = -1
    end_after: int = -1

    def target(self, end: int | None) -> int | None:
        """What must be stored for all before `end` to be applied; transaction markers at the end do not count."""
        return self.end_after if end is not None and self.end_after <= end <= self.end else end

    def behind(self, end: int | None) -> int | None:
        """Messages not yet applied when the log ends at `end`; transaction markers at the end do not count."""
        if end is None:
            return None
        reached = max(self.stored, self.end) if self.stored >= self.end_after else self.stored
        return max(0, end - reached)


class Member:
    """A consumer in the group. One thread only."""

    def __init__(self, settings: Settings, topic: str, outage: Outage) -> None:
        self._topic = topic
        self._outage = outage
        self._consumer: confluent_kafka.Consumer = make(
            confluent_kafka.Consumer, settings.consumer(), self._on_error
        )
        self._carry: list[confluent_kafka.Message] = []
        self._paused = False
        self.granted: tuple[int, ...] = ()
        """What the group gave us."""
        self.unclaimed = False
        """It has to be claimed before it can be read."""
        self.held: dict[int, Held] = {}
        self.changes = 0
        """How often what we hold was taken away: messages read before are not ours to apply any more."""
        self.topic_in_doubt = False
        """The broker said something that a missing or re-created topic would explain."""
        self.refusal: KafkaError | None = None
        """The broker refuses us: permissions."""
        self._consumer.subscribe(
            [topic], on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_revoke
        )

    def collect(self, seconds: float, limit: int, limit_bytes: int) -> Batch | None:
        """The next messages, waiting at most so long for the first; None if there is none.

        Raises OffsetGoneError or RejoinError.
        """
        batch = Batch()
        size = 0
        messages = self._carry
        self._carry = []
        if not messages:
            first = self._consumer.poll(seconds)
            if first is None:
                return None
            messages = [first]
        changes = self.changes
        while True:
            for at, message in enumerate(messages):
                if len(batch) >= limit or size >= limit_bytes:
                    self._carry = messages[at:]
                    return batch
                size += self._add(batch, message)
            if len(batch) >= limit or size >= limit_bytes:
                return batch
            messages = self._consumer.consume(min(_CHUNK, limit - len(batch)), 0)
            if changes != self.changes:  # taken away in this very call: drop what was read before it
                return None
            if not messages:
                return batch if len(batch) else None

    def serve(self, seconds: float) -> None:
        """Stay in the group without taking anything in. Raises OffsetGoneError or RejoinError."""
        message = self._consumer.poll(seconds)
        if message is not None:
            if message.error() is not None:
                self._add(Batch(), message)
            else:
                self._carry.append(message)

    def read_from(self, claims: Mapping[int, tuple[int, int]]) -> None:
        """Read these partitions, by (next offset, epoch), and nothing else; whatever was read before is dropped."""
        self.forget()
        self._consumer.assign([TopicPartition(self._topic, p, offset) for p, (offset, _) in claims.items()])
        self.held = {p: Held(epoch, offset, offset) for p, (offset, epoch) in claims.items()}
        self.unclaimed = False
        if self._paused:
            self._paused = False
            self.pause(True)

    def claim_anew(self) -> None:
        """What we hold must be claimed again; nothing read so far counts."""
        self.forget()
        self.unclaimed = bool(self.granted)

    def forget(self) -> None:
        """Hold nothing."""
        self.held = {}
        self._carry = []
        self.changes += 1

    def pause(self, on: bool) -> None:
        """Fetch nothing while on; the membership stays."""
        if on != self._paused:
            self._paused = on
            where = [TopicPartition(self._topic, partition) for partition in self.held]
            if where:
                (self._consumer.pause if on else self._consumer.resume)(where)

    def commit(self) -> None:
        """Tell Kafka how far we are, for those who watch lag there. Nobody reads it back."""
        offsets = [TopicPartition(self._topic, p, held.stored) for p, held in self.held.items()]
        if offsets:
            try:
                self._consumer.commit(offsets=offsets, asynchronous=True)
            except KafkaException as error:
                log.debug("commit_failed", error=error.args[0].str())

    def close(self) -> None:
        """Leave the group."""
        self.forget()
        self.granted = ()
        self._consumer.close()

    # -- helpers ------------------------------------------------------------------------------------

    def _add(self, batch: Batch, message: confluent_kafka.Message) -> int:
        """Put a message into the batch if it is ours to apply; its bytes."""
        error = message.error()
        partition = message.partition()
        offset = message.offset()
        held = self.held.get(partition) if partition is not None else None
        if error is not None:
            self._sort(error, partition, offset, held)
            return 0
        if held is None or partition is None or offset is None or offset < held.fetched:
            return 0
        held.fetched = offset + 1
        key = message.key()
        value = message.value()
        batch.partitions.append(partition)
        batch.offsets.append(offset)
        batch.keys.append(key)
        batch.payloads.append(value)
        return len(value or b"") + len(key or b"")

    def _sort(self, error: KafkaError, partition: int | None, offset: int | None, held: Held | None) -> None:
        code = error.code()
        if code == KafkaError._PARTITION_EOF:
            if held is not None and offset is not None:
                held.end, held.end_after = offset, held.fetched
        elif code in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
            if held is not None and partition is not None:
                raise OffsetGoneError(partition)
        elif error.fatal() or code == KafkaError._FATAL:
            raise RejoinError(error.str())
        elif says_no_topic(error):
            self.topic_in_doubt = True
        elif is_refusing(error):
            self.refusal = error
            self._outage.failed(error.str())
        else:
            log.info("consumer_message", code=error.name(), message=error.str())

    def _on_assign(self, consumer: confluent_kafka.Consumer, partitions: list[TopicPartition]) -> None:
        try:
            self.forget()
            self.granted = tuple(sorted(where.partition for where in partitions))
            self.unclaimed = bool(self.granted)
            self.refusal = None
            consumer.assign([])  # nothing is read before it is claimed, and never from an offset Kafka chose
        except Exception:  # never let it out: confluent-kafka would assign by itself
            log.crash("on_assign_failed")

    def _on_revoke(self, _consumer: confluent_kafka.Consumer, partitions: list[TopicPartition]) -> None:
        self.forget()
        self.granted = ()
        self.unclaimed = False
        if partitions:
            log.info("revoked", partitions=sorted(where.partition for where in partitions))

    def _on_error(self, error: KafkaError) -> None:
        if is_refusing(error):
            self.refusal = error
        if says_away(error):
            self._outage.failed(error.str())
