"""What time brings, where pg_cron is absent, late or stopped: `reap_stale_runs()` every two seconds.

A thread with its own connection, so that it delays nothing else. Of all callers one is at it at a time; the database
sees to that and decides what is due.
"""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING

from orchestration.db.errors import DeployError

from .database import Database, RefusedError
from .errors import Verdict
from .log import logger

if TYPE_CHECKING:
    from collections.abc import Callable

log = logger("reaper")

_PERIOD = 2.0
_MAX_BACKOFF = 60.0
_MAX_AWAY_BACKOFF = 5.0


class Reaper(threading.Thread):
    """Calls the reaper while `active`: this process is registered."""

    def __init__(self, database: Database, *, active: Callable[[], bool]) -> None:
        super().__init__(name="reaper", daemon=True)
        self._database = database
        self._active = active
        self._stop_event = threading.Event()
        self._failures = 0

    def stop(self) -> None:
        """End after the call in hand."""
        self._stop_event.set()

    def run(self) -> None:
        pause = _PERIOD / 2  # not while the bridge starts
        while not self._stop_event.wait(pause):
            try:
                pause = self._call() if self._active() else _PERIOD / 10
            except (RefusedError, DeployError) as error:
                pause = self._back_off(error)
            except Exception:  # a thread that died silently would leave retries and time-outs to pg_cron
                log.crash("reaper_failed")
                pause = _PERIOD
        self._database.close()

    def _call(self) -> float:
        """One call; the seconds until the next."""
        if not self._database.connected:
            self._database.connect()
        begun = time.monotonic()
        outcome, did, problem = self._database.reap_stale_runs()
        self._failures = 0
        if any(did.values()) or problem:
            (log.warning if problem else log.info)(
                "reaped", **did, **({"problem": problem} if problem else {})
            )
        # where much is due it takes half a connection's time, and leaves the rest to events
        return min(time.monotonic() - begun, _PERIOD) if outcome == "more" else _PERIOD

    def _back_off(self, error: Exception) -> float:
        self._failures += 1
        verdict = error.verdict if isinstance(error, RefusedError) else Verdict.AWAY
        if verdict is Verdict.RETRY:
            return random.uniform(0.02, 0.2) * min(self._failures, 20)
        if verdict is not Verdict.AWAY:
            log.warning("reaper_refused", error=str(error))
        longest = _MAX_AWAY_BACKOFF if verdict is Verdict.AWAY else _MAX_BACKOFF
        return min(longest, 0.1 * 2.0 ** min(self._failures, 10)) * random.uniform(0.5, 1)
