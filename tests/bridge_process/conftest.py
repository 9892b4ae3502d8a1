"""Worlds for bridges: `world` shares the session's servers, `own_world` has servers that a test may stop or kill."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import topics as topic_tools
from tests.support.databases import Database, Databases
from tests.support.servers import KafkaServer, PgServer, start_kafka, start_postgres

from .harness import World


@pytest.fixture
def world(database: Database, topics: KafkaServer, tmp_path: Path) -> Iterator[World]:
    made = World(database, topics, tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="session")
def mortal_postgres() -> Iterator[PgServer]:
    """A durable server for tests that kill or freeze it; `own_world` finds it running again."""
    server = start_postgres(durable=True)
    yield server
    server.drop()


@pytest.fixture(scope="session")
def mortal_kafka() -> Iterator[KafkaServer]:
    """A broker for tests that kill or stop it; `own_world` finds it running again."""
    server = start_kafka()
    yield server
    server.drop()


@pytest.fixture(scope="session")
def mortal_databases(mortal_postgres: PgServer) -> Databases:
    return Databases(mortal_postgres)


@pytest.fixture
def own_world(mortal_databases: Databases, mortal_kafka: KafkaServer, tmp_path: Path) -> Iterator[World]:
    mortal_databases.server.start()
    mortal_kafka.start()
    topic_tools.renew(mortal_kafka.bootstrap)
    database = mortal_databases.fresh()
    made = World(database, mortal_kafka, tmp_path)
    yield made
    made.close()
    mortal_databases.server.start()
    mortal_databases.drop(database)
