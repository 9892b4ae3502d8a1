"""`check_release` and `db status`: what a program says at its start to a database that does not fit."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from psycopg.rows import dict_row

from orchestration.db.errors import DeployError, ReleaseError
from orchestration.db.release import Status, check_release, read_status

from .conftest import Place
from .test_apply import FUNCTION, write_function


def look(place: Place, release: Path) -> Status:
    """As a program does: with the tech user's connection, whatever its row factory."""
    with psycopg.connect(place.app_dsn, row_factory=dict_row) as connection:
        return read_status(connection, release)


def refusal(place: Place, release: Path) -> ReleaseError:
    with place.connect(place.app_dsn) as connection, pytest.raises(ReleaseError) as caught:
        check_release(connection, release)
    assert "\n" not in str(caught.value)
    return caught.value


def test_ok(created: Place, release: Path) -> None:
    created.apply(release)
    status = look(created, release)
    assert (status.state, status.problem, status.usable) == ("ok", "", True)
    assert status.database_version == status.code_version == "0003.history-index"
    assert status.applied == ["0001.deploy-bookkeeping", "0002.run-tables", "0003.history-index"]
    assert status.applied_at
    assert (status.pending, status.unknown, status.drift) == ([], [], [])
    with created.connect(created.app_dsn) as connection:
        assert check_release(connection, release).state == "ok"


def test_a_database_without_the_schema(created: Place, release: Path) -> None:
    with created.connect() as admin:
        admin.execute("drop schema orchestration")
    error = refusal(created, release)
    assert error.state == "not created"
    assert str(error) == (
        f"database {created.name} has no schema orchestration: run: orchestration db create, then apply"
    )


def test_created_but_not_applied(created: Place, release: Path) -> None:
    with created.connect(created.app_dsn) as connection, pytest.raises(DeployError) as caught:
        check_release(connection, release)
    assert "may not use schema orchestration" in str(caught.value)
    assert "apply by: orchestration db apply" in str(caught.value)
    with (
        created.connect() as admin,
        pytest.raises(ReleaseError, match="is not applied: run: orchestration db apply"),
    ):
        check_release(admin, release)


def test_a_role_outside_orchestration_app(created: Place, release: Path) -> None:
    created.apply(release)
    with created.connect() as admin:
        admin.execute(f"revoke orchestration_app from {created.user}")
    with created.connect(created.app_dsn) as connection, pytest.raises(DeployError) as caught:
        check_release(connection, release)
    assert f"grant orchestration_app to {created.user}" in str(caught.value)


def test_older_than_the_code(created: Place, release: Path) -> None:
    created.apply(release)
    (release / "migrations" / "0004.more.sql").write_text("select 1;\n")
    error = refusal(created, release)
    assert error.state == "older"
    assert str(error) == (
        f"database {created.name} is older than the code, it lacks migration 0004.more: run: orchestration db apply"
    )
    assert look(created, release).pending == ["0004.more"]


def test_an_apply_that_did_not_finish(created: Place, release: Path) -> None:
    """The last migration stands, the functions are still the old ones."""
    created.apply(release)
    with created.connect() as admin:
        admin.execute("update orchestration.schema_release set version = '0002.run-tables'")
    error = refusal(created, release)
    assert error.state == "older"
    assert "an apply did not finish: run: orchestration db apply" in str(error)


def test_newer_than_the_code(created: Place, release: Path) -> None:
    newer = release / "migrations" / "0004.from-the-future.sql"
    newer.write_text("select 1;\n")
    created.apply(release)
    newer.unlink()
    error = refusal(created, release)
    assert error.state == "newer"
    assert (
        "has migration 0004.from-the-future, the code ends at 0003.history-index: install the release"
        in str(error)
    )
    assert look(created, release).unknown == ["0004.from-the-future"]


def test_made_from_another_text(created: Place, release: Path) -> None:
    created.apply(release)
    path = release / "migrations" / "0002.run-tables.sql"
    path.write_text(path.read_text() + "-- edited\n")
    assert refusal(created, release).state == "edited"


def test_functions_of_another_release_are_told_but_may_be_worked_with(created: Place, release: Path) -> None:
    """The old bridges go on while a deployment brings new functions."""
    created.apply(release)
    write_function(release, "answer")
    status = look(created, release)
    assert (status.state, status.usable) == ("functions differ", True)
    assert status.drift == ["orchestration.answer (missing)"]
    assert status.problem.endswith(": run: orchestration db apply")
    with created.connect(created.app_dsn) as connection:
        assert check_release(connection, release).state == "functions differ"


def test_a_function_edited_in_the_database(created: Place, release: Path) -> None:
    write_function(release, "answer", 42)
    created.apply(release)
    with created.connect() as admin:
        admin.execute(FUNCTION.format(name="answer", arguments="", value=13))
        admin.execute(FUNCTION.format(name="by_hand", arguments="", value=1))
    assert look(created, release).drift == ["orchestration.answer()", "orchestration.by_hand()"]


def test_grants_count_too(created: Place, release: Path) -> None:
    created.apply(release)
    with (release / "grants.sql").open("a") as grants:
        grants.write("-- changed\n")
    assert look(created, release).state == "functions differ"
