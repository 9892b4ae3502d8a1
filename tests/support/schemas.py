"""The JSON Schemas of docs/schemas, to hold messages against."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from jsonschema import Draft202012Validator

__all__ = ["check", "problems"]

SCHEMAS = Path(__file__).parent.parent.parent / "docs" / "schemas"


@cache
def _validator(name: str) -> Draft202012Validator:
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def problems(name: str, value: bytes) -> list[str]:
    """What is wrong with a message; `name`: event or dispatch."""
    return [
        f"{error.json_path}: {error.message}" for error in _validator(name).iter_errors(json.loads(value))
    ]


def check(name: str, value: bytes) -> None:
    """Fails with what is wrong."""
    found = problems(name, value)
    assert not found, f"no {name}: {found}"
