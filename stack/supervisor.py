"""Keeps one program alive: `python -m stack.supervisor --name bridge --pid-file F --log L -- orchestration bridge`.

A program that ends is started again within 2 seconds, for ever. SIGTERM ends the program (10 s, then -9) and then the
supervisor; a supervisor that is killed takes the program with it.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from . import StackError
from .process import Process

__all__ = ["ENDED", "supervise"]

PAUSES = (0.3, 1.0)  # seconds between an end and the next start: after a long life, after a short one
SHORT_LIFE = 5.0  # seconds
PATIENCE = 10.0  # seconds a program gets to end by itself
LOG_LIMIT = 20 * 2**20  # bytes; then the log is moved aside, once
ENDED = "supervisor: the program ended"


def supervise(name: str, first: list[str], again: list[str], pid_file: Path, log: Path) -> None:
    """Run `first`, then `again` each time it has ended, until SIGTERM or SIGINT."""
    ending = False

    def end(_number: int, _frame: FrameType | None) -> None:
        nonlocal ending
        ending = True

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    program = Process(name, pid_file)
    command = first
    while not ending:
        _rotate(log)
        begin = time.monotonic()
        program.spawn(command, log=log, tied_by=signal.SIGTERM)
        while not ending and program.pid is not None:
            time.sleep(0.1)
        if not ending:
            pause = PAUSES[time.monotonic() - begin < SHORT_LIFE]
            _note(log, f"{ENDED}; {name} starts again in {pause} s")
            _sleep(pause, lambda: ending)
        command = again
    if not program.end(signal.SIGTERM, PATIENCE):
        _note(log, f"supervisor: {name} did not end within {PATIENCE:.0f} s, kill -9")
        program.kill()


def _sleep(seconds: float, interrupted: Callable[[], bool]) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and not interrupted():
        time.sleep(0.05)


def _rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))


def _note(log: Path, words: str) -> None:
    with log.open("a") as file:
        file.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {words}\n")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m stack.supervisor", description=__doc__)
    parser.add_argument("--name", required=True)
    parser.add_argument("--pid-file", required=True, type=Path)
    parser.add_argument("--log", required=True, type=Path)
    parser.add_argument(
        "--once", action="append", default=[], help="a word for the first start only: --once=--from"
    )
    parser.add_argument("command", nargs="+")
    asked = parser.parse_args()
    try:
        supervise(asked.name, asked.command + asked.once, asked.command, asked.pid_file, asked.log)
    except (StackError, subprocess.SubprocessError, OSError) as problem:
        sys.exit(f"supervisor: {asked.name} cannot be run: {problem}")


if __name__ == "__main__":
    main()
