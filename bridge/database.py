"""The bridge's connections to PostgreSQL: `queries.sql`, called by name, and every error sorted by `errors.judge`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from psycopg.types.numeric import Int4, Int8
from psycopg.types.string import ByteaBinaryLoader

from orchestration.db.connect import connect_once, require_primary
from orchestration.db.errors import AwayError
from orchestration.db.release import Status, check_release
from orchestration.db.settings import Target

from . import failpoints
from .arrays import Byteas, Int4s, Int8s, NullableInt8s, register
from .batch import Batch
from .consumer import Held
from .errors import Verdict, hint_of, judge
from .kafka import Ends
from .log import Outage

__all__ = ["Claim", "Database", "Dispatch", "RefusedError"]

Dispatch = tuple[int, bytes, bytes, bytes]
"""task run id, topic, key, value: as PostgreSQL sends them, undecoded."""

Claim = tuple[int, int, int]
"""partition, next offset, epoch."""

STATEMENT_TIMEOUT = 60.0
"""Seconds after which the server gives a statement up, whether anybody still waits for it or not."""

_SESSION = (
    f"-c statement_timeout={STATEMENT_TIMEOUT:.0f}s -c idle_in_transaction_session_timeout=60s -c jit=off"
)
_KEEPALIVE = {
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "connect_timeout": 3,
}


class RefusedError(Exception):
    """The database said no, or said nothing; `verdict` is what to do about it."""

    def __init__(self, verdict: Verdict, code: str, message: str, hint: str = "") -> None:
        super().__init__(f"{code} {message}".strip())
        self.verdict = verdict
        self.code = code
        self.message = " ".join(message.split())
        self.hint = hint


class Database:
    """One connection, in autocommit: one call is one transaction. Every call raises RefusedError, nothing else.

    After a RefusedError with Verdict.AWAY the connection is closed; `connect` opens another.
    """

    def __init__(self, target: Target, name: str, outage: Outage) -> None:
        self._target = target
        self._name = name
        self._outage = outage
        self._connection: psycopg.Connection[Any] | None = None
        self._cursor: psycopg.Cursor[Any] | None = None

    @property
    def connected(self) -> bool:
        return self._connection is not None

    @property
    def backend(self) -> int | None:
        """The server process of this connection: notifications of its own transactions bear it."""
        return self._connection.info.backend_pid if self._connection else None

    def connect(self) -> Status:
        """One attempt; answers how database and code compare. Raises RefusedError (AWAY) or a DeployError."""
        self.close()
        options = {name: value for name, value in _KEEPALIVE.items() if name not in self._target.params}
        session = f"{_SESSION} {self._target.params.get('options', '')}".strip()
        try:
            connection = connect_once(self._target, name=self._name, options=session, **options)
        except AwayError as error:
            self._outage.failed(error.thing)
            raise RefusedError(Verdict.AWAY, "", error.thing, error.remedy) from None
        try:
            require_primary(connection, self._target)
            status = check_release(connection)
        except psycopg.Error as error:
            connection.close()
            raise self._sort(error) from None
        except BaseException:
            connection.close()
            raise
        register(connection.adapters)
        connection.adapters.register_loader("text", ByteaBinaryLoader)
        self._connection = connection
        self._cursor = connection.cursor(binary=True)
        self._outage.over()
        return status

    def close(self) -> None:
        """Close; a call raises RefusedError (AWAY) from now on."""
        connection, self._connection, self._cursor = self._connection, None, None
        if connection is not None:
            connection.close()

    # -- the calls, in the order of ARCHITECTURE.md section 3 ----------------------------------------

    def register_bridge(self, host: str, pid: int, version: str) -> int:
        """This instance's id."""
        return int(self._value("register_bridge", host=host, pid=pid, version=version))

    def heartbeat(
        self, instance: int, held: Mapping[int, Held], ends: Ends, known: Sequence[int]
    ) -> tuple[bool, datetime]:
        """Whether the service shall run, and the database's clock."""
        logs = [(where, ends.offsets.get(partition)) for partition, where in held.items()]
        ((state, at),) = self._call(
            "heartbeat", instance=Int8(instance), partitions=Int4s(held),
            lags=NullableInt8s([where.behind(end) for where, end in logs]),
            ends=NullableInt8s([where.target(end) for where, end in logs]),
            asked_at=ends.at, known=Int4s(known),
        )  # fmt: skip
        return state == b"started", at

    def retire_bridge(self, instance: int) -> None:
        """What this instance claimed and has not sent is anybody's."""
        self._call("retire_bridge", instance=Int8(instance))

    def claim_partitions(
        self, instance: int, topic: str, cluster_id: str, topic_id: str, partitions: Sequence[int]
    ) -> list[Claim]:
        """Fences whoever held them; Verdict.OPERATOR for OR701, OR702, OR703."""
        return self._call(
            "claim_partitions", instance=Int8(instance), topic=topic, cluster_id=cluster_id, topic_id=topic_id,
            partitions=Int4s(partitions),
        )  # fmt: skip

    def seed_offsets(self, topic: str, cluster_id: str, topic_id: str, offsets: dict[int, int]) -> None:
        """Begin at these offsets, by partition."""
        self._call(
            "seed_offsets", topic=topic, cluster_id=cluster_id, topic_id=topic_id,
            partitions=Int4s(offsets), offsets=Int8s(offsets.values()),
        )  # fmt: skip

    def ingest(
        self,
        instance: int,
        topic: str,
        batch: Batch,
        claims: Sequence[Claim],
        ends: Sequence[int],
        confirmed: Sequence[int],
    ) -> list[Dispatch]:
        """Apply a batch. `claims`: partition, offset last stored and epoch of each in the batch; `ends`: what to store.

        Verdict.FENCED, STOPPED, RETRY, AWAY, else SUSPECT or GUILTY; in all cases nothing was applied, except that
        after AWAY it may have been: the stored offsets tell.
        """
        params = {
            "instance": Int8(instance), "topic": topic,
            "partitions": Int4s(batch.partitions), "offsets": Int8s(batch.offsets),
            "keys": Byteas(batch.keys), "payloads": Byteas(batch.payloads),
            "owned": Int4s([claim[0] for claim in claims]), "epochs": Int8s([claim[2] for claim in claims]),
            "expected": Int8s([claim[1] for claim in claims]), "next_offsets": Int8s(ends),
            "confirmed": Int8s(confirmed),
        }  # fmt: skip
        if self._connection is None or not failpoints.armed("after_ingest_before_commit"):
            return self._call("ingest", **params)
        try:
            with self._connection.transaction():
                rows = self._call("ingest", **params)
                failpoints.reach("after_ingest_before_commit")
        except psycopg.Error as error:
            raise self._sort(error) from None
        return rows

    def quarantine(
        self, instance: int, topic: str, batch: Batch, claim: Claim, end: int, code: str, message: str
    ) -> None:
        """Write the one message of `batch` as a dead letter and store its offset."""
        self._call(
            "quarantine", instance=Int8(instance), topic=topic, partition=Int4(batch.partitions[0]),
            offset=Int8(batch.offsets[0]), key=batch.keys[0], payload=batch.payloads[0], sqlstate=code,
            message=message, epoch=Int8(claim[2]), expected=Int8(claim[1]), next_offset=Int8(end),
        )  # fmt: skip

    def take_dispatches(self, instance: int, max_rows: int) -> list[Dispatch]:
        """Unclaimed dispatches, claimed now."""
        return self._call("take_dispatches", instance=Int8(instance), max_rows=Int4(max_rows))

    def confirm_dispatches(self, instance: int, task_run_ids: Sequence[int]) -> None:
        """They were delivered."""
        self._call("confirm_dispatches", instance=Int8(instance), task_run_ids=Int8s(task_run_ids))

    def release_dispatches(self, instance: int, task_run_ids: Sequence[int]) -> None:
        """They were not delivered: unclaimed again."""
        self._call("release_dispatches", instance=Int8(instance), task_run_ids=Int8s(task_run_ids))

    def reap_stale_runs(self) -> tuple[str, dict[str, int], str]:
        """The outcome, what was done by kind, and what could not be dealt with."""
        ((outcome, retries, resends, timeouts, graph_timeouts, problem),) = self._call("reap_stale_runs")
        did = {"retries": retries, "resends": resends, "timeouts": timeouts, "graph_timeouts": graph_timeouts}
        return outcome.decode(), did, (problem or b"").decode()

    def listen(self) -> None:
        """Have `notifications` woken."""
        self._call("listen")

    def notifications(self, seconds: float) -> set[int]:
        """Wait for a notification at most so long; the server processes that notified, empty after a time-out."""
        if self._connection is None:
            raise RefusedError(Verdict.AWAY, "", "not connected")
        try:
            return {notify.pid for notify in self._connection.notifies(timeout=seconds, stop_after=1)}
        except psycopg.Error as error:
            raise self._sort(error) from None

    # -- helpers ------------------------------------------------------------------------------------

    def _value(self, name: str, **params: object) -> Any:
        return self._call(name, **params)[0][0]

    def _call(self, name: str, **params: object) -> list[Any]:
        if self._cursor is None:
            raise RefusedError(Verdict.AWAY, "", "not connected")
        try:
            self._cursor.execute(_queries()[name], params or None, prepare=bool(params))
            return self._cursor.fetchall() if self._cursor.description else []
        except psycopg.Error as error:
            raise self._sort(error) from None

    def _sort(self, error: psycopg.Error) -> RefusedError:
        verdict = judge(error)
        if self._connection is not None and self._connection.closed:
            verdict = Verdict.AWAY
        message = (error.diag.message_primary or str(error)).strip().partition("\n")[0]
        if verdict is Verdict.AWAY:
            self.close()
            self._outage.failed(message)
        return RefusedError(verdict, error.sqlstate or "", message, hint_of(error))


@cache
def _queries() -> dict[str, bytes]:
    """The statements of queries.sql by name."""
    text = (Path(__file__).parent / "queries.sql").read_text(encoding="utf-8")
    queries = {}
    for part in text.split("-- name: ")[1:]:
        name, _, body = part.partition("\n")
        lines = [line for line in body.splitlines() if not line.startswith("--")]
        queries[name.strip()] = "\n".join(lines).strip().encode()
    return queries
