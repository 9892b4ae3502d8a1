"""What the demo says, where the output is no friendly terminal."""

from __future__ import annotations

import io
import subprocess
import sys
from datetime import datetime, timedelta, timezone

from rich.console import Console

from stack.demo.screen import Screen
from stack.layout import ROOT

BEGIN = datetime(2026, 11, 22, 12, tzinfo=timezone.utc)


def at(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def test_what_is_told_late_is_printed_in_the_order_of_time() -> None:
    out = io.StringIO()
    screen = Screen(Console(file=out, width=100))
    screen.tell(at(0.3), "bridge", "second")
    screen.tell(at(0.1), "nifi", "first")
    screen.tell(at(0.3), "graph run", "third")
    screen.tell(at(0.9), "nifi", "not yet")
    screen.flush(BEGIN, at(0.5))
    assert [line.split()[-1] for line in out.getvalue().splitlines()] == ["first", "second", "third"]
    screen.tell(at(0.8), "nifi", "fourth")
    screen.flush(BEGIN, at(1))
    assert out.getvalue().splitlines()[3:] == [
        " +0.800 s  nifi       fourth",
        " +0.900 s  nifi       not yet",
    ]


def test_an_output_that_is_gone_silences_it() -> None:
    class Gone(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

    out = Gone()
    screen = Screen(Console(file=out))
    screen.say("nobody hears this")


def test_an_encoding_without_box_characters_gets_those_of_ascii() -> None:
    program = """
from orchestration.client.drawing import Box, draw
from stack.demo.screen import Screen
screen = Screen()
for line in draw([Box("6", ("6 ✓",), double=True), Box("7", ("7 Ж",))], [("6", "7")]).lines:
    screen.say(line)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        check=True,
        env={"PYTHONIOENCODING": "ascii"},
    )
    lines = [line.partition(" s  ")[2] for line in done.stdout.decode("ascii").splitlines()]
    assert lines == [
        "+=====+   +-----+",
        "| 6 v +-->| 7 ? |",
        "|     |   |     |",
        "+=====+   +-----+",
    ]
