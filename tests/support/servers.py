"""One PostgreSQL and one Kafka for tests: testcontainers where Docker answers, else local programs."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Protocol
from urllib.parse import quote

import pytest

from stack import StackError, docker
from stack.kafka import FALLBACK_LACKS, Broker, FallbackBroker
from stack.kafka.broker import new_cluster_id
from stack.kafka.ready import await_ready
from stack.postgres import ADMIN, DATABASE, Cluster
from stack.process import await_true, free_port

__all__ = [
    "ALLOW_FALLBACK",
    "KafkaServer",
    "PgServer",
    "require_fallback_allowed",
    "start_kafka",
    "start_postgres",
    "used",
    "wait_for",
]

ALLOW_FALLBACK = "ALLOW_FALLBACK"
Settings = Mapping[str, str | None]
used: dict[str, str] = {}
"""What the servers of this run came from, in words, by name."""


class Server(Protocol):
    """What a test may do to a server. After `kill` and `stop`, `start` brings it back at the same address."""

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...
    def restart(self) -> None: ...
    def freeze(self) -> None: ...
    def thaw(self) -> None: ...
    def drop(self) -> None: ...


class PgServer(Server, Protocol):
    """A PostgreSQL server whose superuser `postgres` logs in with a password over TCP."""

    port: int

    def dsn(self, database: str = ..., user: str = ..., password: str | None = ...) -> str: ...
    @property
    def admin_dsn(self) -> str: ...


class KafkaServer(Server, Protocol):
    """A Kafka broker. `kind` is `kafka` or `fallback`."""

    kind: str

    @property
    def bootstrap(self) -> str: ...


def start_postgres(*, durable: bool = False, settings: Settings | None = None) -> PgServer:
    """A started server that ends with the test run. `durable=False`: without fsync, for all but fault tests."""
    image = _image("PostgreSQL", docker.postgres_image)
    if image:
        return _ContainerPostgres(image, durable, settings or {})
    try:
        return Cluster.throwaway(durable=durable, settings=settings)
    except StackError as problem:
        pytest.fail(f"no PostgreSQL for the tests: {problem}", pytrace=False)


def start_kafka(*, quick_groups: bool = True, settings: Settings | None = None) -> KafkaServer:
    """A started broker that ends with the test run; the test fails where only the fallback can be had.

    `quick_groups=False`: group settings as Kafka ships them. `settings`: server properties.
    """
    if os.environ.get("STACK_SOURCE") == "fallback":
        return _fallback("STACK_SOURCE=fallback is set")
    image = _image("Kafka", docker.kafka_image)
    if image:
        return _ContainerKafka(image, quick_groups, settings or {})
    try:
        return Broker.throwaway(quick_groups=quick_groups, settings=settings)
    except StackError as problem:
        return _fallback(str(problem))


def require_fallback_allowed(why: str) -> None:
    """Fail the test unless the user permits the fallback broker."""
    if os.environ.get(ALLOW_FALLBACK) != "1":
        pytest.fail(
            f"no Apache Kafka for the tests: {why}; {ALLOW_FALLBACK}=1 runs them on the fallback ({FALLBACK_LACKS})",
            pytrace=False,
        )


def _fallback(why: str) -> KafkaServer:
    require_fallback_allowed(why)
    used["Kafka"] = "the fallback broker, NOT Apache Kafka"
    return FallbackBroker.throwaway()


def _image(what: str, find: Callable[[], str]) -> str | None:
    """The image to run `what` from, where Docker answers and the image can be had; None: local programs."""
    used[what] = "local programs"
    if os.environ.get("STACK_SOURCE") not in (None, "docker") or not docker.engine_answers():
        return None
    try:
        image = find()
    except StackError as problem:
        used[what] = f"local programs, because {problem}"
        return None
    used[what] = "testcontainers"
    if not _reaper_can_be_had():
        os.environ["TESTCONTAINERS_RYUK_DISABLED"] = "true"
    return image


@cache
def _reaper_can_be_had() -> bool:
    """Whether the image is there with which testcontainers removes what a killed run has left."""
    from testcontainers.core.config import testcontainers_config

    try:
        docker.pull(testcontainers_config.ryuk_image)
    except StackError:
        return False
    return True


class _Container:
    """A testcontainers container at a fixed loopback port, so that it comes back where it was."""

    inner_port = 0

    def __init__(self, image: str, command: str, environment: Mapping[str, str], port: int) -> None:
        from testcontainers.core.container import DockerContainer

        self.port = port
        self._box = DockerContainer(image).with_bind_ports(self.inner_port, port)
        for name, value in environment.items():
            self._box = self._box.with_env(name, value)
        if command:
            self._box = self._box.with_command(command)
        self._box.start()
        self._await()

    @property
    def _raw(self) -> Any:
        return self._box.get_wrapped_container()

    def start(self) -> None:
        self._raw.start()
        self._await()

    def stop(self) -> None:
        self._raw.stop(timeout=20)

    def kill(self) -> None:
        self._raw.kill("SIGKILL")
        self._raw.wait()

    def restart(self) -> None:
        self.stop()
        self.start()

    def freeze(self) -> None:
        self._raw.pause()

    def thaw(self) -> None:
        self._raw.unpause()

    def drop(self) -> None:
        self._box.stop(force=True, delete_volume=True)

    def _await(self) -> None:
        raise NotImplementedError


class _ContainerPostgres(_Container):
    inner_port = 5432

    def __init__(self, image: str, durable: bool, settings: Settings) -> None:
        self._password = secrets.token_urlsafe(18)
        relaxed = {} if durable else {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        wanted = {**docker.POSTGRES_SETTINGS, **relaxed, **settings}
        words = ["postgres", *(f"-c {name}={value}" for name, value in wanted.items() if value is not None)]
        environment = {"POSTGRES_USER": ADMIN, "POSTGRES_PASSWORD": self._password, "POSTGRES_DB": DATABASE}
        super().__init__(image, " ".join(words), environment, free_port())

    def dsn(self, database: str = DATABASE, user: str = ADMIN, password: str | None = None) -> str:
        if password is None and user == ADMIN:
            password = self._password
        secret = f":{quote(password, safe='')}" if password is not None else ""
        return f"postgresql://{quote(user, safe='')}{secret}@127.0.0.1:{self.port}/{quote(database, safe='')}"

    @property
    def admin_dsn(self) -> str:
        return self.dsn()

    def _await(self) -> None:
        def answers() -> bool:
            code, _ = self._raw.exec_run(["pg_isready", "-q", "-h", "127.0.0.1", "-d", DATABASE])
            return bool(code == 0)

        assert await_true(answers, 60, 0.1), "PostgreSQL does not answer in its container"


class _ContainerKafka(_Container):
    inner_port = 9092
    kind = "kafka"

    def __init__(self, image: str, quick_groups: bool, settings: Settings) -> None:
        port = free_port()
        environment = docker.kafka_settings(port, quick_groups=quick_groups, settings=settings)
        environment["CLUSTER_ID"] = new_cluster_id()
        super().__init__(image, "", environment, port)

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    def _await(self) -> None:
        await_ready(self.bootstrap, 60, lambda: None)


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 30) -> float:
    """Wait until `condition` holds and answer how many seconds that took; the test fails naming `what` otherwise."""
    begin = time.monotonic()
    if not await_true(condition, seconds, 0.02):
        pytest.fail(f"not within {seconds:g} s: {what}", pytrace=False)
    return time.monotonic() - begin
