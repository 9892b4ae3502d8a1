"""What `verify` finds: the schema is what the files say, or the deployment is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration.db.errors import VerifyError

from .conftest import Place
from .test_apply import FUNCTION, write_function


def refusal(place: Place, release: Path) -> str:
    """What the deployment is refused for; nothing of it may be kept."""
    before = place.ask(
        "select oid, xmin::text from pg_proc where pronamespace = 'orchestration'::regnamespace"
    )
    with pytest.raises(VerifyError) as caught:
        place.apply(release)
    after = place.ask(
        "select oid, xmin::text from pg_proc where pronamespace = 'orchestration'::regnamespace"
    )
    assert sorted(before) == sorted(after)
    return "\n".join([str(caught.value), *place.said])


def test_an_overload_left_behind_by_a_new_signature(created: Place, release: Path) -> None:
    write_function(release, "answer", "size", arguments="size integer")
    created.apply(release)
    write_function(release, "answer", "size", arguments="size integer, unit integer default 1")
    text = (release / "functions" / "answer.sql").read_text().replace("return size", "return size * unit")
    (release / "functions" / "answer.sql").write_text(text)

    said = refusal(created, release)
    assert "orchestration.answer exists 2 times, of which its file defines 1" in said
    assert "drop in a migration: orchestration.answer(size integer)" in said

    (release / "migrations" / "0004.drop.sql").write_text("drop function orchestration.answer(integer);\n")
    created.apply(release)


def test_two_overloads_in_their_file_are_right(created: Place, release: Path) -> None:
    both = [
        FUNCTION.format(name="answer", arguments=f"size {kind}", value="size")
        for kind in ("integer", "smallint")
    ]
    (release / "functions" / "answer.sql").write_text("\n".join(both))
    created.apply(release)


def test_a_function_without_a_file(created: Place, release: Path) -> None:
    created.apply(release)
    with created.connect() as admin:
        admin.execute(FUNCTION.format(name="by_hand", arguments="", value=1))
    assert (
        "function orchestration.by_hand has no file: drop in a migration: orchestration.by_hand()"
        in refusal(created, release)
    )


def test_a_file_that_defines_another_function(created: Place, release: Path) -> None:
    created.apply(release)
    (release / "functions" / "answer.sql").write_text(FUNCTION.format(name="question", arguments="", value=1))
    assert "functions/answer.sql defines question, not answer alone" in refusal(created, release)


def test_a_file_without_a_function(created: Place, release: Path) -> None:
    created.apply(release)
    (release / "functions" / "answer.sql").write_text(
        "-- create or replace function orchestration.answer()\n"
    )
    assert "functions/answer.sql defines no function" in refusal(created, release)


def test_a_function_open_to_public(created: Place, release: Path) -> None:
    created.apply(release)
    with (release / "grants.sql").open("a") as grants:
        grants.write("grant execute on function orchestration._now() to public;\n")
    assert "orchestration._now() may be executed by PUBLIC" in refusal(created, release)


def test_a_function_without_search_path(created: Place, release: Path) -> None:
    created.apply(release)
    text = FUNCTION.format(name="answer", arguments="", value=1).replace("set search_path = ''", "")
    (release / "functions" / "answer.sql").write_text(text)
    assert "orchestration.answer() does not pin its search_path" in refusal(created, release)


def test_a_trigger_left_behind_by_a_new_name(created: Place, release: Path) -> None:
    """It would fire twice."""
    created.apply(release)
    path = release / "functions" / "tg_task_run__record.sql"
    path.write_text(path.read_text().replace("_500_record after", "_600_record after"))
    assert "trigger _500_record on orchestration.task_run has no file" in refusal(created, release)


def test_a_trigger_function_nothing_calls(created: Place, release: Path) -> None:
    created.apply(release)
    text = FUNCTION.format(name="tg_nothing", arguments="", value="null").replace(
        "returns integer", "returns trigger"
    )
    (release / "functions" / "tg_nothing.sql").write_text(text)
    assert "orchestration.tg_nothing() is a trigger function without a trigger" in refusal(created, release)


@pytest.mark.parametrize(
    ("good", "bad", "words"),
    [
        ("c.status <> b.status", "c.status <> b.state", "column b.state does not exist"),
        ("select id, status from changed", "select id, state from changed", 'column "state" does not exist'),
        ("join before b", "join former b", 'relation "former" does not exist'),
    ],
)
def test_trigger_functions_are_checked_with_their_table(
    created: Place, release: Path, good: str, bad: str, words: str
) -> None:
    """Each branch, with the transition tables of whichever trigger it belongs to."""
    created.apply(release)
    path = release / "functions" / "tg_task_run__record.sql"
    assert good in path.read_text()
    path.write_text(path.read_text().replace(good, bad))
    said = refusal(created, release)
    assert "tg_task_run__record() on orchestration.task_run" in said
    assert words in said


def test_more_transition_tables_than_can_be_checked_are_reported(created: Place, release: Path) -> None:
    created.apply(release)
    path = release / "functions" / "tg_task_run__record.sql"
    text = path.read_text().replace("old table as changed", "old table as gone")
    path.write_text(text.replace("from changed;", "from changed; -- gone"))
    assert "has more than two transition tables (before, changed, gone)" in refusal(created, release)


def test_functions_of_extensions_are_not_ours(created: Place, release: Path) -> None:
    with created.connect() as admin:
        admin.execute("create extension pgtap schema orchestration")
    created.apply(release)


def test_without_plpgsql_check_the_rest_is_verified(created: Place, release: Path) -> None:
    with created.connect() as admin:
        admin.execute("drop extension plpgsql_check")
    created.apply(release)
    write_function(release, "zoo", "(select count(*) from orchestration.no_such_table)")
    created.apply(release)
    with created.connect() as admin:
        admin.execute(FUNCTION.format(name="by_hand", arguments="", value=1))
    assert "by_hand has no file" in refusal(created, release)
