"""Writes the client's models and methods from the API's own OpenAPI document: `make client`.

A test runs this again and fails where the result differs from what is in client/.
"""

from __future__ import annotations

import keyword
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

__all__ = ["generate", "main"]

ROOT = Path(__file__).resolve().parent.parent
HEAD = (
    '"""{doc}\n\nMade by `make client` from the OpenAPI document; not edited by hand.\n"""\n\n'
    "from __future__ import annotations\n\n"
)
SKIPPED = ("ProblemModel", "Event")  # an error, and what has no form


def main() -> None:
    """Write client/models.py, client/client.py and client/aio.py."""
    for name, text in generate(document()).items():
        (ROOT / "client" / name).write_text(text)


def document() -> dict[str, Any]:
    """The API's description; needs no database."""
    from orchestration.api import create_app
    from orchestration.api.settings import Settings

    app = create_app(
        Settings.from_env(
            {"ORCHESTRATION_DSN": "postgresql://u@/x?host=/nowhere", "ORCHESTRATION_ENV": "dev"}
        ),
        connect=False,
    )
    found: dict[str, Any] = app.api_doc
    return found


def generate(openapi: dict[str, Any]) -> dict[str, str]:
    """File name -> formatted text."""
    schemas = openapi["components"]["schemas"]
    operations = [
        (method, path.removeprefix("/api/v1"), operation)
        for path, item in openapi["paths"].items()
        for method, operation in item.items()
    ]
    texts = {
        "models.py": _models(schemas),
        "client.py": _client(operations, schemas, asynchronous=False),
        "aio.py": _client(operations, schemas, asynchronous=True),
    }
    return {name: _formatted(text) for name, text in texts.items()}


# -- models -----------------------------------------------------------------------------------------


def _answers(schemas: dict[str, Any]) -> list[str]:
    """The schemas that are answered: those that are neither pages nor bodies."""
    endings = ("List", "Create", "Patch", "Query")
    bodies = ("Launch", "LaunchTasks", "Resume", "Rerun", "Mark", "Reason", "ProcessReference", "ReplayMany")
    return [name for name in schemas if not name.endswith(endings) and name not in (*bodies, *SKIPPED)]


def _models(schemas: dict[str, Any]) -> str:
    names = sorted(_answers(schemas), key=lambda name: "$ref" in repr(schemas[name]))
    out = [
        HEAD.format(doc="What the API answers, as dataclasses."),
        "from collections.abc import Mapping\nfrom dataclasses import dataclass, field\nfrom datetime import datetime\n"
        "from typing import Any, Literal\n\nfrom .transport import instant, instant_or_none\n\n",
        f"__all__ = {sorted(names)!r}\n",
        *(_model(name, schemas[name]) for name in names),
    ]
    return "\n".join(out)


def _model(name: str, schema: dict[str, Any]) -> str:
    fields: dict[str, Any] = schema.get("properties", {})
    members = [f"    {each}: {_type(spec)}" for each, spec in fields.items()]
    reads = [f"            {each}={_read(each, spec)}," for each, spec in fields.items()]
    if schema.get("additionalProperties") is True:
        members.append(
            '    more: Mapping[str, Any] = field(default_factory=dict)\n    """Whatever else was answered."""'
        )
        reads.append(
            f"            more={{name: found[name] for name in found if name not in {sorted(fields)!r}}},"
        )
    if "created_at" in fields and name != "DeadLetter":
        members.append(
            "    etag: str | None = field(default=None, compare=False)\n"
            '    """For if_match; only where one object was asked for."""'
        )
        reads.append('            etag=found.get("etag"),')
    return "\n".join(
        [
            f'@dataclass(frozen=True)\nclass {name}:\n    """{(schema.get("description") or name).strip()}"""\n',
            *members,
            f"\n    @classmethod\n    def of(cls, found: Mapping[str, Any]) -> {name}:",
            '        """From the JSON of the API."""\n        return cls(',
            *reads,
            "        )\n",
        ]
    )


