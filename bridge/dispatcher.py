"""What others made ready: SQL and REST changes, retries, what a dead bridge left. Also confirms when no batch does.

A thread with its own connection: LISTEN first, then take until nothing is left, then wait for a notification or a
second. NOTIFY only wakes; the truth is in the table.
"""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING

from orchestration.db.errors import DeployError

from .database import Database, RefusedError
from .errors import Verdict
from .failpoints import reach
from .log import logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from .producer import Producer

log = logger("dispatcher")

_POLL = 1.0
_BUSY_POLL = 0.02
_DEBOUNCE = 0.005
_LONGEST_HOLD = 0.2
_CONFIRM_AFTER = 0.1
_PAGE = 2000
_PAGE_BYTES = 4 * 1024 * 1024
_FIRST_PAGE = 100
_IDS_PER_CALL = 10_000
_MAX_PARKED = 100_000
_MAX_BACKOFF = 5.0


class Dispatcher(threading.Thread):
    """Sends unclaimed dispatches.

    `instance` answers this process's id, None while it has none. `doubt` is set when a page may have been claimed
    whose rows never arrived: only giving back everything this instance claimed helps.
    `own_backends` are server processes whose notifications concern dispatches their caller sends himself.
    """

    def __init__(
        self,
        database: Database,
        producer: Producer,
        *,
        instance: Callable[[], int | None],
        own_backends: Callable[[], set[int | None]],
        doubt: threading.Event,
        in_flight: int,
    ) -> None:
        super().__init__(name="dispatcher", daemon=True)
        self._database = database
        self._producer = producer
        self._instance = instance
        self._own_backends = own_backends
        self._doubt = doubt
        self._in_flight = in_flight
        self._stop_event = threading.Event()
        self._take_at = 0.0
        self._taken_at = 0.0
        self._hold = 0.0
        self._delivered_since = 0.0
        self._row_bytes = _PAGE_BYTES / _FIRST_PAGE
        self._failures = 0

    def stop(self) -> None:
        """End after the page in hand."""
        self._stop_event.set()

    def run(self) -> None:
        while not self._stop_event.is_set():
            try:
                self._work()
            except (RefusedError, DeployError) as error:
                self._back_off(error)
            except Exception:  # a thread that died silently would leave dispatches unsent
                log.crash("dispatcher_failed")
                self._stop_event.wait(1.0)
        self._database.close()

    def _back_off(self, error: Exception) -> None:
        verdict = error.verdict if isinstance(error, RefusedError) else Verdict.AWAY
        if verdict is Verdict.UNREGISTERED:
            self._doubt.set()
        elif verdict not in (Verdict.AWAY, Verdict.RETRY):
            log.warning("dispatcher_refused", error=str(error))
        self._failures += 1
        longest = _MAX_BACKOFF if verdict is not Verdict.RETRY else 0.05
        self._stop_event.wait(min(longest, 0.05 * 2.0 ** min(self._failures, 8)) * random.uniform(0.5, 1))

    def _work(self) -> None:
        instance = self._instance()
        if instance is None or self._doubt.is_set():
            self._producer.serve(_BUSY_POLL)
            self._stop_event.wait(_BUSY_POLL)
            return
        if not self._database.connected:
            self._database.connect()
            self._database.listen()
            self._take_at = 0.0
        if time.monotonic() >= self._take_at:
            self._take(instance)
        self._producer.serve()
        self._settle(instance)
        self._wait()
        self._failures = 0

    def _take(self, instance: int) -> None:
        room = self._in_flight - self._producer.outstanding
        rows = max(1, min(_PAGE, int(_PAGE_BYTES / self._row_bytes)))
        if room < rows or self._producer.parked > _MAX_PARKED:
            self._take_at = time.monotonic() + _BUSY_POLL
            return
        reach("dispatcher_before_take")
        try:
            page = self._database.take_dispatches(instance, rows)
        except RefusedError as refused:
            if refused.verdict is Verdict.AWAY:
                self._doubt.set()
            raise
        now = time.monotonic()
        fruitless = not page and now - self._taken_at < _POLL / 2
        self._hold = min(_LONGEST_HOLD, max(_BUSY_POLL, 2 * self._hold)) if fruitless else 0.0
        self._taken_at = now
        if page:
            reach("dispatcher_after_take")
            self._producer.send(page)
            reach("dispatcher_after_produce")
            largest = max(len(value) for _, _, _, value in page)
            self._row_bytes = max(largest, 0.9 * self._row_bytes, 200.0)
            log.debug("dispatched", rows=len(page))
        self._take_at = 0.0 if len(page) == rows else self._taken_at + _POLL

    def _settle(self, instance: int) -> None:
        """Tell the database what was delivered, unless a batch did so first, and what was refused."""
        if not self._producer.has_delivered:
            self._delivered_since = 0.0
        elif not self._delivered_since:
            self._delivered_since = time.monotonic()
        elif time.monotonic() - self._delivered_since > _CONFIRM_AFTER:
            confirm(self._database, self._producer, instance)
            self._delivered_since = 0.0
        release(self._database, self._producer, instance)

    def _wait(self) -> None:
        """Until it is time to take, or a notification of somebody else says so.

        While batches go through, each of which notifies, it is looked at 50 times a second, so as to leave them
        alone; and where notifications lead to nothing again and again (other bridges'), at most 5 times.
        """
        busy = self._producer.outstanding > 0 or self._producer.has_delivered
        seconds = min(max(0.0, self._take_at - time.monotonic()), _BUSY_POLL if busy else _POLL)
        if seconds <= 0 or self._stop_event.is_set():
            return
        notified: set[int] = set() if busy else self._database.notifications(seconds)
        if busy or notified:
            self._stop_event.wait(seconds if busy else _DEBOUNCE)
            notified |= self._database.notifications(0)
        if notified - self._own_backends():
            self._take_at = min(self._take_at, self._taken_at + self._hold)


def confirm(database: Database, producer: Producer, instance: int) -> None:
    """Tell the database what was delivered. Raises RefusedError; then nothing is forgotten."""
    while ids := producer.take_delivered():
        reach("before_confirm")
        try:
            for at in range(0, len(ids), _IDS_PER_CALL):
                database.confirm_dispatches(instance, ids[at : at + _IDS_PER_CALL])
        except BaseException:
            producer.put_back(ids)
            raise
        reach("after_confirm")


def release(database: Database, producer: Producer, instance: int) -> None:
    """Give back what was not delivered. Raises RefusedError; then nothing is forgotten."""
    ids = producer.take_refused()
    if ids:
        reach("before_release")
        try:
            for at in range(0, len(ids), _IDS_PER_CALL):
                database.release_dispatches(instance, ids[at : at + _IDS_PER_CALL])
        except BaseException:
            producer.refuse_again(ids)
            raise
        log.info("released", dispatches=len(ids))
