"""Dispatches on their way out: produced, and nothing forgotten before its delivery report came.

Two librdkafka producers, idempotent and acks=all: one sends at once, for a few dispatches; one waits some milliseconds
so that large batches travel together. One `Producer` serves all threads.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import confluent_kafka
from confluent_kafka import KafkaError, KafkaException

from .errors import Delivery, judge_delivery
from .kafka import make, says_away
from .log import Outage, logger

if TYPE_CHECKING:
    from .database import Dispatch
    from .settings import Settings

log = logger("producer")

_FEW = 16
_LINGER_MS = 5
_FULL_QUEUE_PATIENCE = 1.0
_PARKED_AT_FIRST = 1.0
_PARKED_AT_MOST = 16.0


@dataclass
class _Lot:
    """A topic that takes nothing: dispatches held back, still claimed, until `until` (monotonic seconds)."""

    outage: Outage
    until: float = 0.0
    pause: float = _PARKED_AT_FIRST / 2
    ids: list[int] = field(default_factory=list)


class Producer:
    """Sends dispatches and collects what became of them, by task run id."""

    def __init__(self, settings: Settings, outage: Outage) -> None:
        self._settings = settings
        self._outage = outage
        self._handles = [self._make(0), self._make(_LINGER_MS)]
        self._replaced: list[confluent_kafka.Producer] = []
        self._delivered: deque[int] = deque()
        self._failed: deque[tuple[int, str, KafkaError]] = deque()
        self._refused: list[int] = []
        self._lots: dict[str, _Lot] = {}
        self._names: dict[bytes, str] = {}
        self._lock = threading.Lock()
        self._sent = 0
        self._settled = 0

    @property
    def outstanding(self) -> int:
        """Dispatches whose delivery report has not come in yet."""
        return self._sent - self._settled - len(self._delivered) - len(self._failed)

    @property
    def has_delivered(self) -> bool:
        """Whether `take_delivered` would answer something."""
        return bool(self._delivered)

    @property
    def parked(self) -> int:
        """Dispatches held back because their topic takes nothing."""
        return sum(len(lot.ids) for lot in list(self._lots.values()))

    def send(self, dispatches: Sequence[Dispatch]) -> None:
        """Hand them to librdkafka; what it does not take within a second comes back by `take_refused`."""
        if not dispatches:
            return
        with self._lock:
            self._sent += len(dispatches)
        few = len(dispatches) <= _FEW
        produce = self._handles[0 if few else 1].produce
        report = self._report
        patience = 0.0
        for task_run_id, topic, key, value in dispatches:
            name = self._names.get(topic) or self._name(topic)
            lot = self._lots.get(name) if self._lots else None
            if lot is not None and lot.until > time.monotonic():
                self._settle_parked(task_run_id, name)
                continue
            try:
                produce(name, value, key, -1, partial(report, task_run_id))
            except BufferError:
                patience = patience or time.monotonic() + _FULL_QUEUE_PATIENCE
                self._insist(name, value, key, task_run_id, few, patience)
            except KafkaException as error:
                self._failed.append((task_run_id, name, error.args[0]))

    def serve(self, seconds: float = 0.0) -> None:
        """Take in delivery reports; wait at most so long for one."""
        for handle in (*self._handles, *self._replaced):
            handle.poll(0)
        if seconds and self.outstanding > 0 and not self._delivered:
            self._handles[0 if len(self._handles[0]) else 1].poll(seconds)
        if self._failed:
            self._sort_failed()

    def take_delivered(self) -> list[int]:
        """The dispatches delivered since the last call: confirm them, or `put_back` what could not be confirmed."""
        count = len(self._delivered)
        if not count:
            return []
        with self._lock:
            ids = [self._delivered.popleft() for _ in range(min(count, len(self._delivered)))]
            self._settled += len(ids)
        return ids

    def put_back(self, ids: Sequence[int]) -> None:
        """Delivered, but the database could not be told."""
        with self._lock:
            self._delivered.extendleft(reversed(ids))
            self._settled -= len(ids)

    def take_refused(self) -> list[int]:
        """Dispatches to be released: not delivered, or parked long enough."""
        now = time.monotonic()
        with self._lock:
            ids, self._refused = self._refused, []
            for name in [name for name, lot in self._lots.items() if lot.until <= now]:
                ids += self._lots[name].ids
                self._lots[name].ids = []
        return ids

    def refuse_again(self, ids: Sequence[int]) -> None:
        """RefusedError, but the database could not be told."""
        with self._lock:
            self._refused.extend(ids)

    def forget_refused(self) -> None:
        """Others have what was refused and parked."""
        with self._lock:
            self._refused = []
            for lot in self._lots.values():
                lot.ids = []

    def flush(self, seconds: float) -> int:
        """Wait for all reports; how many are still missing."""
        end = time.monotonic() + seconds
        for handle in (*self._handles, *self._replaced):
            handle.flush(max(0.0, end - time.monotonic()))
        self.serve()
        return self.outstanding

    def close(self) -> None:
        """Forget what was not sent; call `flush` first."""
        for handle in (*self._handles, *self._replaced):
            handle.purge()
            handle.flush(1.0)

    # -- helpers ------------------------------------------------------------------------------------

    def _make(self, linger_ms: int) -> confluent_kafka.Producer:
        return make(confluent_kafka.Producer, self._settings.producer(linger_ms), self._on_error)

    def _name(self, topic: bytes) -> str:
        name = self._names[topic] = topic.decode()
        return name

    def _report(self, task_run_id: int, error: KafkaError | None, message: Any) -> None:
        if error is None:
            self._delivered.append(task_run_id)
            if self._lots:
                self._unpark(message.topic())
        else:
            self._failed.append((task_run_id, message.topic(), error))

    def _insist(self, name: str, value: bytes, key: bytes, task_run_id: int, few: bool, until: float) -> None:
        """The queue is full: wait for room until then (monotonic seconds)."""
        while time.monotonic() < until:
            handle = self._handles[0 if few else 1]
            handle.poll(0.01)
            try:
                handle.produce(name, value, key, -1, partial(self._report, task_run_id))
            except BufferError:
                continue
            return
        self._failed.append((task_run_id, name, KafkaError(KafkaError._QUEUE_FULL)))

    def _sort_failed(self) -> None:
        while self._failed:
            with self._lock:
                if not self._failed:
                    return
                task_run_id, name, error = self._failed.popleft()
            verdict = judge_delivery(error)
            if verdict is Delivery.FATAL:
                self._replace(error)
            if verdict is Delivery.PARK:
                self._park(name, error)
                self._settle_parked(task_run_id, name)
            else:
                with self._lock:
                    self._settled += 1
                    self._refused.append(task_run_id)

    def _park(self, name: str, error: KafkaError) -> None:
        with self._lock:
            lot = self._lots.get(name)
            if lot is None:
                lot = self._lots[name] = _Lot(Outage(log, f"topic {name} at {self._settings.server}"))
            now = time.monotonic()
            if lot.until <= now:
                lot.pause = min(_PARKED_AT_MOST, 2 * lot.pause)
                lot.until = now + lot.pause
        lot.outage.failed(error.str(), topic=name, remedy=_remedy(error))

    def _unpark(self, name: str) -> None:
        """The topic takes dispatches again."""
        with self._lock:
            lot = self._lots.pop(name, None)
            self._refused.extend(lot.ids if lot else ())
        if lot is not None:
            lot.outage.over()

    def _settle_parked(self, task_run_id: int, name: str) -> None:
        with self._lock:
            self._settled += 1
            lot = self._lots.get(name)
            (lot.ids if lot else self._refused).append(task_run_id)

    def _replace(self, error: KafkaError) -> None:
        """A fatal error: a producer of no use; its messages come back as refused."""
        log.error("producer_replaced", error=error.str())
        with self._lock:
            old, self._handles = self._handles, [self._make(0), self._make(_LINGER_MS)]
            self._replaced = [handle for handle in self._replaced if len(handle)] + old
        for handle in old:
            handle.purge()

    def _on_error(self, error: KafkaError) -> None:
        if says_away(error):
            self._outage.failed(error.str())


def _remedy(error: KafkaError) -> str:
    if error.code() in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC):
        return "make it by: orchestration topics create"
    if error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
        return "allow the bridge to write it"
    if error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
        return "raise max.message.bytes of the topic to 2097152"
    return "look at the brokers of this topic"
