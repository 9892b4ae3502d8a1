"""Where to read on: partitions claimed in the database, and what an operator said where no offset can be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .database import Database, RefusedError
from .errors import OffsetsError, Verdict
from .log import logger
from .settings import EVENTS_TOPIC

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .kafka import Broker, Topic

log = logger("claims")

REMEDY = "say where to go on: orchestration bridge --from earliest, or --from latest"

Positions = dict[int, tuple[int, int]]
"""Next offset and epoch, by partition."""


class Claims:
    """Claims partitions. `begin`, earliest or latest, answers OR701 to OR704, until the first claim has succeeded.

    Raises KafkaAwayError, TopicMissingError or BrokerError for the broker, RefusedError for the database.
    """

    def __init__(self, broker: Broker, database: Database, begin: str | None) -> None:
        self._broker = broker
        self._database = database
        self._begin = begin
        self.ever = False
        """Whether a claim has succeeded."""

    def claim(self, topic: Topic, granted: Sequence[int], instance: int) -> Positions | None:
        """Fence whoever held `granted`. None while another bridge has to begin first: ask again soon."""
        try:
            positions = self._claim(topic, granted, instance)
        except RefusedError as refused:
            if refused.verdict is not Verdict.OPERATOR or self._begin is None:
                raise
            if topic.partitions[0] not in granted:
                return None  # who was granted the first partition begins for all, so that it happens once
            self._seed(topic, topic.partitions, because=refused.code)
            positions = self._claim(topic, granted, instance)
        if self._begin is not None:
            gone = self._gone({partition: offset for partition, (offset, _) in positions.items()})
            if gone:
                self._seed(topic, gone, because="OR704")
                positions = self._claim(topic, granted, instance)
        self._begin = None
        self.ever = True
        return positions

    def explain_gone(self, partition: int, stored: int, instance: int) -> None:
        """The log does not hold `stored`: RefusedError where the topic is another one, else OffsetsError (OR704).

        Returns where the offset is good after all: claim and read again.
        """
        self._claim(self._broker.topic(), [partition], instance)
        if self._gone({partition: stored}):
            first = self._broker.offsets([partition], "earliest")[partition]
            end = self._broker.offsets([partition], "latest")[partition]
            raise OffsetsError(
                "OR704",
                f"the stored offset {stored} of partition {partition} of topic {EVENTS_TOPIC} is gone from the log, "
                f"which holds {first} to {end}",
                REMEDY,
            )

    def _claim(self, topic: Topic, partitions: Sequence[int], instance: int) -> Positions:
        rows = self._database.claim_partitions(
            instance, EVENTS_TOPIC, topic.cluster_id, topic.topic_id, partitions
        )
        return {partition: (offset, epoch) for partition, offset, epoch in rows}

    def _seed(self, topic: Topic, partitions: Sequence[int], *, because: str) -> None:
        assert self._begin is not None
        offsets = self._broker.offsets(partitions, self._begin)
        self._database.seed_offsets(EVENTS_TOPIC, topic.cluster_id, topic.topic_id, offsets)
        log.warning("offsets_seeded", because=because, begin=self._begin, offsets=offsets)

    def _gone(self, stored: Mapping[int, int]) -> list[int]:
        """The partitions whose log does not hold the stored offset."""
        first = self._broker.offsets(list(stored), "earliest")
        end = self._broker.offsets(list(stored), "latest")
        return [
            partition
            for partition, offset in stored.items()
            if not first[partition] <= offset <= end[partition]
        ]
