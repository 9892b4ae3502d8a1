"""Where servers come from, and what is refused in one line."""

from __future__ import annotations

import os
import socket
from functools import lru_cache
from pathlib import Path

import pytest

from stack import StackError, docker, packages, sources
from stack.layout import Layout
from stack.local import Stack
from stack.packages import require
from stack.prepare import needs
from stack.process import free_port

NONE: dict[str, str] = {}


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path / ".run")
    made.prepare()
    return made


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture(autouse=True)
def no_docker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker, "engine_answers", lambda: False)


def test_servers_of_the_users_own_are_used_and_never_touched(layout: Layout, said: list[str]) -> None:
    own = {
        "ORCHESTRATION_ADMIN_DSN": "postgresql://admin@db.example/orchestration",
        "ORCHESTRATION_DSN": "postgresql://tech@db.example/orchestration",
        "ORCHESTRATION_KAFKA_BOOTSTRAP": "kafka.example:9092",
    }
    postgres = sources.choose_postgres(layout, {}, own, said.append)
    kafka = sources.choose_kafka(layout, {}, own, said.append)
    assert (postgres.source, postgres.address) == ("environment", own["ORCHESTRATION_ADMIN_DSN"])
    assert (kafka.source, kafka.address) == ("environment", "kafka.example:9092")
    assert isinstance(postgres.server, sources.Given)
    assert isinstance(kafka.server, sources.Given)


@pytest.mark.parametrize("name", ["ORCHESTRATION_DSN", "ORCHESTRATION_ADMIN_DSN"])
def test_half_a_postgresql_is_refused(layout: Layout, said: list[str], name: str) -> None:
    with pytest.raises(StackError, match="set both, or unset both"):
        sources.choose_postgres(layout, {}, {name: "postgresql://db.example/d"}, said.append)


def test_our_own_addresses_are_not_taken_for_the_users() -> None:
    sourced = {
        "ORCHESTRATION_ADMIN_DSN": "postgresql://postgres:x@127.0.0.1:20000/orchestration",
        "ORCHESTRATION_DSN": "postgresql://other@db.example/orchestration",
        "ORCHESTRATION_KAFKA_BOOTSTRAP": "127.0.0.1:20001",
        "PATH": "/bin",
    }
    assert sources.users_own(sourced) == sourced
    assert sources.users_own({**sourced, "ORCHESTRATION_STACK": "/x/.run"}) == {
        "ORCHESTRATION_DSN": "postgresql://other@db.example/orchestration",
        "ORCHESTRATION_STACK": "/x/.run",
        "PATH": "/bin",
    }


