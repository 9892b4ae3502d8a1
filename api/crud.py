"""List, get, create, patch and delete one row of a collection. One statement each; the database has the rules."""

from __future__ import annotations

import base64
import difflib
import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from flask import json as flask_json
from psycopg import sql
from psycopg.types.json import Jsonb
from pydantic import BaseModel

from .auth import Caller
from .database import Connection
from .problems import Problem
from .resources import Reference, Resource, written

__all__ = ["create", "delete", "etag", "fetch", "page", "patch", "rendered", "resolve"]

Row = dict[str, Any]
SCHEMA = "orchestration"


# -- reading ----------------------------------------------------------------------------------------


def page(
    connection: Connection,
    resource: Resource,
    caller: Caller,
    *,
    filters: Mapping[str, Any],
    null: Iterable[str],
    sort: str | None,
    cursor: str | None,
    limit: int,
) -> Row:
    """`{"items": […], "next_cursor": …}`: the rows after the cursor in the order of `sort`, then of the key."""
    column, descending = _sorting(resource, sort)
    conditions = [_visible(resource, caller)]
    values: Row = {"labels": Jsonb(caller.labels), "limit": limit + 1}
    for number, (name, value) in enumerate(filters.items()):
        values[f"f{number}"] = Jsonb(value) if name in resource.documents else value
        conditions.append(
            sql.SQL("{} {} {}").format(
                _expression(resource, name),
                sql.SQL("@>" if name in resource.documents else "="),
                _placeholder(resource, name, f"f{number}"),
            )
        )
    conditions += [sql.SQL("{} is null").format(_expression(resource, name)) for name in null]
    if cursor is not None:
        conditions.append(_after(resource, column, descending, _read_cursor(cursor, sort, resource), values))
    direction = sql.SQL("desc" if descending else "asc")
    order = (
        [column, *resource.key] if column is not None and column not in resource.key else list(resource.key)
    )
    statement = sql.SQL("select {} from {} t where {} order by {} limit %(limit)s").format(
        _columns(resource),
        sql.Identifier(SCHEMA, resource.table),
        sql.SQL(" and ").join(conditions),
        sql.SQL(", ").join(
            sql.SQL("{} {} nulls {}").format(
                _expression(resource, name), direction, sql.SQL("first" if descending else "last")
            )
            for name in order
        ),
    )
    rows = connection.execute(statement, values).fetchall()
    following = None
    if len(rows) > limit:
        rows = rows[:limit]
        last = rendered(rows[-1])
        following = _write_cursor(sort, [last[name] for name in order])
    return {"items": [rendered(row) for row in rows], "next_cursor": following}


def fetch(
    connection: Connection, resource: Resource, caller: Caller, key: Mapping[str, int], *, lock: bool = False
) -> Row:
    """One object. Raises Problem 404, also for what a token limited by label may not see."""
    statement = sql.SQL("select {} from {} t where {} and {} {}").format(
        _columns(resource),
        sql.Identifier(SCHEMA, resource.table),
        _key(resource),
        _visible(resource, caller),
        sql.SQL("for update" if lock else ""),
    )
    row = connection.execute(statement, {**key, "labels": Jsonb(caller.labels)}).fetchone()
    if row is None:
        raise Problem(
            404,
            f"{resource.title} {'/'.join(str(value) for value in key.values())} does not exist",
            f"List them: GET /api/v1/{resource.path}.",
        )
    return rendered(row)


def etag(row: Row) -> str:
    """Changes whenever the object does."""
    return hashlib.sha256(flask_json.dumps(row).encode()).hexdigest()[:32]


# -- writing ----------------------------------------------------------------------------------------


def create(connection: Connection, resource: Resource, caller: Caller, body: BaseModel) -> Row:
    """Insert and answer the object as it stands after all its effects."""
    values = _values(connection, resource, written(body))
    names = list(values)
    given = sql.SQL("({}) values ({})").format(
        sql.SQL(", ").join(map(sql.Identifier, names)),
        sql.SQL(", ").join(_placeholder(resource, name) for name in names),
    )
    statement = sql.SQL("insert into {} {} returning {}").format(
        sql.Identifier(SCHEMA, resource.table),
        given if names else sql.SQL("default values"),
        sql.SQL(", ").join(map(sql.Identifier, resource.key)),
    )
    row = connection.execute(statement, values).fetchone()
    assert row is not None
    try:
        return fetch(connection, resource, caller, {name: row[name] for name in resource.key})
    except Problem:
        raise Problem(
            403,
            f"token {caller.name} may not make this {resource.title}",
            f"Its graph must bear the labels {caller.labels}.",
        ) from None


