"""Run `stg_to_ods.sql` as Airflow does, without Airflow."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import TupleRow

from dags.warehouse import STG_TO_ODS

__all__ = ["Connection", "Warehouse", "move"]

Connection = psycopg.Connection[TupleRow]


def move(connection: Connection, conf: object) -> dict[str, Any]:
    """Both statements in one transaction (the caller's, if it has one open); what they answer."""
    with connection.transaction(), psycopg.ClientCursor(connection) as cursor:
        cursor.execute(STG_TO_ODS.read_bytes(), {"conf": json.dumps(conf)})
        assert cursor.nextset()
        answer = cursor.fetchall()
        assert len(answer) == 1
        assert not cursor.nextset()
        counts: dict[str, Any] = answer[0][0]
        return counts


@dataclass(frozen=True)
class Warehouse:
    """A warehouse with everything applied."""

    dsn: str

    def connect(self) -> Connection:
        return psycopg.connect(self.dsn, autocommit=True)

    def move(self, conf: object) -> dict[str, Any]:
        with self.connect() as connection:
            return move(connection, conf)

    def rows(self, query: str, *values: object) -> list[TupleRow]:
        with self.connect() as connection:
            return connection.execute(query.encode(), values).fetchall()

    def stage(self, batch_id: str, *rows: tuple[Any, ...], business_date: str = "2026-11-22") -> None:
        """Rows of (sale_id, sold_at, customer, amount[, loaded_at])."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.executemany(
                "insert into stg.sales (batch_id, business_date, sale_id, sold_at, customer, amount, loaded_at)"
                " values (%s, %s, %s, %s, %s, %s, coalesce(%s, now()))",
                [(batch_id, business_date, *row, *[None] * (5 - len(row))) for row in rows],
            )
