"""The collector of pgTAP files cannot be fooled: a file with fewer, more or no tests fails."""

from __future__ import annotations

import pytest

from tests.support.databases import Database
from tests.support.pgtap import judge, planned, run


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("select plan(3);", 3),
        ("-- select plan(9);\nSELECT  plan( 12 ) ;", 12),
        ("select * from tap.plan(2);", 2),
        ("select no_plan();", None),
        ("/* select plan(1); */", None),
    ],
)
def test_the_plan(text: str, number: int | None) -> None:
    assert planned(text) == number


def outcome(text: str, database: Database) -> list[str]:
    """What pytest would report for each planned test."""
    plan = planned(text) or 0
    tap = run(text, database)
    found = []
    for number in range(1, plan + 1):
        try:
            judge(tap, number, plan)
            found.append("passed")
        except BaseException as end:
            found.append(f"{type(end).__name__}: {end}".splitlines()[0])
    return found


def test_each_line_is_a_result(pgtap_database: Database) -> None:
    text = """
select plan(4);
select ok(true, 'one');
select is(1, 2, 'two');
select skip('no time', 1);
select todo('later', 1);
select ok(false, 'four');
"""
    assert outcome(text, pgtap_database) == [
        "passed",
        "Failed: not ok: two",
        "Skipped: ",
        "XFailed: four",
    ]


def test_fewer_than_planned(pgtap_database: Database) -> None:
    assert outcome("select plan(2);\nselect pass('one');", pgtap_database) == [
        "passed",
        "Failed: test 2 of 2 did not run: the file ended before it",
    ]


def test_more_than_planned(pgtap_database: Database) -> None:
    assert outcome("select plan(1);\nselect pass('a');\nselect pass('b');", pgtap_database) == [
        "Failed: the file ran 1 tests more than its plan of 1"
    ]


def test_an_error_ends_the_file_and_names_its_line(pgtap_database: Database) -> None:
    assert outcome("select plan(2);\nselect pass('a');\nselect no_such_column;", pgtap_database) == [
        "passed",
        'Failed: test 2 of 2 did not run: line 3: 42703 column "no_such_column" does not exist',
    ]


def test_an_error_after_the_last_test_fails_too(pgtap_database: Database) -> None:
    assert outcome("select plan(1);\nselect pass('a');\nselect 1/0;", pgtap_database) == [
        "Failed: 22012 division by zero"
    ]


def test_a_file_leaves_nothing_behind(pgtap_database: Database) -> None:
    run("select plan(1); create table public.left_behind (); select pass();", pgtap_database)
    with pgtap_database.connect() as connection:
        assert connection.execute("select to_regclass('public.left_behind')").fetchone() == (None,)


def test_a_file_that_commits_fails(pgtap_database: Database) -> None:
    (said,) = outcome("select plan(1); select pass('a'); commit;", pgtap_database)
    assert "the file committed its transaction" in said