def patch(
    connection: Connection,
    resource: Resource,
    caller: Caller,
    key: Mapping[str, int],
    body: BaseModel,
    if_match: list[str] | None,
) -> Row:
    """Change what was sent and answer the object. Raises Problem 412 where it changed meanwhile."""
    found = fetch(connection, resource, caller, key, lock=bool(if_match))
    if if_match and etag(found) not in if_match:
        raise Problem(
            412,
            f"{resource.title} {'/'.join(map(str, key.values()))} was changed meanwhile",
            "GET it again and send its new ETag.",
        )
    values = _values(connection, resource, written(body))
    if values:
        statement = sql.SQL("update {} t set {} where {}").format(
            sql.Identifier(SCHEMA, resource.table),
            sql.SQL(", ").join(
                sql.SQL("{} = {}").format(sql.Identifier(name), _placeholder(resource, name, f"new_{name}"))
                for name in values
            ),
            _key(resource),
        )
        connection.execute(statement, {**{f"new_{name}": value for name, value in values.items()}, **key})
    return fetch(connection, resource, caller, key)


def delete(connection: Connection, resource: Resource, caller: Caller, key: Mapping[str, int]) -> None:
    """Remove the row."""
    fetch(connection, resource, caller, key)
    statement = sql.SQL("delete from {} t where {}").format(
        sql.Identifier(SCHEMA, resource.table), _key(resource)
    )
    connection.execute(statement, key)


# -- references -------------------------------------------------------------------------------------


def resolve(connection: Connection, reference: Reference, name: str, value: Any) -> int:
    """The id of what is referred to by name. Raises Problem 422 with near matches."""
    if reference.by == ("service", "uid"):
        found = connection.execute(
            "select p.id from orchestration.process p join orchestration.service s on s.id = p.service_id "
            "where s.name = %(service)s and p.uid = %(uid)s",
            value,
        ).fetchone()
        wanted, names = value["uid"], (
            "select p.uid as name from orchestration.process p join orchestration.service s on s.id = p.service_id "
            "where s.name = %(service)s order by p.id desc limit 1000"
        )  # fmt: skip
        words: Row = value
        called = f"process {value['uid']} of service {value['service']}"
    else:
        table = sql.Identifier(SCHEMA, reference.table)
        found = connection.execute(
            sql.SQL("select id from {} where name = %(name)s").format(table), {"name": value}
        ).fetchone()
        wanted, words, called = value, {}, f"{reference.table} {value}"
        names = f"select name from {SCHEMA}.{reference.table} order by id desc limit 1000"
    if found is not None:
        return int(found["id"])
    known = [row["name"] for row in connection.execute(names.encode(), words).fetchall()]
    near = difflib.get_close_matches(wanted, known, 3, 0.5)
    raise Problem(
        422,
        f"{called} does not exist",
        f"Near matches: {', '.join(near)}." if near else f"Make the {reference.table} first.",
        "OR107",
        errors=[{"loc": ["body", name], "msg": "does not exist", "near": near}],
    )


def _values(connection: Connection, resource: Resource, sent: Row) -> Row:
    values: Row = {}
    for name, value in sent.items():
        reference = resource.references.get(name)
        column = f"{name}_id" if reference is not None else name
        if reference is not None:
            if value is None:
                continue
            value = resolve(connection, reference, name, value)
            if sent.get(column) not in (None, value):
                raise Problem(
                    422, f"{name} and {column} do not name the same {reference.table}", "Send one of them."
                )
        elif name in resource.documents and value is not None:
            value = Jsonb(value)
        elif name in resource.intervals and isinstance(value, int | float):
            value = f"{value} seconds"
        values[column] = value
    return {name: value for name, value in values.items() if value is not None or name in sent}


# -- SQL --------------------------------------------------------------------------------------------


