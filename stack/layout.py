"""Where things lie: the checkout, `.run/` in it, and what of it must lie elsewhere."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from . import StackError
from .postgres import server_user

__all__ = ["ROOT", "Layout"]

ROOT = Path(__file__).resolve().parent.parent
ROOM = 300 * 2**20  # bytes that must be free before anything starts


class Layout:
    """The folder of one local stack (`.run/` of the checkout) and the files in it."""

    def __init__(self, run: Path = ROOT / ".run") -> None:
        self.run = run
        self.env_file = run / "env"
        self.logs = run / "logs"
        self.lock = run / "lock"
        self._state_file = run / "state.json"

    @property
    def name(self) -> str:
        """Tells this stack from those of other checkouts, wherever names are shared (Docker, /var/tmp)."""
        return f"orchestration-{sha256(os.fspath(self.run.resolve()).encode()).hexdigest()[:10]}"

    def prepare(self) -> None:
        """Make the folder. StackError where that cannot be, or where too little room is left."""
        try:
            self.logs.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StackError(
                f"{self.run} cannot be made: {error.strerror}; run from a folder of your own"
            ) from None
        free = shutil.disk_usage(self.run).free
        if free < ROOM:
            raise StackError(
                f"the disk of {self.run} is full: {free >> 20} MB are free, {ROOM >> 20} MB are needed; free some space"
            )

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def postgres_folder(self) -> Path:
        """In the stack's folder; run by root under /var/tmp, where the user postgres cannot reach the checkout."""
        folder = self.run / "postgres"
        user = server_user()
        if user is None:
            return folder
        reachable = subprocess.run(
            ["test", "-x", self.run], user=user, group=user, extra_groups=[], check=False
        )
        if reachable.returncode == 0:
            return folder
        shared = self._shared
        shared.mkdir(mode=0o711, exist_ok=True)
        if shared.is_symlink() or shared.stat().st_uid != 0:
            raise StackError(f"{shared} belongs to somebody else: remove it")
        return shared / "postgres"

    def drop_shared(self) -> None:
        """Remove what lies outside the stack's folder, once it is empty."""
        with suppress(OSError):
            self._shared.rmdir()

    @property
    def _shared(self) -> Path:
        return Path("/var/tmp") / self.name  # noqa: S108 - must be owned by root

    # -- what later calls must know ---------------------------------------------------------------

    def load(self) -> dict[str, dict[str, Any]]:
        """By server: source, ports, secrets. Empty before the first `up`."""
        try:
            state = json.loads(self._state_file.read_text())
        except FileNotFoundError:
            return {}
        except ValueError:
            raise StackError(f"{self._state_file} is damaged: `make clean` starts anew") from None
        return state if isinstance(state, dict) else {}

    def save(self, state: Mapping[str, Mapping[str, Any]]) -> None:
        _write_private(self._state_file, json.dumps(state, indent=1) + "\n")

    def write_env(self, values: Mapping[str, str]) -> None:
        """`export NAME=value` lines, readable by the owner only."""
        _write_private(
            self.env_file, "".join(f"export {name}={shlex.quote(value)}\n" for name, value in values.items())
        )

    def read_env(self) -> dict[str, str]:
        """What `write_env` wrote last."""
        try:
            lines = self.env_file.read_text().splitlines()
        except FileNotFoundError:
            return {}
        pairs = (word.partition("=") for line in lines for word in shlex.split(line)[1:2])
        return {name: value for name, _, value in pairs}


def _write_private(path: Path, text: str) -> None:
    partial = path.with_suffix(".new")
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    partial.write_text(text)
    partial.replace(path)
