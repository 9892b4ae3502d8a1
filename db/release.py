"""Does the database fit this code? For the programs' start (`check_release`) and for `db status`.

Needs no yoyo: the bridge and the API import this.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import timezone
from typing import TYPE_CHECKING, Any

from psycopg.rows import TupleRow, tuple_row

from . import APP, SCHEMA, SQL_DIR, catalog
from .errors import DeployError, ReleaseError
from .files import Release
from .verify import drift

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import psycopg

_APPLY = "run: orchestration db apply"


@dataclass(frozen=True)
class Status:
    """How database and code stand to each other.

    `state`: `ok`; `not created`, `not applied`, `older`, `newer` (than the code), `edited` (made from another
    text of a migration); or `functions differ`: the same schema, with functions of another release or edited
    ones, which programs may run with. `problem` is one line with the remedy, empty for `ok`. `drift` names
    functions that differ from their files.
    """

    state: str
    problem: str = ""
    database: str = ""
    code_version: str = ""
    database_version: str = ""
    applied_at: str = ""
    applied: list[str] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    drift: list[str] = field(default_factory=list)

    @property
    def usable(self) -> bool:
        """May a program of this release work with this database?"""
        return self.state in ("ok", "functions differ")

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def check_release(connection: psycopg.Connection[Any], sql_dir: Path = SQL_DIR) -> Status:
    """Call at a program's start; answers what to log (`functions differ`) or nothing to say (`ok`).

    Raises ReleaseError, whose text is one line with the remedy, for a database that is not created, not applied,
    older or newer than the code; psycopg's errors pass through.
    """
    status = read_status(connection, sql_dir)
    if not status.usable:
        raise ReleaseError(status.state, status.problem)
    return status


def read_status(connection: psycopg.Connection[Any], sql_dir: Path = SQL_DIR) -> Status:
    """Compare the database with the release in `sql_dir`; reads only. Raises DeployError where it may not read."""
    release = Release.load(sql_dir)

    def ask(sql: str, params: Mapping[str, Any] | None = None) -> list[TupleRow]:
        with connection.cursor(row_factory=tuple_row) as cursor:
            return cursor.execute(sql.encode(), params).fetchall()

    schema, usage, bookkeeping, recorded, database, user = ask(catalog.STANDING, {"schema": SCHEMA})[0]
    known = [file.id for file in release.migrations]
    if not schema:
        problem = f"database {database} has no schema {SCHEMA}: run: orchestration db create, then apply"
        return Status("not created", problem, database, release.version, pending=known)
    if not usage:
        raise DeployError(
            f"role {user} may not use schema {SCHEMA} of database {database}",
            f"apply by: orchestration db apply; if it is applied, as an admin: grant {APP} to {user}",
        )
    digests: dict[str, str | None] = dict(ask(catalog.APPLIED)) if bookkeeping else {}
    version, functions, at = next(iter(ask(catalog.LAST_RELEASE) if recorded else []), ("", "", None))
    applied = list(digests)
    pending = [name for name in known if name not in digests]
    unknown = [name for name in applied if name not in known]
    drifted = drift(ask, release) if applied and not unknown and not pending else []
    misfit = find_misfit(f"database {database}", release, digests)
    if misfit:
        state, problem = misfit.state, str(misfit)
    elif not applied:
        state, problem = "not applied", f"database {database} is not applied: {_APPLY}"
    elif pending or version != release.version:
        lacks = f"it lacks migration {', '.join(pending[:3])}" if pending else "an apply did not finish"
        state, problem = "older", f"database {database} is older than the code, {lacks}: {_APPLY}"
    elif drifted or functions != release.functions_sha256:
        names = f": {', '.join(drifted[:3])}" if drifted else ""
        state, problem = (
            "functions differ",
            f"functions of database {database} differ from the code's{names}: {_APPLY}",
        )
    else:
        state, problem = "ok", ""
    since = at.astimezone(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z") if at else ""
    return Status(
        state, problem, database, release.version, version, since, applied, pending, unknown, drifted
    )


def find_misfit(database: str, release: Release, digests: Mapping[str, str | None]) -> ReleaseError | None:
    """Why the code must not touch this database: a migration it does not know, or one from another text.

    `digests` maps the applied migrations to the sha256 of what was applied (None: not known).
    """
    known = {file.id: file for file in release.migrations}
    for migration in sorted(digests.keys() - known.keys(), reverse=True):
        return ReleaseError(
            "newer",
            f"{database} is newer than the code: it has migration {migration}, the code ends at {release.version}",
            "install the release that was applied there, or a newer one",
        )
    for migration, digest in digests.items():
        if digest not in (None, known[migration].sha256):
            return ReleaseError(
                "edited",
                f"{database} was made from another text of migration {migration}",
                "restore that text and write a new migration; or drop the database, if it is yours alone, "
                "and create it anew",
            )
    return None