def test_a_taken_port_moves_and_says_so(layout: Layout, said: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        choice = sources.choose_postgres(layout, {"source": "local", "port": port}, NONE, said.append)
    assert choice.settings["port"] != port
    assert said == [
        f"PostgreSQL: port {port} is taken by {Path('/proc/self/comm').read_text().strip()} (pid {os.getpid()}); "
        f"it moves to {choice.settings['port']}, read .run/env anew"
    ]


def test_ports_and_passwords_are_kept(layout: Layout, said: list[str]) -> None:
    first = sources.choose_postgres(layout, {}, NONE, said.append)
    again = sources.choose_postgres(layout, first.settings, NONE, said.append)
    assert again.settings == first.settings
    assert said == []


def test_an_unknown_source_is_refused(layout: Layout, said: list[str]) -> None:
    with pytest.raises(StackError, match="STACK_SOURCE=podman is unknown: set it to docker, local, fallback"):
        sources.choose_kafka(layout, {}, {"STACK_SOURCE": "podman"}, said.append)


def test_data_in_docker_are_not_forgotten(layout: Layout, said: list[str]) -> None:
    with pytest.raises(StackError, match="are in Docker, which does not answer"):
        sources.choose_postgres(layout, {"source": "docker", "port": 1, "password": "x"}, NONE, said.append)


def test_an_image_that_cannot_be_had_means_local_programs(
    layout: Layout, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_image() -> str:
        raise StackError("docker pull failed: no route")

    monkeypatch.setattr(docker, "engine_answers", lambda: True)
    monkeypatch.setattr(docker, "postgres_image", no_image)
    assert sources.choose_postgres(layout, {}, NONE, said.append).source == "local"
    assert said == [
        "PostgreSQL: Docker answers, but its image cannot be had (docker pull failed: no route); using local programs"
    ]


def test_the_fallback_comes_loudly(layout: Layout, said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def no_maven(*_: object, **__: object) -> None:
        raise StackError("Maven cannot bring Kafka")

    monkeypatch.setattr(sources, "prepare", no_maven)
    choice = sources.choose_kafka(layout, {}, NONE, said.append)
    assert choice.source == "fallback"
    assert said[0] == "WARNING: no Apache Kafka: Maven cannot bring Kafka"
    assert "keeps messages in memory only" in said[1]
    known = {"source": "local", "port": free_port(), "controller_port": free_port()}
    with pytest.raises(StackError, match="Maven cannot bring Kafka"):
        sources.choose_kafka(layout, known, NONE, said.append)


@pytest.mark.parametrize("names", [("mongo",), ("airflow", "mongo")])
def test_unknown_additions_are_refused(layout: Layout, names: tuple[str, ...]) -> None:
    with pytest.raises(StackError, match=rf'WITH="{" ".join(names)}": .*mongo is unknown'):
        Stack(layout).up(names)


def test_a_full_disk_is_said_before_anything_starts(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stack.layout.ROOM", 2**60)
    with pytest.raises(StackError, match=r"the disk of .* is full"):
        Stack(layout).up()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StackError, match="cannot be made: Not a directory"):
        Layout(tmp_path / "file" / ".run").prepare()


def test_damaged_state_is_said(layout: Layout) -> None:
    (layout.run / "state.json").write_text("{")
    with pytest.raises(StackError, match="is damaged: `make clean` starts anew"):
        layout.load()


def test_the_env_file_is_private_and_reads_back(layout: Layout) -> None:
    values = {"ORCHESTRATION_DSN": "postgresql://u:p%20'$x@h/d", "ORCHESTRATION_ENV": "dev"}
    layout.write_env(values)
    assert layout.read_env() == values
    assert layout.env_file.stat().st_mode & 0o777 == 0o600
    assert layout.env_file.read_text().startswith("export ORCHESTRATION_DSN=")


def test_a_missing_package_is_named_where_it_cannot_be_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StackError, match=r"missing on this system: maven, shellcheck\. Install"):
        require("maven", "shellcheck")
    (tmp_path / "apt-get").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "apt-get").chmod(0o755)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(StackError, match="neither root nor sudo"):
        require("maven")


def test_what_is_only_partly_there_is_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said: list[str] = []
    monkeypatch.setattr(packages, "extensions_in", lru_cache(lambda _: frozenset({"pg_cron"})))
    monkeypatch.setenv("PATH", str(tmp_path))
    require("postgres", say=said.append)
    assert said == [
        "missing on this system: postgresql (15 or newer), pg_cron, pgtap, plpgsql_check. "
        "Install it with your package manager and call again; going on with what is there"
    ]


@pytest.mark.parametrize(
    ("extra", "environ", "expected"),
    [
        ("stack", {}, ["postgres", "java", "maven"]),
        ("dev", {"ORCHESTRATION_ADMIN_DSN": "x"}, ["shellcheck", "postgres", "java", "maven"]),
        ("stack", {"ORCHESTRATION_ADMIN_DSN": "x", "ORCHESTRATION_KAFKA_BOOTSTRAP": "y"}, []),
        ("stack", {"STACK_SOURCE": "fallback"}, ["postgres"]),
    ],
)
def test_what_is_installed_beforehand(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, extra: str, environ: dict[str, str], expected: list[str]
) -> None:
    monkeypatch.delenv("STACK_SOURCE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert needs(extra) == expected
