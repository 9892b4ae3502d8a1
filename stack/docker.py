"""The same servers as Docker containers, where an engine answers: official images, loopback ports, named volumes."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path

from . import StackError
from .kafka.broker import QUICK_GROUPS, SINGLE_NODE, new_cluster_id
from .kafka.jars import VERSION as KAFKA_VERSION
from .postgres import ADMIN, ALWAYS, DATABASE
from .process import await_true, free_port

__all__ = [
    "KAFKA_IMAGE",
    "DockerKafka",
    "DockerPostgres",
    "engine_answers",
    "kafka_image",
    "postgres_image",
    "pull",
]

POSTGRES_BASE = os.environ.get("STACK_POSTGRES_IMAGE", "postgres:15")
KAFKA_IMAGE = os.environ.get("STACK_KAFKA_IMAGE", f"apache/kafka:{KAFKA_VERSION}")
_DOCKERFILE = Path(__file__).with_name("postgres.Dockerfile")
_PULL_LIMIT = 300.0  # seconds
POSTGRES_SETTINGS = {
    **{
        name: value
        for name, value in ALWAYS.items()
        if name not in ("listen_addresses", "unix_socket_directories")
    },
    "shared_preload_libraries": "pg_cron",
    "cron.database_name": DATABASE,
    "cron.use_background_workers": "on",
}


@cache
def engine_answers() -> bool:
    """Whether a Docker engine of this machine answers within 2 s (a client alone, or a far engine, does not count)."""
    if not shutil.which("docker") or not os.environ.get("DOCKER_HOST", "unix://").startswith("unix://"):
        return False
    command = ["docker", "version", "--format", "{{.Server.Version}}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=2)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0 and bool(done.stdout.strip())


def postgres_image() -> str:
    """The name of the image with pg_cron, pgtap and plpgsql_check, built where it is missing."""
    digest = sha256(_DOCKERFILE.read_bytes() + POSTGRES_BASE.encode()).hexdigest()[:10]
    image = f"orchestration-postgres:{digest}"
    if not _has_image(image):
        build: list[str | Path] = [
            "build",
            "-q",
            "-t",
            image,
            "--build-arg",
            f"BASE={POSTGRES_BASE}",
            "-f",
            _DOCKERFILE,
            _DOCKERFILE.parent,
        ]
        _docker(*build, limit=_PULL_LIMIT)
    return image


def kafka_image() -> str:
    """The name of the official image, pulled where it is missing."""
    pull(KAFKA_IMAGE)
    return KAFKA_IMAGE


def pull(image: str) -> None:
    """Bring an image, where it is missing. StackError where it cannot be had."""
    if not _has_image(image):
        _docker("pull", "-q", image, limit=_PULL_LIMIT)


def kafka_settings(
    port: int, *, quick_groups: bool = True, settings: Mapping[str, str | None] | None = None
) -> dict[str, str]:
    """The image's environment for one node that clients of this machine reach at 127.0.0.1:`port`.

    `quick_groups` and `settings` as in `stack.kafka.Broker`.
    """
    wanted: dict[str, str | None] = {
        **SINGLE_NODE,
        **(QUICK_GROUPS if quick_groups else {}),
        "listeners": "PLAINTEXT://:9092,CONTROLLER://:9093",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "controller.quorum.voters": "1@localhost:9093",
        "log.dirs": "/var/lib/kafka/data",
        **(settings or {}),
    }
    return {
        f"KAFKA_{name.upper().replace('.', '_')}": value
        for name, value in wanted.items()
        if value is not None
    }


class _Container:
    """One named container with one volume; stopped, it keeps its data."""

    what = ""
    inner_port = 0
    data = ""

    def __init__(self, name: str, port: int | None = None) -> None:
        self.name = name
        self.port = port or free_port()

    @property
    def running(self) -> bool:
        return self._state().get("Running") is True

    def start(self, seconds: float = 90) -> None:
        if not self.running:
            self.launch()
        self.await_ready(seconds)

    def launch(self) -> None:
        if self._state():
            _docker("rm", "-f", self.name)
        options = [
            "--name",
            self.name,
            "-p",
            f"127.0.0.1:{self.port}:{self.inner_port}",
            "-v",
            f"{self.name}:{self.data}",
        ]
        values = self._environment()
        # `-e NAME` alone: docker takes the value from its own environment, so that `ps` shows none
        names = [word for name in values for word in ("-e", name)]
        _docker("run", "-d", *options, *names, *self._image_and_command(), environment=values)

    def await_ready(self, seconds: float = 90) -> None:
        def answers() -> bool:
            if not self.running:
                said = _docker("logs", "--tail", "5", self.name, check=False).strip().splitlines() or [
                    "no log"
                ]
                raise StackError(f"{self.what} ended in its container {self.name}: {said[-1][:300]}")
            return self._answers()

        if not await_true(answers, seconds, 0.2):
            raise StackError(
                f"{self.what} in container {self.name} does not answer after {seconds:.0f} s: docker logs {self.name}"
            )

    def stop(self) -> None:
        """Stopped and removed; the volume keeps the data."""
        if self._state():
            _docker("stop", "-t", "20", self.name)
            _docker("rm", "-f", self.name)

    def kill(self) -> None:
        """kill -9 of the server."""
        if self.running:
            _docker("kill", "-s", "KILL", self.name)

    def drop(self) -> None:
        if self._state():
            _docker("rm", "-f", self.name)
        _docker("volume", "rm", "-f", self.name)

    def _state(self) -> dict[str, object]:
        said = _docker("inspect", "--format", "{{json .State}}", self.name, check=False)
        try:
            state = json.loads(said)
        except ValueError:
            return {}
        return state if isinstance(state, dict) else {}

    def _environment(self) -> dict[str, str]:
        raise NotImplementedError

    def _image_and_command(self) -> list[str]:
        raise NotImplementedError

    def _answers(self) -> bool:
        raise NotImplementedError


class DockerPostgres(_Container):
    what = "PostgreSQL"
    inner_port = 5432
    data = "/var/lib/postgresql/data"

    def __init__(self, name: str, port: int | None = None, password: str | None = None) -> None:
        super().__init__(name, port)
        self.password = password or secrets.token_urlsafe(18)

    @property
    def admin_dsn(self) -> str:
        return f"postgresql://{ADMIN}:{self.password}@127.0.0.1:{self.port}/{DATABASE}"

    def _environment(self) -> dict[str, str]:
        return {"POSTGRES_USER": ADMIN, "POSTGRES_PASSWORD": self.password, "POSTGRES_DB": DATABASE}

    def _image_and_command(self) -> list[str]:
        settings = [word for name, value in POSTGRES_SETTINGS.items() for word in ("-c", f"{name}={value}")]
        return [postgres_image(), "postgres", *settings]

    def _answers(self) -> bool:
        # over TCP: the server that only initialises the data listens on a socket alone
        probe = ["exec", self.name, "pg_isready", "-q", "-h", "127.0.0.1", "-d", DATABASE]
        return subprocess.run(["docker", *probe], capture_output=True, check=False).returncode == 0


class DockerKafka(_Container):
    what = "Kafka"
    inner_port = 9092
    data = "/var/lib/kafka/data"

    def __init__(self, name: str, port: int | None = None, cluster_id: str | None = None) -> None:
        super().__init__(name, port)
        self.cluster_id = cluster_id or new_cluster_id()

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    def _environment(self) -> dict[str, str]:
        return {**kafka_settings(self.port), "CLUSTER_ID": self.cluster_id}

    def _image_and_command(self) -> list[str]:
        return [kafka_image()]

    def _answers(self) -> bool:
        from .kafka.ready import await_ready

        try:
            await_ready(self.bootstrap, 2, lambda: None)
        except StackError:
            return False
        return True


def _has_image(name: str) -> bool:
    return (
        subprocess.run(["docker", "image", "inspect", name], capture_output=True, check=False).returncode == 0
    )


def _docker(
    *words: str | Path, check: bool = True, limit: float = 60, environment: Mapping[str, str] | None = None
) -> str:
    """Docker's answer. StackError with its last line where it fails or takes longer than `limit` seconds."""
    try:
        done = subprocess.run(
            ["docker", *words],
            capture_output=True, text=True, check=False, timeout=limit, env={**os.environ, **(environment or {})},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise StackError(f"docker {words[0]} did not end within {limit:.0f} s") from None
    if check and done.returncode != 0:
        said = done.stderr.strip().splitlines() or ["no message"]
        raise StackError(f"docker {words[0]} failed: {said[-1][:300]}")
    return done.stdout + ("" if check else done.stderr if words[0] == "logs" else "")
