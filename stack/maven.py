"""What Maven brings: fetched once per user into a cache, whole or not at all."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from . import StackError

__all__ = ["cache_folder", "fetch", "locked"]

_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_LIMIT = 600


def cache_folder() -> Path:
    """Where downloads are kept for every checkout of this user."""
    named = os.environ.get("XDG_CACHE_HOME")
    return (Path(named) if named else Path.home() / ".cache") / "orchestration-service"


def fetch(target: Path, pom: Path, what: str, arrange: Callable[[Path, Path], None] | None = None) -> None:
    """Make the folder `target`, if it is not there: the dependencies of `pom`, or what `arrange(these, folder)` makes of them.

    Two callers at once fetch once. `what` is named by the StackError where Maven cannot.
    """
    if target.exists():
        return
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StackError(f"{target.parent} cannot be made ({error.strerror}): set XDG_CACHE_HOME") from None
    with locked(target):
        if target.exists():
            return
        with tempfile.TemporaryDirectory(dir=target.parent) as work:
            made = Path(work, "brought")
            _copy_dependencies(made, pom, what, Path(work))
            if arrange:
                brought, made = made, Path(work, "made")
                arrange(brought, made)
            made.rename(target)


@contextmanager
def locked(target: Path) -> Iterator[None]:
    """Alone at this place in the cache, among all processes of this machine."""
    with target.with_name(f"{target.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _copy_dependencies(target: Path, pom: Path, what: str, work: Path) -> None:
    maven = shutil.which("mvn")
    if not maven:
        raise StackError("Maven is missing: install the package maven")
    shutil.copy(pom, work)
    command = [
        maven, "-q", "-B", "-Dmaven.artifact.threads=16", _PLUGIN,
        "-DincludeScope=runtime", f"-DoutputDirectory={target}",
    ]  # fmt: skip
    try:
        done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False, timeout=_LIMIT)
    except subprocess.TimeoutExpired:
        raise StackError(f"Maven did not bring {what} within {_LIMIT} s: look at the network") from None
    if done.returncode != 0:
        errors = [line for line in done.stdout.splitlines() if line.startswith("[ERROR]")] or ["no message"]
        raise StackError(f"Maven cannot bring {what}: {errors[0].removeprefix('[ERROR] ')[:300]}")
