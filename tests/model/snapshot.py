"""A state in names instead of ids, so that two worlds with different ids can be compared.

A graph run is `<graph>[<key>]#<n>`, the n-th of its graph and key (`-` where there is none). A task run is the first
place it stands in, `<graph run>/<task>`, with `.<attempt>` from the second on (what stands for a task in a run is the
last attempt; earlier ones are facts of their own); one in no graph run is
`<task>[<key>]~<n>`. Both are counted by id. So a task run that two runs share has one name, and shows under both.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.model.engine import Engine

__all__ = ["GraphRunRow", "Snapshot", "TaskRunRow", "difference", "of_engine", "of_rows"]

# reasons that SPEC fixes; others (of ends by hand, of reported failures) are words for people
_COMPARED = {"upstream", "coalesced", "superseded", "cancelled", "timeout", "config"}


@dataclass(frozen=True)
class GraphRunRow:
    id: int
    graph: str | None  # None: of one chain in no graph
    key: str | None
    status: str
    reason: str | None
    replaced_by: int | None


@dataclass(frozen=True)
class TaskRunRow:
    id: int
    task: str
    key: str | None
    attempt: int
    status: str
    reason: str | None
    external_id: str | None
    dispatched: bool
    unsent: bool  # its dispatch waits for its delivery
    resent: int


@dataclass
class Snapshot:
    """`lines`: what is compared, one fact a name. `graph_runs`, `task_runs`: the name of each id."""

    lines: dict[str, str]
    graph_runs: dict[int, str] = field(compare=False)
    task_runs: dict[int, str] = field(compare=False)


def of_rows(
    graph_runs: Sequence[GraphRunRow],
    task_runs: Sequence[TaskRunRow],
    places: Iterable[tuple[int, int]],
    dead_letters: Iterable[str],
) -> Snapshot:
    """The snapshot of rows as the tables hold them; `places` are (graph run id, task run id)."""
    run_names = _run_names(graph_runs)
    by_id = {row.id: row for row in task_runs}
    holds: dict[int, list[int]] = defaultdict(list)
    stands: dict[int, list[int]] = defaultdict(list)
    for graph_run, task_run in sorted(places):
        holds[graph_run].append(task_run)
        stands[task_run].append(graph_run)
    task_names = _task_names(task_runs, stands, run_names)
    lines = {}
    for run in graph_runs:
        lines[run_names[run.id]] = _run_line(run, run_names)
        for task, held in _by_task(holds[run.id], by_id).items():
            lines[f"{run_names[run.id]} {task}"] = _task_line(by_id[held[-1]], task_names[held[-1]])
            lines |= {task_names[each]: _task_line(by_id[each], "") for each in held[:-1]}
    for row in task_runs:
        if row.id not in stands:
            lines[task_names[row.id]] = _task_line(row, "")
    lines["dead letters"] = ", ".join(
        f"{count} {reason}" for reason, count in sorted(Counter(dead_letters).items())
    )
    return Snapshot(lines, run_names, task_names)


def of_engine(engine: Engine) -> Snapshot:
    """The model's state."""
    world = engine.world
    return of_rows(
        [
            GraphRunRow(
                run.id,
                run.graph,
                run.key,
                run.status,
                run.reason,
                None if run.replaced_by is None else run.replaced_by.id,
            )
            for run in world.graph_runs
        ],
        [
            TaskRunRow(
                run.id,
                run.task,
                run.key,
                run.attempt,
                run.status,
                run.reason,
                run.external_id,
                run.dispatched,
                run.unsent,
                run.resent,
            )
            for run in world.task_runs
        ],
        [
            (run.id, task_run.id)
            for run in world.graph_runs
            for held in run.places.values()
            for task_run in held
        ],
        [letter.reason + (" replayed" if letter.replayed else "") for letter in engine.dead_letters],
    )


def difference(model: Snapshot, database: Snapshot) -> str:
    """What differs, the model's word first; empty where nothing does."""
    found = []
    for name in sorted(model.lines.keys() | database.lines.keys()):
        ours, theirs = model.lines.get(name, "nothing"), database.lines.get(name, "nothing")
        if ours != theirs:
            found.append(f"{name}: model {ours} | database {theirs}")
    return "\n".join(found)


def _run_names(rows: Iterable[GraphRunRow]) -> dict[int, str]:
    names: dict[int, str] = {}
    count: Counter[tuple[str | None, str | None]] = Counter()
    for row in sorted(rows, key=lambda row: row.id):
        count[row.graph, row.key] += 1
        names[row.id] = f"{row.graph or 'no graph'}[{_key(row.key)}]#{count[row.graph, row.key]}"
    return names


def _task_names(
    rows: Iterable[TaskRunRow], stands: dict[int, list[int]], run_names: dict[int, str]
) -> dict[int, str]:
    names: dict[int, str] = {}
    count: Counter[tuple[str | None, str | None]] = Counter()
    for row in sorted(rows, key=lambda row: row.id):
        if row.id in stands:
            attempt = f".{row.attempt}" if row.attempt > 1 else ""
            first = min(
                (run_names[graph_run] for graph_run in stands[row.id]), key=lambda name: (len(name), name)
            )
            names[row.id] = f"{first}/{row.task}{attempt}"
        else:
            count[row.task, row.key] += 1
            names[row.id] = f"{row.task}[{_key(row.key)}]~{count[row.task, row.key]}"
    return names


def _by_task(held: Iterable[int], by_id: dict[int, TaskRunRow]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for task_run in held:
        found[by_id[task_run].task].append(task_run)
    return {task: sorted(each, key=lambda run: (by_id[run].attempt, run)) for task, each in found.items()}


def _run_line(run: GraphRunRow, names: dict[int, str]) -> str:
    """A reason counts once the run has ended (reading 31)."""
    reason = f" ({run.reason})" if run.reason in _COMPARED and run.status != "RUNNING" else ""
    after = f" replaced by {names.get(run.replaced_by, '?')}" if run.replaced_by is not None else ""
    return f"{run.status}{reason}{after}"


def _task_line(row: TaskRunRow, name: str) -> str:
    words = [row.status]
    if row.status in ("SKIPPED", "FAILED") and row.reason in _COMPARED:
        words.append(f"({row.reason})")
    if row.external_id is not None:
        words.append(f"external_id {row.external_id}")
    if row.dispatched:
        words.append("dispatched")
    if row.status in ("DISPATCHED", "CANCELLED") and row.unsent:
        words.append("unsent")
    if row.resent:
        words.append(f"resent {row.resent}")
    if name:
        words.append(f"= {name}")
    return " ".join(words)


def _key(key: str | None) -> str:
    return "-" if key is None else key
