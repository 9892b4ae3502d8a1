"""Batches into the database: each with its offsets in one transaction, its dispatches sent, none lost by an error.

What an error means is `errors.judge`'s word. A batch that the database refuses is cut in halves until the guilty
message stands alone; that one becomes a dead letter, together with its offset.
"""

from __future__ import annotations

import random
import time
from collections import deque
from typing import TYPE_CHECKING

from .batch import Batch
from .database import Claim, Database, RefusedError
from .errors import Verdict
from .failpoints import reach
from .log import logger

if TYPE_CHECKING:
    from .consumer import Member
    from .producer import Producer

log = logger("intake")

_PATIENCE = 10.0
_LONG_PATIENCE = 60.0
_BLAMED_IN_A_ROW = 3
_RETRIES_BEFORE_SPLIT = 3


class Suspicion:
    """Errors that a broken deployment explains as well as one bad message: when may a message be blamed?

    Not before waiting has not helped. And where message after message would be blamed with none passing in between,
    it is the database after all: then one a minute, so that neither blocks nor floods.
    """

    def __init__(self) -> None:
        self._since: float | None = None
        self._blamed = 0

    @property
    def patience(self) -> float:
        """Seconds to wait before the next message is blamed."""
        return _PATIENCE if self._blamed < _BLAMED_IN_A_ROW else _LONG_PATIENCE

    def begin(self) -> bool:
        """Such an error came; True if it is the first for a while."""
        now = time.monotonic()
        fresh = self._since is None or now - self._since > self.patience + _LONG_PATIENCE
        if fresh:
            self._since = now
        return fresh

    def ripe(self) -> bool:
        """Whether waiting has not helped."""
        return self._since is not None and time.monotonic() - self._since >= self.patience

    def wait_again(self) -> None:
        """Nothing at all passes: it is the database."""
        self._since = time.monotonic()

    def blamed(self) -> None:
        """A message became a dead letter."""
        self._blamed += 1
        if self._blamed >= _BLAMED_IN_A_ROW:
            self.wait_again()

    def passed(self) -> None:
        """A message was applied."""
        self._blamed = 0


class Intake:
    """The batches read and not yet applied, in order; at most a few, as nothing is read while one waits."""

    def __init__(self, database: Database, producer: Producer, topic: str) -> None:
        self._database = database
        self._producer = producer
        self._topic = topic
        self._queue: deque[Batch] = deque()
        self._retries = 0
        self._not_before = 0.0
        self._suspicion = Suspicion()
        self.applied = 0
        """Messages applied or set aside, ever."""

    @property
    def waiting(self) -> bool:
        """Whether a batch is there to be applied."""
        return bool(self._queue)

    @property
    def pause(self) -> float:
        """Seconds to wait before the next attempt."""
        return max(0.0, self._not_before - time.monotonic())

    def add(self, batch: Batch) -> None:
        self._queue.append(batch)

    def drop(self) -> None:
        """Forget every batch: the partitions were taken away, or are read again from the stored offsets."""
        self._queue.clear()
        self._retries = 0
        self._not_before = 0.0

    def apply(self, instance: int, member: Member) -> None:
        """Apply the first batch. Raises RefusedError for what is not its fault: AWAY, FENCED, STOPPED and so on.

        After RETRY, and while the database itself is suspected, the batch stays and `pause` says for how long.
        """
        batch = self._queue[0]
        try:
            self._ingest(instance, member, batch)
        except RefusedError as refused:
            self._sort(instance, member, batch, refused)
        else:
            self._suspicion.passed()
            self._done(batch)

    def _ingest(self, instance: int, member: Member, batch: Batch) -> None:
        ends = batch.ends()
        claims: list[Claim] = [(p, member.held[p].stored, member.held[p].epoch) for p in ends]
        confirmed = self._producer.take_delivered()
        reach("before_ingest")
        if confirmed:
            reach("before_confirm")
        try:
            dispatches = self._database.ingest(
                instance, self._topic, batch, claims, list(ends.values()), confirmed
            )
        except BaseException:
            self._producer.put_back(confirmed)
            raise
        reach("after_commit")
        if confirmed:
            reach("after_confirm")
        for partition, end in ends.items():
            member.held[partition].stored = end
        if dispatches:
            reach("before_produce")
            self._producer.send(dispatches)
            reach("after_produce")

    def _sort(self, instance: int, member: Member, batch: Batch, refused: RefusedError) -> None:
        if refused.verdict is Verdict.RETRY:
            self._retry(batch, refused)
        elif refused.verdict is Verdict.GUILTY or (
            refused.verdict is Verdict.SUSPECT and self._blame(instance, member, batch, refused)
        ):
            self._divide(instance, member, batch, refused)
        elif refused.verdict is not Verdict.SUSPECT:
            raise refused

    def _retry(self, batch: Batch, refused: RefusedError) -> None:
        """Deadlock, time-out and the like: again at once, with jitter; in halves where that does not help."""
        self._retries += 1
        self._not_before = time.monotonic() + random.uniform(0.002, 0.05) * min(self._retries, 20)
        log.info(
            "batch_retried",
            attempt=self._retries,
            messages=len(batch),
            code=refused.code,
            error=refused.message,
        )
        if self._retries % _RETRIES_BEFORE_SPLIT == 0 and len(batch) > 1:
            self._queue.popleft()
            self._queue.extendleft(reversed(batch.halves()))

    def _divide(self, instance: int, member: Member, batch: Batch, refused: RefusedError) -> None:
        if len(batch) > 1:
            log.info("batch_divided", messages=len(batch), code=refused.code, error=refused.message)
            self._queue.popleft()
            self._queue.extendleft(reversed(batch.halves()))
            return
        partition, offset = batch.partitions[0], batch.offsets[0]
        held = member.held[partition]
        claim = (partition, held.stored, held.epoch)
        reach("before_quarantine")
        self._database.quarantine(
            instance, self._topic, batch, claim, offset + 1, refused.code, refused.message
        )
        reach("after_quarantine")
        held.stored = offset + 1
        if refused.verdict is Verdict.SUSPECT:
            self._suspicion.blamed()
        log.warning("quarantined", topic=self._topic, partition=partition, offset=offset, code=refused.code,
                    error=refused.message)  # fmt: skip
        self._done(batch)

    def _blame(self, instance: int, member: Member, batch: Batch, refused: RefusedError) -> bool:
        """True once the batch may be cut, and its last message blamed, for an error of the SUSPECT kind."""
        if self._suspicion.begin():
            log.warning(
                "database_suspected",
                code=refused.code,
                error=refused.message,
                remedy="orchestration db apply; where that does not help a message is blamed",
            )
        if not self._suspicion.ripe():
            self._not_before = time.monotonic() + 0.5
            return False
        claims: list[Claim] = [(p, member.held[p].stored, member.held[p].epoch) for p in batch.ends()]
        try:
            self._database.ingest(instance, self._topic, Batch(), claims, [claim[1] for claim in claims], [])
        except RefusedError as again:
            if again.verdict not in (Verdict.SUSPECT, Verdict.GUILTY):
                raise
            self._suspicion.wait_again()
            self._not_before = time.monotonic() + 1.0
            log.warning(
                "database_suspected", code=again.code, error=again.message, remedy="orchestration db apply"
            )
            return False
        return True

    def _done(self, batch: Batch) -> None:
        self._queue.popleft()
        self._retries = 0
        self._not_before = 0.0
        self.applied += len(batch)
