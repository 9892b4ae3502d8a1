"""The client is what the OpenAPI document says: method by method."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from orchestration.client import AsyncOrchestrationServiceClient, OrchestrationServiceClient
from stack.client_code import ROOT, document, generate

OPERATIONS = {
    operation["operationId"]: operation
    for item in document()["paths"].values()
    for operation in item.values()
}


def test_what_is_in_the_repository_is_what_the_document_makes() -> None:
    for name, text in generate(document()).items():
        assert Path(ROOT, "client", name).read_text() == text, f"{name} is stale: make client"


@pytest.mark.parametrize("kind", [OrchestrationServiceClient, AsyncOrchestrationServiceClient])
def test_every_endpoint_is_a_method(kind: type) -> None:
    missing = [name for name in OPERATIONS if not callable(getattr(kind, name, None))]
    assert missing == []


def test_both_clients_have_the_same_signatures() -> None:
    for name in OPERATIONS:
        ours, theirs = (
            inspect.signature(getattr(kind, name)).parameters
            for kind in (OrchestrationServiceClient, AsyncOrchestrationServiceClient)
        )
        assert list(ours.items()) == list(theirs.items()), name


def test_it_needs_httpx_only() -> None:
    for file in Path(ROOT, "client").glob("*.py"):
        text = file.read_text()
        for heavy in ("flask", "psycopg", "confluent_kafka", "pydantic"):
            assert f"import {heavy}" not in text, file
