"""The API in this process behind httpx's WSGI transport: the client's own requests, no socket."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest
from flask import Flask

from orchestration.api import create_app
from orchestration.api.settings import Settings
from orchestration.client import OrchestrationServiceClient
from tests.support.databases import Database, orchestration


@pytest.fixture(scope="module")
def app(module_database: Database) -> Iterator[Flask]:
    made = create_app(Settings.from_env(module_database.environment))
    yield made
    made.extensions["orchestration"].close()


@pytest.fixture(scope="module")
def token(module_database: Database) -> str:
    words = ("tokens", "create", "--name", "client", "--scope", "admin", "--rate-limit", "100000", "--json")
    return str(json.loads(orchestration(*words, environment=module_database.environment).stdout)["token"])


@pytest.fixture(scope="module")
def service(app: Flask, token: str) -> Iterator[OrchestrationServiceClient]:
    with OrchestrationServiceClient("http://api", token, transport=httpx.WSGITransport(app=app)) as client:
        yield client
