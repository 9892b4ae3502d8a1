"""Bridges are killed while everything is in use: retries, templates, resends, time-outs, take-overs, reruns, marks,
cancels, pauses. Nothing is lost and nothing is doubled, and every run ends as its task runs did.
"""

from __future__ import annotations

import random
import time

from .harness import World, eventually
from .operations import FLOW, People, Tool, root
from .test_failpoints import SHORT_SILENCE, campaign, seat

ENDS = """
select r.id, r.status, r.reason, v.n, count(l.task_run_id), array_agg(l.status)
from orchestration.graph_run r
join (select version_id, count(*) as n from orchestration.graph_version_task group by 1) v on v.version_id = r.version_id
left join lateral (
    select distinct on (x.task_id) x.task_run_id, t.status
    from orchestration.graph_run_task_run x join orchestration.task_run t on t.id = x.task_run_id
    where x.graph_run_id = r.id order by x.task_id, x.attempt desc) l on true
group by r.id, r.status, r.reason, v.n
"""
"""Of each graph run: how many tasks its version has, and how the last attempts of its places ended."""
GAPS = """
select x.graph_run_id, x.task_id, array_agg(x.attempt order by x.attempt)
from orchestration.graph_run_task_run x group by 1, 2 having max(x.attempt) - min(x.attempt) + 1 <> count(*)
"""
HELD_UP = """
select count(*) from orchestration.graph_run r
join orchestration.graph_version_task v on v.version_id = r.version_id
join orchestration.graph_run_task_run l on l.graph_run_id = r.id and l.task_id = v.task_id
join orchestration.task_run t on t.id = l.task_run_id
where t.dispatched_at is not null and t.graph_run_id = r.id and l.attempt = 1 and exists (
    select from unnest(v.predecessor_ids) p(id)
    where not exists (
        select from orchestration.graph_run_task_run b join orchestration.task_run s on s.id = b.task_run_id
        where b.graph_run_id = r.id and b.task_id = p.id and s.status = 'SUCCESS')
      and not exists (select from orchestration.stand_in s where s.graph_run_id = r.id and s.task_id = p.id))
  and v.predecessor_ids <> '{}'
"""
"""What was started though something before it had not succeeded."""


@campaign(10, 50)
def test_killed_while_everything_is_in_use(world: World, times: int) -> None:
    chance = random.Random(4)
    world.run(SHORT_SILENCE)
    world.run(FLOW)
    bridges = [world.working(**seat(0)), world.working(**seat(1))]
    tool, people = Tool(world), People(world, chance)
    tool.start()
    people.start()
    keys: list[str] = []
    for _ in range(times):
        for _ in range(chance.randrange(5, 25)):
            keys.append(chance.choice(keys[-40:]) if keys and chance.random() < 0.2 else f"key {len(keys)}")
            root(world, keys[-1], len(keys))
        world.producer.flush(30)
        time.sleep(chance.uniform(0.0, 0.9))
        number = chance.randrange(2)
        bridges[number].kill()
        bridges[number] = world.bridge(**seat(number))
    time.sleep(1)
    people.stop()
    eventually(
        lambda: (
            world.ask("select count(*) from orchestration.task_run where finished_at is null") == 0
            and world.unsent() == 0
        ),
        "all has ended and is sent",
        120,
    )
    tool.stop()
    world.producer.flush(30)
    told = len(keys) + len(tool.told)
    eventually(lambda: sum(world.positions().values()) == told, "every event is read", 30)
    check(world, tool, len(keys))
    used = people.done
    assert all(used[act] for act in ("rerun", "mark ended", "cancel run", "pause", "resume")), used


def check(world: World, tool: Tool, roots: int) -> None:
    """Nothing lost, nothing doubled, every run at its end."""
    # in: each event was taken in, once
    assert world.ask("select count(*) from orchestration.dead_letter") == 0
    seen = [row[0] for row in world.rows("select event_id from orchestration.event_seen order by 1")]
    assert seen == sorted([*tool.told, *(f"load {number + 1}" for number in range(roots))])
    by_tool = "select count(*) from orchestration.task_run r join orchestration.task t on t.id = r.task_id and t.name = 'load' "
    assert world.ask(by_tool + "where r.matched_by = 'started'") == roots
    # out: each task run that was dispatched is on the topic, unless a person ended it before it was sent
    on_topic = {dispatch["task_run_id"]: dispatch for dispatch in world.dispatches()}
    dispatched = {
        row[0]: row[1:]
        for row in world.rows(
            "select id, status, reason, attempt, config from orchestration.task_run where dispatched_at is not null"
        )
    }
    assert on_topic.keys() <= dispatched.keys()
    withdrawn = {number: dispatched[number][:2] for number in dispatched.keys() - on_topic.keys()}
    assert all(reason in ("cancelled", "marked") for _, reason in withdrawn.values()), withdrawn
    for number, dispatch in on_topic.items():
        _, _, attempt, config = dispatched[number]
        assert (dispatch["attempt"], dispatch["config"]) == (attempt, config)
    assert tool.copies.keys() == on_topic.keys()
    # in between: every run has ended, as its places did, each of them filled; attempts follow one another
    for run, status, reason, tasks, places, ends in world.rows(ENDS):
        assert places == tasks, f"graph run {run} has {places} of {tasks} places"
        expected = next((word for word in ("FAILED", "CANCELLED") if word in ends), "SUCCESS")
        assert status == ("CANCELLED" if reason == "cancelled" else expected), (run, status, reason, ends)
    assert world.rows(GAPS) == []
    assert world.ask(HELD_UP) == 0
    assert world.ask("select count(*) from orchestration.awaited_root") == 0
    config = "select count(*) from orchestration.task_run r join orchestration.task t on t.id = r.task_id and t.name = 'mid' "
    assert world.ask(config + "where r.dispatched_at is not null and not r.config ? 'rows'") == 0
