"""A program of the local stack that is kept alive: started once, found again by later calls, ended wholly."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from . import StackError
from .layout import ROOT, Layout
from .process import Process, await_true, tail
from .supervisor import ENDED

__all__ = ["Supervised", "ours"]

FAILED_STARTS = 3  # so many in a row mean that waiting does not help


class Supervised:
    """One program under one supervisor; both are found again by their pid files.

    `name` is that of its files (`.run/<name>.pid`, `.run/logs/<name>.log`), `called` what people read: `the bridge`.
    """

    def __init__(self, layout: Layout, name: str, called: str, say: Callable[[str], None]) -> None:
        self.log = layout.log(name)
        self._name = name
        self._called = called
        self._say = say
        self._program = Process(called.removeprefix("the "), layout.run / f"{name}.pid")
        self._supervisor = Process(f"{called}'s supervisor", layout.run / f"{name}-supervisor.pid")
        self._settings = layout.run / f"{name}-settings"
        self._begin = self._size()

    @property
    def pid(self) -> int | None:
        """The program's pid; None where none runs, or one that nobody would start again."""
        return self._program.pid if self._supervisor.pid else None

    def runs_with(self, settings: Mapping[str, str]) -> bool:
        """Whether it is kept alive, and was started with these settings."""
        if self._supervisor.pid is None or not self._settings.exists():
            return False
        return self._settings.read_text() == _fingerprint(settings)

    def start(
        self,
        command: Sequence[str | Path],
        env: Mapping[str, str] | None,
        settings: Mapping[str, str],
        *,
        once: Sequence[str] = (),
        cwd: Path = ROOT,
    ) -> None:
        """Start it anew. `once`: words of the command for the first start only. Does not wait: `await_true`."""
        self.down()
        self._begin = self._size()
        self._supervisor.spawn(
            [
                sys.executable, "-m", "stack.supervisor", "--name", self._name,
                "--pid-file", self._program.pid_file, "--log", self.log,
                *(f"--once={word}" for word in once), "--", *command,
            ],
            log=self.log,
            env=env,
            cwd=cwd,
        )  # fmt: skip
        self._settings.write_text(_fingerprint(settings))

    def await_true(self, works: Callable[[], bool], what: str, seconds: float = 40) -> None:
        """Wait until it works. StackError `<called> <what> after … s`, and earlier where it ends again and again."""

        def settled() -> bool:
            if self._supervisor.pid is None:
                raise StackError(f"{self._called}'s supervisor ended: {tail(self.log)} (see {self.log})")
            if self._failed_starts() >= FAILED_STARTS:
                raise StackError(f"{self._called} does not start: {self._last_words()} (see {self.log})")
            return works()

        if not await_true(settled, seconds, 0.05):
            raise StackError(
                f"{self._called} {what} after {seconds:.0f} s: {tail(self.log)} (see {self.log})"
            )

    def down(self) -> None:
        """SIGTERM to the supervisor, which ends the program and then itself."""
        if self._supervisor.pid:
            self._say(f"{self._called.removeprefix('the ')}: stopping")
        if not self._supervisor.end(signal.SIGTERM, 20):
            self._supervisor.kill()
        if not self._program.end(signal.SIGTERM, 12):
            self._program.kill()

    def _size(self) -> int:
        return self.log.stat().st_size if self.log.exists() else 0

    def _failed_starts(self) -> int:
        """Since `start`, or since this object was made."""
        if not self.log.exists():
            return 0
        with self.log.open("rb") as log:
            log.seek(
                self._begin if self._size() >= self._begin else 0
            )  # it is smaller when it was moved aside
            return log.read().count(ENDED.encode())

    def _last_words(self) -> str:
        """The last line the program itself wrote."""
        lines = [line for line in self.log.read_text(errors="replace").splitlines() if ENDED not in line]
        return lines[-1].strip() if lines else "it says nothing"


def ours(env: Mapping[str, str]) -> dict[str, str]:
    """The settings among the variables of an environment."""
    return {name: value for name, value in env.items() if "ORCHESTRATION_" in name}


def _fingerprint(settings: Mapping[str, str]) -> str:
    return sha256(repr(sorted(settings.items())).encode()).hexdigest()
