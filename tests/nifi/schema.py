"""Messages against the JSON Schemas of docs/schemas: as much of JSON Schema as they use, and nothing unknown passes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

__all__ = ["matches"]

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,), "array": (list,), "string": (str,), "integer": (int,), "null": (type(None),),
}  # fmt: skip
_KNOWN = {
    "$schema", "$id", "$defs", "$ref", "title", "description", "type", "required", "anyOf", "properties", "const", "enum",
    "minimum", "maximum", "minLength", "maxLength", "pattern", "items",
}  # fmt: skip


def matches(name: str, message: Any) -> bool:
    """Whether a message is what `docs/schemas/<name>.schema.json` says."""
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text())
    return _fits(schema, message, schema)


def _fits(schema: dict[str, Any], value: Any, root: dict[str, Any]) -> bool:
    assert not set(schema) - _KNOWN, f"the test knows no {set(schema) - _KNOWN}"
    if "$ref" in schema and not _fits(root["$defs"][schema["$ref"].rpartition("/")[2]], value, root):
        return False
    if "const" in schema and value != schema["const"]:
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if "anyOf" in schema and not any(_fits(each, value, root) for each in schema["anyOf"]):
        return False
    return _right_type(schema, value) and _within(schema, value) and _parts(schema, value, root)


def _right_type(schema: dict[str, Any], value: Any) -> bool:
    types = schema.get("type", [])
    names = [types] if isinstance(types, str) else types
    fits = any(isinstance(value, _TYPES[each]) for each in names)
    return not names or (fits and not isinstance(value, bool))


def _within(schema: dict[str, Any], value: Any) -> bool:
    if isinstance(value, str):
        pattern = schema.get("pattern")
        longest = schema.get("maxLength", len(value))
        return schema.get("minLength", 0) <= len(value) <= longest and (
            pattern is None or bool(re.search(pattern, value))
        )
    if isinstance(value, int):
        return bool(schema.get("minimum", value) <= value <= schema.get("maximum", value))
    return True


def _parts(schema: dict[str, Any], value: Any, root: dict[str, Any]) -> bool:
    if isinstance(value, dict):
        if any(name not in value for name in schema.get("required", [])):
            return False
        known = schema.get("properties", {})
        return all(_fits(known[name], each, root) for name, each in value.items() if name in known)
    if isinstance(value, list) and "items" in schema:
        return all(_fits(schema["items"], each, root) for each in value)
    return True
