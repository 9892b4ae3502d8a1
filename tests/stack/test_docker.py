"""What is asked of Docker, seen by a stand-in for its command that writes down how it was called."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from stack import StackError, docker

Fake = Callable[[str], Path]


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Put a `docker` on PATH that runs a shell script after noting its words and what it was given to hide."""
    calls = tmp_path / "calls"
    calls.touch()

    def put(script: str) -> Path:
        command = tmp_path / "bin" / "docker"
        command.parent.mkdir(exist_ok=True)
        note = f"echo \"$* | hidden: $POSTGRES_PASSWORD\" >> '{calls}'"
        command.write_text(f"#!/bin/sh\n{note}\n{script}\n")
        command.chmod(0o755)
        return calls

    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    docker.engine_answers.cache_clear()
    return put


@pytest.mark.parametrize(
    ("script", "host", "answers"),
    [
        ("echo 27.1", "", True),
        ("echo 27.1", "unix:///run/user/1/docker.sock", True),
        ("echo 27.1", "tcp://far.example:2376", False),
        ("echo 'Cannot connect to the Docker daemon' >&2; exit 1", "", False),
        ("exec sleep 10", "", False),
    ],
)
def test_which_engine_counts(
    fake: Fake, monkeypatch: pytest.MonkeyPatch, script: str, host: str, answers: bool
) -> None:
    fake(script)
    if host:
        monkeypatch.setenv("DOCKER_HOST", host)
    assert docker.engine_answers() is answers
    docker.engine_answers.cache_clear()


def test_no_docker_at_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    docker.engine_answers.cache_clear()
    assert docker.engine_answers() is False
    docker.engine_answers.cache_clear()


def test_the_password_is_on_no_command_line(fake: Fake) -> None:
    calls = fake('case "$1" in inspect) exit 1;; esac')
    server = docker.DockerPostgres("box", 20000, "canary")
    server.launch()
    words, _, hidden = calls.read_text().splitlines()[-1].partition(" | hidden: ")
    assert words.startswith("run -d --name box -p 127.0.0.1:20000:5432 -v box:/var/lib/postgresql/data")
    assert "-e POSTGRES_PASSWORD -e" in words
    assert "canary" not in words
    assert hidden == "canary"
    assert "cron.database_name=orchestration" in words
    assert server.admin_dsn == "postgresql://postgres:canary@127.0.0.1:20000/orchestration"


def test_kafka_is_told_its_outer_address(fake: Fake) -> None:
    settings = docker.kafka_settings(20001, quick_groups=False, settings={"num.io.threads": None, "a.b": "c"})
    assert settings["KAFKA_ADVERTISED_LISTENERS"] == "PLAINTEXT://127.0.0.1:20001"
    assert settings["KAFKA_A_B"] == "c"
    assert "KAFKA_NUM_IO_THREADS" not in settings
    assert "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS" not in settings
    assert "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS" in docker.kafka_settings(20001)


def test_a_container_that_ends_is_told_with_its_last_words(fake: Fake) -> None:
    fake('case "$1" in inspect) echo \'{"Running": false}\';; logs) echo "FATAL: no space" >&2;; esac')
    with pytest.raises(StackError, match="PostgreSQL ended in its container box: FATAL: no space"):
        docker.DockerPostgres("box", 20000, "x").await_ready(1)


def test_what_docker_refuses_is_told_in_one_line(fake: Fake) -> None:
    fake('case "$1" in image) exit 1;; pull) echo "first"; echo "no such host" >&2; exit 1;; esac')
    with pytest.raises(StackError, match=r"^docker pull failed: no such host$"):
        docker.kafka_image()


def test_stop_keeps_the_volume_and_drop_does_not(fake: Fake) -> None:
    calls = fake('case "$1" in inspect) echo \'{"Running": true}\';; esac')
    server = docker.DockerKafka("box", 20001)
    server.stop()
    assert "volume" not in calls.read_text()
    server.drop()
    assert "volume rm -f box" in calls.read_text()
