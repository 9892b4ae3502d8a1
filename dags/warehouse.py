"""The warehouse of the example, database `dwh`: its migrations, and sales to fill it with.

`python -m dags.warehouse apply` makes its tables, `… load` makes a batch up, loads it and prints what must become of it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import click

__all__ = ["MIGRATIONS", "STG_TO_ODS", "Batch", "Row", "apply", "load"]

_SQL = Path(__file__).resolve().parent / "sql"
MIGRATIONS = _SQL / "migrations"
STG_TO_ODS = _SQL / "stg_to_ods.sql"
_LOCK = 0x647768  # "dwh": one `apply` at a time
_EPOCH = date(1970, 1, 1)
_IDS_A_DAY = 1_000_000
_BEFORE = 20  # a row about the day before speaks of the sale so many rows up: that one is in order


class Row(NamedTuple):
    """One row as a source sends it: text, right or wrong."""

    row_number: int
    sale_id: str | None
    sold_at: str | None
    customer: str | None
    amount: str | None


@dataclass(frozen=True)
class Batch:
    """A batch of sales made up from its numbers alone: the same numbers, the same rows, wherever they are made.

    The flow `load_stg` makes the same ones by the same rule. Of a hundred rows 90 are in order, two name a sale of the
    batch again (one newer, one older), one is an old version of a sale of the day before, one a sale of the day before
    that comes late, one a correction of the day before, and five are wrong.
    """

    batch_id: str
    business_date: date
    rows: int = 1000
    seed: int = 0

    def __iter__(self) -> Iterator[Row]:
        return (self._row(n) for n in range(1, self.rows + 1))

    def _kind(self, n: int) -> str:
        place = (n + self.seed) % 100
        if place in (90, 91):
            return ("again", "stale")[place - 90] if n > 10 else "sale"
        if place in (92, 94):
            return {92: "old", 94: "correction"}[place] if n > _BEFORE else "sale"
        return {
            93: "late", 95: "no amount", 96: "no customer", 97: "no instant", 98: "negative", 99: "no id",
        }.get(place, "sale")  # fmt: skip

    def _row(self, n: int) -> Row:
        kind = self._kind(n)
        today, yesterday = self.business_date, self.business_date - timedelta(1)
        about_yesterday = kind in ("old", "correction")
        number = n - 10 if kind in ("again", "stale") else n - _BEFORE if about_yesterday else n
        sale_id = ((yesterday if about_yesterday else today) - _EPOCH).days * _IDS_A_DAY + number
        sold_at = {
            "again": f"{today}T23:59:58Z", "stale": f"{today}T00:00:00Z", "old": f"{yesterday}T00:00:00Z",
            "late": f"{yesterday}T23:59:59Z", "correction": f"{today}T00:00:00Z", "no instant": "yesterday",
        }.get(kind, f"{today}T{1 + n % 22:02}:{n % 60:02}:{(n + self.seed) % 60:02}Z")  # fmt: skip
        cents = (n * 7919 + self.seed * 104729) % 100_000
        amount = {"no amount": "n/a", "negative": f"-{n % 100 + 1}.00"}.get(
            kind, f"{cents // 100}.{cents % 100:02}"
        )
        return Row(
            n,
            None if kind == "no id" else str(sale_id),
            sold_at,
            None if kind == "no customer" else f"customer {(n * 7 + self.seed) % 500}",
            amount,
        )

    def expected(self, *, day_before: bool) -> dict[str, int]:
        """What `stg_to_ods` must count at its first run; `day_before`: the batch of the day before, of the same seed
        and no fewer rows, stands in the ODS already.
        """
        kinds = Counter(self._kind(n) for n in range(1, self.rows + 1))
        duplicates = kinds["again"] + kinds["stale"]
        rejected = sum(
            kinds[wrong] for wrong in ("no amount", "no customer", "no instant", "negative", "no id")
        )
        late, updated = (kinds["old"], kinds["correction"]) if day_before else (0, 0)
        return {
            "read": self.rows,
            "inserted": self.rows - duplicates - rejected - late - updated,
            "updated": updated,
            "unchanged": 0,
            "late": late,
            "duplicates": duplicates,
            "rejected": rejected,
        }


def apply(dsn: str) -> list[str]:
    """Bring the warehouse to this release; the names of the migrations that were applied. Safe to run again."""
    import psycopg
    from yoyo import get_backend, read_migrations

    uri = dsn.replace("postgres://", "postgresql://", 1).replace("postgresql://", "postgresql+psycopg://", 1)
    with psycopg.connect(dsn, autocommit=True, application_name="orchestration dwh") as connection:
        connection.execute("select pg_catalog.pg_advisory_lock(%s)", [_LOCK])
        backend = get_backend(uri)
        try:
            backend.break_lock()  # nobody else works here: it was left by a killed run
            with backend.lock():
                pending = backend.to_apply(read_migrations(str(MIGRATIONS)))
                names = [migration.id for migration in pending]
                backend.apply_migrations(pending)
        finally:
            backend.connection.close()
    return names


def load(connection: Any, batch: Batch) -> int:
    """Put a batch into stg.sales in one transaction; how many rows were new. `connection` is psycopg's."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("create temporary table incoming (like stg.sales including defaults) on commit drop")
        with cursor.copy(
            "copy incoming (batch_id, business_date, row_number, sale_id, sold_at, customer, amount) from stdin"
        ) as copy:
            for row in batch:
                copy.write_row((batch.batch_id, batch.business_date, *row))
        cursor.execute("insert into stg.sales table incoming on conflict do nothing")
        return int(cursor.rowcount)


@click.group()
def main() -> None:
    """The warehouse of the example."""


_dsn = click.option("--dsn", envvar="DWH_DSN", show_envvar=True, required=True, help="The warehouse.")


@main.command("apply")
@_dsn
def apply_command(dsn: str) -> None:
    """Make or update its tables."""
    names = apply(dsn)
    click.echo(f"{len(names)} migrations applied" if names else "nothing had changed")


@main.command("load")
@_dsn
@click.option("--batch-id", required=True)
@click.option("--business-date", required=True, type=click.DateTime(["%Y-%m-%d"]))
@click.option("--rows", default=1000, show_default=True, type=click.IntRange(1, _IDS_A_DAY - 1))
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 2**31))
def load_command(dsn: str, batch_id: str, business_date: Any, rows: int, seed: int) -> None:
    """Load a batch of made-up sales, some wrong, late or double, and print what stg_to_ods must count."""
    import psycopg

    batch = Batch(batch_id, business_date.date(), rows, seed)
    with psycopg.connect(dsn, autocommit=True, application_name="orchestration dwh") as connection:
        new = load(connection, batch)
    said = {
        **asdict(batch),
        "loaded": new,
        "expected": batch.expected(day_before=False),
        "expected_after_the_day_before": batch.expected(day_before=True),
    }
    click.echo(json.dumps(said, indent=1, default=str))


if __name__ == "__main__":
    main()