def _expression(resource: Resource, name: str) -> sql.Composable:
    if name in resource.computed:
        return sql.SQL(resource.computed[name])
    return sql.Identifier("t", name)


def _columns(resource: Resource) -> sql.Composable:
    return sql.SQL(", ").join(
        sql.SQL("{}{} as {}").format(
            _expression(resource, name),
            sql.SQL("::text" if name in resource.intervals else ""),
            sql.Identifier(name),
        )
        for name in resource.columns
    )


def _placeholder(resource: Resource, name: str, parameter: str | None = None) -> sql.Composable:
    held = sql.Placeholder(parameter or name)
    return sql.SQL("{}::interval").format(held) if name in resource.intervals else held


def _key(resource: Resource) -> sql.Composable:
    return sql.SQL(" and ").join(
        sql.SQL("{} = {}").format(sql.Identifier("t", name), sql.Placeholder(name)) for name in resource.key
    )


def _visible(resource: Resource, caller: Caller) -> sql.Composable:
    if caller.labels is None or resource.visible is None:
        return sql.SQL("true")
    return sql.SQL(resource.visible)


def rendered(row: Row) -> Row:
    """Times as RFC 3339 with Z; everything else is JSON already."""
    return {name: _text(value) for name, value in row.items()}


def _text(value: Any) -> Any:
    return value.isoformat().replace("+00:00", "Z") if hasattr(value, "isoformat") else value


# -- order and cursors ------------------------------------------------------------------------------


def _sorting(resource: Resource, sort: str | None) -> tuple[str | None, bool]:
    if not sort:
        return None, False
    name, descending = sort.removeprefix("-"), sort.startswith("-")
    if name not in resource.columns or name in resource.documents or name in resource.computed:
        able = [n for n in resource.columns if n not in resource.documents and n not in resource.computed]
        raise Problem(
            422,
            f"{resource.path} cannot be sorted by {name}",
            f"Sort by one of {', '.join(able)}; - before it descends.",
        )
    return name, descending


def _after(
    resource: Resource, column: str | None, descending: bool, last: list[Any], values: Row
) -> sql.Composable:
    """The rows after `last` in the order (column, key), where nulls stand at the end ascending."""
    order = (
        [column, *resource.key] if column is not None and column not in resource.key else list(resource.key)
    )
    if len(last) != len(order):
        raise _bad_cursor()
    compare = sql.SQL("<" if descending else ">")
    key = [name for name in order if name in resource.key]
    for number, value in enumerate(last):
        values[f"c{number}"] = value
    first = len(order) - len(key)
    keys = sql.SQL("({}) {} ({})").format(
        sql.SQL(", ").join(_expression(resource, name) for name in key),
        compare,
        sql.SQL(", ").join(sql.Placeholder(f"c{first + n}") for n in range(len(key))),
    )
    if first == 0:
        return keys
    lead = _expression(resource, order[0])
    if last[0] is None:
        rest = sql.SQL("or {} is not null").format(lead) if descending else sql.SQL("")
        return sql.SQL("(({} is null and {}) {})").format(lead, keys, rest)
    beyond = sql.SQL("") if descending else sql.SQL("or {} is null").format(lead)
    value = _placeholder(resource, order[0], "c0")
    return sql.SQL("({lead} {op} {value} or ({lead} = {value} and {keys}) {beyond})").format(
        lead=lead, op=compare, value=value, keys=keys, beyond=beyond
    )


def _write_cursor(sort: str | None, last: list[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps([sort or "", last]).encode()).decode().rstrip("=")


def _read_cursor(cursor: str, sort: str | None, resource: Resource) -> list[Any]:
    try:
        made_for, last = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(last, list) or any(isinstance(value, list | dict) for value in last):
            raise _bad_cursor()
        keys = last[-len(resource.key) :]
        if not all(isinstance(value, int) for value in keys):
            raise _bad_cursor()
    except (ValueError, TypeError):
        raise _bad_cursor() from None
    if made_for != (sort or ""):
        raise Problem(
            422,
            "the cursor was made for another sort order",
            "Send the same sort, or begin anew without cursor.",
        )
    return last


def _bad_cursor() -> Problem:
    return Problem(422, "the cursor is none of ours", "Send next_cursor of the page before, as it was.")
