"""PostgreSQL's disk is full: the bridge waits in one line, and goes on by itself once there is room."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack.postgres import Cluster
from stack.scratch import scratch_folder
from tests.support.databases import Databases
from tests.support.servers import KafkaServer

from .harness import World, eventually

SIZE = "192m"


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A folder on a small disk of its own."""
    folder = scratch_folder("disk")
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=755", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        shutil.rmtree(folder)
        pytest.skip(f"a disk of its own cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)
        shutil.rmtree(folder)


def test_a_full_disk_is_waited_out(small_disk: Path, topics: KafkaServer, tmp_path: Path) -> None:
    server = Cluster(small_disk / "pg", tied=True, settings={"max_wal_size": "32MB", "min_wal_size": "32MB"})
    ballast = small_disk / "ballast"
    try:
        server.start()
        world = World(Databases(server).fresh(), topics, tmp_path)
        bridge = world.working()
        world.succeed(20)
        world.wait_dispatched(world.sent)
        fill(ballast)
        world.succeed(3000)
        said = bridge.wait_for("away", 60)
        assert "PostgreSQL" in said["server"]
        assert bridge.alive
        ballast.unlink()
        server.start()  # it may have ended: without room for its log it cannot even recover
        world.wait_dispatched(world.sent, 60)
        world.check_ledger()
        eventually(lambda: world.unsent() == 0, "all is confirmed", 20)
        assert bridge.alive
        assert bridge.terminate() == 0
        assert len(bridge.lines("away")) <= 2
        world.close()
    finally:
        server.drop()


def fill(ballast: Path) -> None:
    """Leave no room at all."""
    with ballast.open("wb", buffering=0) as file:
        for size in (2**20, 4096):
            try:
                while True:
                    file.write(os.urandom(size))
            except OSError:
                continue
