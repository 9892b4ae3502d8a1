"""The database does what the model does."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection
from psycopg.rows import TupleRow

from tests.equivalence.database import Side
from tests.equivalence.runner import Player
from tests.equivalence.shapes import Shape, Step, event_steps, shapes
from tests.support.databases import Database
from tests.support.graphs import Feed

_settings = settings(
    deadline=None,
    database=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.function_scoped_fixture,
    ],
)
_numbers = count(1)


@pytest.fixture(scope="module")
def connection(module_database: Database) -> Iterator[Connection[TupleRow]]:
    with module_database.connect() as made:
        yield made


@pytest.fixture(scope="module")
def feed(connection: Connection[TupleRow]) -> Feed:
    return Feed(connection)


@given(shape=shapes(), script=st.lists(event_steps, min_size=1, max_size=30))
@settings(_settings, max_examples=100)
def test_events_one_by_one(
    connection: Connection[TupleRow], feed: Feed, shape: Shape, script: list[Step]
) -> None:
    Player(shape, Side(connection, feed, next(_numbers), shape)).play(script)
