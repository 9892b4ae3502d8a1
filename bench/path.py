"""The whole path: Kafka → bridge → PostgreSQL → bridge → Kafka, two bridges, against three bare writes."""

from __future__ import annotations

import subprocess
import sys
import time
from itertools import count

import click
import psycopg

from stack.layout import ROOT
from tests.support.graphs import define_graph

from .core import prepare_yardstick, run
from .words import Figure, say, verdict
from .world import World, whole_path

TARGET = 30_000
AIM = 0.4
SHAPES = {
    "s1": ("6 -> 7 -> [8, 9]", [("6", "7"), ("7", "8"), ("7", "9")]),
    "s2": ("1 -> 2, [1, 5] -> 3, 1 -> 4", [("1", "2"), ("1", "3"), ("5", "3"), ("1", "4")]),
}
_WRITES = (
    "update yardstick.task_run set status = 'SUCCESS', finished_at = now(), updated_at = now()"
    " where id = any(%(ends)s)",
    "insert into yardstick.task_run (id, task_id, graph_run_id, status, config, dispatched_at)"
    " select i, 7, i, 'DISPATCHED', '{}', now() from unnest(%(born)s::bigint[]) i",
    "insert into yardstick.dispatch (task_run_id, bridge_id, topic, key, value)"
    " select i, 1, 'airflow_tasks', i::text, %(value)s from unnest(%(born)s::bigint[]) i",
)
_VALUE = (
    '{"v":1,"type":"start","installation":"a4ccd352-9b18-4eec-8c05-2ded29ad0b46","task_run_id":4000000,"attempt":1,'
    '"graph_run_ids":[1000000],"graph":"load","run_key":null,"service":"airflow","process":"dag_7","task":"7",'
    '"config":{},"created_at":"2026-11-23T22:36:01.095732Z"}'
)


class BareWrites:
    """The least a hop can write: UPDATE, INSERT task run, INSERT outbox; one transaction a batch."""

    _ids = count(1)

    def __init__(self, dsn: str, batch: int) -> None:
        self.connection = psycopg.connect(dsn, autocommit=True)
        self.connection.execute("set enable_seqscan = off")
        self.batch = batch
        self.flying: list[int] = []

    def step(self) -> int:
        """One batch; the number of hops."""
        born = [next(self._ids) for _ in range(self.batch)]
        ends, self.flying = self.flying, born
        with self.connection.transaction():
            for statement in _WRITES:
                self.connection.execute(statement, {"ends": ends, "born": born, "value": _VALUE})
        return self.batch


@click.command()
@click.option("--seconds", default=60.0, show_default=True, help="How long each shape is measured.")
@click.option("--bridges", default=2, show_default=True)
@click.option("--runs", default=6000, show_default=True, help="Graph runs in flight.")
@click.option("--shape", "shapes", multiple=True, type=click.Choice(list(SHAPES)), default=tuple(SHAPES))
@click.option("--quick", is_flag=True, help="8 s a shape.")
def path(seconds: float, bridges: int, runs: int, shapes: tuple[str, ...], quick: bool) -> None:
    """The whole path, two bridges, S1 and S2."""
    if quick:
        seconds, runs = 8.0, 500
    figures = []
    for shape in shapes:
        with whole_path() as world:
            define_graph(world.admin, "load", SHAPES[shape][1])
            prepare_yardstick(world.admin)
            bare = [BareWrites(world.admin_dsn, 500) for _ in range(2)]
            run(bare, 2)
            before = run(bare, min(8, seconds))
            hops = _measure(world, shape, bridges, runs, seconds)
            after = run(bare, min(8, seconds))
            limit = (before + after) / 2
            click.echo(
                f"whole path, {SHAPES[shape][0]}, {bridges} bridges, {seconds:.0f} s: "
                f"{hops:,.0f} hops/s; three bare writes, batch 500, 2 connections: {limit:,.0f}; "
                f"ratio {hops / limit:.2f} (aim {AIM})"
            )
            figures += [
                Figure(f"{shape} hops/s", hops, TARGET),
                Figure(f"{shape} / three bare writes", hops / limit),
            ]
    verdict("whole path", figures)


def _measure(world: World, shape: str, bridges: int, runs: int, seconds: float) -> float:
    """Hops a second over the measured time, the first seconds left out."""
    working = world.working(bridges)
    warm = min(10.0, seconds / 2)
    answerer = subprocess.Popen(
        [
            sys.executable, "-m", "bench.answerer", world.broker.bootstrap, shape, str(runs),
            str(2 * seconds + warm + 60),
        ],
        cwd=ROOT,
    )  # fmt: skip
    try:
        time.sleep(warm)
        begun, first = time.perf_counter(), world.applied()
        used = world.cpu(answerer.pid)
        last, most = first, 0.0
        while (gone := time.perf_counter() - begun) < seconds:
            time.sleep(min(5.0, seconds - gone))
            now = world.applied()
            most = max(most, *(bridge.memory for bridge in working))
            say(f"{shape}: {now - first:,} hops after {time.perf_counter() - begun:.0f} s (+{now - last:,})")
            last = now
        seconds = time.perf_counter() - begun
        hops = world.applied() - first
        cpu = {name: (now - used[name]) / max(1, hops) * 1e6 for name, now in world.cpu(answerer.pid).items()}
        letters = world.admin.execute("select count(*) from orchestration.dead_letter").fetchone()
        if letters is None or letters[0]:
            raise click.ClickException(f"{letters} dead letters: the path was not whole")
        words = ", ".join(f"{name} {used:.1f}" for name, used in cpu.items())
        click.echo(
            f"us CPU a hop: {words}, in all {sum(cpu.values()):.1f}; bridges at most {most:.0f} MB each"
        )
        return hops / seconds
    finally:
        answerer.kill()
        answerer.wait()
        for bridge in working:
            bridge.end()
