"""A test for each row of `outcomes.txt` and policy, one by one and, where it is reports alone, as one batch."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from psycopg import Connection
from psycopg.rows import TupleRow

from tests.outcomes.document import DOCUMENT, render
from tests.outcomes.source import Row, Section, read
from tests.outcomes.stage import Stage
from tests.support.databases import Database

SECTIONS = read()
CASES = {
    f"{section.title}: {number} {row.title} ({policy})": (section, row, policy)
    for section in SECTIONS
    for number, row in enumerate(section.rows, start=1)
    for policy in row.policies
}
BATCHES = {name: case for name, case in CASES.items() if Stage.batches(case[1].steps)}


@pytest.fixture(scope="module")
def open_connection(module_database: Database) -> Iterator[Connection[TupleRow]]:
    with module_database.connect() as made:
        yield made


@pytest.fixture
def connection(open_connection: Connection[TupleRow]) -> Iterator[Connection[TupleRow]]:
    with open_connection.transaction(force_rollback=True):
        yield open_connection


@pytest.mark.parametrize(("section", "row", "policy"), CASES.values(), ids=CASES)
def test_row(connection: Connection[TupleRow], section: Section, row: Row, policy: str) -> None:
    stage = Stage(connection, section, policy)
    stage.play(row.steps)
    assert stage.picture() == row.expected


@pytest.mark.parametrize(("section", "row", "policy"), BATCHES.values(), ids=BATCHES)
def test_row_as_one_batch(connection: Connection[TupleRow], section: Section, row: Row, policy: str) -> None:
    stage = Stage(connection, section, policy)
    stage.play_batch(row.steps)
    assert stage.picture() == row.expected


def test_the_document_is_up_to_date() -> None:
    assert DOCUMENT.read_text() == render(SECTIONS), "run python -m tests.outcomes.document"
