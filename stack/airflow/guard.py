"""Runs `airflow standalone` and keeps all of it alive: `python -m stack.airflow.guard --work FOLDER -- airflow standalone`.

Standalone neither starts again what died of it nor ends all it has started, and workers outlive a scheduler that was
killed. So a component that has ended is started again, by the same program and without what a dead scheduler has left;
SIGTERM ends everything within seconds; what a guard that was killed has left is ended first. Airflow's processes are
known by their working folder, FOLDER, and by their descent.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import FrameType

from ..process import await_true, identity, pids_in

__all__ = ["end_all", "members"]

PATIENCE = 6.0  # seconds they get to end by themselves
COMPONENTS = ("scheduler", "dag-processor", "triggerer", "api-server")
_LOOK = 0.5
_SHORT_LIFE, _SHORT_LIVES = (
    20.0,
    4,
)  # seconds; so many in a row, and whoever supervises this program shall begin anew
_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER: orphans become our children, so none is lost from sight


def members(work: Path, ancestor: int | None = None) -> set[int]:
    """Living processes that work in the folder, or descend from `ancestor` (which is not among them)."""
    found = set(pids_in(work))
    if ancestor is not None:
        found |= _below({ancestor}, _parents())
    return {pid for pid in found - {os.getpid()} if identity(pid) is not None}


def end_all(work: Path, ancestor: int | None = None, patience: float = PATIENCE) -> None:
    """SIGTERM to all of them, then -9, until none is left."""
    _send(members(work, ancestor), signal.SIGTERM)
    if await_true(lambda: not members(work, ancestor), patience, 0.1):
        return
    for _ in range(50):  # one that is being forked escapes the first
        left = members(work, ancestor)
        if not left:
            return
        _send(left, signal.SIGKILL)
        time.sleep(0.1)


def _send(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _parents() -> dict[int, int]:
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                found[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    return found


class Guard:
    """One life of `airflow standalone`. `command` is it, its last word `standalone`."""

    def __init__(self, work: Path, command: list[str], patience: float = PATIENCE) -> None:
        self._work = work
        self._command = command
        self._patience = patience
        self._ending = False
        self._components: dict[int, str] = {}
        self._begun: dict[str, float] = {}
        self._children: list[subprocess.Popen[bytes]] = []
        self._short_lives = 0

    def run(self) -> int:
        """Until SIGTERM (0), or until it does not come to life (1)."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
        end_all(self._work, patience=1)
        standalone = self._spawn(self._command)
        try:
            while not self._ending and self._short_lives < _SHORT_LIVES:
                time.sleep(_LOOK)
                self._reap()
                if identity(standalone.pid) is None:
                    print("guard: airflow standalone has ended", flush=True)
                    return 1
                self._find_components(standalone.pid)
                for pid, name in list(self._components.items()):
                    if identity(pid) is None and not self._ending:
                        del self._components[pid]
                        self._start_again(name, standalone.pid)
            return 0 if self._ending else 1
        finally:
            end_all(self._work, os.getpid(), self._patience)
            self._reap()

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self._ending = True

    def _spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        # not in a session of its own; where this program is killed, it is told to end
        child = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", "--", *command], cwd=self._work)
        self._children.append(child)
        return child

    def _find_components(self, standalone: int) -> None:
        for pid, parent in _parents().items():
            if parent == standalone and pid not in self._components:
                name = _component(pid)
                if name is not None:
                    self._components[pid] = name
                    self._begun[name] = time.monotonic()

    def _start_again(self, name: str, standalone: int) -> None:
        lived = time.monotonic() - self._begun[name]
        self._short_lives = self._short_lives + 1 if lived < _SHORT_LIFE else 0
        print(f"guard: Airflow's {name} has ended after {lived:.0f} s and is started again", flush=True)
        kept = {standalone, *self._components, *(child.pid for child in self._children)}
        parents = _parents()
        orphans = {pid for pid, parent in parents.items() if parent == os.getpid()} - kept
        _send(orphans | _below(orphans, parents), signal.SIGKILL)
        child = self._spawn([*self._command[:-1], name])
        self._components[child.pid] = name
        self._begun[name] = time.monotonic()

    def _reap(self) -> None:
        """Forget children that have ended, also orphans that came to us."""
        self._children = [child for child in self._children if child.poll() is None]
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _below(ancestors: set[int], parents: dict[int, int]) -> set[int]:
    """All that descend from them."""
    found = set(ancestors)
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - ancestors


def _component(pid: int) -> str | None:
    """Which component of Airflow a process is, by its command line."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return None
    return next((name for name in COMPONENTS if name in words), None)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m stack.airflow.guard", description=__doc__)
    parser.add_argument("--work", required=True, type=Path)
    parser.add_argument(
        "--patience", type=float, default=PATIENCE, help="seconds to end by themselves (%(default)s)"
    )
    parser.add_argument("command", nargs="+")
    asked = parser.parse_args()
    return Guard(asked.work, asked.command, asked.patience).run()


if __name__ == "__main__":
    sys.exit(main())
