"""A supervised program is alive again within 2 seconds, and never outlives its supervisor."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stack.layout import ROOT
from stack.process import Process, await_true

Start = Callable[..., Process]


@pytest.fixture
def program(tmp_path: Path) -> Process:
    return Process("program", tmp_path / "program.pid")


@pytest.fixture
def start(tmp_path: Path, program: Process) -> Iterator[Start]:
    supervisor = Process("supervisor", tmp_path / "supervisor.pid")

    def started(*command: str, once: tuple[str, ...] = ()) -> Process:
        first = [f"--once={word}" for word in once]
        supervisor.spawn(
            [
                sys.executable, "-m", "stack.supervisor", "--name", "program", "--pid-file", program.pid_file,
                "--log", tmp_path / "log", *first, "--", *command,
            ],
            log=tmp_path / "log",
            cwd=ROOT,
        )  # fmt: skip
        return supervisor

    yield started
    supervisor.end(signal.SIGTERM, 20)
    supervisor.kill()
    program.kill()


def test_a_killed_program_is_back_within_two_seconds(start: Start, program: Process, tmp_path: Path) -> None:
    start("sleep", "60")
    for _ in range(3):
        assert await_true(lambda: program.pid is not None, 5)
        killed = program.pid
        assert killed
        os.kill(killed, signal.SIGKILL)
        begin = time.monotonic()
        assert await_true(lambda: program.pid not in (None, killed), 5)  # noqa: B023
        assert time.monotonic() - begin < 2
    assert (tmp_path / "log").read_text().count("supervisor: the program ended") == 3


def test_sigterm_ends_both(start: Start, program: Process) -> None:
    supervisor = start("sleep", "60")
    assert await_true(lambda: program.pid is not None, 5)
    assert supervisor.end(signal.SIGTERM, 5)
    assert program.pid is None


def test_sigterm_during_the_pause(start: Start, program: Process, tmp_path: Path) -> None:
    supervisor = start("false")
    assert await_true(lambda: "the program ended" in (tmp_path / "log").read_text(), 5)
    assert supervisor.end(signal.SIGTERM, 2)
    assert program.pid is None


def test_a_killed_supervisor_takes_the_program_with_it(start: Start, program: Process) -> None:
    supervisor = start("sleep", "60")
    assert await_true(lambda: program.pid is not None, 5)
    supervisor.kill()
    assert await_true(lambda: program.pid is None, 5)


def test_words_for_the_first_start_only(start: Start, tmp_path: Path) -> None:
    start("sh", "-c", 'echo "words:$*"; sleep 0.1', "sh", once=("--from", "latest"))
    log = tmp_path / "log"
    assert await_true(lambda: log.read_text().count("words:") >= 2, 8)
    said = [line for line in log.read_text().splitlines() if line.startswith("words:")]
    assert said[:2] == ["words:--from latest", "words:"]


def test_a_program_that_is_missing_is_named(start: Start, tmp_path: Path) -> None:
    start("/no/such/program")
    log = tmp_path / "log"
    assert await_true(lambda: "the program ended" in log.read_text(), 5)
    assert "/no/such/program: No such file" in log.read_text()
