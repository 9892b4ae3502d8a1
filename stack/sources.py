"""Where the servers come from: named by the environment, Docker, local binaries, and for Kafka at last the fallback."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from . import StackError, docker
from .kafka import FALLBACK_LACKS, Broker, FallbackBroker, fetched, prepare
from .layout import Layout
from .packages import require
from .postgres import Cluster
from .process import free_port, port_is_free, who_holds

__all__ = ["FORCE", "MARK", "Choice", "Given", "Server", "choose_kafka", "choose_postgres", "users_own"]

MARK = "ORCHESTRATION_STACK"
"""Set by `.run/env`, to the folder of the stack that wrote it."""
FORCE = "STACK_SOURCE"
_FORCED = ("docker", "local", "fallback")
Say = Callable[[str], None]
Settings = dict[str, Any]


class Server(Protocol):
    """What the stack needs of a server, wherever it comes from."""

    @property
    def running(self) -> bool: ...
    def launch(self) -> None: ...
    def await_ready(self, seconds: float = ...) -> None: ...
    def stop(self) -> None: ...
    def drop(self) -> None: ...


class Given:
    """A server of the user's own, named in his environment: never started, stopped or emptied by us."""

    running = True

    def launch(self) -> None:
        pass

    def await_ready(self, seconds: float = 0) -> None:
        """The programs that use it wait for it themselves, and say so."""

    def stop(self) -> None:
        pass

    def drop(self) -> None:
        pass


@dataclass
class Choice:
    """A server and where it came from: `environment`, `docker`, `local` or `fallback`."""

    server: Server
    source: str
    address: str  # the admin's DSN, or the bootstrap servers
    settings: Settings = field(default_factory=dict)  # what the next call must know


def choose_postgres(layout: Layout, known: Settings, environ: Mapping[str, str], say: Say) -> Choice:
    """`known` is what an earlier choice left in `settings`; its source stays as long as its data do."""
    given = environ.get("ORCHESTRATION_ADMIN_DSN", "")
    if given and environ.get("ORCHESTRATION_DSN"):
        return Choice(Given(), "environment", given)
    if given or environ.get("ORCHESTRATION_DSN"):
        raise StackError(
            "a PostgreSQL of your own is named by ORCHESTRATION_DSN and ORCHESTRATION_ADMIN_DSN: "
            "set both, or unset both and the stack brings its own"
        )
    source = _source(known, environ, say, "PostgreSQL", docker.postgres_image)
    if source == "docker":
        box = docker.DockerPostgres(f"{layout.name}-postgres", known.get("port"), known.get("password"))
        _move_if_taken(box, "PostgreSQL", ("port",), say)
        settings = {"source": source, "port": box.port, "password": box.password}
        return Choice(box, source, box.admin_dsn, settings)
    require("postgres", log=layout.log("apt"), say=say)
    folder = layout.postgres_folder()
    cluster = Cluster(folder, port=known.get("port"), password=known.get("password"))
    _move_if_taken(cluster, "PostgreSQL", ("port",), say)
    settings = {"source": source, "port": cluster.port, "password": cluster.password}
    return Choice(cluster, source, cluster.admin_dsn, settings)


def choose_kafka(layout: Layout, known: Settings, environ: Mapping[str, str], say: Say) -> Choice:
    """As `choose_postgres`."""
    given = environ.get("ORCHESTRATION_KAFKA_BOOTSTRAP", "")
    if given:
        return Choice(Given(), "environment", given)
    source = _source(known, environ, say, "Kafka", docker.kafka_image)
    if source == "docker":
        box = docker.DockerKafka(f"{layout.name}-kafka", known.get("port"), known.get("cluster_id"))
        _move_if_taken(box, "Kafka", ("port",), say)
        kept = {"source": source, "port": box.port, "cluster_id": box.cluster_id}
        return Choice(box, source, box.bootstrap, kept)
    server: Broker | FallbackBroker
    folder = layout.run / "kafka"
    settings: Settings = {"source": source}
    if source == "local":
        try:
            require("java", log=layout.log("apt"), say=say)
            if not fetched():
                require("maven", log=layout.log("apt"), say=say)
            jars = prepare()
        except StackError as problem:
            if known.get("source") == "local":
                raise  # its data are Apache Kafka's
            say(f"WARNING: no Apache Kafka: {problem}")
            source = "fallback"
        else:
            server = Broker(
                folder, port=known.get("port"), controller_port=known.get("controller_port"), jars=jars
            )
            _move_if_taken(server, "Kafka", ("port", "controller_port"), say)
            settings |= {"port": server.port, "controller_port": server.controller_port}
    if source == "fallback":
        say(f"WARNING: the small fallback broker takes Kafka's place: {FALLBACK_LACKS}")
        server = FallbackBroker(folder, port=known.get("port"))
        _move_if_taken(server, "Kafka", ("port",), say)
        settings = {"source": source, "port": server.port}
    return Choice(server, source, server.bootstrap, settings)


def _source(
    known: Settings, environ: Mapping[str, str], say: Say, what: str, image: Callable[[], str]
) -> str:
    """`docker`, `local` or `fallback`; one that holds data already stays."""
    forced = environ.get(FORCE)
    if forced and forced not in _FORCED:
        raise StackError(f"{FORCE}={forced} is unknown: set it to {', '.join(_FORCED)}, or unset it")
    had = known.get("source")
    if had == "docker" and not docker.engine_answers():
        raise StackError(
            f"the data of {what} are in Docker, which does not answer: start it, or drop them with `make clean`"
        )
    if had in ("docker", "local"):
        return str(had)
    if forced == "fallback" and what != "Kafka":
        return "local"
    if forced:
        return forced
    if docker.engine_answers():
        try:
            image()
        except StackError as problem:
            say(f"{what}: Docker answers, but its image cannot be had ({problem}); using local programs")
        else:
            return "docker"
    return "local"


def _move_if_taken(server: Any, what: str, ports: tuple[str, ...], say: Say) -> None:
    """Give a server that does not run another port where its own has been taken meanwhile."""
    if server.running:
        return
    for name in ports:
        port = getattr(server, name)
        if not port_is_free(port):
            new = free_port()
            setattr(server, name, new)
            say(f"{what}: port {port} is taken by {who_holds(port)}; it moves to {new}, read .run/env anew")


def users_own(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without what a local stack's `.run/env` put there: those servers are no servers of the user's."""
    own = dict(environ)
    if MARK in environ:
        for name in (
            "ORCHESTRATION_ADMIN_DSN",
            "ORCHESTRATION_DSN",
            "ORCHESTRATION_KAFKA_BOOTSTRAP",
            "DWH_DSN",
        ):
            if "127.0.0.1:" in own.get(name, ""):
                del own[name]
        for name in ("ORCHESTRATION_API_URL", "ORCHESTRATION_API_TOKEN"):
            own.pop(name, None)
        if "//127.0.0.1:" in own.get("AIRFLOW_URL", ""):
            del own["AIRFLOW_URL"]
            own.pop("AIRFLOW_DAGS_FOLDER", None)
        if "//127.0.0.1:" in own.get("NIFI_URL", ""):
            del own["NIFI_URL"]
    return own
