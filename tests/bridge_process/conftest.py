"""Worlds for bridges: `world` shares the session's servers, `own_world` has servers that a test may stop or kill."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.databases import Database
from tests.support.servers import KafkaServer

from .harness import World


@pytest.fixture
def world(database: Database, topics: KafkaServer, tmp_path: Path) -> Iterator[World]:
    made = World(database, topics, tmp_path)
    yield made
    made.close()


@pytest.fixture
def own_world(own_database: Database, own_broker: KafkaServer, tmp_path: Path) -> Iterator[World]:
    made = World(own_database, own_broker, tmp_path)
    yield made
    made.close()
