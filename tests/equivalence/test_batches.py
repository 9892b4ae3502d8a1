"""A batch through `ingest` has the result of its events one by one, and answers all that it dispatched."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from psycopg import Connection
from psycopg.rows import TupleRow

from tests.equivalence import steps as make
from tests.equivalence.campaign import SETTINGS, check_batches
from tests.equivalence.shapes import shapes, steps_of
from tests.support.databases import Database
from tests.support.graphs import Feed

KINDS = (
    make.Launch,
    make.LaunchTasks,
    make.Rerun,
    make.Mark,
    make.Pause,
    make.Resume,
    make.Edit,
    make.Archive,
)


@pytest.fixture(scope="module")
def feed(module_database: Database) -> Iterator[Feed]:
    with module_database.connect() as made:
        yield Feed(made)


def _batches(connection: Connection[TupleRow], feed: Feed, data: st.DataObject) -> None:
    script = data.draw(st.lists(steps_of(KINDS), min_size=40, max_size=40))
    sizes = data.draw(st.lists(st.integers(1, 15), min_size=40, max_size=40))
    check_batches(connection, feed, data.draw(shapes(rich=True)), script, sizes)


@given(data=st.data())
@examples(SETTINGS, max_examples=80)
def test_batches(feed: Feed, data: st.DataObject) -> None:
    _batches(feed.connection, feed, data)


@pytest.mark.long
@given(data=st.data())
@examples(SETTINGS, max_examples=1000)
def test_batches_long(feed: Feed, data: st.DataObject) -> None:
    _batches(feed.connection, feed, data)
