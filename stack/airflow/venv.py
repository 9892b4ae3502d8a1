"""Airflow's own virtual environment `.airflow`: the frozen list of packages, and this checkout's package with its plugin."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from .. import StackError
from ..layout import ROOT
from ..process import tail

__all__ = ["CONSTRAINTS", "PACKAGES", "VENV", "ensure", "shipped_dags"]

VENV = ROOT / ".airflow"
CONSTRAINTS = Path(__file__).with_name("constraints.txt")
PACKAGES = (
    "apache-airflow",
    "apache-airflow-providers-common-sql",
    "apache-airflow-providers-postgres",
    "apache-airflow-providers-standard",
)
_OURS = ("setup.cfg", "pyproject.toml")
_TELL = 10.0  # seconds between two words about how far the installation is
_WHERE = "import orchestration.dags as d; print(next(iter(d.__path__)))"


def ensure(say: Callable[[str], None], log: Path) -> Path:
    """The environment's python, after installing what has changed since the last call. Raises StackError."""
    python = VENV / "bin" / "python"
    stamp = VENV / "stamp"
    base = _digest(sys.version, os.path.realpath(sys.executable), str(ROOT), CONSTRAINTS.read_text())
    ours = _digest(*((ROOT / name).read_text() for name in _OURS))
    ROOT.joinpath(".run").mkdir(exist_ok=True)
    with ROOT.joinpath(".run", "airflow-venv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        had = stamp.read_text().split() if stamp.exists() else []
        if had == [base, ours]:
            return python
        stamp.unlink(missing_ok=True)
        if had[:1] != [base]:
            say(f"Airflow: installing {_version()} into .airflow, about a minute")
            _run([sys.executable, "-m", "venv", "--clear", str(VENV)], "python3 -m venv", log)
            with _progress(say, log):
                _pip(python, log, "--constraint", str(CONSTRAINTS), *PACKAGES)
        _pip(python, log, "--constraint", str(CONSTRAINTS), "-e", f"{ROOT}[airflow]")
        stamp.write_text(f"{base} {ours}\n")
    return python


def shipped_dags(python: Path) -> Path | None:
    """The folder of the DAGs that the package brings, as installed there; None where it brings none."""
    done = subprocess.run([python, "-c", _WHERE], capture_output=True, text=True, check=False, cwd=VENV)
    return Path(done.stdout.strip()) if done.returncode == 0 else None


def _version() -> str:
    for line in CONSTRAINTS.read_text().splitlines():
        name, _, version = line.partition("==")
        if name == "apache-airflow":
            return f"Apache Airflow {version}"
    raise StackError(f"{CONSTRAINTS} names no apache-airflow")


def _digest(*texts: str) -> str:
    return sha256("\0".join(texts).encode()).hexdigest()


def _pip(python: Path, log: Path, *words: str) -> None:
    # by the variable, so that the packages that build ours are pinned too
    _run(
        [
            str(python),
            "-m",
            "pip",
            "install",
            "--no-compile",
            "--disable-pip-version-check",
            "--progress-bar=off",
            *words,
        ],
        "pip install of Airflow",
        log,
        {"PIP_CONSTRAINT": str(CONSTRAINTS)},
    )


class _progress:  # noqa: N801 - reads as a phrase
    """Within it, now and then, how many packages pip has found."""

    def __init__(self, say: Callable[[str], None], log: Path) -> None:
        self._say = say
        self._log = log
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._tell, daemon=True)
        self._begin = time.monotonic()

    def __enter__(self) -> None:
        self._from = self._log.stat().st_size if self._log.exists() else 0
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _tell(self) -> None:
        total = sum("==" in line for line in CONSTRAINTS.read_text().splitlines())
        while not self._over.wait(_TELL):
            with self._log.open("rb") as file:
                file.seek(self._from)
                text = file.read().decode(errors="replace")
            found = sum(line.startswith("Collecting ") for line in text.splitlines())
            what = "writing them" if "Installing collected packages" in text else "fetching"
            seconds = time.monotonic() - self._begin
            self._say(f"Airflow: {found} of about {total} packages, {what} ({seconds:.0f} s)")


def _run(command: list[str], name: str, log: Path, extra: dict[str, str] | None = None) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        done = subprocess.run(
            command,
            stdout=out,
            stderr=subprocess.STDOUT,
            check=False,
            env={**os.environ, **(extra or {})},
            cwd=ROOT,
        )
    if done.returncode != 0:
        raise StackError(f"{name} failed: {tail(log, ('ERROR', 'error:'))[:400]} (see {log})")
