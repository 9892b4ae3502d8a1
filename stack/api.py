"""The supervised API of the local stack, and the token that stands in .run/env."""

from __future__ import annotations

import itertools
import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from . import StackError
from .layout import Layout
from .process import free_port, port_is_free
from .supervised import Supervised, ours

__all__ = ["Api"]

TOKEN_NAME = "make up"  # noqa: S105 - a name


class Api:
    """One API; port and token are kept from `up` to `up`."""

    def __init__(self, layout: Layout, say: Callable[[str], None]) -> None:
        self._say = say
        self._program = Supervised(layout, "api", "the API", say)

    @property
    def pid(self) -> int | None:
        """The API's pid; None where none runs, or one that nobody would start again."""
        return self._program.pid

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
        runs = self._program.runs_with(ours(programs))
        if not runs:
            self._program.start([command, "api", "--port", url.rpartition(":")[2]], programs, ours(programs))
        self._program.await_true(lambda: _answers(url), "does not answer")
        if not runs:
            self._say(f"API: {url}/api/v1/ (pid {self.pid})")

    def down(self) -> None:
        """End it wholly."""
        self._program.down()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=2):  # noqa: S310 - loopback
            return True
    except (urllib.error.URLError, OSError):
        return False


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
