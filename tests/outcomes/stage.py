"""Plays the steps of a row on the database and draws what came of them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow

from tests.outcomes.source import Section, edges

__all__ = ["Stage"]

_REPORT = re.compile(r"(?P<task>\w+)(?P<status>[!~?]?)(@(?P<run_key>\w+))?(:(?P<external_id>\w+))?$")
_END = re.compile(r"(?P<run>[A-Z])/(?P<task>\w+)(?P<status>[!~?]?)$")
_HAND = re.compile(r"(?P<act>[a-z]+):(?P<on>\w+)(/(?P<tasks>[\w,]+))?(=(?P<value>[\w-]+))?(@(?P<key>\w+))?$")
_STATUS = {"": "SUCCESS", "!": "FAILED", "~": "SKIPPED", "?": "RUNNING"}
_LETTER = {
    "SUCCESS": "S", "FAILED": "F", "RUNNING": "R", "DISPATCHED": "D", "CANCELLED": "C", "QUEUED": "Q", "SKIPPED": "K",
}  # fmt: skip
_SKIPPED = {"upstream": "X", "coalesced": "x", "superseded": "x", "cancelled": "c"}

_DEFINE = """
with service as (
    insert into orchestration.service (name, dispatch_topic)
    values ('nifi', null), ('airflow', 'airflow_tasks')
    returning id, name
), process as (
    insert into orchestration.process (service_id, uid)
    select s.id, t.name from unnest(%s::text[], %s::boolean[]) t(name, sent)
    join service s on s.name = case when t.sent then 'airflow' else 'nifi' end
    returning id, uid
)
insert into orchestration.task (process_id, name) select p.id, p.uid from process p
"""
_CHAIN = """
with chain as (
    insert into orchestration.chain (previous_task_id, next_task_id)
    select a.id, b.id from orchestration.task a, orchestration.task b where (a.name, b.name) = (%s, %s) returning id
)
insert into orchestration.graph_chain (graph_id, chain_id)
select g.id, c.id from orchestration.graph g, chain c where g.name = %s
"""
_DROP = """
delete from orchestration.graph_chain x
using orchestration.chain c, orchestration.task a, orchestration.task b, orchestration.graph g
where c.id = x.chain_id and a.id = c.previous_task_id and b.id = c.next_task_id and g.id = x.graph_id
  and (a.name, b.name, g.name) = (%s, %s, %s)
"""
_EVENT = """
select orchestration.report(jsonb_build_object('service', s.name, 'process', p.uid) || %s::jsonb)
from orchestration.task t
join orchestration.process p on p.id = t.process_id join orchestration.service s on s.id = p.service_id
where t.name = %s
"""
_BATCH = """
select orchestration._apply_events('batch', array_agg(0), array_agg(e.i), array_agg(null::bytea),
    array_agg(convert_to((jsonb_build_object('service', s.name, 'process', p.uid) || e.fields)::text, 'UTF8')
              order by e.i))
from unnest(%s::text[], %s::jsonb[]) with ordinality e(task, fields, i)
join orchestration.task t on t.name = e.task
join orchestration.process p on p.id = t.process_id join orchestration.service s on s.id = p.service_id
"""
_RUNS = """
select r.id, g.name, r.run_key, r.status, r.reason, r.replaced_by_id, r.replaces_id
from orchestration.graph_run r join orchestration.graph g on g.id = r.graph_id order by r.id
"""
_PLACES = """
select v.task_id, k.task_name, t.id, t.status, t.reason, a.task_id is not null,
       (select min(y.graph_run_id) from orchestration.graph_run_task_run y where y.task_run_id = t.id)
from orchestration.graph_run r
join orchestration.graph_version_task v on v.version_id = r.version_id
join orchestration.task_card k on k.task_id = v.task_id
left join orchestration.awaited_root a on a.graph_run_id = r.id and a.task_id = v.task_id
left join lateral (
    select x.id, x.status, x.reason
    from orchestration.graph_run_task_run l join orchestration.task_run x on x.id = l.task_run_id
    where l.graph_run_id = r.id and l.task_id = v.task_id order by l.attempt desc limit 1) t on true
