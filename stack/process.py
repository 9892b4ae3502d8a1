"""Processes and ports: start, find again, end; nothing here knows which server it handles."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from . import StackError

__all__ = ["Process", "await_true", "free_port", "identity", "pids_in", "port_is_free", "tail", "who_holds"]

_PROC = Path("/proc")
_children: dict[int, subprocess.Popen[bytes]] = {}


class Process:
    """A server process that later invocations find again by its pid file.

    The file holds `pid birth boot`: a pid that the system has given to another program since, or that stems from
    before a reboot, is recognised and forgotten.
    """

    def __init__(self, name: str, pid_file: Path) -> None:
        self.name = name
        self.pid_file = pid_file

    @property
    def pid(self) -> int | None:
        """The pid of the living process, or None."""
        try:
            words = self.pid_file.read_text().split()
        except FileNotFoundError:
            return None
        if len(words) == 3 and words[0].isdigit() and identity(int(words[0])) == (words[1], words[2]):
            return int(words[0])
        self.pid_file.unlink(missing_ok=True)
        return None

    def spawn(
        self,
        argv: Sequence[str | Path],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        user: str | None = None,
        tied_by: signal.Signals | None = None,
    ) -> int:
        """Start it in a session of its own, output appended to `log`.

        `tied_by`: the signal the kernel sends it when the calling *thread* ends, however that ends.
        """
        command = [os.fspath(word) for word in argv]
        if tied_by is not None:
            command = ["setpriv", "--pdeathsig", tied_by.name.removeprefix("SIG"), "--", *command]
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as out:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=env,
                cwd=cwd,
                start_new_session=True,
                user=user,
                group=user,
                extra_groups=[] if user else None,
            )
        _children[child.pid] = child
        born = identity(child.pid)
        if born:
            partial = self.pid_file.with_suffix(".new")
            partial.write_text(" ".join((str(child.pid), *born)) + "\n")
            partial.replace(self.pid_file)
        return child.pid

    def send(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens where the process is gone."""
        pid = self.pid
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def end(self, number: signal.Signals, seconds: float) -> bool:
        """Send `number` and wait; True when the process is gone."""
        pid = self.pid
        if pid is None:
            return True
        with suppress(ProcessLookupError):
            os.kill(pid, number)
            os.kill(pid, signal.SIGCONT)
        gone = await_true(lambda: self.pid is None, seconds)
        if gone:
            self.pid_file.unlink(missing_ok=True)
        return gone

    def kill(self) -> None:
        """kill -9, and wait until the process is gone."""
        if not self.end(signal.SIGKILL, 30):
            raise StackError(
                f"{self.name} (pid {self.pid}) does not die: it hangs in the kernel, look at its disk"
            )


def identity(pid: int) -> tuple[str, str] | None:
    """(start time in ticks, boot id) of a living process; None for one that is gone or a zombie."""
    child = _children.get(pid)
    if child is not None and child.poll() is not None:
        del _children[pid]
        return None
    try:
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    if fields[0] in "ZX" and int(fields[17]) <= 1:  # with other threads left it still holds its ports
        return None
    return fields[19], (_PROC / "sys/kernel/random/boot_id").read_text().strip()


def await_true(condition: Callable[[], bool], seconds: float, pause: float = 0.02) -> bool:
    """Ask `condition` every `pause` seconds; whether it held before `seconds` had passed."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= end:
            return False
        time.sleep(pause)
    return True


def pids_in(folder: Path) -> Iterator[int]:
    """Living processes whose working folder is `folder` (a PostgreSQL server and its children work in their data)."""
    wanted = os.fspath(folder.resolve())
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if os.readlink(entry / "cwd") == wanted and identity(int(entry.name)):
                    yield int(entry.name)


def port_is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A loopback port nobody uses, below the range the system gives to outgoing connections."""
    for port in random.sample(range(15_000, 32_000), 200):
        if port_is_free(port):
            return port
    raise StackError("no free loopback port between 15000 and 32000: end programs that listen there")


def who_holds(port: int) -> str:
    """In words, who listens on a loopback port, as far as the system lets us see."""
    inodes = set()
    for table in ("tcp", "tcp6"):
        with suppress(FileNotFoundError):
            for line in (_PROC / "net" / table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                    inodes.add(f"socket:[{fields[9]}]")
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if any(os.readlink(fd) in inodes for fd in (entry / "fd").iterdir()):
                    return f"{(entry / 'comm').read_text().strip()} (pid {entry.name})"
    return "another program"


def tail(log: Path, pattern: tuple[str, ...] = (), lines: int = 1) -> str:
    """The last lines of a log, preferably those that hold one of the words in `pattern`."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 65_536))
            text = file.read().decode(errors="replace").splitlines()
    except FileNotFoundError:
        return "no log"
    found = [line for line in text if any(word in line for word in pattern)] or text
    return " / ".join(line.strip() for line in found[-lines:]) or "an empty log"
