"""The API in this process over a real database; `ask` sends requests with a token of scope admin."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask.testing import FlaskClient

from orchestration.api import create_app
from orchestration.api.settings import Settings
from tests.support.databases import Database, orchestration


@dataclass
class Answer:
    """Status, JSON and headers."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Asker:
    """One caller."""

    client: FlaskClient
    token: str | None

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """`body` is sent as JSON; bytes as they are. Header names are written with underscores."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token is not None:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        prefix = "" if path in ("/healthz", "/readyz", "/metrics") else "/api/v1"
        response = self.client.open(prefix + path, method=method, data=data, headers=sent)
        found = response.get_json(silent=True) if response.is_json else None
        if response.mimetype == "application/problem+json":
            found = json.loads(response.get_data())
        return Answer(response.status_code, found, dict(response.headers))


@pytest.fixture(scope="module")
def client(module_database: Database) -> Iterator[FlaskClient]:
    app = create_app(Settings.from_env(module_database.environment))
    yield app.test_client()
    app.extensions["orchestration"].close()


@pytest.fixture(scope="module")
def token(module_database: Database) -> Callable[..., str]:
    """Makes a token: token("name", "read", "--label", "team=dwh")."""

    def make(name: str, scope: str, *options: str) -> str:
        done = orchestration(
            "tokens", "create", "--name", name, "--scope", scope, "--json", *options,
            environment=module_database.environment,
        )  # fmt: skip
        return str(json.loads(done.stdout)["token"])

    return make


@pytest.fixture(scope="module")
def ask(client: FlaskClient, token: Callable[..., str]) -> Asker:
    return Asker(client, token("tester", "admin", "--rate-limit", "100000"))
