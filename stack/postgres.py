"""A PostgreSQL server of our own: one data folder, one loopback port, scram passwords, pg_cron preloaded."""

from __future__ import annotations

import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from urllib.parse import quote

from . import StackError
from .process import Process, await_true, free_port, pids_in, port_is_free, tail, who_holds
from .scratch import scratch_folder

__all__ = ["ADMIN", "ALWAYS", "DATABASE", "EXTENSIONS", "Cluster", "bindir", "extensions_in"]

OLDEST = 15
ADMIN = "postgres"
DATABASE = "orchestration"
EXTENSIONS = ("pg_cron", "pgtap", "plpgsql_check")

ALWAYS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "max_worker_processes": "20",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_parameter_max_length": "0",
    "cluster_name": "orchestration",
}
_THROW_AWAY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum_naptime": "10min",
    "max_wal_size": "256MB",
}


class Cluster:
    """One PostgreSQL server.

    `durable=False` is for tests only: a crash of the machine (not of the server) may lose data.
    `tied=True`: the server ends when the thread that started it does, also after kill -9.
    `settings` are added to the server's own; the value None takes one out.
    Errors are StackError, one line each.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        password: str | None = None,
        durable: bool = True,
        tied: bool = False,
        settings: Mapping[str, str | None] | None = None,
        cron_database: str = DATABASE,
    ) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.password = password or secrets.token_urlsafe(18)
        self.cron_database = cron_database
        self.data = folder / "data"
        self.log = folder / "postgres.log"
        self.process = Process("PostgreSQL", folder / "postgres.pid")
        self._tied = tied
        self._throw_away = False
        wanted: dict[str, str | None] = {**ALWAYS, **({} if durable else _THROW_AWAY), **(settings or {})}
        self.settings = {name: value for name, value in wanted.items() if value is not None}

    @classmethod
    def throwaway(
        cls,
        *,
        durable: bool = False,
        settings: Mapping[str, str | None] | None = None,
        cron_database: str = DATABASE,
    ) -> Cluster:
        """A started server in a temporary folder that ends with the calling thread; `drop()` removes it."""
        folder = scratch_folder("pg")
        cluster = cls(folder, durable=durable, tied=True, settings=settings, cron_database=cron_database)
        cluster._throw_away = True
        try:
            cluster.start()
        except BaseException:
            cluster.drop()
            raise
        return cluster

    # -- addresses ------------------------------------------------------------------------------

    def dsn(self, database: str = DATABASE, user: str = ADMIN, password: str | None = None) -> str:
        """A connection URI; without a password for a user other than the admin, the URI bears none."""
        if password is None and user == ADMIN:
            password = self.password
        secret = f":{quote(password, safe='')}" if password is not None else ""
        return f"postgresql://{quote(user, safe='')}{secret}@127.0.0.1:{self.port}/{quote(database, safe='')}"

    @property
    def admin_dsn(self) -> str:
        return self.dsn()

    # -- life -----------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        return self.process.pid is not None

    def create(self) -> None:
        """Make the data folder (initdb) and in it the database pg_cron works in; nothing where it is there."""
        if (self.data / "PG_VERSION").exists():
            self._require_same_major()
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.data.exists():
            shutil.rmtree(self.data)
        unfinished = self.folder / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        self._own(self.folder)
        password_file = self.folder / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(self.password + "\n")
        self._own(password_file)
        try:
            self._run(
                "initdb", "-D", unfinished, "-U", ADMIN, "-A", "scram-sha-256", f"--pwfile={password_file}",
                "-E", "UTF8", "--locale=C.UTF-8", "--no-instructions", "--no-sync",
            )  # fmt: skip
        finally:
            password_file.unlink()
        if self.cron_database != "postgres":
            # before the first start: pg_cron's launcher would else ask for its database every second
            statement = f'create database "{self.cron_database}"\n'
            self._run("postgres", "--single", "-j", "-D", unfinished, "postgres", stdin=statement)
        unfinished.rename(self.data)

    def start(self, seconds: float = 60) -> None:
        """Create what is missing, start the server and wait until it answers; nothing where it runs."""
        if self.running:
            return
        self.launch()
        self.await_ready(seconds)

    def launch(self) -> None:
        """The first half of `start`: the server is starting."""
        self.create()
        self._clear_remains()
        if not port_is_free(self.port):
            raise StackError(
                f"port {self.port} of PostgreSQL is taken by {who_holds(self.port)}: end it or free the port"
            )
        settings = {**self.settings, "port": str(self.port)}
        if "pg_cron" in extensions_in(bindir()):
            settings.setdefault("shared_preload_libraries", "pg_cron")
            settings.setdefault("cron.database_name", self.cron_database)
            settings.setdefault("cron.use_background_workers", "on")
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self.process.spawn(
            [bindir() / "postgres", "-D", self.data, *options],
            log=self.log,
            env=_environment(),
            cwd=self.folder,
            user=server_user(),
            tied_by=signal.SIGINT if self._tied else None,
        )

    def await_ready(self, seconds: float = 60) -> None:
        """The second half of `start`: wait until connections are accepted."""
        probe: list[str | Path] = [
            bindir() / "pg_isready",
            "-q",
            "-t",
            "1",
            "-h",
            "127.0.0.1",
            "-p",
            str(self.port),
            "-d",
            "postgres",
        ]

        def answers() -> bool:
            if not self.running:
                raise StackError(f"PostgreSQL ended while starting: {self._complaint()} (see {self.log})")
            return subprocess.run(probe, check=False, env=_environment()).returncode == 0

        if not await_true(answers, seconds):
            raise StackError(
                f"PostgreSQL does not answer on port {self.port} after {seconds:.0f} s: see {self.log}"
            )

    def stop(self, seconds: float = 30) -> None:
        """Stop: sessions are ended, data are written (SIGINT); immediately (SIGQUIT), then -9, where that hangs."""
        for number in (signal.SIGINT, signal.SIGQUIT):
            if self.process.end(number, seconds):
                self._await_children()
                return
        self.kill()

    def kill(self) -> None:
        """kill -9 of the server and every one of its processes; the next start recovers."""
        self.process.kill()
        self._await_children(0)

    def restart(self) -> None:
        self.stop()
        self.start()

    def freeze(self) -> None:
        """SIGSTOP all processes of the server: it neither answers nor ends; `thaw` goes on."""
        for pid in pids_in(self.data):
            os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        for pid in pids_in(self.data):
            os.kill(pid, signal.SIGCONT)

    def snapshot(self, name: str) -> None:
        """A cold copy of the data under `name`; the server is stopped for it if it runs."""
        with _stopped(self):
            shutil.rmtree(self.folder / f"snapshot-{name}", ignore_errors=True)
            self._copy(self.data, self.folder / f"snapshot-{name}")

    def restore(self, name: str) -> None:
        """The data as they were at `snapshot(name)`, as after a restore from a backup."""
        source = self.folder / f"snapshot-{name}"
        if not source.exists():
            raise StackError(f"no snapshot {name!r} of PostgreSQL in {self.folder}")
        with _stopped(self):
            shutil.rmtree(self.data)
            self._copy(source, self.data)

    def drop(self) -> None:
        """End the server at once and remove its folder."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Cluster:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._throw_away:
            self.drop()
        else:
            self.stop()

    # -- helpers --------------------------------------------------------------------------------

    def _run(self, program: str, *words: str | Path, stdin: str = "") -> None:
        done = subprocess.run(
            [bindir() / program, *words],
            input=stdin, text=True, capture_output=True, check=False, cwd=self.folder, env=_environment(),
            user=server_user(), group=server_user(), extra_groups=[] if server_user() else None,
        )  # fmt: skip
        if done.returncode != 0 or "ERROR:" in done.stderr:
            with self.log.open("a") as log:
                log.write(done.stdout + done.stderr)
            said = [line for line in done.stderr.splitlines() if line.strip()] or ["no message"]
            words_said = next(
                (line for line in said if "rror:" in line or "FATAL" in line or "ERROR" in line), said[-1]
            )
            raise StackError(f"{program} of PostgreSQL failed: {words_said.strip()} (see {self.log})")

    def _require_same_major(self) -> None:
        major = (self.data / "PG_VERSION").read_text().strip()
        if major != str(_major(bindir())):
            raise StackError(
                f"the data in {self.data} belong to PostgreSQL {major}, the programs in {bindir()} are version "
                f"{_major(bindir())}: set PG_BINDIR to version {major}, or drop the data with `make clean`"
            )

    def _clear_remains(self) -> None:
        """After a kill -9: wait for orphans, then forget a postmaster.pid whose number another program has by now."""
        self._await_children()
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _await_children(self, seconds: float = 5) -> None:
        if not await_true(lambda: not any(True for _ in pids_in(self.data)), seconds):
            for pid in list(pids_in(self.data)):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            await_true(lambda: not any(True for _ in pids_in(self.data)), 5)

    def _complaint(self) -> str:
        said = tail(self.log, ("FATAL", "PANIC", "could not"))
        if "No space left" in said:
            return f"the disk of {self.folder} is full, free some space: {said}"
        return said

    def _own(self, path: Path) -> None:
        user = server_user()
        if user:
            shutil.chown(path, user, user)

    def _copy(self, source: Path, target: Path) -> None:
        subprocess.run(["cp", "-a", "--reflink=auto", source, target], check=True)


