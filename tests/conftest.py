"""Real servers for every test: one PostgreSQL and one Kafka a session, one database a test (or module).

| fixture | scope | gives |
|---|---|---|
| `pg_cluster` | session | a PostgreSQL server with pg_cron, pgtap and plpgsql_check |
| `databases` | session | makes and drops databases on it |
| `database` | test | a fresh database with everything applied |
| `module_database` | module | the same |
| `broker` | session | a Kafka broker |
| `topics` | test | the broker with our topics new and empty |
| `own_database` | test | as `database`, on a durable server of its own that the test may stop, kill or freeze |
| `own_broker` | test | a broker of its own, for the same |

Servers come from testcontainers where Docker answers, else from local programs (see stack/); on the fallback broker
every test that needs Kafka fails unless ALLOW_FALLBACK=1. No setting of the caller's reaches a test.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import topics as topic_tools
from tests.support.databases import Database, Databases
from tests.support.pgtap import PgTapFile
from tests.support.servers import KafkaServer, PgServer, start_kafka, start_postgres, used

SQL_TESTS = Path(__file__).parent / "sql"
PASSED_ON = ("STACK_SOURCE", "STACK_POSTGRES_IMAGE", "STACK_KAFKA_IMAGE")


def pytest_configure(config: pytest.Config) -> None:
    for name in list(os.environ):
        if name.startswith(("ORCHESTRATION_", "PG")) and name not in (*PASSED_ON, "PG_BINDIR"):
            del os.environ[name]


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.suffix == ".sql" and file_path.is_relative_to(SQL_TESTS):
        return PgTapFile.from_parent(parent, path=file_path)
    return None


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With several test processes: each tells the first where its servers came from."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["used"] = used


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    used.update(getattr(node, "workeroutput", {}).get("used", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for what, source in used.items():
        terminalreporter.write_line(f"{what} came from {source}")


@pytest.fixture(scope="session")
def pg_cluster() -> Iterator[PgServer]:
    server = start_postgres()
    yield server
    server.drop()


@pytest.fixture(scope="session")
def databases(pg_cluster: PgServer) -> Databases:
    return Databases(pg_cluster)


@pytest.fixture
def database(databases: Databases) -> Iterator[Database]:
    made = databases.fresh()
    yield made
    databases.drop(made)


@pytest.fixture(scope="module")
def module_database(databases: Databases) -> Iterator[Database]:
    made = databases.fresh()
    yield made
    databases.drop(made)


@pytest.fixture(scope="session")
def pgtap_database(databases: Databases) -> Iterator[Database]:
    """Shared by all pgTAP files: each rolls back what it did."""
    made = databases.fresh()
    yield made
    databases.drop(made)


@pytest.fixture(scope="session")
def broker() -> Iterator[KafkaServer]:
    server = start_kafka()
    yield server
    server.drop()


@pytest.fixture
def topics(broker: KafkaServer) -> KafkaServer:
    topic_tools.renew(broker.bootstrap)
    return broker


@pytest.fixture
def own_database() -> Iterator[Database]:
    server = start_postgres(durable=True)
    try:
        yield Databases(server).fresh()
    finally:
        server.drop()


@pytest.fixture
def own_broker() -> Iterator[KafkaServer]:
    server = start_kafka()
    try:
        topic_tools.renew(server.bootstrap)
        yield server
    finally:
        server.drop()
