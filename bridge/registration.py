"""This process in the database's eyes: one instance at a time, and what former ones left behind."""

from __future__ import annotations

import os
import socket
import threading
import time
from typing import TYPE_CHECKING

from .database import STATEMENT_TIMEOUT, Database
from .dispatcher import confirm, release
from .failpoints import reach
from .log import logger

if TYPE_CHECKING:
    from .producer import Producer

log = logger("registration")

_FLUSH = 2.0
_GHOST = 1.5 * STATEMENT_TIMEOUT


class Registration:
    """Registers this process and retires it. All calls raise RefusedError.

    When the answer to a call is lost, dispatches may have been claimed for us that we never saw. Only giving back all
    that the instance claimed helps: set `doubt`, and the process goes on as a new instance.
    """

    def __init__(self, database: Database, producer: Producer, version: str) -> None:
        self._database = database
        self._producer = producer
        self._version = version
        self._formers: list[int] = []
        self._ghosts: dict[int, float] = {}
        self.instance: int | None = None
        self.doubt = threading.Event()

    @property
    def has_former(self) -> bool:
        """Whether `retire_former` has something to do."""
        return bool(self._formers)

    def renew(self) -> int:
        """A new instance; the one before becomes a former one."""
        if self.instance is not None:
            self._formers.append(self.instance)
            self.instance = None
        self.instance = self._database.register_bridge(socket.gethostname(), os.getpid(), self._version)
        self.doubt.clear()
        log.info("registered", instance=self.instance, formers=self._formers)
        reach("after_register")
        return self.instance

    def retire_former(self) -> None:
        """Give back what former instances claimed and never sent.

        Call it after claiming the partitions anew: that waits for a batch which the server still applies for a
        connection we lost.
        """
        assert self.instance is not None
        self._producer.flush(_FLUSH)
        confirm(self._database, self._producer, self.instance)
        while self._formers:
            self._database.retire_bridge(self._formers[0])
            self._ghosts[self._formers.pop(0)] = time.monotonic() + _GHOST
        self._producer.forget_refused()

    def sweep(self) -> None:
        """A page may yet be claimed for an instance we retired, by a statement that outlived its connection."""
        for former, until in list(self._ghosts.items()):
            self._database.retire_bridge(former)
            if until < time.monotonic():
                del self._ghosts[former]

    def end(self) -> None:
        """Tell what was delivered and give the rest back."""
        if self.instance is None:
            return
        if not self._database.connected:
            self._database.connect()
        confirm(self._database, self._producer, self.instance)
        release(self._database, self._producer, self.instance)
        reach("before_retire")
        for instance in (*self._formers, *self._ghosts, self.instance):
            self._database.retire_bridge(instance)
        reach("after_retire")
