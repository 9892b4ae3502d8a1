"""The bridge's main loop: register, join, claim, take in, heartbeat; and its way back from everything that fails.

The loop never blocks for long and never leaves the consumer group unpolled, so that a stopped service or a database
that is away costs no membership. Every step looks at what is missing (connection, registration, membership, claim)
and mends the first of these; what is missing is set by what was refused.
"""

from __future__ import annotations

import os
import random
import threading
import time
from typing import TYPE_CHECKING

from confluent_kafka import KafkaException

from .claims import Claims
from .consumer import Member, OffsetGoneError, RejoinError
from .database import Database, RefusedError
from .dispatcher import Dispatcher
from .errors import BrokerError, DeployError, OffsetsError, TopicMissingError, Verdict
from .failpoints import reach
from .intake import Intake
from .kafka import Broker, KafkaAwayError, Topic, refusal_error
from .log import Outage, logger
from .producer import Producer
from .reaper import Reaper
from .registration import Registration
from .settings import EVENTS_TOPIC

if TYPE_CHECKING:
    from .settings import Settings

log = logger("service")

_BEAT = 1.0
_SLOW = 5
_IDLE = 0.25
_UNASSIGNED = 0.03
_MAX_BACKOFF = 5.0
_MISSING_FOR = 5.0


