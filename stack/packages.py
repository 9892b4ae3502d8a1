"""System packages: found where they are installed, installed with apt-get on Debian and Ubuntu, else named.

Only the standard library, and no virtual environment: `python3 -m stack.packages venv` comes before everything.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from . import StackError, say
from .kafka.jars import java
from .postgres import EXTENSIONS, bindir, extensions_in
from .process import tail

__all__ = ["NEEDS", "require"]

POSTGRES_VERSIONS = ("15", "16", "17", "18")
_alone = threading.Lock()
_updated: list[bool] = []  # once a process is enough
_CREATE_CLUSTER = Path("/etc/postgresql-common/createcluster.d")


@dataclass(frozen=True)
class Need:
    """Something the stack runs: how to see that it is there, and the packages that bring it."""

    what: str
    is_there: Callable[[], bool]
    packages: Callable[[], list[str]]
    named: str  # for systems without apt-get
    enough: Callable[[], bool] = lambda: False  # whether what is there suffices to go on


def _has_postgres(extensions: int = len(EXTENSIONS)) -> bool:
    bindir.cache_clear()
    extensions_in.cache_clear()
    try:
        return len(extensions_in(bindir())) >= extensions
    except StackError:
        return False


def _postgres_packages() -> list[str]:
    """The oldest version that suffices and for which this distribution has pg_cron."""
    for version in POSTGRES_VERSIONS:
        names = [f"postgresql-{version}{part}" for part in ("", "-cron", "-pgtap", "-plpgsql-check")]
        if all(_apt_knows(name) for name in names):
            return names
    raise StackError(
        "this distribution has no PostgreSQL 15 or newer with pg_cron, pgtap and plpgsql_check: "
        "install them (https://wiki.postgresql.org/wiki/Apt) and set PG_BINDIR"
    )


def _has_java() -> bool:
    java.cache_clear()
    try:
        return java().exists()
    except StackError:
        return False


def _java_packages() -> list[str]:
    for name in ("openjdk-17-jre-headless", "openjdk-21-jre-headless", "default-jre-headless"):
        if _apt_knows(name):
            return [name]
    raise StackError("this distribution has no Java 17 or newer: install one and set JAVA_HOME")


NEEDS = {
    "venv": Need(
        "python3-venv",
        lambda: find_spec("ensurepip") is not None,
        lambda: [f"python3.{sys.version_info.minor}-venv" if _system_python() else "python3-venv"],
        "python3-venv",
    ),
    "postgres": Need(
        "PostgreSQL with pg_cron, pgtap and plpgsql_check",
        _has_postgres,
        _postgres_packages,
        "postgresql (15 or newer), pg_cron, pgtap, plpgsql_check",
        lambda: _has_postgres(0),
    ),
    "java": Need("Java", _has_java, _java_packages, "a Java runtime (17 or newer)"),
    "maven": Need("Maven", lambda: shutil.which("mvn") is not None, lambda: ["maven"], "maven"),
    "shellcheck": Need(
        "shellcheck", lambda: shutil.which("shellcheck") is not None, lambda: ["shellcheck"], "shellcheck"
    ),
}


def require(*names: str, log: Path | None = None, say: Callable[[str], None] = say) -> None:
    """Install what is missing of NEEDS. StackError names what could not be had and what to do."""
    with _alone:
        missing = [NEEDS[name] for name in names if not NEEDS[name].is_there()]
        if missing:
            try:
                _install(missing, log, say)
            except StackError as problem:
                if not all(need.enough() for need in missing):
                    raise
                say(f"{problem}; going on with what is there")


def _install(missing: list[Need], log: Path | None, say: Callable[[str], None]) -> None:
    what = ", ".join(need.named for need in missing)
    if not shutil.which("apt-get"):
        raise StackError(
            f"missing on this system: {what}. Install it with your package manager and call again"
        )
    prefix = _as_root(what)
    say(f"installing with apt-get: {', '.join(need.what for need in missing)}")
    log = log or Path(os.environ.get("TMPDIR", "/tmp")) / f"orchestration-apt-{os.getuid()}.log"  # noqa: S108
    if not _updated:
        _apt(prefix, log, "update")
        _updated.append(True)
    packages = [package for need in missing for package in need.packages()]
    with _no_extra_cluster(prefix, packages):
        _apt(prefix, log, "install", "--no-install-recommends", *packages)
    still = [need.named for need in missing if not need.is_there()]
    if still:
        raise StackError(
            f"apt-get installed {' '.join(packages)}, but this is not found: {', '.join(still)} (see {log})"
        )


def _as_root(what: str) -> list[str]:
    if os.geteuid() == 0:
        return []
    if not shutil.which("sudo"):
        raise StackError(
            f"missing: {what}, and neither root nor sudo is there to install it: ask your administrator"
        )
    quiet = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0
    if not quiet and not sys.stdin.isatty():
        raise StackError(
            f"missing: {what}; sudo asks for a password and there is no terminal: install it by hand"
        )
    return ["sudo"]


def _apt(prefix: list[str], log: Path, *words: str) -> None:
    command = [
        *prefix,
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        "-y",
        "-q",
        "-o",
        "DPkg::Lock::Timeout=300",
    ]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        done = subprocess.run([*command, *words], stdout=out, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        raise StackError(f"apt-get {words[0]} failed: {tail(log, ('E:',))[:300]} (see {log})")


def _apt_knows(package: str) -> bool:
    done = subprocess.run(["apt-cache", "show", package], capture_output=True, check=False)
    return done.returncode == 0 and bool(done.stdout)


@contextmanager
def _no_extra_cluster(prefix: list[str], packages: list[str]) -> Iterator[None]:
    """Debian's package starts a server of its own on port 5432; nobody asked for that one."""
    if not any(name.startswith("postgresql-") for name in packages) or _CREATE_CLUSTER.exists():
        yield
        return
    setting = _CREATE_CLUSTER / "zz-orchestration.conf"
    subprocess.run([*prefix, "mkdir", "-p", _CREATE_CLUSTER], check=True)
    text = b"create_main_cluster = false\n"
    subprocess.run([*prefix, "tee", setting], input=text, stdout=subprocess.DEVNULL, check=True)
    try:
        yield
    finally:
        subprocess.run([*prefix, "rm", "-f", setting], check=False)
        subprocess.run([*prefix, "rmdir", "--ignore-fail-on-non-empty", _CREATE_CLUSTER], check=False)


def _system_python() -> bool:
    return sys.base_prefix == "/usr"


if __name__ == "__main__":
    try:
        require(*sys.argv[1:])
    except KeyError as unknown:
        sys.exit(f"error: unknown need {unknown}; known: {', '.join(NEEDS)}")
    except StackError as problem:
        sys.exit(f"error: {problem}")
