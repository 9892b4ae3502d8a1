"""Is the schema what the files say? Functions, overloads, triggers, rights, search_path, plpgsql_check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.rows import TupleRow

from . import SCHEMA, catalog

if TYPE_CHECKING:
    from .files import Release

Ask = Callable[..., list[TupleRow]]


@dataclass(frozen=True)
class Finding:
    """One thing that is not as the files say. `level`: `error` stops a deployment, `warning` is shown."""

    level: str
    what: str

    def __str__(self) -> str:
        return f"{self.level}: {self.what}"


def verify(ask: Ask, release: Release, fresh: Collection[int] = ()) -> list[Finding]:
    """Everything in the schema that differs from the files or from our rules; an empty list if nothing does.

    `ask(sql, params)` answers rows; its role must see the schema. `fresh` holds the oids of the functions
    just made from the files, if known: it only sharpens the advice.
    """
    schema = {"schema": SCHEMA}
    functions = ask(catalog.FUNCTIONS, schema)
    errors = release.misnamed() + _missing_and_stale(release, functions, fresh)
    for _, _, signature, kind, _, pinned, public in functions:
        if not pinned and kind in "fp":
            errors.append(f"{signature} does not pin its search_path: add `set search_path = ''`")
        if public:
            errors.append(f"{signature} may be executed by PUBLIC: revoke it in grants.sql")
    errors += [
        f"trigger {name} on {relation} has no file: drop it in a migration"
        for name, relation in ask(catalog.TRIGGERS, schema)
        if name.lower() not in release.triggers
    ]
    errors += [
        f"{signature} is a trigger function without a trigger: no table calls it"
        for (signature,) in ask(catalog.TRIGGER_FUNCTIONS_WITHOUT_TRIGGER, schema)
    ]
    return [Finding("error", what) for what in errors] + _plpgsql_check(ask)


def drift(ask: Ask, release: Release) -> list[str]:
    """The functions that are not as in this release's files, by signature: another body, no file, missing."""
    functions = ask(catalog.FUNCTIONS, {"schema": SCHEMA})
    texts = {file.id: file.text for file in release.functions}
    found = [
        str(signature)
        for _, name, signature, _, source, _, _ in functions
        if name not in texts or source not in texts[name]
    ]
    present = {name for _, name, *_ in functions}
    return found + [f"{SCHEMA}.{name} (missing)" for name in texts if name not in present]


def _missing_and_stale(release: Release, functions: list[TupleRow], fresh: Collection[int]) -> list[str]:
    """Functions a file should have made but did not, and such as no file made: a left-over overload, say."""
    counted = Counter(str(row[1]) for row in functions)
    found = [
        f"functions/{name}.sql ran, but {SCHEMA}.{name} does not exist"
        for name in sorted(release.defines.keys() - counted.keys())
    ]
    for name, count in sorted(counted.items()):
        wanted = release.defines.get(name, 0)
        if count <= wanted:
            continue
        same = [(row[0], str(row[2])) for row in functions if row[1] == name]
        stale = [signature for oid, signature in same if fresh and oid not in fresh]
        listed = ", ".join(stale or [signature for _, signature in same])
        why = f"exists {count} times, of which its file defines {wanted}" if wanted else "has no file"
        found.append(f"function {SCHEMA}.{name} {why}: drop in a migration: {listed}")
    return found


def _plpgsql_check(ask: Ask) -> list[Finding]:
    schema = {"schema": SCHEMA}
    extension = ask(catalog.PLPGSQL_CHECK_SCHEMA)
    if not extension:
        return []
    found = []
    for signature, names in ask(catalog.TOO_MANY_TRANSITION_NAMES, schema):
        what = f"{signature} is not checked: it has more than two transition tables ({', '.join(names)})"
        found.append(Finding("warning", what))
    query = catalog.PLPGSQL_CHECK.format(extension=extension[0][0])
    for signature, level, state, message, line, hint in ask(query, schema):
        where = f"{signature} line {line}" if line else str(signature)
        advice = f" ({hint})" if hint else ""
        kind = "error" if level == "error" else "warning"
        found.append(Finding(kind, f"plpgsql_check: {where}: {message}{advice} [{state} {level}]"))
    return found