class Bridge:
    """One bridge process. `run` returns after `stop` was set, or raises the DeployError that ends the program."""

    def __init__(self, settings: Settings, version: str, stop: threading.Event) -> None:
        self._settings = settings
        self._version = version
        self._stop = stop
        self._kafka_outage = Outage(log, f"Kafka at {settings.server}")
        self._database_outage = Outage(log, f"PostgreSQL at {settings.database.server}")
        self._broker = Broker(settings.admin(), EVENTS_TOPIC, self._kafka_outage)
        self._producer = Producer(settings, self._kafka_outage)
        self._database = Database(settings.database, "orchestration-bridge", self._database_outage)
        self._intake = Intake(self._database, self._producer, EVENTS_TOPIC)
        self._claims = Claims(self._broker, self._database, settings.begin)
        self._registration = Registration(self._database, self._producer, version)
        self._member: Member | None = None
        self._topic: Topic | None = None
        self._changes = 0
        self._started = True
        self._ever_connected = False
        self._topic_missing_since: float | None = None
        self._beats = 0
        self._beat_at = 0.0
        self._database_at = 0.0
        self._database_failures = 0
        self._kafka_at = 0.0
        self._kafka_failures = 0
        self._dispatcher = Dispatcher(
            Database(settings.database, "orchestration-dispatcher", self._database_outage),
            self._producer,
            instance=lambda: self._registration.instance,
            own_backends=lambda: {self._database.backend},
            doubt=self._registration.doubt,
            in_flight=settings.in_flight,
        )
        self._reaper = Reaper(
            Database(settings.database, "orchestration-reaper", self._database_outage),
            active=lambda: self._registration.instance is not None,
        )

    def run(self) -> None:
        """Work until stopped."""
        log.info("starting", version=self._version, pid=os.getpid(), kafka=self._settings.server,
                 database=str(self._settings.database), user=self._settings.database.user)  # fmt: skip
        self._dispatcher.start()
        self._reaper.start()
        try:
            while not self._stop.is_set():
                try:
                    self._step()
                except RefusedError as refused:
                    self._on_refused(refused)
                except OffsetGoneError as gone:
                    self._on_offset_gone(gone.partition)
                except RejoinError as reason:
                    self._rejoin(str(reason))
                except KafkaException as error:
                    self._rejoin(error.args[0].str())
        finally:
            self._end()

    # -- one step -----------------------------------------------------------------------------------

    def _step(self) -> None:
        now = time.monotonic()
        if not self._connected(now):
            self._idle(0.1)
            return
        instance = self._registration.instance
        if instance is None or self._registration.doubt.is_set():
            instance = self._registration.renew()
            self._beat_at = 0.0
            if self._member is not None:
                self._member.claim_anew()
        if now >= self._beat_at:
            self._beat(instance)
        if self._registration.has_former and (self._member is None or not self._member.unclaimed):
            self._registration.retire_former()
        if self._member is None:
            self._join(now)
            return
        if self._member.changes != self._changes:
            self._changes = self._member.changes
            self._intake.drop()
        if self._member.unclaimed:
            self._claim(self._member, instance)
        elif not self._started:
            self._idle(0.1)
        else:
            self._take_in(self._member, instance)

    def _take_in(self, member: Member, instance: int) -> None:
        if self._intake.waiting:
            pause = self._intake.pause
            if pause > 0:
                member.pause(pause > 0.1)
                member.serve(min(pause, 0.1))
            if member.changes == self._changes and self._intake.pause <= 0:
                self._intake.apply(instance, member)
            return
        self._producer.serve()
        if self._producer.outstanding >= self._settings.in_flight:
            self._producer.serve(0.05)
            if self._producer.outstanding >= self._settings.in_flight:
                self._idle(0.05)
            return
        member.pause(False)
        # what the group grants is seen between two polls: nobody reads the partitions until then
        idle = max(0.0, min(_IDLE if member.held else _UNASSIGNED, self._beat_at - time.monotonic()))
        batch = member.collect(idle, self._settings.batch, self._settings.batch_bytes)
        if batch is not None and len(batch):
            reach("after_poll")
            self._intake.add(batch)
            if member.changes == self._changes:
                self._producer.serve()
                self._intake.apply(instance, member)
        elif member.topic_in_doubt:
            member.topic_in_doubt = False
            self._doubt_topic()
        elif member.refusal is not None and not self._claims.ever:
            raise refusal_error(self._settings.server, member.refusal)

    def _idle(self, seconds: float) -> None:
        """Nothing may be taken in: stay in the group."""
        if self._member is not None and not self._member.unclaimed:
            self._member.pause(True)
            self._member.serve(seconds)
        elif self._member is not None:
            self._member.serve(seconds)
        else:
            self._stop.wait(seconds)

    # -- database -----------------------------------------------------------------------------------

    def _connected(self, now: float) -> bool:
        """Whether the database can be called; tries to connect where it is time to."""
        if self._database.connected:
            return True
        if now < self._database_at:
            return False
        try:
            status = self._database.connect()
        except (RefusedError, DeployError) as error:
            if not self._ever_connected and isinstance(error, DeployError):
                raise
            self._database_outage.failed(str(error))
            self._database_failures += 1
            self._database_at = time.monotonic() + _backoff(self._database_failures)
            return False
        if status.problem:
            log.warning("release_differs", problem=status.problem)
        self._ever_connected = True
        self._database_failures = 0
        self._registration.doubt.set()  # the answer to what was sent last may be lost: claim everything anew
        return True

    def _beat(self, instance: int) -> None:
        """Say what we hold and how far behind it is, by ends asked for after the last beat; hear whether to run."""
        self._beat_at = time.monotonic() + _BEAT
        self._beats += 1
        member = self._member
        held = member.held if member is not None else {}
        ends = self._broker.answer()
        known = self._topic.partitions if self._topic is not None else ()
        started, at = self._database.heartbeat(instance, held, ends, known)
        if started != self._started:
            log.info("started" if started else "stopped")
            self._started = started
        if member is not None:
            self._compare_topic(member)
        slow = self._beats % _SLOW == 0
        self._broker.ask({partition: where.stored for partition, where in held.items()}, at=at, identity=slow)
        if slow:
            self._registration.sweep()
            if member is not None:
                member.commit()

    def _compare_topic(self, member: Member) -> None:
        """Claim anew where it is not the topic we claimed: the database says what that means (OR702, OR703)."""
        try:
            topic = self._broker.identity()
        except TopicMissingError:
            member.topic_in_doubt = True
            return
        if topic is not None and self._topic is not None and topic != self._topic:
            log.info("topic_changed", partitions=len(topic.partitions))
            self._topic = topic
            member.claim_anew()

    def _on_refused(self, refused: RefusedError) -> None:
        """The one place where a refusal outside a batch's own errors leads somewhere."""
        verdict = refused.verdict
        if verdict is Verdict.OPERATOR:
            raise OffsetsError(refused.code, refused.message, refused.hint)
        if verdict is Verdict.AWAY:
            self._database_failures += 1
            self._database_at = time.monotonic() + _backoff(self._database_failures)
        elif verdict is Verdict.FENCED:
            self._rejoin(refused.message)
        elif verdict is Verdict.STOPPED:
            log.info("stopped")
            self._started = False
        elif verdict is Verdict.UNREGISTERED:
            log.warning("registration_lost", error=refused.message)
            self._registration.doubt.set()
        elif verdict is not Verdict.RETRY:
            self._database_outage.failed(str(refused), remedy="orchestration db apply")
            self._stop.wait(0.5)

    # -- group --------------------------------------------------------------------------------------

    def _join(self, now: float) -> None:
        if now < self._kafka_at:
            self._stop.wait(min(0.1, self._kafka_at - now))
            return
        try:
            self._topic = self._broker.topic()
            self._member = Member(self._settings, EVENTS_TOPIC, self._kafka_outage)
        except KafkaAwayError as error:
            self._kafka_away(str(error))
        except (TopicMissingError, BrokerError) as error:
            if not self._claims.ever:
                raise
            self._kafka_away(str(error))
        else:
            self._kafka_failures = 0
            self._changes = self._member.changes
            self._intake.drop()
            log.info("joining", topic=EVENTS_TOPIC, group=self._settings.consumer()["group.id"])

    def _claim(self, member: Member, instance: int) -> None:
        """Fence whoever held the partitions granted to us, and read on from the stored offsets."""
        reach("on_assign")
        granted = member.granted
        try:
            topic = self._broker.topic()
            positions = self._claims.claim(topic, granted, instance)
        except (KafkaAwayError, BrokerError) as error:
            if isinstance(error, BrokerError) and not self._claims.ever:
                raise
            self._kafka_away(str(error))
            self._idle(0.2)
            return
        except TopicMissingError as error:
            self._missing(error)
            return
        if positions is None or member.granted != granted:
            self._idle(0.2)
            return
        self._topic = topic
        self._topic_missing_since = None
        member.read_from(positions)
        self._changes = member.changes
        self._intake.drop()
        log.info(
            "assigned", offsets={partition: offset for partition, (offset, _) in sorted(positions.items())}
        )
        reach("after_claim")

    def _on_offset_gone(self, partition: int) -> None:
        """A re-created topic explains it too (OR702), else it is OR704; where neither holds, claim and read again."""
        member, instance = self._member, self._registration.instance
        assert member is not None
        assert instance is not None
        stored = member.held[partition].stored
        member.claim_anew()
        try:
            self._claims.explain_gone(partition, stored, instance)
        except KafkaAwayError as error:
            self._kafka_away(str(error))
        except TopicMissingError as error:
            self._missing(error)
        except RefusedError as refused:
            self._on_refused(refused)

    def _doubt_topic(self) -> None:
        """The broker does not know the topic: is it gone?"""
        try:
            topic = self._broker.topic()
        except KafkaAwayError as error:
            self._kafka_away(str(error))
        except TopicMissingError as error:
            self._missing(error)
        except BrokerError as error:
            self._kafka_outage.failed(str(error))
        else:
            self._topic_missing_since = None
            if topic != self._topic and self._member is not None:
                self._topic = topic
                self._member.claim_anew()

    def _missing(self, error: TopicMissingError) -> None:
        """The topic is gone. For some seconds this may be a broker that has just started."""
        now = time.monotonic()
        self._topic_missing_since = self._topic_missing_since or now
        if now - self._topic_missing_since > _MISSING_FOR:
            raise error
        self._stop.wait(0.2)
        if self._member is not None:
            self._member.topic_in_doubt = True

    def _rejoin(self, reason: str) -> None:
        """Leave the group and join anew."""
        log.warning("rejoining", reason=reason)
        member, self._member = self._member, None
        self._intake.drop()
        if member is not None:
            member.close()
        self._kafka_at = time.monotonic() + random.uniform(0.05, 0.3)

    def _kafka_away(self, reason: str) -> None:
        self._kafka_outage.failed(reason)
        self._kafka_failures += 1
        self._kafka_at = time.monotonic() + _backoff(self._kafka_failures)

    # -- the end ------------------------------------------------------------------------------------

    def _end(self) -> None:
        """Leave the group, send what was committed, tell the database what was delivered, give the rest back."""
        log.info("stopping")
        self._dispatcher.stop()
        self._reaper.stop()
        if self._member is not None:
            self._member.close()
        self._dispatcher.join(2.0)
        self._reaper.join(0.5)
        missing = self._producer.flush(3.0)
        try:
            self._registration.end()
        except (RefusedError, DeployError) as error:
            log.warning("not_retired", error=str(error))
        self._database.close()
        self._producer.close()
        log.info("ended", unsent=missing)


def _backoff(failures: int) -> float:
    """Seconds before the next attempt: 0.1, 0.2, … at most 5, with jitter."""
    return min(_MAX_BACKOFF, 0.05 * 2.0 ** min(failures, 8)) * random.uniform(0.7, 1.0)