class _stopped:  # noqa: N801 - reads as a phrase
    """The server stopped within the block, running after it if it was before."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._ran = cluster.running

    def __enter__(self) -> None:
        self._cluster.stop()

    def __exit__(self, *_: object) -> None:
        if self._ran:
            self._cluster.start()


@cache
def bindir() -> Path:
    """The folder of initdb and postgres: $PG_BINDIR, Debian's version 15, its newest, then PATH."""
    named = os.environ.get("PG_BINDIR")
    if named:
        folders = [Path(named)]
    else:
        debian = sorted(
            Path("/usr/lib/postgresql").glob("[0-9]*/bin"), key=lambda path: -int(path.parent.name)
        )
        folders = [Path(f"/usr/lib/postgresql/{OLDEST}/bin"), *debian]
        on_path = shutil.which("initdb")
        folders += [Path(on_path).resolve().parent] if on_path else []
    for folder in folders:
        if (folder / "initdb").exists() and _major(folder) >= OLDEST:
            return folder
    if named:
        raise StackError(f"PG_BINDIR={named} holds no PostgreSQL {OLDEST} or newer (no initdb there)")
    raise StackError(f"PostgreSQL {OLDEST} or newer is missing: install the package postgresql-{OLDEST}")


@cache
def _major(folder: Path) -> int:
    said = subprocess.run(
        [folder / "postgres", "--version"], capture_output=True, text=True, check=True
    ).stdout
    found = re.search(r"\d+", said)
    assert found, said
    return int(found.group())


@cache
def extensions_in(folder: Path) -> frozenset[str]:
    """Which of EXTENSIONS this PostgreSQL can create."""
    config = folder / "pg_config"
    if config.exists():
        said = subprocess.run(
            [config, "--sharedir"], capture_output=True, text=True, check=True
        ).stdout.strip()
    else:
        said = str(Path("/usr/share/postgresql") / folder.parent.name)
    return frozenset(name for name in EXTENSIONS if Path(said, "extension", f"{name}.control").exists())


@cache
def server_user() -> str | None:
    """Root may not run PostgreSQL: then the user postgres does."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        raise StackError(
            "there is no user postgres to run PostgreSQL as root: install the package postgresql-common"
        ) from None


def _environment() -> dict[str, str]:
    """What the server sees: nothing of the caller's settings, so no secret lands in its environment."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
