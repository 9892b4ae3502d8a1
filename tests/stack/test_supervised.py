"""What the stack keeps alive: found again, started anew with other settings only, told about where it cannot start."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack import StackError
from stack.layout import Layout
from stack.process import await_true
from stack.supervised import Supervised, ours


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Supervised]:
    made = again(tmp_path)
    yield made
    made.down()


def again(folder: Path) -> Supervised:
    layout = Layout(folder)
    layout.prepare()
    return Supervised(layout, "thing", "the thing", lambda _: None)


def test_another_call_finds_it_with_its_settings(program: Supervised, tmp_path: Path) -> None:
    program.start(["sleep", "60"], os.environ, {"a": "1"})
    program.await_true(lambda: program.pid is not None, "does not run")
    assert again(tmp_path).pid == program.pid
    assert again(tmp_path).runs_with({"a": "1"})
    assert not again(tmp_path).runs_with({"a": "2"})
    again(tmp_path).down()
    assert program.pid is None
    assert not program.runs_with({"a": "1"})


def test_one_that_ends_again_and_again_is_told_with_its_words(program: Supervised) -> None:
    program.start(["sh", "-c", "echo no port; exit 1"], os.environ, {})
    with pytest.raises(StackError, match="the thing does not start: no port"):
        program.await_true(lambda: False, "does not answer", 20)


def test_one_that_does_not_answer_in_time(program: Supervised) -> None:
    program.start(["sleep", "60"], os.environ, {})
    with pytest.raises(StackError, match="the thing does not answer after 0 s"):
        program.await_true(lambda: False, "does not answer", 0.3)


def test_words_for_the_first_start(program: Supervised) -> None:
    program.start(["sh", "-c", 'echo "words:$*"; sleep 0.1', "sh"], os.environ, {}, once=["first"])
    assert await_true(lambda: program.log.exists() and program.log.read_text().count("words:") >= 2, 8)
    said = [line for line in program.log.read_text().splitlines() if line.startswith("words:")]
    assert said[:2] == ["words:first", "words:"]


def test_only_our_variables_are_settings() -> None:
    assert ours({"ORCHESTRATION_DSN": "x", "PATH": "y"}) == {"ORCHESTRATION_DSN": "x"}
