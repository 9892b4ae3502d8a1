"""The consume loop of the listener task: dispatches in, DAG runs made, answers out, offsets last.

Every message of a batch has its DAG run, or its refusal, and the answer of each is on the brokers before the batch's
offsets are committed. Whatever fails in between is done again from the log: a run that is there already counts as made
if it is ours, and an answer sent twice is one event.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timezone

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from . import events
from .errors import KafkaAwayError, KafkaRefusedError, ListenerError, TransientError
from .log import Outage, logger
from .messages import Junk, Refusal, Request, is_ours, parse
from .outbox import Outbox, make
from .settings import Settings
from .trigger import Airflow, Existing, Rejected

__all__ = ["Counts", "Listener"]

_POLL = 0.2
_BACK_OFF = (0.5, 5.0)
_TRIES = 3
"""Times Airflow may answer a message with an error of its own, while it answers others, until it is refused."""
_PATIENCE = 300.0
"""Seconds Airflow may be away until the task ends: the next one has a new supervisor, with new credentials."""
_PAUSED_FOR = 2.0
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

log = logger("listener")


@dataclass
class Counts:
    """What a listener did: the task's own result."""

    accepted: int = 0
    repeated: int = 0
    refused: int = 0
    unreadable: int = 0

    def words(self) -> dict[str, int]:
        return asdict(self)


