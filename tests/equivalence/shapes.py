"""What is drawn: worlds and steps of `steps`."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import strategies as st

from tests.equivalence.steps import (
    HOSTILE,
    Answer,
    Archive,
    Cancel,
    CancelTask,
    Deliver,
    Edit,
    Fill,
    Hostile,
    Insert,
    Launch,
    LaunchChain,
    LaunchTasks,
    Mark,
    Pause,
    Policy,
    Redefine,
    Repeat,
    Replay,
    Report,
    Rerun,
    Resume,
    Shape,
    Step,
    Update,
    Wait,
)
from tests.model.definitions import Service, Task

__all__ = ["AIRFLOW", "NIFI", "RUNNER", "STATEMENTS", "event_steps", "shapes", "steps_of"]

NIFI = Service("nifi", dispatchable=False)
RUNNER = Service("runner")
AIRFLOW = Service("airflow", echoes_ids=True)
_NAMES = "abcdefgh"
_KEYS: tuple[str | None, ...] = (None, None, None, "k", "k", "m")


@st.composite
def shapes(draw: st.DrawFn, *, rich: bool = False) -> Shape:
    """Up to 8 tasks, up to 3 graphs; a chain goes from an earlier letter to a later one and is of one graph.

    `rich`: with policies, attempts and time-outs.
    """
    names = _NAMES[: draw(st.integers(2, len(_NAMES)))]
    owners = st.sampled_from([f"g{number}" for number in range(draw(st.integers(1, 3)))])
    graphs: dict[str, tuple[tuple[str, str], ...]] = {}
    after = set()
    for number, name in enumerate(names[1:], start=1):
        most = draw(st.sampled_from((1, 1, 1, 2, 2, 0))) if graphs else 1
        befores = st.lists(st.sampled_from(names[:number]), max_size=most, min_size=min(most, 1), unique=True)
        for before in draw(befores):
            owner = draw(owners)
            graphs[owner] = (*graphs.get(owner, ()), (before, name))
            after.add(name)
    tasks = tuple(_task(draw, name, nobody_before=name not in after, rich=rich) for name in names)
    if not rich:
        return Shape(tasks, graphs)
    policies = {name: draw(st.sampled_from(("latest", "latest", "queue", "reject"))) for name in graphs}
    timeouts = {name: 5000 for name in graphs if draw(st.integers(0, 3)) == 0}
    return Shape(tasks, graphs, policies, timeouts)


def _task(draw: st.DrawFn, name: str, *, nobody_before: bool, rich: bool) -> Task:
    choices = [RUNNER, RUNNER, AIRFLOW]
    service = draw(st.sampled_from([NIFI, *choices] if nobody_before else choices))
    process = draw(st.sampled_from([name, name, name, "shared"]))
    if not rich:
        return Task(name, service, process)
    attempts = draw(st.sampled_from((1, 1, 2, 3)))
    timeout = draw(st.sampled_from((None, None, 700)))
    ack_timeout = draw(st.sampled_from((None, None, None, 200)))
    return Task(name, service, process, attempts, draw(st.sampled_from((60, 60, 1500))), timeout, ack_timeout)


def _mixed(parts: dict[st.SearchStrategy[Step], int]) -> st.SearchStrategy[Step]:
    """Each part as often as its number says; `one_of` would take the same strategy only once."""
    weighted = [part for part, weight in parts.items() for _ in range(weight)]
    return st.integers(0, len(weighted) - 1).flatmap(weighted.__getitem__)


_picks = st.integers(0, 11)
_many = st.integers(0, 47)
_keys = st.sampled_from(_KEYS)
_external_ids = st.sampled_from((None,) * 6 + ("x", "y"))
_event_ids = st.sampled_from((None,) * 9 + ("e",))
_statuses = st.sampled_from(
    ("SUCCESS",) * 20
    + ("FAILED", "FAILED", "SKIPPED", "SKIPPED", "RUNNING", "RUNNING", "RUNNING", "ACCEPTED")
)
_answer_statuses = st.sampled_from(
    ("SUCCESS",) * 16 + ("FAILED",) * 5 + ("SKIPPED", "RUNNING", "RUNNING", "RUNNING", "ACCEPTED")
)

_reports = st.builds(
    Report,
    task=_picks,
    root=st.sampled_from((True, True, True, False)),
    status=_statuses,
    key=_keys,
    external_id=_external_ids,
    event_id=_event_ids,
    named=st.booleans(),
)
_answers = st.builds(
    Answer,
    pick=_many,
    status=_answer_statuses,
    in_flight=st.sampled_from((True, True, True, False)),
    external_id=_external_ids,
    event_id=_event_ids,
    key=_keys,
    echo=st.booleans(),
    wrong=st.sampled_from((False,) * 11 + (True,)),
)
_hostile = st.builds(Hostile, kind=st.integers(0, len(HOSTILE) - 1), task=_picks)
_repeats = st.builds(Repeat, pick=_many)
event_steps = _mixed({_reports: 7, _answers: 10, _repeats: 1, _hostile: 1})
"""Steps that are events."""

_hand_statuses = st.sampled_from(
    ("SUCCESS", "SUCCESS", "FAILED", "SKIPPED", "CANCELLED", "RUNNING", "QUEUED")
)
_task_picks = st.lists(_picks, min_size=1, max_size=2).map(tuple)
STATEMENTS: dict[type, st.SearchStrategy[Step]] = {
    Launch: st.builds(Launch, graph=_picks, key=_keys),
    LaunchTasks: st.builds(LaunchTasks, graph=_picks, tasks=_task_picks, key=_keys),
    LaunchChain: st.builds(LaunchChain, chain=_picks, key=_keys),
    Rerun: st.builds(Rerun, graph_run=_many, tasks=st.one_of(st.just(()), _task_picks)),
    Mark: st.builds(
        Mark,
        pick=_many,
        status=st.sampled_from(("SUCCESS", "SUCCESS", "SUCCESS", "FAILED")),
        ended=st.booleans(),
    ),
    CancelTask: st.builds(CancelTask, pick=_many),
    Pause: st.builds(Pause, graph=_picks),
    Resume: st.builds(Resume, graph=_picks, skip=st.sampled_from((False, False, True))),
    Wait: st.builds(Wait, st.sampled_from((None, None, None, 61, 250, 1000, 4000))),
    Deliver: st.builds(Deliver),
    Replay: st.builds(Replay, pick=_picks),
    Archive: st.builds(Archive, graph=_picks),
    Policy: st.builds(Policy, graph=_picks, policy=st.sampled_from(("latest", "queue", "reject"))),
    Redefine: st.builds(
        Redefine,
        task=_picks,
        max_attempts=st.sampled_from((1, 2, 3)),
        timeout=st.sampled_from((None, 700, 300)),
        ack_timeout=st.sampled_from((None, 200, 100)),
    ),
    Insert: st.builds(Insert, task=_picks, status=_hand_statuses, key=_keys, external_id=_external_ids),
    Update: st.builds(Update, st.lists(st.tuples(_many, _hand_statuses), min_size=1, max_size=3).map(tuple)),
    Cancel: st.builds(Cancel, graph_run=_many),
    Fill: st.builds(Fill, graph_run=_many, task_run=_many),
    Edit: st.builds(Edit, graph=_picks, before=_picks, after=_picks),
}
"""One strategy each kind of step that is no event."""
_OFTEN = {Wait: 6, Deliver: 5, Resume: 3, Rerun: 3, Mark: 3, Update: 2}


def steps_of(kinds: Iterable[type]) -> st.SearchStrategy[Step]:
    """Events, and statements of some kinds."""
    others = {STATEMENTS[kind]: _OFTEN.get(kind, 1) for kind in STATEMENTS if kind in set(kinds)}
    return _mixed({_reports: 10, _answers: 20, _repeats: 2, _hostile: 1, **others})