def _read(name: str, spec: dict[str, Any]) -> str:
    kind = _type(spec)
    if "datetime" in kind:
        return f'{"instant_or_none" if "None" in kind else "instant"}(found["{name}"])'
    ref = spec.get("items", {}).get("$ref")
    if ref:
        return f'[{ref.rpartition("/")[2]}.of(each) for each in found["{name}"]]'
    return f'found["{name}"]'


def _type(spec: dict[str, Any]) -> str:
    if "$ref" in spec:
        name = str(spec["$ref"].rpartition("/")[2])
        return "Mapping[str, str]" if name == "ProcessReference" else name
    if "anyOf" in spec:
        kinds = [_type(each) for each in spec["anyOf"]]
        flat = dict.fromkeys(part for kind in kinds for part in kind.split(" | "))
        if "float" in flat:
            flat.pop("int", None)
        return " | ".join([kind for kind in flat if kind != "None"] + (["None"] if "None" in flat else []))
    if "enum" in spec or "const" in spec:
        values = spec.get("enum") or [spec["const"]]
        return f"Literal[{', '.join(map(repr, values))}]"
    match spec.get("type"):
        case "string":
            return "datetime" if spec.get("format") == "date-time" else "str"
        case "integer":
            return "int"
        case "number":
            return "float"
        case "boolean":
            return "bool"
        case "null":
            return "None"
        case "array":
            return f"list[{_type(spec.get('items', {}))}]"
        case "object":
            return "dict[str, Any]"
    return "Any"


# -- methods ----------------------------------------------------------------------------------------


def _client(operations: list[Any], schemas: dict[str, Any], *, asynchronous: bool) -> str:
    name, session, iterator = (
        ("AsyncOrchestrationServiceClient", "AsyncSession", "AsyncIterator")
        if asynchronous
        else ("OrchestrationServiceClient", "Session", "Iterator")
    )
    doc = "The client for asyncio." if asynchronous else "The client."
    out = [
        HEAD.format(doc=doc),
        f"from collections.abc import {iterator}, Mapping\nfrom datetime import datetime\n"
        f"from typing import Any, Literal\n\nfrom . import models\nfrom .session import {session}\n"
        "from .transport import UNSET, Call, Unset, nothing, raw, segment, sent\n",
        f'__all__ = ["{name}"]\n',
        f"class {name}({session}):",
        '    """Every endpoint is a method of its name in the API.\n\n'
        '    Arguments left out (UNSET) are not sent; None is null.\n    """\n',
        *(_Method(each, schemas).text(asynchronous=asynchronous) for each in operations),
    ]
    return "\n".join(out)


