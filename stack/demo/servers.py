"""The demo's own servers: a stack beside that of `make up`, with its own folder and ports, and the stand-in executor.

Servers that the user's environment names are used instead, if the demo cannot disturb anything there.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import StackError
from ..layout import ROOT, Layout
from ..local import Stack
from ..process import Process, await_true, tail
from ..sources import users_own

if TYPE_CHECKING:
    import psycopg
    from psycopg.rows import TupleRow

    from orchestration.bridge.settings import Properties

__all__ = ["Servers"]

_ADMIN, _BOOTSTRAP, _ENV = "ORCHESTRATION_ADMIN_DSN", "ORCHESTRATION_KAFKA_BOOTSTRAP", "ORCHESTRATION_ENV"
_FROM = "ORCHESTRATION_BRIDGE_FROM"
_FOREIGN_GRAPHS = (
    "select name from orchestration.graph where not labels @> '{\"demo\": true}' order by id limit 3"
)
_VERSIONS = """
select current_setting('server_version'),
       (select extversion from pg_extension where extname = 'pg_cron')
"""


class Servers:
    """PostgreSQL, Kafka, bridge and stand-in of one folder. Errors are StackError or DeployError, one line each."""

    def __init__(
        self, folder: Path, say: Callable[[str], None], environ: Mapping[str, str] | None = None
    ) -> None:
        self.layout = Layout(folder)
        self._say = say
        self._environ = users_own(os.environ if environ is None else environ)
        self._values: dict[str, str] = {}
        self.started = False
        """Whether they have been: then the demo has written to them."""
        self._standin = Process("the stand-in executor", self.layout.run / "standin.pid")

    @property
    def users(self) -> list[str]:
        """Which servers are the user's own."""
        named = (("PostgreSQL", _ADMIN), ("Kafka", _BOOTSTRAP))
        return [name for name, variable in named if self._environ.get(variable)]

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One demo at a time in this folder."""
        lock = self.layout.run.with_suffix(".lock")
        try:
            lock.parent.mkdir(parents=True, exist_ok=True)
            file = lock.open("w")
        except OSError as error:
            raise StackError(
                f"{lock} cannot be written: {error.strerror}; run from a folder of your own"
            ) from None
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StackError(f"another demo runs in {self.layout.run}: wait for its end") from None
            yield

    # -- life -------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start all but the stand-in, on empty data. What a demo that was killed has left is dropped first."""
        self.drop()
        self._refuse_used_servers()
        environ = {**self._environ, _FROM: "latest"}
        if not self.users:
            environ[_ENV] = "dev"  # servers of our own, on loopback
        self._values = {**environ, **Stack(self.layout, self._say).up(environ=environ)}
        self.started = True

    def start_standin(self, pace: tuple[float, float], failing: tuple[str, ...]) -> int:
        """Start the stand-in executor and wait until it reads its topic; its pid."""
        log = self.layout.log("standin")
        words = ["--group", f"demo-{os.getpid()}", "--pace", *map(str, pace)]
        words += [word for name in failing for word in ("--fail", name)]
        self._standin.spawn(
            [sys.executable, "-m", "stack.standin", *words],
            log=log, env=self._values, cwd=ROOT, tied_by=signal.SIGTERM,
        )  # fmt: skip

        def reads() -> bool:
            if self._standin.pid is None:
                raise StackError(f"the stand-in executor ended: {tail(log)} (see {log})")
            return '"event": "ready"' in log.read_text(errors="replace")

        if not await_true(reads, 30):
            raise StackError(f"the stand-in executor does not read its topic: {tail(log)} (see {log})")
        pid = self._standin.pid
        assert pid is not None
        return pid

    def require_alive(self) -> None:
        """StackError if the stand-in has ended."""
        if self._standin.pid is None:
            log = self.layout.log("standin")
            raise StackError(f"the stand-in executor ended: {tail(log)} (see {log})")

    def stop(self) -> None:
        """Stop everything; data and logs stay for whoever looks for the reason of a failure."""
        self._stop_standin()
        Stack(self.layout, self._say).down()

    def drop(self) -> None:
        """Stop everything and drop its data."""
        self._stop_standin()
        Stack(self.layout, self._say).clean()
        shutil.rmtree(self.layout.run, ignore_errors=True)
        with suppress(
            OSError
        ):  # the folder that holds the data where root runs PostgreSQL; not there otherwise
            Path("/var/tmp", self.layout.name).rmdir()  # noqa: S108

    def _stop_standin(self) -> None:
        if not self._standin.end(signal.SIGTERM, 8):
            self._standin.kill()

    # -- connections ------------------------------------------------------------------------------------------------

    @property
    def kafka(self) -> Properties:
        """What Kafka clients are made of."""
        from orchestration.bridge.settings import kafka_properties

        return kafka_properties(self._values)

    def connect(self) -> psycopg.Connection[TupleRow]:
        """The application's connection, in autocommit."""
        from orchestration.db.connect import connect_once
        from orchestration.db.settings import Settings

        return connect_once(Settings.from_env(self._values).app(), name="demo")

    def versions(self) -> str:
        """PostgreSQL and pg_cron, in words."""
        with self.connect() as connection:
            row = connection.execute(_VERSIONS).fetchone()
        assert row is not None
        return f"PostgreSQL {row[0].split()[0]} " + (
            f"with pg_cron {row[1]}" if row[1] else "without pg_cron"
        )

    # -- servers of the user's own ----------------------------------------------------------------------------------

    def _refuse_used_servers(self) -> None:
        if self._environ.get(_ADMIN):
            self._refuse_used_database()
        if self._environ.get(_BOOTSTRAP):
            self._refuse_used_topics()

    def _refuse_used_database(self) -> None:
        from orchestration.db.connect import connect_once
        from orchestration.db.errors import NoDatabaseError
        from orchestration.db.settings import Settings

        target = Settings.from_env(self._environ_of_stack()).admin()
        try:
            with connect_once(target, name="demo") as connection:
                row = connection.execute("select to_regclass('orchestration.graph') is not null").fetchone()
                names = connection.execute(_FOREIGN_GRAPHS).fetchall() if row and row[0] else []
        except NoDatabaseError:
            return  # `db create` makes it
        if names:
            raise StackError(
                f"{target} holds graphs ({', '.join(name for (name,) in names)}), and the demo works only where there "
                "are none: name another in ORCHESTRATION_DSN and ORCHESTRATION_ADMIN_DSN, or unset both"
            )

    def _refuse_used_topics(self) -> None:
        """Executors that read the dispatches would take them for real, a bridge in its group would share the events."""
        from confluent_kafka import KafkaException
        from confluent_kafka.admin import AdminClient

        from orchestration.bridge.kafka import make
        from orchestration.bridge.settings import EVENTS_TOPIC, kafka_properties

        from .traffic import DISPATCHES_TOPIC

        kafka = kafka_properties(self._environ_of_stack())
        admin = make(AdminClient, kafka, lambda _: None)
        try:
            admin.list_topics(timeout=5)  # raises where no broker answers; the next call does not
            listed = admin.list_consumer_groups(request_timeout=10).result(timeout=11)
            groups = [group.group_id for group in listed.valid]
            readers = sorted(
                (name, topic)
                for name, future in (
                    admin.describe_consumer_groups(groups, request_timeout=10) if groups else {}
                ).items()
                for topic in _topics_of(future.result(timeout=11)) & {EVENTS_TOPIC, DISPATCHES_TOPIC}
            )
        except (KafkaException, TimeoutError) as error:
            words = error.args[0].str() if isinstance(error, KafkaException) else "no answer"
            raise StackError(
                f"Kafka at {kafka['bootstrap.servers']} does not answer ({words}): start it, or correct {_BOOTSTRAP}"
            ) from None
        if readers:
            name, topic = readers[0]
            raise StackError(
                f"consumer group {name} reads {topic} at {kafka['bootstrap.servers']}, and the demo would disturb it: "
                f"stop it, name another Kafka in {_BOOTSTRAP}, or unset that"
            )

    def _environ_of_stack(self) -> dict[str, str]:
        return {**self._environ, _ENV: self._environ.get(_ENV) or "dev"}  # as `make up` does


def _topics_of(group: Any) -> set[str]:
    return {place.topic for member in group.members for place in member.assignment.topic_partitions}
