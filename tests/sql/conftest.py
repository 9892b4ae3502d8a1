"""pgTAP tests, `<function or table>/<behaviour>.sql`: each file runs in one transaction that is rolled back.

`_setup/*.sql` makes the words the files are written in (`given_graph`, `say`, `finish`, `pictures`, `refuses` …), in
schema `tap`, once a session.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from psycopg import sql

from tests.support.databases import Database

collect_ignore_glob = ["_setup/*"]
SETUP = sorted((Path(__file__).parent / "_setup").glob("*.sql"))


@pytest.fixture(scope="session")
def pgtap_database(pgtap_database: Database) -> Database:
    """The database of all pgTAP files, with the words of `_setup`."""
    assert SETUP, "tests/sql/_setup holds no file"
    with pgtap_database.connect() as connection:
        connection.execute("set search_path = orchestration, tap")
        for path in SETUP:
            connection.execute(path.read_text().encode())
        # as programs log in (db create); the superuser's default would compile each statement, seconds long
        connection.execute(
            sql.SQL("alter database {} set jit = off").format(sql.Identifier(pgtap_database.name))
        )
    return pgtap_database
