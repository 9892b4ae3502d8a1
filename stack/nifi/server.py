"""One NiFi server on loopback ports: started, awaited, ended with its Python processes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import urllib.error
import urllib.request
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from .. import StackError
from ..process import Process, await_true, free_port, identity, pids_in, port_is_free, tail, who_holds
from ..scratch import scratch_folder
from .home import DRIVER, Home, shipped_processors
from .kit import Kit, fetch

__all__ = ["MEMORY", "Nifi", "answers", "end_leftovers"]

MEMORY = "512m"


class Nifi:
    """A NiFi in `folder`. Anonymous, so for DEV and tests only.

    `tied=True`: it ends when the thread that started it does. Errors are StackError, one line each.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        management_port: int | None = None,
        processors: Iterable[Path] | None = None,
        memory: str = MEMORY,
        tied: bool = False,
        kit: Kit | None = None,
    ) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.management_port = management_port or free_port()
        self.home = Home(folder, folder / "nifi-app.log")
        self.console = folder / "nifi.log"
        self.process = Process("NiFi", folder / "nifi.pid")
        self.processors = shipped_processors() if processors is None else list(processors)
        self._memory = memory
        self._tied = tied
        self._kit = kit

    @classmethod
    def throwaway(cls, *, processors: Iterable[Path] | None = None) -> Nifi:
        """A started server in a temporary folder that ends with the calling thread; `drop()` removes it."""
        server = cls(scratch_folder("nifi"), processors=processors, tied=True)
        try:
            server.start()
        except BaseException:
            server.drop()
            raise
        return server

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def driver(self) -> Path:
        """The JDBC driver of PostgreSQL, for connection pools."""
        return self.folder / DRIVER

    @property
    def running(self) -> bool:
        return self.process.pid is not None

    def start(self, seconds: float = 120) -> None:
        """Start it and wait until it answers; nothing where it runs."""
        if not self.running:
            self.launch()
        self.await_ready(seconds)

    def launch(self) -> None:
        """The first half of `start`. What an earlier one that was killed has left is ended first."""
        end_leftovers(self.folder)
        for name, port in (("NiFi", self.port), ("NiFi's management", self.management_port)):
            if not port_is_free(port):
                raise StackError(
                    f"port {port} of {name} is taken by {who_holds(port)}: end it or free the port"
                )
        self._kit = self._kit or fetch()
        self.home.write(self._kit, self.port, self.processors)
        self.process.spawn(
            self.home.command(self._kit, self.management_port, self._memory),
            log=self.console,
            env=environment(),
            cwd=self.folder,
            tied_by=signal.SIGKILL if self._tied else None,
        )

    def await_ready(self, seconds: float = 120) -> None:
        """The second half of `start`: wait until its REST API answers."""

        def ready() -> bool:
            if not self.running:
                said = tail(self.console, ("Exception", "ERROR"))
                raise StackError(f"NiFi ended while starting: {said[:300]} (see {self.home.log})")
            return answers(self.url)

        if not await_true(ready, seconds, 0.3):
            raise StackError(
                f"NiFi does not answer at {self.url} after {seconds:.0f} s (see {self.home.log})"
            )

    def stop(self, seconds: float = 30) -> None:
        """SIGTERM, -9 where that does not end it; then whatever of it is left."""
        if not self.process.end(signal.SIGTERM, seconds):
            self.process.kill()
        end_leftovers(self.folder)

    def kill(self) -> None:
        """kill -9 of the server alone: its Python processes are left to themselves, as when it crashes."""
        self.process.kill()

    def python_processes(self) -> list[int]:
        """Its Python processes, also those that a killed server has left."""
        return [pid for pid in pids_in(self.folder) if pid != self.process.pid]

    def drop(self) -> None:
        """End it at once and remove its folder."""
        self.process.kill()
        end_leftovers(self.folder)
        shutil.rmtree(self.folder, ignore_errors=True)


def end_leftovers(folder: Path) -> None:
    """kill -9 to all that works in a NiFi's folder: a server that still stops must not meet its successor there."""
    if not folder.exists():
        return
    left = [pid for pid in pids_in(folder) if pid != os.getpid()]
    for pid in left:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if not await_true(lambda: not any(identity(pid) for pid in left), 10):
        raise StackError(f"processes of an earlier NiFi in {folder} do not die: {left}")


def answers(url: str) -> bool:
    """Whether NiFi's API answers. It is asked when it listens: questions before pile up and slow the start down."""
    asked = f"{url}/nifi-api/flow/about"
    with (
        suppress(urllib.error.URLError, OSError, ValueError),
        urllib.request.urlopen(asked, timeout=20) as answer,  # noqa: S310 - http, by our own settings
    ):
        return "about" in json.load(answer)
    return False


def environment() -> dict[str, str]:
    """What the server sees: the caller's environment without settings of ours and of PostgreSQL's clients."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ORCHESTRATION_", "PG", "PYTHON", "VIRTUAL_ENV", "DWH_"))
    }
