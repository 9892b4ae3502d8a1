"""`dags/sql/stg_to_ods.sql`: every rule, on real PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, datetime, timezone
from decimal import Decimal
from itertools import permutations
from typing import Any

import psycopg
import pytest

from dags.warehouse import Batch, load
from tests.dwh.moves import Connection, Warehouse, move

DAY = "2026-11-22"
NOTHING = {"inserted": 0, "updated": 0, "unchanged": 0, "late": 0, "duplicates": 0, "rejected": 0}


def conf(batch_id: str = "b1", business_date: str = DAY, **more: object) -> dict[str, object]:
    return {"batch_id": batch_id, "business_date": business_date, **more}


def counts(read: int, **others: int) -> dict[str, int]:
    return {"read": read, **NOTHING, **others}


def check(answer: dict[str, Any], read: int, **others: int) -> None:
    assert {name: answer[name] for name in ("read", *NOTHING)} == counts(read, **others)


def test_right_rows_are_inserted_with_their_types(dwh: Warehouse) -> None:
    dwh.stage("b1", ("1", f"{DAY}T10:00:00+02:00", " Ann ", "12.50"), (" 2 ", f"{DAY} 10:00", "Bob", "3"))
    answer = dwh.move(conf(rows=2))
    assert answer == {"batch_id": "b1", "business_date": DAY, **counts(2, inserted=2)}
    assert dwh.rows(
        "select sale_id, batch_id, business_date, sold_at, customer, amount from ods.sales order by 1"
    ) == [
        (
            1,
            "b1",
            date(2026, 11, 22),
            datetime(2026, 11, 22, 8, tzinfo=timezone.utc),
            "Ann",
            Decimal("12.50"),
        ),
        (2, "b1", date(2026, 11, 22), datetime(2026, 11, 22, 10, tzinfo=timezone.utc), "Bob", Decimal(3)),
    ]


def test_typed_values_may_be_staged(dwh: Warehouse) -> None:
    """A loader that sends numbers and instants, not text, is as welcome."""
    dwh.rows(
        "insert into stg.sales (batch_id, business_date, sale_id, sold_at, customer, amount)"
        " select 'b1', %s::date, n, now(), 'c' || n, n * 1.5 from generate_series(1, 50) n returning 1",
        DAY,
    )
    check(dwh.move(conf()), 50, inserted=50)
    assert dwh.rows("select sum(amount) from ods.sales") == [(Decimal("1912.5"),)]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ((None, DAY, "Ann", "1"), "sale_id is missing"),
        ((" ", DAY, "Ann", "1"), "sale_id is missing"),
        (("S-1", DAY, "Ann", "1"), "sale_id is no number: S-1"),
        (("9" * 19, DAY, "Ann", "1"), f"sale_id is no number: {'9' * 19}"),
        (("1", None, "Ann", "1"), "sold_at is missing"),
        (("1", "2026-02-30T10:00:00Z", "Ann", "1"), "sold_at is no instant: 2026-02-30T10:00:00Z"),
        (("1", "now", "Ann", "1"), "sold_at is no instant: now"),
        (("1", "infinity", "Ann", "1"), "sold_at is no instant: infinity"),
        (("1", "22/11/2026", "Ann", "1"), "sold_at is no instant: 22/11/2026"),
        (("1", "0000-01-01", "Ann", "1"), "sold_at is no instant: 0000-01-01"),
        (("1", "2026-11-22T10:00:00+99", "Ann", "1"), "sold_at is no instant: 2026-11-22T10:00:00+99"),
        (("1", DAY, "", "1"), "customer is missing"),
        (("1", DAY, "Ann", None), "amount is missing"),
        (("1", DAY, "Ann", "n/a"), "amount is no number: n/a"),
        (("1", DAY, "Ann", "NaN"), "amount is no number: NaN"),
        (("1", DAY, "Ann", "1e999999"), "amount is no number: 1e999999"),
        (("1", DAY, "Ann", "-0.01"), "amount is negative: -0.01"),
        (
            ("x", "y", None, "z"),
            "sale_id is no number: x; sold_at is no instant: y; customer is missing; amount is no number: z",
        ),
    ],
)
def test_a_wrong_row_is_rejected_with_its_reasons(
    dwh: Warehouse, row: tuple[str | None, ...], reason: str
) -> None:
    dwh.stage("b1", row, ("7", DAY, "Bob", "2"))
    check(dwh.move(conf()), 2, inserted=1, rejected=1)
    assert dwh.rows("select batch_id, reason, row->>'sale_id', row->>'amount' from ods.sales_reject") == [
        ("b1", reason, row[0], row[3])
    ]
    assert dwh.rows("select sale_id from ods.sales") == [(7,)]


def test_of_duplicates_in_a_batch_the_newest_counts(dwh: Warehouse) -> None:
    dwh.stage(
        "b1",
        ("1", f"{DAY}T10:00:00Z", "old", "1"),
        ("1", f"{DAY}T12:00:00Z", "newest", "2"),
        ("1", f"{DAY}T11:00:00Z", "between", "3"),
        ("1", f"{DAY}T13:00:00Z", None, "4"),
    )
    check(dwh.move(conf()), 4, inserted=1, duplicates=2, rejected=1)
    assert dwh.rows("select customer from ods.sales") == [("newest",)]


def test_equal_instants_are_told_apart_by_loaded_at_then_by_place(dwh: Warehouse) -> None:
    dwh.stage(
        "b1",
        ("1", DAY, "loaded later", "1", f"{DAY}T03:00:00Z"),
        ("1", DAY, "loaded first", "1", f"{DAY}T02:00:00Z"),
        ("2", DAY, "first row", "1", f"{DAY}T02:00:00Z"),
        ("2", DAY, "last row", "1", f"{DAY}T02:00:00Z"),
    )
    check(dwh.move(conf()), 4, inserted=2, duplicates=2)
    assert dwh.rows("select customer from ods.sales order by sale_id") == [("loaded later",), ("last row",)]


def test_a_newer_version_replaces_and_a_late_one_does_not(dwh: Warehouse) -> None:
    dwh.stage("b1", ("1", f"{DAY}T10:00:00Z", "Ann", "1"), ("2", f"{DAY}T10:00:00Z", "Bob", "1"))
    dwh.move(conf())
    dwh.stage(
        "b2",
        ("1", f"{DAY}T11:00:00Z", "Ann", "9"),
        ("2", f"{DAY}T09:00:00Z", "Bob", "9"),
        ("3", DAY, "Eve", "9"),
    )
    check(dwh.move(conf("b2")), 3, inserted=1, updated=1, late=1)
    assert dwh.rows("select sale_id, amount, batch_id from ods.sales order by 1") == [
        (1, 9, "b2"), (2, 1, "b1"), (3, 9, "b2"),
    ]  # fmt: skip


def test_the_order_in_which_batches_are_moved_does_not_matter(dwh: Warehouse) -> None:
    """Also where versions say the same, or differ in nothing but their batch."""
    versions = [
        ("a", "10:00", "Ann", "02:00"), ("b", "10:00", "Bob", "02:00"), ("c", "10:00", "Bob", "04:00"),
        ("d", "10:00", "Eve", "03:00"), ("e", "09:00", "Zoe", "05:00"),
    ]  # fmt: skip
    for batch, sold, customer, loaded in versions:
        dwh.stage(batch, ("1", f"{DAY}T{sold}:00Z", customer, "1", f"{DAY}T{loaded}:00Z"))
    ends = set()
    with dwh.connect() as connection:
        for order in permutations("abcde"):
            connection.execute("truncate ods.sales")
            for batch in order:
                move(connection, conf(batch))
            ends.add(connection.execute("select customer, batch_id from ods.sales").fetchone())
    assert ends == {("Bob", "c")}


def test_a_rerun_changes_nothing(dwh: Warehouse) -> None:
    with dwh.connect() as connection:
        load(connection, Batch("b1", date(2026, 11, 22), 500))
    first = dwh.move(conf())
    tables = "select 'sale', s::text from ods.sales s union all select 'reject', r::text from ods.sales_reject r order by 1, 2"
    before = dwh.rows(tables)
    again = dwh.move(conf())
    assert before == dwh.rows(tables)
    assert again == {**first, "inserted": 0, "unchanged": first["inserted"]}


def test_a_corrected_batch_is_forgiven(dwh: Warehouse) -> None:
    dwh.stage("b1", ("1", DAY, "Ann", "n/a"), ("2", DAY, "Bob", "n/a"))
    check(dwh.move(conf()), 2, rejected=2)
    dwh.rows("update stg.sales set amount = '5' where sale_id = '1' returning 1")
    check(dwh.move(conf()), 2, inserted=1, rejected=1)
    assert dwh.rows("select row->>'sale_id' from ods.sales_reject") == [("2",)]
    dwh.rows("update stg.sales set amount = '6' where sale_id = '1' returning 1")
    check(dwh.move(conf()), 2, updated=1, rejected=1)


@pytest.mark.parametrize("rows", [1, 19, 100, 1234])
@pytest.mark.parametrize("seed", [0, 7, 95])
def test_made_up_batches_lead_to_the_counts_they_print(dwh: Warehouse, rows: int, seed: int) -> None:
    for number, batch_id in enumerate(("b1", "b2")):
        batch = Batch(batch_id, date(2026, 11, 22 + number), rows, seed)
        with dwh.connect() as connection:
            assert load(connection, batch) == rows
            assert load(connection, batch) == 0, "the same batch is loaded once"
        wanted = batch.expected(day_before=number == 1)
        check(dwh.move(conf(batch_id, str(batch.business_date), rows=rows)), wanted.pop("read"), **wanted)


@pytest.mark.parametrize(
    ("asked", "state", "words"),
    [
        ([1], "22023", "conf is no JSON object"),
        ({}, "22023", "conf.batch_id is missing"),
        ({"batch_id": 7, "business_date": DAY}, "22023", "conf.batch_id is 7"),
        ({"batch_id": " ", "business_date": DAY}, "22023", "conf.batch_id is"),
        ({"batch_id": "b1"}, "22023", "conf.business_date is missing"),
        (conf(business_date="2026-02-30"), "22023", "conf.business_date is 2026-02-30"),
        (conf(business_date="today"), "22023", "conf.business_date is today"),
        (conf(business_date=f"{DAY}T00:00:00Z"), "22023", f"conf.business_date is {DAY}T00:00:00Z"),
        (conf(rows="many"), "22023", "conf.rows is many"),
        (conf(rows=-1), "22023", "conf.rows is -1"),
        (conf(rows=1.5), "22023", "conf.rows is 1.5"),
        (conf("b'); drop table ods.sales; --"), "P0002", "batch b'); drop table ods.sales; -- has no rows"),
        (
            conf(business_date="2026-11-23"),
            "23514",
            f"batch b1 has rows of business date {DAY}, conf.business_date is 2026-11-23",
        ),
        (conf(rows=3), "23514", "batch b1 has 2 rows in stg.sales, conf.rows is 3"),
    ],
)
def test_a_wrong_conf_is_refused_by_name_and_changes_nothing(
    dwh: Warehouse, asked: object, state: str, words: str
) -> None:
    dwh.stage("b1", ("1", DAY, "Ann", "1"), ("2", DAY, "Bob", "n/a"))
    with pytest.raises(psycopg.Error, match=r".") as refused:
        dwh.move(asked)
    assert refused.value.sqlstate == state
    assert words in str(refused.value)
    assert refused.value.diag.message_hint
    assert dwh.rows("select (select count(*) from ods.sales), (select count(*) from ods.sales_reject)") == [
        (0, 0)
    ]


def test_killed_in_the_middle_leaves_nothing_and_a_retry_does_it_all(
    dwh: Warehouse, connect: Callable[[], Connection]
) -> None:
    batch = Batch("b1", date(2026, 11, 22), 300)
    with dwh.connect() as connection:
        load(connection, batch)
    victim, killer = connect(), connect()

    def die_before_the_commit() -> None:
        with victim.transaction():
            move(victim, conf())
            assert victim.execute("select count(*) > 0 from ods.sales").fetchone() == (True,)
            killer.execute("select pg_terminate_backend(%s)", [victim.info.backend_pid])
            victim.execute("select 1")

    with pytest.raises(psycopg.OperationalError):
        die_before_the_commit()
    assert dwh.rows("select count(*) from ods.sales") == [(0,)]
    wanted = batch.expected(day_before=False)
    check(dwh.move(conf()), wanted.pop("read"), **wanted)


def test_batches_at_the_same_time_count_what_they_did(
    dwh: Warehouse, connect: Callable[[], Connection]
) -> None:
    """Eight batches about the same sales, each newer than the one before: the sums are those of one after another."""
    names = [f"b{number}" for number in range(8)]
    for number, name in enumerate(names):
        dwh.stage(name, *((str(sale), f"{DAY}T1{number}:00:00Z", name, "1") for sale in range(200)))
    answers: list[dict[str, Any]] = []
    start = threading.Barrier(len(names))

    def work(name: str, connection: Connection) -> None:
        start.wait()
        answers.append(move(connection, conf(name)))

    threads = [threading.Thread(target=work, args=(name, connect())) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    total = {
        what: sum(answer[what] for answer in answers) for what in ("read", "inserted", "updated", "late")
    }
    assert total["read"] == 1600
    assert total["inserted"] == 200
    assert total["updated"] + total["late"] == 1400
    assert dwh.rows("select distinct batch_id, count(*) over () from ods.sales") == [("b7", 200)]


def test_the_same_batch_at_the_same_time_is_moved_once(
    dwh: Warehouse, connect: Callable[[], Connection]
) -> None:
    dwh.stage("b1", *((str(sale), DAY, "Ann", "1") for sale in range(100)), ("x", DAY, "Ann", "1"))
    first, second = connect(), connect()
    answers: list[dict[str, Any]] = []
    with first.transaction():
        answers.append(move(first, conf()))
        waiting = threading.Thread(target=lambda: answers.append(move(second, conf())))
        waiting.start()
        waits = "select count(*) from pg_locks where not granted and relation = 'ods.sales'::regclass"
        while dwh.rows(waits) == [(0,)]:
            assert waiting.is_alive()
    waiting.join()
    check(answers[0], 101, inserted=100, rejected=1)
    check(answers[1], 101, unchanged=100, rejected=1)
