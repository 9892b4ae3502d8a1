"""The virtual environment of the checkout, made by `make venv` (with the standard library only)."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from . import StackError
from .packages import require

__all__ = ["ensure"]

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
INPUTS = ("setup.cfg", "pyproject.toml", "constraints.txt")
EXTRAS = ("stack", "dev")  # each holds the one before it
OLDEST = (3, 11)


def ensure(extra: str) -> Path:
    """The environment's python, after installing what has changed since the last call; nothing else is touched.

    It is made anew when the interpreter or the checkout's place has changed, and brought up to date when the files
    that name its content have. Raises StackError.
    """
    if sys.version_info < OLDEST:
        raise StackError(
            f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed, this is {sys.version.split()[0]}: set PYTHON"
        )
    python = VENV / "bin" / "python"
    VENV.parent.joinpath(".run").mkdir(exist_ok=True)
    with VENV.parent.joinpath(".run", "venv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        base = _digest(sys.version, os.path.realpath(sys.executable), str(ROOT))
        content = _digest(*((ROOT / name).read_text() for name in INPUTS))
        stamp = VENV / "stamp"
        had = stamp.read_text().split() if stamp.exists() else []
        if len(had) != 3 or had[0] != base:
            had = [base, "", EXTRAS[0]]
            _make()
        wanted = max(extra, had[2], key=EXTRAS.index)
        if had[1:] != [content, wanted]:
            stamp.unlink(missing_ok=True)
            _install(python, wanted)
            _link_for_mypy()
            stamp.write_text(f"{base} {content} {wanted}\n")
    return python


def _digest(*texts: str) -> str:
    return sha256("\0".join(texts).encode()).hexdigest()


def _make() -> None:
    require("venv")
    print("making the virtual environment .venv", flush=True)
    _run([sys.executable, "-m", "venv", "--clear", str(VENV)], "python3 -m venv")


def _install(python: Path, extra: str) -> None:
    print(f"installing Python packages into .venv ({extra})", flush=True)
    command = [
        str(python),
        "-m",
        "pip",
        "install",
        "-q",
        "--disable-pip-version-check",
        "-e",
        f"{ROOT}[{extra}]",
    ]
    # by the variable, so that the packages that build ours are pinned too
    _run(command, "pip install", {"PIP_CONSTRAINT": str(ROOT / "constraints.txt")})


def _link_for_mypy() -> None:
    """mypy follows no editable installation: let it see `orchestration.db` and its neighbours as folders."""
    folder = VENV / "typing" / "orchestration"
    folder.mkdir(parents=True, exist_ok=True)
    for package in ("api", "bridge", "client", "dags", "db"):
        link = folder / package
        if not link.is_symlink():
            link.symlink_to(ROOT / package)


def _run(command: list[str], name: str, extra_environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **(extra_environment or {})}
    )
    if done.returncode != 0:
        errors = [line for line in (done.stderr + done.stdout).splitlines() if "error" in line.lower()] or [
            "no message"
        ]
        raise StackError(f"{name} failed: {errors[-1].strip()[:400]}")


if __name__ == "__main__":
    try:
        ensure(sys.argv[1] if len(sys.argv) > 1 else "dev")
    except StackError as problem:
        sys.exit(f"error: {problem}")
