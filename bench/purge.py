"""Old runs leave while writers work: what that costs the writers."""

from __future__ import annotations

import threading
import time

import click
import psycopg

from tests.support.graphs import define_graph

from .core import Engine
from .old import load_old
from .server import durable_database
from .words import Figure, percentile, say, verdict

BATCH = 100
PAUSE = 0.02  # a writer that is busy, not one that is never idle


@click.command()
@click.option("--runs", default=1_000_000, show_default=True, help="Old graph runs, of 4 task runs each.")
@click.option("--seconds", default=10.0, show_default=True, help="How long writers are measured alone.")
@click.option(
    "--limit", default=240.0, show_default=True, help="The purge is given up after so many seconds."
)
@click.option("--quick", is_flag=True, help="20,000 old runs.")
def purge(runs: int, seconds: float, limit: float, quick: bool) -> None:
    """Writers' p99 while old runs are purged."""
    if quick:
        runs, seconds = 20_000, 3.0
    with durable_database() as (admin_dsn, app_dsn), psycopg.connect(admin_dsn, autocommit=True) as admin:
        define_graph(admin, "load", [("6", "7"), ("7", "8"), ("7", "9")])
        load_old(admin, 4 * runs)
        writers = [Engine(app_dsn, BATCH, partition) for partition in range(2)]
        _write(writers, lambda: False, 2)
        alone = _write(writers, lambda: False, seconds)
        done = threading.Event()
        removed: list[int] = []

        def remove() -> None:
            begun = said = time.monotonic()
            with psycopg.connect(admin_dsn, autocommit=True) as connection:
                while time.monotonic() - begun < limit:
                    row = connection.execute("select orchestration.purge('30 minutes', 1000)").fetchone()
                    assert row is not None
                    if row[0] == 0:
                        break
                    removed.append(row[0])
                    if time.monotonic() - said > 10:
                        said = time.monotonic()
                        say(f"purged {sum(removed):,} rows")
            done.set()

        thread = threading.Thread(target=remove)
        begun = time.perf_counter()
        thread.start()
        beside = _write(writers, done.is_set, limit + 30)
        thread.join()
        took = time.perf_counter() - begun
        left = admin.execute(
            "select count(*) from orchestration.graph_run where id <= %s", (runs,)
        ).fetchone()
        assert left is not None
    click.echo(
        f"writers (2 connections, batch {BATCH}): alone p50 {percentile(alone, 0.5):.1f} ms, "
        f"p99 {percentile(alone, 0.99):.1f}; "
        f"while {sum(removed):,} rows of {runs:,} runs went in {took:.0f} s: p50 {percentile(beside, 0.5):.1f} ms, "
        f"p99 {percentile(beside, 0.99):.1f}, longest {max(beside):.0f}"
    )
    verdict(
        "purge",
        [
            Figure("old runs left", left[0], 0, at_most=True),
            Figure(
                "writers' p99 beside it / alone",
                percentile(beside, 0.99) / percentile(alone, 0.99),
                unit=" x",
            ),
            Figure("rows a second", sum(removed) / took),
        ],
    )


def _write(writers: list[Engine], done: object, seconds: float) -> list[float]:
    """Drive the writers until `done()` or so long; the milliseconds of each call."""
    assert callable(done)
    end = time.monotonic() + seconds
    for writer in writers:
        writer.calls.clear()

    def work(writer: Engine) -> None:
        while not done() and time.monotonic() < end:
            writer.step()
            time.sleep(PAUSE)

    threads = [threading.Thread(target=work, args=(writer,)) for writer in writers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [call * 1e3 for writer in writers for call in writer.calls]
