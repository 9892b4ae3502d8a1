"""The warehouse's migrations and its command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from dags import warehouse
from stack.layout import ROOT
from tests.dwh.moves import Warehouse
from tests.support.servers import PgServer

COLUMNS = ("batch_id", "business_date", "sale_id", "sold_at", "customer", "amount", "loaded_at")


def run(*words: str, dsn: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dags.warehouse", *words],
        env={**os.environ, "DWH_DSN": dsn}, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_tables_have_the_columns_others_rely_on(dwh: Warehouse) -> None:
    columns = (
        "select column_name::text from information_schema.columns where table_schema = %s and table_name = %s"
    )
    for schema, table, wanted in (
        ("stg", "sales", COLUMNS),
        ("ods", "sales", COLUMNS),
        ("ods", "sales_reject", ("batch_id", "row", "reason")),
    ):
        assert set(wanted) <= {row[0] for row in dwh.rows(columns, schema, table)}


def test_apply_at_the_same_time_again_and_after_a_kill(pg_cluster: PgServer) -> None:
    name = "dwh_apply"
    dsn = pg_cluster.dsn(name)
    with psycopg.connect(pg_cluster.dsn("postgres"), autocommit=True) as connection:
        connection.execute(f"create database {name}")
        try:
            with ThreadPoolExecutor(3) as pool:
                done = list(pool.map(lambda _: warehouse.apply(dsn), range(3)))
            assert sorted(done) == [[], [], sorted(path.stem for path in warehouse.MIGRATIONS.iterdir())]
            with psycopg.connect(dsn) as left:
                left.execute("insert into yoyo_lock (locked, ctime, pid) values (1, now(), 1)")
            assert run("apply", dsn=dsn).stdout == "nothing had changed\n"
        finally:
            connection.execute(f"drop database {name} with (force)")


def test_load_prints_what_must_come_of_it(dwh: Warehouse) -> None:
    words = ("load", "--batch-id", "b1", "--business-date", "2026-11-22", "--rows", "250")
    done = run(*words, dsn=dwh.dsn)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["loaded"] == 250
    answer = dwh.move({"batch_id": "b1", "business_date": "2026-11-22", "rows": 250})
    assert said["expected"] == {name: answer[name] for name in said["expected"]}
    assert json.loads(run(*words, dsn=dwh.dsn).stdout)["loaded"] == 0


def test_wrong_words_are_refused(dwh: Warehouse) -> None:
    done = run("load", "--batch-id", "b1", "--business-date", "2026-02-30", dsn=dwh.dsn)
    assert done.returncode == 2
    assert "2026-02-30" in done.stderr


def test_rules_are_the_tables_own(dwh: Warehouse) -> None:
    for statement, name in (
        ("insert into stg.sales (batch_id, business_date) values (' ', '2026-11-22')", "batch_id_is_a_name"),
        (
            "insert into ods.sales values (1, 'b', '2026-11-22', now(), 'c', -1, now())",
            "amount_is_not_negative",
        ),
        ("insert into ods.sales values (1, 'b', '2026-11-22', now(), ' ', 1, now())", "customer_is_given"),
    ):
        with pytest.raises(psycopg.errors.CheckViolation) as refused:
            dwh.rows(statement)
        assert refused.value.diag.constraint_name == name


def test_no_path_of_the_checkout_in_the_sql() -> None:
    for path in Path(warehouse.MIGRATIONS).parent.rglob("*.sql"):
        assert "orchestration." not in path.read_text(), (
            f"{path}: the warehouse knows nothing of the orchestrator"
        )
