"""The tests can fail: each bug planted on purpose is caught by a named check.

A bug goes into a database, or into a copy of the programs, of its own; the checkout stays as it is.
"""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.bridge_process.harness import World
from tests.support.databases import Database, Databases
from tests.support.servers import KafkaServer

from .mutant import Mutant, plant_in_database, plant_in_programs
from .planted import IN_PROGRAMS, IN_SQL, OWN_CHECKS

PATIENCE = 5.0
"""Seconds that a check waits for dispatches which a bug may keep from coming."""


def complaint(check: Callable[[], None]) -> str | None:
    """What the check says where it fails; None where it stands. Any other error is raised."""
    said = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # a check that fails leaves its connections open
        try:
            check()
        except (AssertionError, pytest.fail.Exception) as failure:
            said = str(failure) or "an assertion"
        gc.collect()
    return said


@contextmanager
def fresh(databases: Databases) -> Iterator[Database]:
    database = databases.fresh()
    try:
        yield database
    finally:
        databases.drop(database)


@pytest.mark.parametrize(("mutant", "check"), IN_SQL, ids=lambda value: getattr(value, "name", ""))
def test_a_bug_in_the_database_is_caught(
    databases: Databases, mutant: Mutant, check: Callable[[Database], None]
) -> None:
    with fresh(databases) as planted:
        plant_in_database(mutant, planted)
        said = complaint(lambda: check(planted))
    assert said is not None, f"nobody noticed: {mutant.name}"
    assert mutant.shows in said


@pytest.mark.parametrize(("mutant", "check"), IN_PROGRAMS, ids=lambda value: getattr(value, "name", ""))
def test_a_bug_in_the_bridge_is_caught(
    databases: Databases,
    topics: KafkaServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mutant: Mutant,
    check: Callable[[World], None],
) -> None:
    patient = World.wait_dispatched
    monkeypatch.setattr(
        World, "wait_dispatched", lambda self, keys, _seconds=0: patient(self, keys, PATIENCE)
    )
    monkeypatch.setenv("PYTHONPATH", plant_in_programs(mutant, tmp_path))
    with fresh(databases) as database:
        world = World(database, topics, tmp_path)
        said = complaint(lambda: check(world))
        world.close()
    assert said is not None, f"nobody noticed: {mutant.name}"
    assert mutant.shows in said


@pytest.mark.parametrize("check", OWN_CHECKS, ids=range(len(OWN_CHECKS)))
def test_without_a_bug_the_check_stands(
    databases: Databases, topics: KafkaServer, tmp_path: Path, check: Callable[[World], None]
) -> None:
    """The other checks are tests of this suite, and stand there."""
    with fresh(databases) as database:
        world = World(database, topics, tmp_path)
        try:
            check(world)
        finally:
            world.close()
