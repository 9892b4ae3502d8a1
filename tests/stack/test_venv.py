"""The virtual environment is made once, brought up to date when its inputs change, and else left alone."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from stack import StackError, venv


@pytest.fixture
def done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done, in a checkout of its own, without doing it."""
    steps: list[str] = []

    def make() -> None:
        steps.append("make")
        (tmp_path / ".venv").mkdir(exist_ok=True)

    monkeypatch.setattr(venv, "ROOT", tmp_path)
    monkeypatch.setattr(venv, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(venv, "_make", make)
    monkeypatch.setattr(venv, "_install", lambda _, extra: steps.append(extra))
    for name in venv.INPUTS:
        (tmp_path / name).write_text(name)
    return steps


def after(done: list[str], extra: str) -> list[str]:
    done.clear()
    venv.ensure(extra)
    return list(done)


def test_made_once(done: list[str]) -> None:
    assert after(done, "stack") == ["make", "stack"]
    assert after(done, "stack") == []


def test_more_is_added_and_never_taken_away(done: list[str]) -> None:
    after(done, "stack")
    assert after(done, "dev") == ["dev"]
    assert after(done, "stack") == []


@pytest.mark.parametrize("name", venv.INPUTS)
def test_a_changed_input_is_installed(done: list[str], tmp_path: Path, name: str) -> None:
    after(done, "dev")
    (tmp_path / name).write_text("changed")
    assert after(done, "stack") == ["dev"]
    assert after(done, "stack") == []


def test_another_interpreter_or_place_makes_it_anew(
    done: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    after(done, "stack")
    monkeypatch.setattr(sys, "version", "3.99")
    assert after(done, "stack") == ["make", "stack"]
    stamp = (tmp_path / ".venv" / "stamp").read_text()
    (tmp_path / ".venv" / "stamp").write_text(stamp.replace(stamp[:8], "elsewher"))
    assert after(done, "stack") == ["make", "stack"]


def test_an_installation_that_failed_is_done_again(done: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Path, extra: str) -> None:
        raise StackError(f"pip install failed: {extra}")

    with monkeypatch.context() as broken:
        broken.setattr(venv, "_install", fail)
        with pytest.raises(StackError, match="pip install failed"):
            venv.ensure("stack")
    assert after(done, "stack") == ["make", "stack"]


def test_an_old_python_is_refused(done: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    with pytest.raises(StackError, match=r"Python 3\.11 or newer is needed"):
        venv.ensure("stack")


def test_what_pip_says_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    program = "import sys; print('noise\\nERROR: No matching distribution found for x', file=sys.stderr); sys.exit(1)"
    with pytest.raises(
        StackError, match=r"^pip install failed: ERROR: No matching distribution found for x$"
    ):
        venv._run([sys.executable, "-c", program], "pip install")
