"""Servers are found again, and never confused with another program that bears their pid."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from stack import StackError
from stack.process import Process, await_true, free_port, port_is_free, tail, who_holds


@pytest.fixture
def process(tmp_path: Path) -> Process:
    return Process("sleep", tmp_path / "sleep.pid")


def start(process: Process, *words: str, **options: object) -> int:
    return process.spawn(words or ("sleep", "60"), log=process.pid_file.with_suffix(".log"), **options)  # type: ignore[arg-type]


def test_found_again_by_another_invocation(process: Process) -> None:
    pid = start(process)
    assert Process("sleep", process.pid_file).pid == pid
    assert process.end(signal.SIGTERM, 5)
    assert process.pid is None
    assert not process.pid_file.exists()


def test_one_that_died_is_forgotten(process: Process) -> None:
    os.kill(start(process), signal.SIGKILL)
    assert await_true(lambda: process.pid is None, 5)


@pytest.mark.parametrize("content", ["{pid} 1 {boot}", "{pid} {birth} another-boot", "{pid}", "", "x y z"])
def test_a_stale_pid_file_never_leads_to_another_program(process: Process, content: str) -> None:
    pid = start(process)
    _, birth, boot = process.pid_file.read_text().split()
    process.pid_file.write_text(content.format(pid=pid, birth=birth, boot=boot))
    assert process.pid is None
    process.kill()
    assert Path(f"/proc/{pid}").exists(), "another program was killed"
    os.kill(pid, signal.SIGKILL)


def test_end_gives_up_on_one_that_ignores_the_signal_and_kill_does_not(process: Process) -> None:
    pid = start(
        process,
        sys.executable,
        "-c",
        "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)",
    )
    assert await_true(lambda: ignores(pid, signal.SIGTERM), 5)
    assert not process.end(signal.SIGTERM, 0.2)
    process.kill()
    assert process.pid is None


def test_end_wakes_a_frozen_one(process: Process) -> None:
    start(process)
    process.send(signal.SIGSTOP)
    assert process.end(signal.SIGTERM, 5)


def test_tied_to_its_starter_however_that_ends(process: Process, tmp_path: Path) -> None:
    program = f"""
import signal, time, pathlib
from stack.process import Process
Process('sleep', pathlib.Path({os.fspath(process.pid_file)!r})).spawn(
    ['sleep', '60'], log=pathlib.Path({os.fspath(tmp_path / "log")!r}), tied_by=signal.SIGTERM)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", program]) as starter:
        assert await_true(lambda: process.pid is not None, 10)
        starter.kill()
    assert await_true(lambda: process.pid is None, 5)


def test_a_port_in_use_is_seen_and_its_holder_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not port_is_free(port)
        assert f"pid {os.getpid()}" in who_holds(port)
    assert await_true(lambda: port_is_free(port), 5)
    assert port_is_free(free_port())


def test_a_port_held_by_nobody_we_see() -> None:
    assert who_holds(1) == "another program"


def test_tail_prefers_the_line_that_says_why(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert tail(log) == "no log"
    log.write_text("")
    assert tail(log) == "an empty log"
    log.write_text("FATAL: this\nand that\n")
    assert tail(log) == "and that"
    assert tail(log, ("FATAL",)) == "FATAL: this"
    assert tail(log, lines=2) == "FATAL: this / and that"


def test_a_program_that_is_not_there(process: Process) -> None:
    with pytest.raises(FileNotFoundError):
        start(process, "/no/such/program")
    assert process.pid is None


def test_kill_says_what_does_not_die(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    start(process)
    monkeypatch.setattr(process, "end", lambda *_: False)
    with pytest.raises(StackError, match="does not die"):
        process.kill()
    monkeypatch.undo()
    process.kill()


def ignores(pid: int, number: signal.Signals) -> bool:
    words = Path(f"/proc/{pid}/status").read_text().split()
    return bool(int(words[words.index("SigIgn:") + 1], 16) >> (number - 1) & 1)
