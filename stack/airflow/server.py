"""The supervised Airflow of the local stack."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from .. import StackError
from ..layout import Layout
from ..process import free_port, port_is_free
from ..supervised import Supervised
from . import database
from .guard import end_all
from .settings import airflow_environment, keys
from .venv import VENV, ensure, shipped_dags

__all__ = ["DAGS", "URL", "Airflow", "is_healthy", "users_airflow"]

URL, DAGS = "AIRFLOW_URL", "AIRFLOW_DAGS_FOLDER"
HEALTHY = ("metadatabase", "scheduler", "triggerer", "dag_processor")
LISTENER = "orchestration_listener"
PATIENCE = 600.0  # seconds; a dozen suffice where the machine is not busy
_ASK = 0.5  # seconds between two questions
Settings = dict[str, Any]

# standalone starts its components by this name; their servers of log files would listen on all interfaces, and on one
# machine nobody needs them: the API reads the files
_SHIM = """#!/bin/sh
case "$1" in scheduler | triggerer) set -- "$@" --skip-serve-logs ;; esac
exec {airflow} "$@"
"""


def users_airflow(environ: Mapping[str, str]) -> dict[str, str] | None:
    """An Airflow of the user's own, if his environment names one. Raises StackError where it names half of one."""
    named = {name: environ[name] for name in (URL, DAGS) if environ.get(name)}
    if len(named) == 1:
        raise StackError(
            f"an Airflow of your own is named by {URL} and {DAGS}: set both, or unset both and the stack brings its own"
        )
    return named or None


class Airflow:
    """One `airflow standalone`; port and secrets are kept from `up` to `up`."""

    def __init__(self, layout: Layout, say: Callable[[str], None]) -> None:
        self._layout = layout
        self._say = say
        self.home = layout.run / "airflow"
        self.dags = self.home / "dags"
        self._work = self.home / "work"
        self._program = Supervised(layout, "airflow", "Airflow", say)

    @property
    def pid(self) -> int | None:
        """The pid of what holds Airflow; None where none runs, or one that nobody would start again."""
        return self._program.pid

    def settings(self, had: Mapping[str, Any]) -> Settings:
        """Its port and secrets, kept where they are known and the port is free or ours."""
        port = had.get("port")
        if not isinstance(port, int) or not (self.pid or port_is_free(port)):
            port = free_port()
        return {**had, **keys(had), "port": port}

    def install(self) -> Path:
        """Airflow's python, installed where it is missing."""
        return ensure(self._say, self._layout.log("airflow-install"))

    def up(self, python: Path, state: Settings, programs: Mapping[str, str]) -> dict[str, str]:
        """Start it if it does not run, or runs with other settings; wait until all of it answers.

        `programs`: the environment of the stack's programs. The answer is what `.run/env` gains.
        """
        for folder in (self.home, self.dags, self._work, self.home / "bin"):
            folder.mkdir(mode=0o700, exist_ok=True)
        shim = self.home / "bin" / "airflow"
        shim.write_text(_SHIM.format(airflow=shlex.quote(str(python.with_name("airflow")))))
        shim.chmod(0o700)
        dsn = database.create(programs["ORCHESTRATION_ADMIN_DSN"], state["password"], self._layout.name)
        shipped = shipped_dags(python)
        settings = airflow_environment(self.home, state, dsn, self.dags, shipped, programs.get("DWH_DSN"))
        settings |= {name: value for name, value in programs.items() if name.startswith("ORCHESTRATION_")}
        del settings["ORCHESTRATION_ADMIN_DSN"]  # no DAG needs the owner of the database
        # another plugin is another Airflow
        known = {**settings, "installed": (VENV / "stamp").read_text()}
        runs = self._program.runs_with(known)
        if not runs:
            self.down()
            path = f"{shim.parent}:{VENV / 'bin'}:{programs.get('PATH', '')}"
            self._program.start(
                [sys.executable, "-m", "stack.airflow.guard", "--work", self._work, "--", shim, "standalone"],
                {**_clean(programs), **settings, "PATH": path},
                known,
            )
        listens = shipped is not None and (shipped / f"{LISTENER}.py").exists()
        self._program.await_true(_asks(settings[URL], listens), "does not answer", PATIENCE)
        if not runs:
            self._say(f"Airflow: {settings[URL]} (pid {self.pid}), DAG files go to {self.dags}")
        return {URL: settings[URL], DAGS: str(self.dags)}

    def down(self) -> None:
        """End it wholly, also what a killed one has left."""
        self._program.down()
        if self._work.exists():
            end_all(self._work, patience=1)

    def drop(self, admin_dsn: str | None) -> None:
        """Its files and, where the server stays, its database."""
        if admin_dsn:
            database.drop(admin_dsn, self._layout.name)
        shutil.rmtree(self.home, ignore_errors=True)


def _asks(url: str, listens: bool) -> Callable[[], bool]:
    """Whether all of it answers; asked often, it asks Airflow now and then."""
    due = 0.0

    def works() -> bool:
        nonlocal due
        if time.monotonic() < due:
            return False
        answers = is_healthy(url) and (not listens or knows_dag(url, LISTENER))
        due = time.monotonic() + _ASK
        return answers

    return works


def is_healthy(url: str) -> bool:
    """Whether its database and all three programs beside the API are well."""
    told = _get(f"{url}/api/v2/monitor/health")
    return told is not None and all((told.get(name) or {}).get("status") == "healthy" for name in HEALTHY)


def knows_dag(url: str, dag_id: str) -> bool:
    """Whether it has read such a DAG."""
    token = (_get(f"{url}/auth/token") or {}).get("access_token")
    return token is not None and _get(f"{url}/api/v2/dags/{dag_id}", token) is not None


def _get(url: str, token: str | None = None) -> dict[str, Any] | None:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})  # noqa: S310
    with suppress(urllib.error.URLError, OSError, ValueError):
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
            told = json.load(answer)
        return told if isinstance(told, dict) else None
    return None


def _clean(programs: Mapping[str, str]) -> dict[str, str]:
    """Without settings of an Airflow of the user's, without what leads a python astray, without the owner's DSN."""
    astray = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "ORCHESTRATION_ADMIN_DSN")
    return {
        name: value
        for name, value in programs.items()
        if not name.startswith("AIRFLOW") and name not in astray
    }
