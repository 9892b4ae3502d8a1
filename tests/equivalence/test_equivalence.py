"""The database does what the model does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from psycopg import Connection
from psycopg.rows import TupleRow

from tests.equivalence.campaign import SETTINGS, check, kinds_of
from tests.equivalence.database import functions
from tests.equivalence.shapes import STATEMENTS, event_steps, shapes, steps_of
from tests.support.databases import Database


@pytest.fixture(scope="module")
def connection(module_database: Database) -> Iterator[Connection[TupleRow]]:
    with module_database.connect() as made:
        yield made


@given(data=st.data())
@examples(SETTINGS, max_examples=60)
def test_events_one_by_one(connection: Connection[TupleRow], data: st.DataObject) -> None:
    check(connection, data.draw(shapes()), data.draw(st.lists(event_steps, min_size=30, max_size=30)))


def _all_operations(connection: Connection[TupleRow], data: st.DataObject) -> None:
    kinds = kinds_of(functions(connection), STATEMENTS)
    script = data.draw(st.lists(steps_of(kinds), min_size=50, max_size=50))
    check(connection, data.draw(shapes(rich=True)), script)


@given(data=st.data())
@examples(SETTINGS, max_examples=200)
def test_all_operations(connection: Connection[TupleRow], data: st.DataObject) -> None:
    _all_operations(connection, data)


@pytest.mark.long
@given(data=st.data())
@examples(SETTINGS, max_examples=2000)
def test_all_operations_long(connection: Connection[TupleRow], data: st.DataObject) -> None:
    _all_operations(connection, data)
