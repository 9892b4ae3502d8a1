"""Every endpoint with every kind of token, cell by cell; the table in docs/api.md is made from the same document."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from stack.client_code import ROOT, document
from tests.api.conftest import Asker
from tests.support.databases import Database

SCOPES = ("read", "operate", "configure", "admin")
OPERATIONS = [
    (
        method.upper(),
        path.removeprefix("/api/v1"),
        operation["x-scope"],
        operation["summary"].split(" Scope:")[0].rstrip("."),
    )
    for path, item in document()["paths"].items()
    for method, operation in item.items()
]


def table() -> str:
    """The scope matrix as Markdown."""
    rows = ["| endpoint | what | read | operate | configure | admin |", "|---|---|---|---|---|---|"]
    for method, path, scope, what in OPERATIONS:
        cells = " | ".join("yes" if SCOPES.index(have) >= SCOPES.index(scope) else "403" for have in SCOPES)
        rows.append(f"| `{method} {path}` | {what} | {cells} |")
    return "\n".join(rows)


def test_the_documented_matrix_is_the_one_that_holds() -> None:
    assert table() in Path(ROOT, "docs", "api.md").read_text(), "put the output of table() into docs/api.md"


@pytest.fixture(scope="module")
def askers(client: FlaskClient, token: Callable[..., str], module_database: Database) -> dict[str, Asker]:
    made = {
        scope: Asker(client, token(f"scope {scope}", scope, "--rate-limit", "100000")) for scope in SCOPES
    }
    made["none"] = Asker(client, None)
    made["unknown"] = Asker(client, "orc_unknown")
    for name in ("expired", "revoked"):
        made[name] = Asker(client, token(name, "admin"))
    with module_database.connect() as connection:
        connection.execute(
            "update orchestration.api_token set expires_at = created_at + interval '1 microsecond' where name = 'expired'"
        )
        connection.execute("select orchestration.revoke_token('revoked')")
    return made


@pytest.mark.parametrize(("method", "path", "scope"), [each[:3] for each in OPERATIONS])
def test_cell_by_cell(askers: dict[str, Asker], method: str, path: str, scope: str) -> None:
    place = path.replace("{id}", "999999999")
    for name in ("graph_id", "chain_id", "graph_run_id", "task_run_id"):
        place = place.replace(f"{{{name}}}", "999999999")
    body: dict[str, str] | None = {} if method in ("POST", "PATCH") else None
    for who, ask in askers.items():
        if (method, path, who) == ("POST", "/service/stop", "admin"):
            continue  # it would stop the service for the tests that follow
        status = ask(method, place, body).status
        if who not in SCOPES:
            assert status == 401, who
        elif SCOPES.index(who) < SCOPES.index(scope):
            assert status == 403, who
        else:
            assert status not in (401, 403, 500), (who, status)