class _Method:
    """One endpoint as a method."""

    def __init__(self, place: tuple[str, str, dict[str, Any]], schemas: dict[str, Any]) -> None:
        self.method, self.path, self.operation = place
        operation = self.operation
        parameters = operation.get("parameters", [])
        self.ids = [each["name"] for each in parameters if each["in"] == "path"]
        self.query = {each["name"]: each["schema"] for each in parameters if each["in"] == "query"}
        self.pages = self.query.pop("cursor", None) is not None
        self.body = _body(operation, schemas)
        self.answer = _answer(operation, schemas)
        self.listed = self.answer is not None and (self.pages or _is_list(operation, schemas))

    def text(self, *, asynchronous: bool) -> str:
        """The method's source."""
        head, wait = ("async def", "await ") if asynchronous else ("def", "")
        name, call = self.operation["operationId"], f"Call({', '.join(self._call())})"
        note = (self.operation.get("summary") or name).strip().rstrip(".")
        if "Scope:" not in note:
            note = f"{note}. Scope: {self.operation['x-scope']}"
        begin = f"    {head} {name}({', '.join(self._signature())}) -> "
        if self.pages:
            kind = "AsyncIterator" if asynchronous else "Iterator"
            loop = f"        {'async ' if asynchronous else ''}for each in self.pages({call}):\n"
            return (
                f'{begin}{kind}[models.{self.answer}]:\n        """{note}. Page by page."""\n'
                f"{loop}            yield models.{self.answer}.of(each)\n"
            )
        if self.listed:
            return (
                f'{begin}list[models.{self.answer}]:\n        """{note}."""\n        found = {wait}self.do({call})\n'
                f'        return [models.{self.answer}.of(each) for each in found["items"]]\n'
            )
        result = f"models.{self.answer}" if self.answer else "None"
        return f'{begin}{result}:\n        """{note}."""\n        return {wait}self.do({call})\n'

    def _signature(self) -> list[str]:
        words = ["self", *(f"{each}: int" for each in self.ids)]
        keywords: list[str] = []
        if self.body == "any":
            words.append("event: Mapping[str, Any]")
        elif self.body:
            required = set(self.body.get("required", ()))
            for each, spec in self.body["properties"].items():
                keywords.append(_argument(each, spec, required=each in required))
            keywords.sort(key=lambda word: "= UNSET" in word)
        for each, spec in self.query.items():
            keywords.append(_argument(each, {**spec, "nullable": False}, required=False))
        if self.method == "patch":
            keywords.append("if_match: str | None = None")
        if self.method == "post":
            keywords.append("idempotency_key: str | None = None")
        return [*words, "*", *keywords] if keywords else words

    def _call(self) -> list[str]:
        place = self.path.replace("{", "{segment(").replace("}", ")}")
        parse = "raw" if self.listed else f"models.{self.answer}.of" if self.answer else "nothing"
        words = [f'"{self.method.upper()}"', f'f"{place}"' if self.ids else f'"{place}"', parse]
        if self.query:
            words.append("query={" + ", ".join(f'"{each}": {_safe(each)}' for each in self.query) + "}")
        if self.body == "any":
            words.append("body=event")
        elif self.body:
            words.append(
                "body=sent({"
                + ", ".join(f'"{each}": {_safe(each)}' for each in self.body["properties"])
                + "})"
            )
        elif self.method == "post":
            words.append("body={}")
        if self.method == "patch":
            words.append("if_match=if_match")
        if self.method == "post":
            words.append("idempotency_key=idempotency_key")
        return words


def _argument(name: str, spec: dict[str, Any], *, required: bool) -> str:
    kind = _type(spec)
    if required:
        return f"{_safe(name)}: {kind}"
    null = " | None" if kind.endswith(" | None") and spec.get("nullable", True) else ""
    return f"{_safe(name)}: {kind.removesuffix(' | None')} | Unset{null} = UNSET"


def _body(operation: dict[str, Any], schemas: dict[str, Any]) -> Any:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return None
    name = content["schema"]["$ref"].rpartition("/")[2]
    return "any" if name == "Event" else schemas[name]


def _success(operation: dict[str, Any]) -> str | None:
    for status in ("200", "201"):
        content = operation["responses"].get(status, {}).get("content", {})
        if content:
            return str(content["application/json"]["schema"]["$ref"].rpartition("/")[2])
    return None


def _is_list(operation: dict[str, Any], schemas: dict[str, Any]) -> bool:
    name = _success(operation)
    return name is not None and "items" in schemas[name]["properties"]


def _answer(operation: dict[str, Any], schemas: dict[str, Any]) -> str | None:
    name = _success(operation)
    if name is None:
        return None
    items = schemas[name]["properties"].get("items")
    return items["items"]["$ref"].rpartition("/")[2] if items is not None else name


def _safe(name: str) -> str:
    return f"{name}_" if keyword.iskeyword(name) else name


def _formatted(text: str) -> str:
    ruff = [str(Path(sys.executable).with_name("ruff"))]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "made.py"
        file.write_text(text)
        config = ["--config", str(ROOT / "pyproject.toml")]
        subprocess.run([*ruff, "check", "-q", "--fix", "--select", "I,F401", *config, file], check=True)
        subprocess.run([*ruff, "format", "-q", *config, file], check=True)
        return file.read_text()


if __name__ == "__main__":
    main()
