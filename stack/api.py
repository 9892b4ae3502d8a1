"""The supervised API of the local stack, and the token that stands in .run/env."""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from . import StackError
from .layout import ROOT, Layout
from .process import Process, await_true, free_port, port_is_free, tail
from .supervisor import ENDED

__all__ = ["Api"]

TOKEN_NAME = "make up"  # noqa: S105 - a name
FAILED_STARTS = 3


class Api:
    """One API under one supervisor; port and token are kept from `up` to `up`."""

    def __init__(self, layout: Layout, say: Callable[[str], None]) -> None:
        self._say = say
        self._log = layout.log("api")
        self._program = Process("API", layout.run / "api.pid")
        self._supervisor = Process("the API's supervisor", layout.run / "api-supervisor.pid")

    @property
    def pid(self) -> int | None:
        """The API's pid; None where none runs, or one that nobody would start again."""
        return self._program.pid if self._supervisor.pid else None

    def settings(self, had: Mapping[str, Any]) -> dict[str, Any]:
        """Its port, kept where it is known and free or ours."""
        port = had.get("port")
        if not isinstance(port, int) or not (self.pid or port_is_free(port)):
            port = free_port()
        return {**had, "port": port}

    def token(self, command: Path, programs: Mapping[str, str], had: str | None, url: str) -> str:
        """The token of an earlier `up` where it still counts, else a new one."""
        if had and self.pid and _counts(url, had):
            return had
        known = _run(command, programs, "tokens", "list", "--json")
        if had and any(row["hint"] == had[:10] and not row["revoked_at"] for row in known):
            return had
        names = {row["name"] for row in known}
        name = next(name for name in _names() if name not in names)
        made = _run(command, programs, "tokens", "create", "--name", name, "--scope", "admin", "--json")
        return str(made["token"])

    def up(self, command: Path, programs: Mapping[str, str], url: str) -> None:
        """Start it if it does not run, or runs with other settings; wait until it answers."""
        wanted = sha256(
            repr(sorted(pair for pair in programs.items() if "ORCHESTRATION_" in pair[0])).encode()
        )
        mark = self._log.with_suffix(".settings")
        runs = self._supervisor.pid and mark.exists() and mark.read_text() == wanted.hexdigest()
        begin = self._log.stat().st_size if self._log.exists() else 0
        if not runs:
            self.down()
            port = url.rpartition(":")[2]
            self._supervisor.spawn(
                [
                    sys.executable, "-m", "stack.supervisor", "--name", "api",
                    "--pid-file", self._program.pid_file, "--log", self._log, "--", command, "api", "--port", port,
                ],
                log=self._log,
                env=programs,
                cwd=ROOT,
            )  # fmt: skip
            mark.write_text(wanted.hexdigest())
        self._await(url, begin)
        if not runs:
            self._say(f"API: {url}/api/v1/ (pid {self.pid})")

    def down(self) -> None:
        """SIGTERM to the supervisor, which ends the API and then itself."""
        if self._supervisor.pid:
            self._say("API: stopping")
        if not self._supervisor.end(signal.SIGTERM, 20):
            self._supervisor.kill()
        if not self._program.end(signal.SIGTERM, 12):
            self._program.kill()

    def _await(self, url: str, begin: int, seconds: float = 40) -> None:
        def works() -> bool:
            if self._supervisor.pid is None:
                raise StackError(f"the API's supervisor ended: {tail(self._log)} (see {self._log})")
            with self._log.open("rb") as log:
                log.seek(begin)
                if log.read().count(ENDED.encode()) >= FAILED_STARTS:
                    raise StackError(f"the API does not start: {tail(self._log)} (see {self._log})")
            try:
                with urllib.request.urlopen(f"{url}/healthz", timeout=2):  # noqa: S310 - loopback
                    return True
            except (urllib.error.URLError, OSError):
                return False

        if not await_true(works, seconds, 0.05):
            raise StackError(
                f"the API does not answer after {seconds:.0f} s: {tail(self._log)} (see {self._log})"
            )


def _counts(url: str, token: str) -> bool:
    asked = urllib.request.Request(f"{url}/api/v1/service", headers={"Authorization": f"Bearer {token}"})  # noqa: S310
    try:
        with urllib.request.urlopen(asked, timeout=5):  # noqa: S310 - loopback
            return True
    except (urllib.error.URLError, OSError):
        return False


def _names() -> Iterator[str]:
    """Names for a token: those of an earlier database stay taken."""
    yield TOKEN_NAME
    for number in itertools.count(2):
        yield f"{TOKEN_NAME} {number}"


def _run(command: Path, programs: Mapping[str, str], *words: str) -> Any:
    done = subprocess.run([command, *words], env=dict(programs), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise StackError(f"`orchestration {' '.join(words)}` failed: {done.stderr.strip().splitlines()[-1:]}")
    return json.loads(done.stdout)
