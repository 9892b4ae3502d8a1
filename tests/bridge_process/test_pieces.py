"""The small parts: batches, arrays, lag, logs, failpoints."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator

import psycopg
import pytest

from orchestration.bridge import failpoints, log
from orchestration.bridge.arrays import Byteas, Int4s, Int8s, NullableInt8s, register
from orchestration.bridge.batch import Batch
from orchestration.bridge.consumer import Held
from orchestration.bridge.errors import SettingsError
from tests.support.servers import PgServer

# -- batches ----------------------------------------------------------------------------------------


def test_halves_keep_the_order_and_lose_nothing() -> None:
    batch = Batch(
        [0, 1, 0, 1, 1], [7, 3, 8, 4, 6], [b"a", None, b"c", b"d", b"e"], [b"1", b"2", None, b"4", b"5"]
    )
    first, second = batch.halves()
    assert first == Batch([0, 1], [7, 3], [b"a", None], [b"1", b"2"])
    assert second == Batch([0, 1, 1], [8, 4, 6], [b"c", b"d", b"e"], [None, b"4", b"5"])
    assert batch.ends() == {0: 9, 1: 7}, "an end follows the last message, also over a gap"
    assert first.ends() == {0: 8, 1: 4}


# -- arrays -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (Int4s([]), "int[]"),
        (Int4s([0, -1, 2**31 - 1, -(2**31)]), "int[]"),
        (Int8s([]), "bigint[]"),
        (Int8s([0, -1, 2**63 - 1, -(2**63)]), "bigint[]"),
        (NullableInt8s([]), "bigint[]"),
        (NullableInt8s([1, None, -3]), "bigint[]"),
        (Byteas([]), "bytea[]"),
        (Byteas([b"", b"\x00\xff", b"a" * 100_000]), "bytea[]"),
        (Byteas([None, b"", None, b"x"]), "bytea[]"),
    ],
)
def test_postgresql_reads_the_arrays_we_write(pg_cluster: PgServer, values: list[object], kind: str) -> None:
    with psycopg.connect(pg_cluster.dsn("postgres")) as connection:
        register(connection.adapters)
        row = connection.execute(
            f"select %b::{kind}, pg_typeof(%b)::text".encode(), (values, values)
        ).fetchone()
    assert row is not None
    assert (row[0], row[1]) == (list(values), {"int[]": "integer[]"}.get(kind, kind))


# -- lag --------------------------------------------------------------------------------------------


def test_behind_is_what_was_not_applied() -> None:
    held = Held(epoch=1, stored=10, fetched=14)
    assert held.behind(14) == 4
    assert held.behind(None) is None
    held.stored = 14
    assert held.behind(14) == 0


def test_a_transaction_marker_at_the_end_is_no_lag() -> None:
    held = Held(epoch=1, stored=10, fetched=14, end=15, end_after=14)
    assert held.behind(15) == 5, "the messages before the end are not applied yet"
    held.stored = 14
    assert held.behind(15) == 0
    assert held.behind(17) == 2


# -- logs -------------------------------------------------------------------------------------------


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    made = io.StringIO()
    log.configure("info", made)
    yield made
    log.configure("info")
    log._secrets.clear()


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_one_json_object_with_event_and_fields(stream: io.StringIO) -> None:
    log.logger("part").info("assigned", partitions=[1, 2], odd={"ü": 'a"\n'})
    (line,) = lines(stream)
    assert str(line.pop("ts")).endswith("Z")
    assert line == {
        "level": "info",
        "event": "assigned",
        "logger": "part",
        "partitions": [1, 2],
        "odd": {"ü": 'a"\n'},
    }


def test_secrets_are_cut_out_of_every_line(stream: io.StringIO) -> None:
    log.redact_in_logs(["hush/hush"])
    log.logger("part").error("failed", reason="password hush/hush, or hush%2Fhush")
    assert "hush" not in stream.getvalue().replace("***", "")


def test_a_crash_says_where_without_a_traceback(stream: io.StringIO) -> None:
    try:
        json.loads("{")
    except ValueError:
        log.logger("part").crash("failed")
    (line,) = lines(stream)
    assert str(line["error"]).startswith("JSONDecodeError: ")
    assert "raw_decode" in str(line["where"])


def test_a_server_that_is_away_gets_one_line_a_period(stream: io.StringIO) -> None:
    outage = log.Outage(log.logger("part"), "PostgreSQL at h", every=0.2)
    for _ in range(10):
        outage.failed("refused")
    assert [line["event"] for line in lines(stream)] == ["away"]
    time.sleep(0.25)
    outage.failed("refused")
    outage.over()
    outage.over()
    outage.failed("refused")  # gone again at once: no line for that
    outage.over()
    assert [line["event"] for line in lines(stream)] == ["away", "away", "back"]


# -- failpoints -------------------------------------------------------------------------------------


def test_failpoints_are_refused_outside_dev_and_by_a_wrong_name() -> None:
    with pytest.raises(SettingsError, match="set ORCHESTRATION_ENV=dev"):
        failpoints.arm({failpoints.VARIABLE: "after_poll"}, dev=False)
    for wrong in ("nowhere", "after_poll:0", "after_poll:x"):
        with pytest.raises(SettingsError, match="names no failpoint"):
            failpoints.arm({failpoints.VARIABLE: wrong}, dev=True)
    failpoints.arm({}, dev=False)
    assert not failpoints.armed("after_poll")
