"""A million dispatches wait: sent in pages, within bounds of memory."""

from __future__ import annotations

import time

import pytest

from .harness import World

UNSENT = 1_000_000
FILL = """
insert into orchestration.dispatch (task_run_id, topic, key, value)
select n, 'airflow_tasks', n::text, json_build_object('task_run_id', n, 'run_key', 'key', 'filler', repeat('x', 300))
from generate_series(1, {unsent}) n
"""


@pytest.mark.long
def test_a_million_unsent_dispatches_go_out_within_300_mb(world: World) -> None:
    world.run(FILL.format(unsent=UNSENT))
    bridge = world.bridge("--from", "latest")
    most = 0
    end = time.monotonic() + 400
    while world.unsent() > 0:
        assert time.monotonic() < end, f"{world.unsent()} are left"
        most = max(most, bridge.memory)
        time.sleep(0.5)
    assert most < 300 * 2**20
    assert len({dispatch["task_run_id"] for dispatch in world.dispatches()}) == UNSENT
