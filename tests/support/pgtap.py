"""pgTAP under pytest: `tests/sql/<function>/<behaviour>.sql` runs in one transaction that is rolled back.

Each planned test is one pytest item, `<file>::<number>`. A file names its plan as a literal (`select plan(3);`), needs
no `begin` and no `rollback`, and runs as the superuser with search_path `orchestration, tap`. A statement that fails
ends the file: the tests that did not run fail and show where it stopped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from psycopg import pq, sql

from tests.support.databases import Database

__all__ = ["PgTapFile", "Tap", "judge", "planned", "run", "teach"]

_WORDS = Path(__file__).resolve().parent.parent / "sql" / "_setup"
_PLAN = re.compile(
    r"^\s*select\s+(?:\*\s+from\s+)?(?:tap\.)?plan\s*\(\s*(\d+)\s*\)\s*;", re.IGNORECASE | re.MULTILINE
)
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_LINE = re.compile(r"^(not )?ok (\d+)(?: - (.*?))?(?:\s*# (SKIP|TODO)\b\s*(.*))?$")


@dataclass
class Result:
    """One TAP line: `word` is ok, not ok, skip or todo."""

    word: str
    description: str
    notes: list[str] = field(default_factory=list)


@dataclass
class Tap:
    """What a file said: results by number, what was said outside them, and the error that ended it."""

    results: dict[int, Result] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    error: str = ""

    def read(self, text: str) -> None:
        """Take in one value of a result set; lines that are no TAP are of no interest."""
        for line in text.splitlines():
            found = _LINE.match(line)
            if found:
                failed, number, description, directive, why = found.groups()
                word = {"SKIP": "skip", "TODO": "todo"}.get(directive or "", "not ok" if failed else "ok")
                if word == "todo" and not failed:
                    word = "unexpected ok"
                self.results[int(number)] = Result(word, description or "", [why] if why else [])
            elif line.startswith("Bail out!"):
                self.error = line
            elif line.startswith("#"):
                notes = self.results[max(self.results)].notes if self.results else self.notes
                notes.append(line.removeprefix("#").strip())


def planned(text: str) -> int | None:
    """The number in `select plan(n);`, or None where there is no such line."""
    found = _PLAN.search(_COMMENT.sub("", text))
    return int(found.group(1)) if found else None


def teach(database: Database) -> None:
    """Give a database the words that the files of tests/sql are written in."""
    files = sorted(_WORDS.glob("*.sql"))
    assert files, f"{_WORDS} holds no file"
    with database.connect() as connection:
        connection.execute("set search_path = orchestration, tap")
        for path in files:
            connection.execute(path.read_text().encode())
        # as programs log in (db create); the superuser's default would compile each statement, seconds long
        connection.execute(sql.SQL("alter database {} set jit = off").format(sql.Identifier(database.name)))


def run(text: str, database: Database) -> Tap:
    """Run a file in a transaction and roll it back; an error is part of the answer."""
    tap = Tap()
    with database.connect(autocommit=True) as connection:
        connection.execute("set search_path = orchestration, tap")
        connection.execute("set statement_timeout = '120s'")
        connection.execute("set client_min_messages = warning")
        connection.execute("begin")
        row = connection.execute("select pg_current_xact_id()::text").fetchone()
        # as one string, so that each statement's answer is seen up to the one that fails
        connection.pgconn.send_query(text.encode())
        while (result := connection.pgconn.get_result()) is not None:
            if result.status == pq.ExecStatus.TUPLES_OK:
                for number in range(result.ntuples):
                    value = result.get_value(number, 0)
                    if value is not None:
                        tap.read(value.decode())
            elif result.status == pq.ExecStatus.FATAL_ERROR:
                tap.error = _error(text, result)
            elif result.status not in (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.EMPTY_QUERY):
                tap.error = f"COPY cannot be used in a pgTAP file ({result.status!r})"
                break
        if connection.info.transaction_status != pq.TransactionStatus.IDLE:
            connection.execute("rollback")
        fate = connection.execute("select pg_xact_status(%s::xid8)", row).fetchone()
        if fate is None or fate[0] != "aborted":
            tap.error = (
                "the file committed its transaction: what it did is still in the database of the other files"
            )
    return tap


def _error(text: str, result: pq.abc.PGresult) -> str:
    def part(name: pq.DiagnosticField) -> str:
        return (result.error_field(name) or b"").decode()

    fields = pq.DiagnosticField
    position = part(fields.STATEMENT_POSITION)
    where = f"line {text.count(chr(10), 0, int(position)) + 1}: " if position else ""
    parts = [f"{where}{part(fields.SQLSTATE)} {part(fields.MESSAGE_PRIMARY)}"]
    parts += [
        part(name) for name in (fields.MESSAGE_DETAIL, fields.MESSAGE_HINT, fields.CONTEXT) if part(name)
    ]
    return "\n".join(parts)


class PgTapFile(pytest.File):
    """A file of pgTAP tests; it runs once, when its first selected test does."""

    def collect(self) -> Iterator[pytest.Item]:
        text = self.path.read_text()
        self.plan = planned(text)
        self._tap: Tap | None = None
        if not self.plan:
            raise self.CollectError(
                f"{self.path.name} names no plan: begin it with `select plan(<number of tests>);`"
            )
        for number in range(1, self.plan + 1):
            yield PgTapItem.from_parent(self, name=str(number), callobj=_test(self, number))

    def tap(self, database: Database) -> Tap:
        if self._tap is None:
            self._tap = run(self.path.read_text(), database)
        return self._tap


class PgTapItem(pytest.Function):
    """One planned test."""

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, f"{self.path.parent.name}/{self.path.stem} {self.name}"


def _test(file: PgTapFile, number: int) -> object:
    def test(pgtap_database: Database) -> None:
        judge(file.tap(pgtap_database), number, file.plan or 0)

    return test


def judge(tap: Tap, number: int, plan: int) -> None:
    """The outcome of test `number`, as pytest's exceptions."""
    result = tap.results.get(number)
    more = [n for n in tap.results if n > plan]
    if result is None:
        why = tap.error or "\n".join(tap.notes) or "the file ended before it"
        pytest.fail(f"test {number} of {plan} did not run: {why}", pytrace=False)
    words = "\n".join([result.description, *result.notes])
    if result.word == "skip":
        pytest.skip(words)
    if result.word == "todo":
        pytest.xfail(words)
    if result.word != "ok":
        pytest.fail(f"{result.word}: {words}", pytrace=False)
    if number == plan and (more or tap.error):
        pytest.fail(
            tap.error or f"the file ran {len(more)} tests more than its plan of {plan}", pytrace=False
        )
