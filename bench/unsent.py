"""A bridge's memory while a million dispatches wait to be sent."""

from __future__ import annotations

import time

import click

from .words import Figure, say, step, verdict
from .world import whole_path

TARGET = 300.0
_FILL = """
insert into orchestration.dispatch (task_run_id, topic, key, value)
select n, 'airflow_tasks', n::text, json_build_object('task_run_id', n, 'run_key', 'key', 'filler', repeat('x', 300))
from generate_series(1, %s::int) n
"""


@click.command()
@click.option("--dispatches", default=1_000_000, show_default=True)
@click.option("--seconds", default=240.0, show_default=True, help="At most so long for sending them.")
@click.option("--quick", is_flag=True, help="20,000 dispatches.")
def unsent(dispatches: int, seconds: float, quick: bool) -> None:
    """Memory of a bridge with a million dispatches unsent."""
    if quick:
        dispatches = 20_000
    with whole_path() as world:
        with step(f"writing {dispatches:,} dispatches"):
            world.admin.execute(_FILL.encode(), (dispatches,))
        bridge = world.bridge("--from", "latest")
        most, begun, said = 0.0, time.monotonic(), time.monotonic()
        left = dispatches
        while left and time.monotonic() - begun < seconds:
            time.sleep(0.2)
            most = max(most, bridge.memory)
            row = world.admin.execute("select count(*) from orchestration.dispatch").fetchone()
            assert row is not None
            left = row[0]
            if time.monotonic() - said > 5:
                said = time.monotonic()
                say(f"{left:,} unsent, {most:.0f} MB")
        took = time.monotonic() - begun
    verdict(
        f"{dispatches:,} dispatches unsent",
        [
            Figure("bridge's memory at most", most, TARGET, at_most=True, unit=" MB"),
            Figure("left unsent", left, 0, at_most=True),
            Figure("sent a second", (dispatches - left) / took),
        ],
    )
