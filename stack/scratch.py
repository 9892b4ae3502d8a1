"""Folders for throw-away servers: each knows who made it, and goes when that one has gone without cleaning up."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from .process import identity

__all__ = ["scratch_folder"]

_PARENT = Path("/tmp")  # noqa: S108 - mkdtemp makes them private; short, for the sockets of whoever wants one
_PREFIX = "orchestration-"
_OWNER = "made-by"


def scratch_folder(kind: str) -> Path:
    """A new folder of this process. Those that killed processes have left behind are removed."""
    _sweep()
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{kind}-", dir=_PARENT))
    (folder / _OWNER).write_text(_mark(os.getpid()) or "")
    return folder


def _mark(pid: int) -> str | None:
    """Names a process for ever: its pid, its birth, and the namespace in which the pid counts; None: it is gone."""
    born = identity(pid)
    return " ".join((str(pid), *born, os.readlink("/proc/self/ns/pid"))) if born else None


def _sweep() -> None:
    here = os.readlink("/proc/self/ns/pid")
    for owner in _PARENT.glob(f"{_PREFIX}*/{_OWNER}"):
        with suppress(OSError):
            words = owner.read_text().split()
            if len(words) == 4 and words[3] == here and _mark(int(words[0])) != " ".join(words):
                shutil.rmtree(owner.parent, ignore_errors=True)
