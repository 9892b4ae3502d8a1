"""NiFi in the local stack: the user's own, or one that the stack keeps alive."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .. import StackError
from ..layout import Layout
from ..process import free_port, port_is_free
from ..supervised import Supervised
from .home import Home, digest, shipped_processors
from .kit import fetch, fetched
from .server import MEMORY, answers, end_leftovers

__all__ = ["VARIABLE", "Program"]

VARIABLE = "NIFI_URL"
Settings = dict[str, Any]
_PORTS = ("port", "management_port")


class Program:
    """One NiFi under one supervisor; its ports, flow and data are kept from `up` to `up`."""

    def __init__(self, layout: Layout, say: Callable[[str], None]) -> None:
        self._layout = layout
        self._say = say
        self._home = Home(layout.run / "nifi", layout.log("nifi-app"))
        self._program = Supervised(layout, "nifi", "NiFi", say)
        self._starts = False

    @property
    def folder(self) -> Path:
        return self._home.folder

    @property
    def pid(self) -> int | None:
        """The server's pid; None where none runs, or one that nobody would start again."""
        return self._program.pid

    def settings(self, had: Mapping[str, Any], own: Mapping[str, str]) -> Settings:
        """Where it comes from, and its ports: kept where they are known and free, or ours.

        `own` is the user's environment. StackError where a server without login must not be.
        """
        if own.get(VARIABLE):
            return {"source": "environment", "url": own[VARIABLE].rstrip("/")}
        if own.get("ORCHESTRATION_ENV", "dev") != "dev":
            raise StackError(
                f"the NiFi of the local stack has no login and is for DEV only: name a NiFi of your own in {VARIABLE}, "
                "or set ORCHESTRATION_ENV=dev"
            )
        ports = {name: had.get(name) for name in _PORTS}
        for name, port in ports.items():
            if not isinstance(port, int) or not (self.pid or port_is_free(port)):
                ports[name] = free_port()
        return {"source": "local", **ports}

    def launch(self, state: Settings) -> None:
        """Bring what it consists of and start it, if it does not run or runs with other settings."""
        if state["source"] != "local":
            self.down()
            return
        if not fetched():
            self._say("NiFi: fetching it with Maven (once)")
        kit = fetch()
        processors = shipped_processors()
        settings = {
            "kit": str(kit.folder),
            **{name: str(state[name]) for name in _PORTS},
            **digest(processors),
        }
        if self._program.runs_with(settings):
            return
        self._starts = True
        self.down()
        self._home.write(kit, state["port"], processors)
        command = self._home.command(kit, state["management_port"], MEMORY)
        self._program.start([sys.executable, "-m", "stack.nifi", self.folder, "--", *command], None, settings)

    def await_ready(self, state: Settings) -> str:
        """Wait until its API answers; its address."""
        if state["source"] != "local":
            self._say(f"NiFi: {state['url']} (environment)")
            return str(state["url"])
        url = f"http://127.0.0.1:{state['port']}"
        self._program.await_true(lambda: answers(url), "does not answer", 240)
        if self._starts:
            self._home.keep_bundles(fetch())
            self._say(f"NiFi: {url}/nifi/ (pid {self.pid})")
        return url

    def down(self) -> None:
        """End it, also what a killed one has left."""
        self._program.down()
        end_leftovers(self.folder)

    def drop(self) -> None:
        """Its flow and data."""
        shutil.rmtree(self.folder, ignore_errors=True)