class Listener:
    """One member of the group. `run` returns after its lifetime, or once `stop` is set."""

    def __init__(
        self,
        settings: Settings,
        airflow: Airflow,
        stop: threading.Event | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._airflow = airflow
        self._stop = stop or threading.Event()
        self._clock = clock
        self.counts = Counts()
        self._paused: dict[str, tuple[float, bool]] = {}
        self._answered: dict[tuple[int, int], int] = {}
        self._back_off = 0.0
        self._stuck = False
        self._refusal: KafkaError | None = None
        server = settings.kafka["bootstrap.servers"]
        self._kafka_away = Outage(log, f"Kafka at {server}")
        self._airflow_away = Outage(log, "Airflow's API")
        self._outbox = Outbox(settings.producer(), log)
        self._consumer = make(Consumer, settings.consumer(), self._on_error, log)

    def run(self) -> Counts:
        """Raises ListenerError where waiting does not help."""
        until = self._clock() + self._settings.lifetime
        try:
            self._join()
            while not self._stop.is_set() and self._clock() < until:
                messages = self._consumer.consume(self._settings.batch, timeout=_POLL)
                if self._refusal is not None:
                    raise KafkaRefusedError(
                        f"Kafka refuses us: {self._refusal.str()}",
                        "correct the ORCHESTRATION_KAFKA_… settings of security, or the permissions there",
                    )
                batch = [each for each in messages if self._is_message(each)]
                if batch and not self._batch(batch):
                    self._wait()
                elif self._stuck:
                    self._wait()
                    self._leave()
                    self._consumer = make(Consumer, self._settings.consumer(), self._on_error, log)
                    self._join()
        finally:
            self._outbox.close()
            self._leave()
        return self.counts

    def _join(self) -> None:
        self._stuck = False
        self._consumer.subscribe([self._settings.topic], on_assign=self._on_assign, on_revoke=self._on_revoke)

    def _leave(self) -> None:
        with suppress(KafkaException, RuntimeError):
            self._consumer.close()

    def _wait(self) -> None:
        self._back_off = min(_BACK_OFF[1], max(_BACK_OFF[0], self._back_off * 2))
        self._stop.wait(self._back_off)

    # -- a batch ----------------------------------------------------------------------------------------

    def _batch(self, messages: list[Message]) -> bool:
        """Take in a batch as far as it goes; False: something is away, and the rest will be read again."""
        done: dict[int, int] = {}
        problem = self._take_all(messages, done)
        if not self._settle(done):
            done = {}
        elif problem is None:
            self._back_off = 0.0
            return True
        self._rewind(messages, done)
        if self._airflow_away.seconds > _PATIENCE:
            raise ListenerError(
                f"Airflow's API is away for {self._airflow_away.seconds:.0f} s: {problem}",
                "the next listener goes on where this one was",
            )
        return False

    def _take_all(self, messages: list[Message], done: dict[int, int]) -> TransientError | None:
        """Take them one by one, noting in `done` how far each partition is; what stopped it."""
        for message in messages:
            partition, offset = _place(message)
            try:
                self._take(message)
            except KafkaAwayError as error:
                self._kafka_away.failed(str(error))
                return error
            except TransientError as error:
                self._airflow_away.failed(str(error))
                return error
            self._answered.pop((partition, offset), None)
            done[partition] = offset + 1
        return None

    def _settle(self, done: dict[int, int]) -> bool:
        """Answers on the brokers, then offsets. False: the brokers did not take the answers."""
        try:
            self._outbox.flush()
        except TransientError as error:
            self._kafka_away.failed(str(error))
            return False
        self._kafka_away.over()
        if done:
            places = [TopicPartition(self._settings.topic, p, offset) for p, offset in done.items()]
            try:
                self._consumer.commit(offsets=places, asynchronous=False)
            except KafkaException as error:  # another member has the partition, and does it again
                log.warning("offsets were not committed: %s", error.args[0].str())
        return True

    def _rewind(self, messages: list[Message], done: dict[int, int]) -> None:
        """Read again, from each partition, what was not done."""
        first: dict[int, int] = {}
        for message in messages:
            partition, offset = _place(message)
            if offset >= done.get(partition, 0):
                first.setdefault(partition, offset)
        for partition, offset in first.items():
            with suppress(KafkaException):  # it is another member's by now
                self._consumer.seek(TopicPartition(self._settings.topic, partition, offset))

    # -- a message --------------------------------------------------------------------------------------

    def _take(self, message: Message) -> None:
        """Do it and send the answer. Raises TransientError: nothing was said, do it again."""
        value = message.value()
        found = parse(value, self._settings.service)
        now = datetime.now(timezone.utc)
        if isinstance(found, Junk):
            place = (self._settings.topic, *_place(message))
            log.error("no dispatch at %s/%s/%s: %s", *place, found.reason)
            self.counts.unreadable += 1
            self._outbox.send(
                events.unreadable(found, self._settings.service, place, message.key(), value, now)
            )
        elif isinstance(found, Refusal):
            self._refuse(found, found.reason, now)
        else:
            reason = self._try_to_create(found, _place(message))
            if reason is not None:
                self._refuse(found, reason, now)
            else:
                self._outbox.send(events.accepted(found, self._waits_for(found.dag_id), now))

    def _try_to_create(self, request: Request, place: tuple[int, int]) -> str | None:
        """As `_create`; a request that Airflow alone cannot stand is given up."""
        try:
            reason = self._create(request)
        except TransientError as error:
            if not error.answered:
                raise
            self._answered[place] = self._answered.get(place, 0) + 1
            if self._answered[place] < _TRIES:
                raise
            self._airflow.is_paused(request.dag_id)  # raises where Airflow answers nothing else either
            return f"Airflow answers with an error of its own, {_TRIES} times: {error}"
        self._airflow_away.over()
        return reason

    def _create(self, request: Request) -> str | None:
        """Make the run; else why there will be none."""
        outcome = self._airflow.create(request)
        if isinstance(outcome, Rejected):
            return outcome.reason
        if isinstance(outcome, Existing):
            if is_ours(request.run_id, outcome.conf) is None:
                return (
                    f"DAG {request.dag_id} has a run {request.run_id} already, which was not made for this task run: "
                    "its conf does not name it"
                )
            self.counts.repeated += 1
            log.info("repeated: DAG %s, run %s is there", request.dag_id, request.run_id)
        else:
            self.counts.accepted += 1
            log.info("made: DAG %s, run %s", request.dag_id, request.run_id)
        return None

    def _refuse(self, what: Request | Refusal, reason: str, now: datetime) -> None:
        event = events.refused(what, reason, now)
        log.error("refused: task run %s: %s", what.task_run_id, event.body["detail"])
        self.counts.refused += 1
        self._outbox.send(event)

    def _waits_for(self, dag_id: str) -> str | None:
        """What the orchestrator's `explain` shows of a run that does not begin."""
        at, paused = self._paused.get(dag_id, (-_PAUSED_FOR, False))
        if self._clock() - at >= _PAUSED_FOR:
            try:
                paused = self._airflow.is_paused(dag_id)
            except TransientError as error:  # the run is made; only the word is missing
                log.warning("whether DAG %s is paused is not known: %s", dag_id, error)
                return None
            self._paused[dag_id] = (self._clock(), paused)
        return "DAG is paused" if paused else None

    # -- Kafka ------------------------------------------------------------------------------------------

    def _is_message(self, message: Message) -> bool:
        error = message.error()
        if error is None:
            self._kafka_away.over()
            return True
        self._on_error(error)
        # librdkafka reads no further from a partition that has failed, as one of a topic that was made anew has
        self._stuck |= message.partition() is not None and error.code() != KafkaError._PARTITION_EOF
        return False

    def _on_error(self, error: KafkaError) -> None:
        if error.code() in _REFUSING:
            self._refusal = error
        elif error.code() != KafkaError._PARTITION_EOF:
            self._kafka_away.failed(error.str())

    def _on_assign(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        log.info(
            "listening to %s, partitions %s", self._settings.topic, sorted(p.partition for p in partitions)
        )

    def _on_revoke(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        log.info("gave up partitions %s", sorted(p.partition for p in partitions))


def _place(message: Message) -> tuple[int, int]:
    partition, offset = message.partition(), message.offset()
    assert partition is not None
    assert offset is not None
    return partition, offset


def _longer(waited: float) -> float:
    return min(_BACK_OFF[1], max(_BACK_OFF[0], waited * 2))
