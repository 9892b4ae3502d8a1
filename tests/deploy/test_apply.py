"""`db apply`: fresh, again, changed, broken, at once, and what it refuses."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestration.db.apply import apply
from orchestration.db.errors import DeployError, FrozenError, ReleaseError, SqlError, VerifyError
from stack.postgres import bindir

from .conftest import Place

FUNCTION = """
create or replace function orchestration.{name}({arguments}) returns integer
language plpgsql
set search_path = ''
as $$ begin return {value}; end $$;
"""


def write_function(release: Path, name: str, value: object = 1, arguments: str = "") -> None:
    text = FUNCTION.format(name=name, arguments=arguments, value=value)
    (release / "functions" / f"{name}.sql").write_text(text)


def test_fresh(created: Place, release: Path) -> None:
    report = created.apply(release)

    assert report.migrations == ["0001.deploy-bookkeeping", "0002.run-tables", "0003.history-index"]
    assert report.changed
    assert report.warnings == []
    assert created.ask("select version, applied_by from orchestration.schema_release") == [
        ("0003.history-index", "postgres")
    ]
    assert created.ask("select count(*) from orchestration.installation") == [(1,)]
    owners = created.ask(
        "select distinct pg_get_userbyid(relowner) from pg_class where relnamespace = 'orchestration'::regnamespace"
        " union select pg_get_userbyid(proowner) from pg_proc where pronamespace = 'orchestration'::regnamespace"
    )
    assert owners == [("orchestration_owner",)]
    with created.connect(created.app_dsn) as tech:
        tech.execute("insert into orchestration.task_run default values")
    assert created.ask("select count(*) from orchestration.task_run_event") == [(1,)]


def test_again_changes_nothing(created: Place, release: Path) -> None:
    created.apply(release)
    before = created.dump()
    installation = created.ask("select id from orchestration.installation")

    report = created.apply(release)

    assert report.migrations == []
    assert not report.changed
    assert created.dump() == before
    assert created.ask("select id from orchestration.installation") == installation


def test_a_changed_function_is_applied_and_recorded(created: Place, release: Path) -> None:
    created.apply(release)
    write_function(release, "answer", 41)
    created.apply(release)
    write_function(release, "answer", 42)

    assert created.apply(release).changed
    assert created.ask("select orchestration.answer()") == [(42,)]
    assert created.ask(
        "select count(*), count(distinct functions_sha256) from orchestration.schema_release"
    ) == [(3, 3)]


def test_a_function_edited_in_the_database_is_mended(created: Place, release: Path) -> None:
    write_function(release, "answer", 42)
    created.apply(release)
    with created.connect() as admin:
        admin.execute(FUNCTION.format(name="answer", arguments="", value=13))

    created.apply(release)

    assert created.ask("select orchestration.answer()") == [(42,)]


def test_a_new_migration_is_applied_alone(created: Place, release: Path) -> None:
    created.apply(release)
    (release / "migrations" / "0004.more.sql").write_text(
        "alter table orchestration.task_run add note text;\n"
    )
    assert created.apply(release).migrations == ["0004.more"]
    assert created.ask("select note from orchestration.task_run") == []


def test_a_broken_function_file_keeps_all_functions(created: Place, release: Path) -> None:
    write_function(release, "answer", 42)
    created.apply(release)
    before = created.dump()
    write_function(release, "answer", 43)
    (release / "functions" / "zoo.sql").write_text(
        "-- a comment\n\ncreate or replace functoin orchestration.zoo()"
    )

    with pytest.raises(SqlError, match=r"^functions/zoo.sql line 3: syntax error at or near \"functoin\""):
        created.apply(release)
    assert created.ask("select orchestration.answer()") == [(42,)]
    assert created.dump() == before


def test_a_function_that_plpgsql_check_refuses_keeps_all_functions(created: Place, release: Path) -> None:
    write_function(release, "answer", 42)
    created.apply(release)
    write_function(release, "answer", 43)
    write_function(release, "zoo", "(select count(*) from orchestration.no_such_table)")

    with pytest.raises(
        VerifyError, match=r"orchestration.zoo\(\) line 1: relation \"orchestration.no_such_table\""
    ):
        created.apply(release)
    assert created.ask("select orchestration.answer()") == [(42,)]


def test_a_warning_stops_only_a_strict_run(created: Place, release: Path) -> None:
    write_function(release, "answer", 42, arguments="unused integer")
    with pytest.raises(VerifyError, match='unused parameter "unused"'):
        created.apply(release, strict=True)
    report = created.apply(release, strict=False)
    assert ['unused parameter "unused"' in str(warning) for warning in report.warnings] == [True]


def test_a_file_that_commits_is_refused(created: Place, release: Path) -> None:
    created.apply(release)
    (release / "grants.sql").write_text("commit;\n")
    with pytest.raises(SqlError, match="ends the transaction: take its COMMIT"):
        created.apply(release)


def test_a_broken_migration_is_undone_whole_and_named(created: Place, release: Path) -> None:
    created.apply(release)
    broken = release / "migrations" / "0004.broken.sql"
    broken.write_text(
        "create table orchestration.first (id int);\n\nalter table orchestration.first\n  add id int;\n"
    )
    with pytest.raises(
        SqlError, match=r"^migrations/0004.broken.sql line 3: column \"id\" .* already exists"
    ):
        created.apply(release)
    assert created.ask("select to_regclass('orchestration.first')") == [(None,)]

    broken.write_text("create table orchestration.first (id int);\n")
    assert created.apply(release).migrations == ["0004.broken"]


def test_statements_must_name_the_schema(created: Place, release: Path) -> None:
    (release / "migrations" / "0004.careless.sql").write_text("create table careless (id int);\n")
    with pytest.raises(SqlError, match=r"0004.careless.sql line 1: no schema has been selected"):
        created.apply(release)


def test_a_changed_released_migration_is_refused(created: Place, release: Path) -> None:
    migrations = release / "migrations"
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in sorted(migrations.glob("*.sql"))
    ]
    (migrations / "frozen.sha256").write_text("# released\n" + "".join(lines))
    created.apply(release)

    text = (migrations / "0002.run-tables.sql").read_text()
    (migrations / "0002.run-tables.sql").write_text(text + "-- one more word\n")
    with pytest.raises(
        FrozenError, match=r"released migration 0002.run-tables.sql was changed: restore the file"
    ):
        created.apply(release)

    (migrations / "0002.run-tables.sql").unlink()
    with pytest.raises(FrozenError, match=r"released migration 0002.run-tables.sql is missing"):
        created.apply(release)

    (migrations / "0002.run-tables.sql").write_text(text)
    (migrations / "0000.early.sql").write_text("select 1;\n")
    with pytest.raises(FrozenError, match=r"0000.early.sql stands before the released 0003"):
        created.apply(release)


def test_an_edited_migration_that_was_applied_is_refused(created: Place, release: Path) -> None:
    created.apply(release)
    path = release / "migrations" / "0003.history-index.sql"
    path.write_text(path.read_text() + "create table orchestration.added_later (id int);\n")
    with pytest.raises(
        ReleaseError, match=r"made from another text of migration 0003.history-index"
    ) as caught:
        created.apply(release)
    assert caught.value.state == "edited"


def test_a_newer_database_is_refused(created: Place, release: Path) -> None:
    newer = release / "migrations" / "0004.from-the-future.sql"
    newer.write_text("select 1;\n")
    created.apply(release)
    newer.unlink()
    with pytest.raises(
        ReleaseError, match=r"newer than the code: it has migration 0004.from-the-future"
    ) as caught:
        created.apply(release)
    assert caught.value.state == "newer"


@pytest.mark.parametrize(
    "name", ["2.short.sql", "0002_under.sql", "0004.Upper.sql", "0004.code.py", "__init__.py"]
)
def test_a_misnamed_migration_is_refused(created: Place, release: Path, name: str) -> None:
    (release / "migrations" / name).write_text("select 1;\n")
    with pytest.raises(DeployError, match="is misnamed"):
        created.apply(release)


def test_two_migrations_of_one_number_are_refused(created: Place, release: Path) -> None:
    (release / "migrations" / "0003.twin.sql").write_text("select 1;\n")
    with pytest.raises(DeployError, match="2 migrations bear the number 0003: renumber"):
        created.apply(release)


def test_not_created_is_named(place: Place, created: Place, release: Path) -> None:
    with created.connect() as admin:
        admin.execute("drop schema orchestration cascade")
    with pytest.raises(ReleaseError, match="is not prepared: run: orchestration db create"):
        created.apply(release)


def test_an_admin_who_may_not_act_as_owner_is_told_the_grant(created: Place, release: Path) -> None:
    with created.connect() as admin:
        admin.execute(f"alter role {created.user} createdb")
    words = (
        rf"may not act as orchestration_owner: as a superuser: grant orchestration_owner to {created.user}"
    )
    with pytest.raises(DeployError, match=words):
        apply(created.app, sql_dir=release)


def test_the_schemas_owner_suffices_as_admin(created: Place, release: Path) -> None:
    """No superuser: a login that is a member of orchestration_owner, as on a managed server."""
    with created.connect() as admin:
        admin.execute(f"grant orchestration_owner to {created.user}")
    assert apply(created.app, sql_dir=release, say=created.said.append).changed
    assert created.ask("select applied_by from orchestration.schema_release") == [(created.user,)]
    assert any("may not schedule" in line or "pg_cron" in line for line in created.said)


def test_two_at_once(created: Place, release: Path) -> None:
    """The second waits for the first, and finds nothing left to do."""
    (release / "migrations" / "0004.slow.sql").write_text("select pg_sleep(1);\n")
    code = "import sys; from pathlib import Path; from orchestration.db.apply import apply;"
    code += "from orchestration.db.settings import Settings;"
    code += "r = apply(Settings.from_env().admin(), sql_dir=Path(sys.argv[1]), say=print); print('changed', r.changed)"
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(release)],
            env={**os.environ, **created.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(2)
    ]
    said = [run.communicate(timeout=60)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], said
    assert sorted(line for text in said for line in text.splitlines() if line.startswith("changed")) == [
        "changed False",
        "changed True",
    ]
    assert sum("another deployment runs (pid" in text for text in said) == 1
    assert created.ask("select count(*) from orchestration._yoyo_migration") == [(4,)]


def test_a_stale_yoyo_lock_is_broken(created: Place, release: Path) -> None:
    created.apply(release)
    with created.connect() as admin:
        admin.execute("insert into orchestration.yoyo_lock values (1, '2026-01-02 03:04:05', 4711)")
    created.apply(release)
    assert "the stale yoyo lock of process 4711, taken 2026-01-02 03:04:05 UTC, is broken" in created.said
    assert created.ask("select * from orchestration.yoyo_lock") == []


def test_custom_settings_of_functions_are_granted(created: Place, release: Path) -> None:
    text = FUNCTION.format(name="answer", arguments="", value=1)
    text = text.replace("set search_path = ''", "set search_path = ''\nset orchestration.engine = 'on'")
    (release / "functions" / "answer.sql").write_text(text)
    created.apply(release)
    assert created.ask("select orchestration.answer()") == [(1,)]


def test_the_plan_does_the_same_as_the_deed(
    created_template: Place, copy_of: Callable[[Place], Place], release: Path, tmp_path: Path
) -> None:
    planned, applied = copy_of(created_template), copy_of(created_template)
    plan = planned.apply(release, plan=True).plan
    assert planned.ask(
        "select count(*) from pg_class where relnamespace = 'orchestration'::regnamespace"
    ) == [(0,)]
    (tmp_path / "plan.sql").write_text(plan)

    done = subprocess.run(
        [bindir() / "psql", "-X", "-q", "-f", tmp_path / "plan.sql", planned.admin_dsn],
        capture_output=True,
        text=True,
    )
    applied.apply(release)

    assert done.returncode == 0, done.stderr
    assert planned.dump() == applied.dump()
    assert not planned.apply(release).changed


def test_the_plan_of_a_change_shows_only_what_is_new(created: Place, release: Path) -> None:
    created.apply(release)
    (release / "migrations" / "0004.more.sql").write_text(
        "alter table orchestration.task_run add note text;\n"
    )
    before = created.dump()
    plan = created.apply(release, plan=True).plan
    assert "alter table orchestration.task_run add note text;" in plan
    assert "create table orchestration.task_run (" not in plan
    assert created.dump() == before
    assert created.password not in plan


def test_files_outside_the_usual_are_read_as_they_are(created: Place, tmp_path: Path, release: Path) -> None:
    """A folder whose name holds wildcards, and a file with CRLF."""
    odd = release.rename(tmp_path / "odd [x]*?")
    path = odd / "functions" / "_now.sql"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert len(created.apply(odd).migrations) == 3
