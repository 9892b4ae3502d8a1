"""The commands as a user meets them: exit codes, one line for each error, no secret anywhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner

from orchestration.db.cli import db
from orchestration.db.service_cli import service
from orchestration.db.settings import DEV_PASSWORD
from stack.process import free_port

from .conftest import Place

COMMANDS = [
    (db, ["create"]),
    (db, ["apply"]),
    (db, ["apply", "--plan"]),
    (db, ["status"]),
    (db, ["new-installation"]),
    (service, ["start"]),
    (service, ["stop"]),
    (service, ["status"]),
]


def run(*words: str, environment: Mapping[str, str], group: str = "db") -> subprocess.CompletedProcess[str]:
    """One command in a process of its own; whatever happens there is no traceback and no password."""
    code = f"from orchestration.db.{'cli' if group == 'db' else 'service_cli'} import {group}; {group}()"
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("ORCHESTRATION_", "PG"))
    }
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    secrets = {
        match for value in environment.values() for match in re.findall(r"://[^:/@]+:([^@/]+)@", value)
    }
    for secret in secrets:
        assert secret not in done.stdout + done.stderr
    return done


def test_new_installation(created: Place, release: Path) -> None:
    created.apply(release)
    before = created.ask("select id::text from orchestration.installation")
    renewed = run("new-installation", environment=created.environment)
    assert renewed.returncode == 0, renewed.stderr
    after = created.ask("select id::text from orchestration.installation")
    assert [(renewed.stdout.strip(),)] == after
    assert after != before


def test_new_installation_of_what_is_not_applied(created: Place) -> None:
    done = run("new-installation", environment=created.environment)
    assert done.returncode == 1
    assert done.stderr == (f"orchestration: {created.admin} is not applied: run: orchestration db apply\n")


def test_service_of_a_database_that_does_not_fit(created: Place, release: Path) -> None:
    """The small release is not the package's."""
    created.apply(release)
    done = run("stop", environment=created.environment, group="service")
    assert done.returncode == 1
    assert re.fullmatch(r"orchestration: database .* (newer|made from another text).*\n", done.stderr)


@pytest.mark.parametrize(("group", "words"), COMMANDS)
def test_missing_settings(group: object, words: list[str]) -> None:
    name = "db" if group is db else "service"
    done = run(*words, environment={}, group=name)
    assert done.returncode == 2
    assert re.fullmatch(
        r"orchestration: ORCHESTRATION_(ADMIN_)?DSN is not set: set it, for example .*\n", done.stderr
    )


@pytest.mark.parametrize(("group", "words"), COMMANDS)
def test_dev_password_outside_dev(group: object, words: list[str]) -> None:
    name = "db" if group is db else "service"
    dsn = f"postgresql://tech:{DEV_PASSWORD}@db1/orchestration?sslmode=require"
    environment = {"ORCHESTRATION_DSN": dsn, "ORCHESTRATION_ADMIN_DSN": dsn}
    done = run(*words, environment=environment, group=name)
    assert done.returncode == 2
    assert "holds the DEV password, which is public: give the role a password of its own" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(("group", "words"), COMMANDS)
def test_wrong_password(created: Place, group: object, words: list[str]) -> None:
    name = "db" if group is db else "service"
    dsn = created.server.dsn(created.name, created.user, "wrong-one")
    admin = created.server.dsn(created.name, "postgres", "wrong-two")
    done = run(
        *words,
        environment={"ORCHESTRATION_DSN": dsn, "ORCHESTRATION_ADMIN_DSN": admin, "ORCHESTRATION_ENV": "dev"},
        group=name,
    )
    assert done.returncode == 2
    assert re.fullmatch(
        r"orchestration: .* refuses the password of role \S+: correct user and password .*\n", done.stderr
    )


@pytest.mark.parametrize(("group", "words"), COMMANDS)
def test_server_away(group: object, words: list[str]) -> None:
    name = "db" if group is db else "service"
    port = free_port()
    environment = {
        "ORCHESTRATION_DSN": f"postgresql://tech:secret-one@127.0.0.1:{port}/orchestration",
        "ORCHESTRATION_ADMIN_DSN": f"postgresql://root:secret-two@127.0.0.1:{port}/orchestration",
        "ORCHESTRATION_ENV": "dev",
        "ORCHESTRATION_DB_WAIT": "1",
    }
    done = run(*words, environment=environment, group=name)
    assert done.returncode == 1
    first, last = done.stderr.splitlines()
    assert first.endswith(
        "does not answer (connection refused): start it, or correct "
        + ("ORCHESTRATION_DSN" if words == ["status"] or name == "service" else "ORCHESTRATION_ADMIN_DSN")
        + "; trying again"
    )
    assert last.startswith("orchestration: PostgreSQL at 127.0.0.1:")


@pytest.mark.parametrize("option", ["--dsn", "--admin-dsn"])
def test_a_password_on_the_command_line_is_refused(option: str) -> None:
    done = run(
        "apply", option, "postgresql://tech:secret-one@db1/orchestration?sslmode=require", environment={}
    )
    assert done.returncode == 2
    assert done.stderr == (
        f"orchestration: {option} holds a password, which everybody sees in the process list: "
        "give it by the environment variable instead, or leave it to ~/.pgpass\n"
    )
    allowed = run("apply", option, "postgresql://tech@db1/orchestration", environment={})
    assert "holds a password" not in allowed.stderr


def test_help_shows_examples_and_every_variable() -> None:
    for group in (db, service):
        for name, command in group.commands.items():
            said = CliRunner().invoke(group, [name, "--help"]).output
            assert "Example" in said, f"{name} shows no example"
            options = [parameter for parameter in command.params if parameter.name != "help"]
            assert options
            for parameter in options:
                assert isinstance(parameter.envvar, str), f"{name} {parameter.opts} has no variable"
                assert parameter.envvar in re.sub(r"\s+", "", said), f"{name} hides {parameter.envvar}"
        assert "Example" in CliRunner().invoke(group, ["--help"]).output


def test_status_tells_drift_by_its_exit_code(created: Place, release: Path) -> None:
    created.apply(release)
    done = run("status", environment=created.environment)
    assert done.returncode == 1
    assert "edited" in done.stdout or "newer" in done.stdout
