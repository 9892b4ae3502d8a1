"""`dwh`: an empty warehouse for every test, on the session's PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from dags import warehouse
from tests.support.servers import PgServer

from .moves import Connection, Warehouse


@pytest.fixture(scope="session")
def dwh_database(pg_cluster: PgServer) -> Warehouse:
    name = f"dwh_{uuid4().hex[:8]}"
    with psycopg.connect(pg_cluster.dsn("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    warehouse.apply(pg_cluster.dsn(name))
    return Warehouse(pg_cluster.dsn(name))


@pytest.fixture
def dwh(dwh_database: Warehouse) -> Warehouse:
    with dwh_database.connect() as connection:
        connection.execute("truncate stg.sales, ods.sales, ods.sales_reject restart identity")
    return dwh_database


@pytest.fixture
def connect(dwh: Warehouse) -> Iterator[Callable[[], Connection]]:
    """Further sessions in the warehouse, in autocommit."""
    opened: list[Connection] = []

    def open_one() -> Connection:
        opened.append(dwh.connect())
        return opened[-1]

    yield open_one
    for connection in opened:
        connection.close()
