"""What bad input gets: the documented status, and a problem that names the object and the remedy."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Asker


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "/services", b'{"na', 400, None),
        ("POST", "/services", b"[]", 422, None),
        ("POST", "/services", {"name": "a", "nmae": "b"}, 422, None),
        ("POST", "/services", {"name": 5}, 422, None),
        ("POST", "/services", {"name": ""}, 422, "OR101"),
        ("POST", "/services", b'{"name": "a\\u0000b"}', 422, "OR501"),
        ("POST", "/services", b'{"name": "\\ud800"}', 422, None),
        ("POST", "/processes", {"service": "nobody", "uid": "x"}, 422, "OR107"),
        ("POST", "/graphs", {"name": "g", "timeout": "soon"}, 422, "OR501"),
        ("POST", "/graphs", {"name": "g", "timeout": -1}, 422, "OR106"),
        ("GET", "/services?nam=a", None, 422, None),
        ("GET", "/services?sort=nam", None, 422, None),
        ("GET", "/services?cursor=abc", None, 422, None),
        ("GET", "/services?limit=0", None, 422, None),
        ("GET", "/services/999999", None, 404, None),
        ("GET", "/nothing", None, 404, None),
        ("PATCH", "/graph-chains/1/1", {}, 405, None),
        ("POST", "/graphs/999999/launch", {}, 404, None),
        ("POST", "/dead-letters/999999/replay", {}, 404, "OR405"),
    ],
)
def test_bad_input(ask: Asker, method: str, path: str, body: object, status: int, code: str | None) -> None:
    found = ask(method, path, body)
    assert (found.status, found.body.get("code")) == (status, code), found
    assert found.headers["Content-Type"] == "application/problem+json"
    assert found.body["detail"]


def test_near_matches_are_named(ask: Asker) -> None:
    ask("POST", "/services", {"name": "airflow"})
    found = ask("POST", "/processes", {"service": "airflwo", "uid": "x"})
    assert found.body["hint"] == "Near matches: airflow."


def test_a_stale_etag_is_refused(ask: Asker) -> None:
    made = ask("POST", "/services", {"name": "etag"})
    path = f"/services/{made.body['id']}"
    first = ask("PATCH", path, {"echoes_ids": True}, If_Match=made.headers["ETag"])
    assert first.status == 200
    stale = ask("PATCH", path, {"echoes_ids": False}, If_Match=made.headers["ETag"])
    assert stale.status == 412
    assert ask("GET", path).headers["ETag"] == first.headers["ETag"]
    assert ask("GET", path, If_None_Match=first.headers["ETag"]).status == 304


def test_not_declared_as_json(ask: Asker) -> None:
    assert ask("POST", "/services", b"name=a", Content_Type="text/plain").status == 415


def test_too_large(ask: Asker) -> None:
    assert ask("POST", "/services", {"name": "x" * 2_000_000}).status == 413


def test_tokens(client: FlaskClient, token: Callable[..., str]) -> None:
    assert Asker(client, None)("GET", "/services").status == 401
    assert Asker(client, "orc_nobody")("GET", "/services").status == 401
    reader = Asker(client, token("reader", "read"))
    assert reader("GET", "/services").status == 200
    assert reader("POST", "/services", {"name": "z"}).status == 403
    slow = Asker(client, token("slow", "read", "--rate-limit", "1"))
    statuses = [slow("GET", "/services").status for _ in range(4)]
    assert statuses == [200, 200, 429, 429]


def test_limited_by_label(ask: Asker, client: FlaskClient, token: Callable[..., str]) -> None:
    ask("POST", "/graphs", {"name": "theirs"})
    limited = Asker(client, token("limited", "configure", "--label", "team=mart"))
    made = limited("POST", "/graphs", {"name": "ours", "labels": {"team": "mart"}})
    assert made.status == 201
    assert [graph["name"] for graph in limited("GET", "/graphs").body["items"]] == ["ours"]
    assert limited("POST", "/graphs", {"name": "other"}).status == 403
    assert limited("POST", "/services", {"name": "s"}).status == 403
    theirs = ask("GET", "/graphs?name=theirs").body["items"][0]["id"]
    assert limited("GET", f"/graphs/{theirs}").status == 404


def test_pages_hold_while_rows_come(ask: Asker) -> None:
    for number in range(7):
        ask(
            "POST",
            "/services",
            {"name": f"page {number}", "dispatch_topic": "even" if number % 2 == 0 else None},
        )
    for sort in ("", "name", "-name", "dispatch_topic", "-dispatch_topic", "-id", "created_at"):
        seen: list[int] = []
        cursor = ""
        while True:
            found = ask("GET", f"/services?limit=2&sort={sort}{cursor}").body
            seen += [row["id"] for row in found["items"]]
            if found["next_cursor"] is None:
                break
            cursor = f"&cursor={found['next_cursor']}"
        everything = ask("GET", f"/services?limit=1000&sort={sort}").body["items"]
        assert seen == [row["id"] for row in everything], sort
