"""The local stack: `up`, `down`, `clean`, `status` of one folder, and nothing that is not in it."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from . import StackError, dwh, say
from .airflow.server import Airflow, is_healthy, users_airflow
from .api import Api
from .bridge import Bridge
from .layout import Layout
from .nifi.program import VARIABLE as NIFI_URL
from .nifi.program import Program as Nifi
from .nifi.server import answers
from .sources import MARK, Choice, choose_kafka, choose_postgres, users_own

__all__ = ["EXTRAS", "Row", "Stack"]

TECH_USER = "a001_orchestration_tech_user"
DEV_PASSWORD = "usrofa001_orchestration_tech_user"  # noqa: S105 - public, refused outside DEV
EXTRAS = ("airflow", "nifi")
"""What `make up WITH="…"` can add."""


@dataclass(frozen=True)
class Row:
    """One line of `status`. `address` has no password in it."""

    name: str
    state: str  # `up` or `down`
    address: str
    note: str


@dataclass
class Stack:
    """The stack of one folder. Every method raises StackError with one line for the user."""

    layout: Layout = field(default_factory=Layout)
    say: Callable[[str], None] = say

    def up(self, extras: tuple[str, ...] = (), environ: Mapping[str, str] | None = None) -> dict[str, str]:
        """Start what does not run, bring database and topics up to date, and wait until everything answers.

        The answer is what `.run/env` holds. What runs already is left alone.
        """
        unknown = [name for name in extras if name not in EXTRAS]
        if unknown:
            raise StackError(
                f'WITH="{" ".join(extras)}": {", ".join(unknown)} is unknown; known: {", ".join(EXTRAS)}'
            )
        own = users_own(os.environ if environ is None else environ)
        self.layout.prepare()
        with self._alone():
            had = self.layout.load()
            wanted = {*extras, *had.get("with", {}).get("names", [])}  # what is up already is kept up
            users = users_airflow(own) if "airflow" in wanted else None
            airflow = Airflow(self.layout, self.say) if "airflow" in wanted and not users else None
            nifi = Nifi(self.layout, self.say) if "nifi" in wanted else None
            postgres = choose_postgres(self.layout, had.get("postgres", {}), own, self.say)
            kafka = choose_kafka(self.layout, had.get("kafka", {}), own, self.say)
            api = Api(self.layout, self.say)
            state = {
                **had,
                "postgres": postgres.settings,
                "kafka": kafka.settings,
                "api": api.settings(had.get("api", {})),
                "with": {"names": sorted(wanted)},
            }
            if airflow:
                state["airflow"] = airflow.settings(had.get("airflow", {}))
            if nifi:
                state["nifi"] = nifi.settings(had.get("nifi", {}), own)
            self.layout.save(state)
            values = self._values(own, postgres, kafka)
            self.layout.write_env(values)
            programs = {**own, **values}
            with ThreadPoolExecutor(4) as pool:
                database = pool.submit(self._bring_up, "PostgreSQL", postgres, programs, self._deploy)
                broker = pool.submit(self._bring_up, "Kafka", kafka, programs, self._create_topics)
                python = pool.submit(airflow.install) if airflow else None
                flows = pool.submit(nifi.launch, state["nifi"]) if nifi else None
                begun = [each for each in (database, broker, python, flows) if each is not None]
                errors = [error for each in begun if (error := each.exception()) is not None]
            if errors:
                raise errors[0]
            if dwh.NEEDED_BY.intersection(wanted) or "dwh" in had:
                state["dwh"], warehouse = dwh.bring_up(
                    self.layout, had.get("dwh", {}), own, postgres.address, self.say
                )
                self.layout.save(state)
                values[dwh.VARIABLE] = warehouse
            empty_broker = kafka.source == "fallback" and broker.result()
            Bridge(self.layout, self.say).up(command(), programs, empty_broker=empty_broker)
            url = f"http://127.0.0.1:{state['api']['port']}"
            token = api.token(command(), programs, state["api"].get("token"), url)
            self.layout.save({**state, "api": {**state["api"], "token": token}})
            api.up(command(), programs, url)
            values |= {"ORCHESTRATION_API_URL": url, "ORCHESTRATION_API_TOKEN": token}
            if airflow and python:
                values |= airflow.up(python.result(), state["airflow"], {**own, **values})
            values |= users or {}
            if nifi:
                values[NIFI_URL] = nifi.await_ready(state["nifi"])
            self.layout.write_env(values)
        return values

    def down(self) -> None:
        """Stop everything that `up` started; data, ports and passwords stay."""
        if not self.layout.run.exists():
            return
        with self._alone():
            Airflow(self.layout, self.say).down()
            Nifi(self.layout, self.say).down()
            Api(self.layout, self.say).down()
            Bridge(self.layout, self.say).down()
            for name, choice in self._choices().items():
                if choice.server.running and choice.source != "environment":
                    self.say(f"{name}: stopping")
                    choice.server.stop()
            state = self.layout.load()
            if state.pop("with", None):
                self.layout.save(state)

    def clean(self) -> None:
        """Stop everything and drop its data."""
        self.down()
        if not self.layout.run.exists():
            return
        with self._alone():
            choices = self._choices()
            # a server of the user's own stays: what was made in it goes
            stays = None if "PostgreSQL" in choices else self.layout.read_env().get("ORCHESTRATION_ADMIN_DSN")
            if "airflow" in self.layout.load():
                Airflow(self.layout, self.say).drop(stays)
            Nifi(self.layout, self.say).drop()
            for choice in choices.values():
                choice.server.drop()
            self.layout.drop_shared()
            for path in self.layout.run.iterdir():
                if path.name in ("lock", "venv.lock"):
                    continue
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()

    def status(self) -> list[Row]:
        """What runs and where, and the bridge with its pid."""
        rows = []
        for name, choice in self._choices().items():
            state = "up" if choice.server.running else "down"
            rows.append(Row(name, state, _without_password(choice.address), choice.source))
        bridge = Bridge(self.layout, self.say)
        rows.append(
            Row("bridge", "up" if bridge.pid else "down", f"pid {bridge.pid}" if bridge.pid else "", "local")
        )
        api = Api(self.layout, self.say)
        url = self.layout.read_env().get("ORCHESTRATION_API_URL", "")
        rows.append(Row("API", "up" if api.pid else "down", url, "local"))
        if "airflow" in self.layout.load().get("with", {}).get("names", []):
            rows.append(self._airflow_row())
        if "nifi" in self.layout.load().get("with", {}).get("names", []):
            rows.append(self._nifi_row())
        return rows

    # -- helpers --------------------------------------------------------------------------------

    def _airflow_row(self) -> Row:
        url = self.layout.read_env().get("AIRFLOW_URL", "")
        if "airflow" not in self.layout.load():
            return Row("Airflow", "up" if is_healthy(url) else "down", url, "environment")
        airflow = Airflow(self.layout, self.say)
        return Row("Airflow", "up" if airflow.pid and is_healthy(url) else "down", url, "local")

    def _nifi_row(self) -> Row:
        url = self.layout.read_env().get(NIFI_URL, "")
        source = self.layout.load().get("nifi", {}).get("source", "")
        up = answers(url) if source == "environment" else Nifi(self.layout, self.say).pid
        return Row("NiFi", "up" if up else "down", url, source)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One `up`, `down` or `clean` of this folder at a time."""
        with self.layout.lock.open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.say("another call works on this stack; waiting for it")
                fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _choices(self) -> dict[str, Choice]:
        """The servers an earlier `up` chose."""
        had = self.layout.load()
        quiet: Callable[[str], None] = lambda _: None  # noqa: E731
        found = {}
        if had.get("postgres"):
            found["PostgreSQL"] = choose_postgres(self.layout, had["postgres"], {}, quiet)
        if had.get("kafka"):
            found["Kafka"] = choose_kafka(self.layout, had["kafka"], {}, quiet)
        return found

    def _values(self, own: Mapping[str, str], postgres: Choice, kafka: Choice) -> dict[str, str]:
        return {
            "ORCHESTRATION_DSN": own.get("ORCHESTRATION_DSN") or _as_tech_user(postgres.address),
            "ORCHESTRATION_ADMIN_DSN": postgres.address,
            "ORCHESTRATION_KAFKA_BOOTSTRAP": kafka.address,
            "ORCHESTRATION_ENV": own.get("ORCHESTRATION_ENV") or "dev",
            MARK: str(self.layout.run),
        }

    def _bring_up(
        self,
        name: str,
        choice: Choice,
        programs: Mapping[str, str],
        then: Callable[[Mapping[str, str], bool], None],
    ) -> bool:
        """Start a server, then what makes it ours. Whether it had to be started."""
        starts = not choice.server.running
        if starts:
            choice.server.launch()
        choice.server.await_ready()
        if starts or choice.source == "environment":
            self.say(f"{name}: {_without_password(choice.address)} ({choice.source})")
        then(programs, choice.source == "environment")
        return starts

    def _deploy(self, programs: Mapping[str, str], aloud: bool) -> None:
        self._run(programs, aloud, "db", "create")
        self._run(programs, aloud, "db", "apply")

    def _create_topics(self, programs: Mapping[str, str], aloud: bool) -> None:
        self._run(programs, aloud, "topics", "create")

    def _run(self, programs: Mapping[str, str], aloud: bool, *words: str) -> None:
        """One `orchestration` command: what it says goes to its log; StackError with its last line where it fails.

        `aloud`: also to the user as it comes, for servers of his own, which the command may be waiting for.
        """
        log = self.layout.log("-".join(words))
        last = ""
        with log.open("a") as out:
            child = subprocess.Popen(
                [command(), *words],
                env=dict(programs),
                stdout=out,
                stderr=subprocess.PIPE,
                text=True,
                cwd=self.layout.run,
            )
            assert child.stderr is not None
            with child.stderr as complaints:
                for line in complaints:
                    out.write(line)
                    last = line.strip() or last
                    if aloud:
                        self.say(last)
            child.wait()
        if child.returncode != 0:
            said = last.removeprefix("Error: ").removeprefix("error: ") or f"see {log}"
            raise StackError(f"`orchestration {' '.join(words)}` failed: {said}")


def command() -> Path:
    """The installed command `orchestration`, beside the python that runs us."""
    path = Path(sys.executable).with_name("orchestration")
    if not path.exists():
        raise StackError(f"{path} is missing: run `make venv`")
    return path


def _as_tech_user(admin_dsn: str) -> str:
    """The application's DSN in DEV at the admin's server. Key=value DSNs are taken too."""
    user, password = quote(TECH_USER), quote(DEV_PASSWORD)
    if "://" not in admin_dsn:
        return f"{admin_dsn} user={TECH_USER} password={DEV_PASSWORD} dbname=orchestration"
    parts = urlsplit(admin_dsn)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{user}:{password}@{host}", path="/orchestration"))


def _without_password(address: str) -> str:
    """What may be shown of a DSN or a list of brokers."""
    if "://" not in address:
        return address if "=" not in address else "as named by ORCHESTRATION_ADMIN_DSN"
    parts = urlsplit(address)
    return f"{parts.netloc.rpartition('@')[2]}{parts.path}"
