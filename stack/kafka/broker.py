"""Apache Kafka as one KRaft node."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from .. import StackError
from ..maven import locked
from ..process import Process, free_port, port_is_free, tail, who_holds
from ..scratch import scratch_folder
from .jars import Jars, fetch
from .ready import await_ready

__all__ = ["QUICK_GROUPS", "SINGLE_NODE", "Broker", "new_cluster_id", "prepare"]

# one node: every internal topic has one replica and one partition; back after kill -9 in 2 s instead of 11
SINGLE_NODE = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "auto.create.topics.enable": "false",
    "num.network.threads": "2",
    "num.io.threads": "2",
    "broker.session.timeout.ms": "1000",
    "broker.heartbeat.interval.ms": "200",
}
# so that a client may ask for quick rebalances; a broker as shipped allows none of these
QUICK_GROUPS = {
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "group.consumer.min.session.timeout.ms": "1000",
    "group.consumer.session.timeout.ms": "2000",
    "group.consumer.min.heartbeat.interval.ms": "100",
    "group.consumer.heartbeat.interval.ms": "200",
}


class Broker:
    """One Kafka broker on a loopback port.

    `quick_groups=False`: group settings as Kafka ships them. `warm=True`: the JVM compiles for long runs (benchmarks).
    `tied=True`: the broker ends when the thread that started it does. `settings` are server properties; the value None
    takes one out. Errors are StackError, one line each.
    """

    kind = "kafka"

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        controller_port: int | None = None,
        tied: bool = False,
        quick_groups: bool = True,
        warm: bool = False,
        memory: str = "256m",
        settings: Mapping[str, str | None] | None = None,
        jars: Jars | None = None,
    ) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.controller_port = controller_port or free_port()
        self.log = folder / "kafka.log"
        self.process = Process("Kafka", folder / "kafka.pid")
        self._jars = jars
        self._tied = tied
        self._warm = warm
        self._memory = memory
        self._throw_away = False
        self._record: Path | None = None
        wanted: dict[str, str | None] = {
            **SINGLE_NODE,
            **(QUICK_GROUPS if quick_groups else {}),
            **(settings or {}),
        }
        self.settings = {name: value for name, value in wanted.items() if value is not None}

    @classmethod
    def throwaway(
        cls,
        *,
        quick_groups: bool = True,
        warm: bool = False,
        memory: str = "256m",
        settings: Mapping[str, str | None] | None = None,
    ) -> Broker:
        """A started broker in a temporary folder that ends with the calling thread; `drop()` removes it."""
        folder = scratch_folder("kafka")
        broker = cls(
            folder, tied=True, quick_groups=quick_groups, warm=warm, memory=memory, settings=settings
        )
        broker._throw_away = True
        try:
            broker.start()
        except BaseException:
            broker.drop()
            raise
        return broker

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def running(self) -> bool:
        return self.process.pid is not None

    def start(self, seconds: float = 60) -> None:
        """Start the broker and wait until it answers; nothing where it runs."""
        if self.running:
            return
        self.launch()
        self.await_ready(seconds)

    def launch(self) -> None:
        """The first half of `start`: the broker is starting, its storage formatted where that is missing."""
        for name, port in (("Kafka", self.port), ("Kafka's controller", self.controller_port)):
            if not port_is_free(port):
                raise StackError(
                    f"port {port} of {name} is taken by {who_holds(port)}: end it or free the port"
                )
        self.folder.mkdir(parents=True, exist_ok=True)
        properties = self._write_properties()
        self._format(properties)
        self.process.spawn(
            self.jars.command(
                "kafka.Kafka", properties, memory=self._memory, warm=self._warm, record=self._record
            ),
            log=self.log,
            env=_environment(),
            cwd=self.folder,
            tied_by=signal.SIGKILL if self._tied else None,
        )

    def await_ready(self, seconds: float = 60) -> None:
        """The second half of `start`: wait until metadata and group offsets can be asked for."""
        await_ready(self.bootstrap, seconds, self._still_starts)

    def stop(self, seconds: float = 30) -> None:
        """SIGTERM, and -9 where that does not end it."""
        if not self.process.end(signal.SIGTERM, seconds):
            self.kill()

    def kill(self) -> None:
        """kill -9; the next start recovers."""
        self.process.kill()

    def restart(self) -> None:
        self.stop()
        self.start()

    def freeze(self) -> None:
        """SIGSTOP: it neither answers nor ends; `thaw` goes on."""
        self.process.send(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send(signal.SIGCONT)

    def snapshot(self, name: str) -> None:
        """A cold copy of the logs under `name`; the broker is stopped for it and runs after it if it did before."""
        self._cold(self.folder / "data", self.folder / f"snapshot-{name}")

    def restore(self, name: str) -> None:
        """The logs as they were at `snapshot(name)`."""
        source = self.folder / f"snapshot-{name}"
        if not source.exists():
            raise StackError(f"no snapshot {name!r} of Kafka in {self.folder}")
        self._cold(source, self.folder / "data")

    def wipe(self) -> None:
        """Another cluster at the same address: all topics gone, a new cluster id."""
        ran = self.running
        self.stop()
        shutil.rmtree(self.folder / "data", ignore_errors=True)
        if ran:
            self.start()

    def drop(self) -> None:
        """End the broker at once and remove its folder."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Broker:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._throw_away:
            self.drop()
        else:
            self.stop()

    # -- helpers --------------------------------------------------------------------------------

    @property
    def jars(self) -> Jars:
        if self._jars is None:
            self._jars = prepare()
        return self._jars

    def _write_properties(self) -> Path:
        controller = f"127.0.0.1:{self.controller_port}"
        settings = {
            "listeners": f"PLAINTEXT://{self.bootstrap},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap}",
            "controller.quorum.voters": f"1@{controller}",
            "log.dirs": str(self.folder / "data"),
            **self.settings,
        }
        path = self.folder / "server.properties"
        path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        return path

    def _format(self, properties: Path) -> None:
        if (self.folder / "data" / "meta.properties").exists():
            return
        shutil.rmtree(self.folder / "data", ignore_errors=True)
        command = self.jars.command(
            "kafka.tools.StorageTool", "format", "-t", new_cluster_id(), "-c", properties
        )
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env=_environment(), cwd=self.folder
        )
        if done.returncode != 0:
            said = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()] or [
                "no message"
            ]
            raise StackError(f"Kafka cannot format {self.folder / 'data'}: {said[-1][:300]}")

    def _still_starts(self) -> None:
        if not self.running:
            said = tail(self.log, ("No space left", "Exception", "ERROR", "error"))
            hint = f"the disk of {self.folder} is full, free some space: " if "No space left" in said else ""
            raise StackError(f"Kafka ended while starting: {hint}{said[:300]} (see {self.log})")

    def _cold(self, source: Path, target: Path) -> None:
        ran = self.running
        self.stop()
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target)
        if ran:
            self.start()


def prepare() -> Jars:
    """Kafka's jars, and an archive of the classes a start loads (made once per Java version; starts take half then)."""
    jars = fetch()
    if jars.archive.exists():
        return jars
    with locked(jars.folder):
        if not jars.archive.exists():
            made = jars.archive.with_suffix(".new")
            broker = Broker(scratch_folder("kafka"), tied=True, jars=jars)
            broker._record = made
            try:
                broker.start()
                broker.stop()
                made.replace(jars.archive)
            except (StackError, OSError):
                pass  # only speed is lost: the real start will say what is wrong
            finally:
                broker.drop()
    return jars


def new_cluster_id() -> str:
    """22 characters of base64url; one that begins with `-` would be taken for an option."""
    while not re.match(r"[A-Za-z0-9]", made := secrets.token_urlsafe(16)):
        pass
    return made


def _environment() -> dict[str, str]:
    """What the broker sees: nothing of the caller's settings."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "JAVA_HOME") if name in os.environ}