where r.id = %s order by k.task_name
"""
_ALONE = """
select k.task_name, t.status from orchestration.task_run t join orchestration.task_card k on k.task_id = t.task_id
where not exists (select from orchestration.graph_run_task_run l where l.task_run_id = t.id) order by t.id
"""
_REJECTED = """
select k.task_name, g.name, e.graph_run_id
from orchestration.task_run_event e
join orchestration.task_run t on t.id = e.task_run_id join orchestration.task_card k on k.task_id = t.task_id
join orchestration.graph g on e.detail like 'graph "' || g.name || '" %%'
where e.reason = 'rejected' order by e.id
"""


class Stage:
    """One row's world, in an open transaction of the superuser."""

    def __init__(self, connection: Connection[TupleRow], section: Section, policy: str) -> None:
        self.connection = connection
        self.refused: list[str] = []
        pairs = {name: edges(chains) for name, chains in section.graphs.items()}
        after = {second for chains in pairs.values() for _, second in chains} | section.sent
        inside = {task for chains in pairs.values() for pair in chains for task in pair}
        names = sorted(inside | section.sent | section.also)
        connection.execute(_DEFINE, (names, [name in after for name in names]))
        for name, chains in pairs.items():
            connection.execute(
                "insert into orchestration.graph (name, repeat_policy) values (%s, %s)", (name, policy)
            )
            for before, then in chains:
                connection.execute(_CHAIN, (before, then, name))

    def play(self, steps: Sequence[str]) -> None:
        """One step after the other; what is refused is kept and undone."""
        for step in steps:
            try:
                with self.connection.transaction():
                    self._step(step)
            except psycopg.Error as error:
                if not (error.sqlstate or "").startswith("OR"):
                    raise
                self.refused.append(f"{step} {error.sqlstate}")

    def play_batch(self, steps: Sequence[str]) -> None:
        """Reports of tools, all in one batch."""
        told = [self._report(step) for step in steps]
        self.connection.execute(
            _BATCH, ([task for task, _ in told], [json.dumps(fields) for _, fields in told])
        )

    @staticmethod
    def batches(steps: Sequence[str]) -> bool:
        """Whether all steps are reports of tools."""
        return len(steps) > 1 and all(
            _REPORT.match(step) and step.partition(":")[0] not in _ACTS for step in steps
        )

    def picture(self) -> list[str]:
        """A line a graph run, then what stands beside them."""
        rows = self.connection.execute(_RUNS).fetchall()
        letters = {row[0]: chr(ord("A") + number) for number, row in enumerate(rows)}
        several = len({row[1] for row in rows}) > 1
        lines = []
        for run, graph, key, status, reason, replaced_by, _ in rows:
            words = [letters[run]]
            words += [f"of {graph}"] if several else []
            words += [f"@{key}"] if key else []
            words.append(status)
            facts = [reason] if reason else []
            facts += [f"{letters[replaced_by]} took over"] if replaced_by else []
            words += [f"({', '.join(facts)})"] if facts else []
            places = self.connection.execute(_PLACES, [run]).fetchall()
            lines.append(f"{' '.join(words)}: {' '.join(_place(run, place, letters) for place in places)}")
        alone = self.connection.execute(_ALONE).fetchall()
        lines += [f"alone: {' '.join(f'{task}{_LETTER[status]}' for task, status in alone)}"] if alone else []
        dead = self.connection.execute("select reason from orchestration.dead_letter order by id").fetchall()
        lines += [f"dead letters: {' '.join(row[0] for row in dead)}"] if dead else []
        for task, graph, run in self.connection.execute(_REJECTED).fetchall():
            lines.append(f"recorded: {task}{f' of {letters[run]}' if run else ''} rejected by {graph}")
        lines += [f"refused: {words}" for words in self.refused]
        return lines

    # steps

    def _step(self, step: str) -> None:
        ended, told, hand = _END.match(step), _REPORT.match(step), _HAND.match(step)
        if ended:
            event = {
                "task_run_id": self._at(ended["run"], ended["task"]),
                "status": _STATUS[ended["status"]],
            }
            self._value("select orchestration.report(%s::jsonb)", json.dumps(event))
        elif hand and hand["act"] in _ACTS:
            self._by_hand(hand)
        else:
            assert told, step
            task, fields = self._report(step)
            self._value(_EVENT, json.dumps(fields), task)

    @staticmethod
    def _report(step: str) -> tuple[str, dict[str, str]]:
        told = _REPORT.match(step)
        assert told, step
        fields = {"task": told["task"], "status": _STATUS[told["status"]]}
        return told["task"], fields | {
            name: told[name] for name in ("run_key", "external_id") if told[name] is not None
        }

    def _by_hand(self, said: re.Match[str]) -> None:
        act, on, key, value = said["act"], said["on"], said["key"], said["value"]
        tasks = said["tasks"].split(",") if said["tasks"] else None
        if act == "launch" and tasks:
            self._value("select orchestration.launch_tasks(%s, %s, run_key => %s)", on, tasks, key)
        elif act in ("add", "drop"):
            before, after = value.split("-")
            self.connection.execute(_CHAIN if act == "add" else _DROP, (before, after, on))
        elif act == "rerun":
            self._value(_ACTS[act], self._run(on), tasks)
        elif act in ("mark", "cancel") and tasks:
            what = _ACTS["mark" if act == "mark" else "cancel_task"]
            self._value(what, self._at(on, tasks[0]))
        elif act == "cancel":
            self._value(_ACTS[act], self._run(on))
        elif act == "launch":
            self._value(_ACTS[act], on, key)
        elif act == "policy":
            self.connection.execute(_ACTS[act], (value, on))
        elif act == "insert":
            self.connection.execute(_ACTS[act], (key, on))
        else:
            self._value(_ACTS[act], on)

    def _run(self, letter: str) -> int:
        runs = self.connection.execute(_RUNS).fetchall()
        found: int = runs[ord(letter) - ord("A")][0]
        return found

    def _at(self, letter: str, task: str) -> int:
        places = self.connection.execute(_PLACES, [self._run(letter)]).fetchall()
        found: int = next(place[2] for place in places if place[1] == task)
        return found

    def _value(self, statement: str, *values: Any) -> Any:
        row = self.connection.execute(statement.encode(), values).fetchone()
        return None if row is None else row[0]


_ACTS: dict[str, str] = {
    "launch": "select orchestration.launch_graph(%s, run_key => %s)",
    "add": _CHAIN,
    "drop": _DROP,
    "rerun": "select orchestration.rerun(%s, %s)",
    "mark": "select orchestration.mark_task_run(%s, 'SUCCESS', 'checked')",
    "cancel": "select orchestration.cancel_graph_run(%s)",
    "cancel_task": "select orchestration.cancel_task_run(%s, 'wrong')",
    "policy": "update orchestration.graph set repeat_policy = %s where name = %s",
    "insert": "insert into orchestration.task_run (task_id, status, run_key) "
    "select id, 'SUCCESS', %s from orchestration.task where name = %s",
    "pause": "select orchestration.pause_graph(%s)",
    "resume": "select orchestration.resume_graph(%s)",
}


def _place(run: int, place: TupleRow, letters: dict[int, str]) -> str:
    _, task, held, status, reason, awaited, first = place
    if held is None:
        return f"{task}{'?' if awaited else '.'}"
    letter = _SKIPPED.get(reason or "", "K") if status == "SKIPPED" else _LETTER[status]
    return f"{task}{letter}" + ("" if first == run else f"={letters[first]}")
