"""The command `orchestration`: lazy, and one line where a part is not installed."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import EntryPoint

import click
import pytest
from click.testing import CliRunner

from client import cli
from stack.local import command


def entry(value: str) -> EntryPoint:
    return EntryPoint(name="part", value=value, group=cli.GROUP)


@pytest.fixture
def one_entry(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.setattr(cli, "entry_points", lambda group: EntryPoints([entry(request.param)]))


class EntryPoints(list[EntryPoint]):
    @property
    def names(self) -> set[str]:
        return {each.name for each in self}


def test_the_installed_command_lists_every_part() -> None:
    done = subprocess.run([command(), "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name in ("bridge", "db", "service", "topics"):
        assert f"\n  {name} " in done.stdout


def test_a_part_is_imported_only_when_asked_for() -> None:
    program = "import sys, orchestration.client.cli; print('psycopg' in sys.modules, 'confluent_kafka' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


@pytest.mark.parametrize("one_entry", ["no_such_library.cli:part [bridge]"], indirect=True)
def test_a_missing_extra_is_named(one_entry: None) -> None:
    done = CliRunner().invoke(cli.main, ["part"])
    assert done.exit_code == 1
    assert done.output == (
        "Error: `orchestration part` needs no_such_library, which is not installed: "
        "pip install 'orchestration-service[bridge]'\n"
    )
    shown = CliRunner().invoke(cli.main, ["--help"])
    assert shown.exit_code == 0
    assert re.search(r"part +\(`orchestration part` needs no_such_library", shown.output)


@pytest.mark.parametrize("one_entry", ["orchestration.no_such_part:part [bridge]"], indirect=True)
def test_a_damaged_installation_is_named(one_entry: None) -> None:
    done = CliRunner().invoke(cli.main, ["part"])
    assert done.exit_code == 1
    assert "orchestration.no_such_part is missing: install orchestration-service anew" in done.output


@pytest.mark.parametrize("one_entry", ["os:getcwd"], indirect=True)
def test_what_is_no_command_is_refused(one_entry: None) -> None:
    done = CliRunner().invoke(cli.main, ["part"])
    assert "the entry point part = os:getcwd is not a command" in done.output


def test_an_unknown_command_is_a_usage_error() -> None:
    done = CliRunner().invoke(cli.main, ["no-such-command"])
    assert done.exit_code == 2
    assert isinstance(cli.main, click.Group)
