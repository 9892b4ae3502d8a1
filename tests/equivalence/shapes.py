"""What is drawn: small worlds of tasks and graphs that meet, and scripts of steps over them.

A step names what it needs loosely (a number that picks among what there is when its turn comes), so that any
script can be played in any world, and hypothesis can make a failing one smaller.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from tests.model.definitions import Service, Task

__all__ = [
    "HOSTILE",
    "Answer",
    "Cancel",
    "Edit",
    "Fill",
    "Hostile",
    "Insert",
    "Launch",
    "Repeat",
    "Report",
    "Shape",
    "Step",
    "Update",
    "event_steps",
    "scripts",
    "shapes",
    "steps",
]

NIFI = Service("nifi", dispatchable=False)
RUNNER = Service("runner")
AIRFLOW = Service("airflow", echoes_ids=True)
_NAMES = "abcdefgh"
_KEYS: tuple[str | None, ...] = (None, None, "k", "m")

HOSTILE: tuple[Any, ...] = (
    b"",
    b"{",
    b"\xff\xfe\x00",
    b"null",
    b"[]",
    b"5",
    b'"SUCCESS"',
    b'{"status": "SUCCESS"}',
    b'{"status": "SUCCESS", "status": "nothing", "service": "a", "process": "b"}',
    {"status": None},
    {"status": "CANCELLED"},
    {"status": "success"},
    {"status": ["SUCCESS"]},
    {"v": 2},
    {"v": "1"},
    {"v": True},
    {"service": 5},
    {"service": "nobody"},
    {"service": None},
    {"process": []},
    {"process": "nowhere"},
    {"process": "a\n"},
    {"task": True},
    {"task": ""},
    {"task": "nobody"},
    {"task_run_id": "7"},
    {"task_run_id": 1.5},
    {"task_run_id": [7]},
    {"task_run_id": True},
    {"task_run_id": {"id": 7}},
    {"task_run_id": 0},
    {"task_run_id": -7},
    {"task_run_id": 2**62},
    {"task_run_id": 10**30},
    {"run_key": 20261122},
    {"run_key": "k" * 251},
    {"run_key": "a\tb"},
    {"external_id": {}},
    {"event_id": 5},
    {"detail": ["words"]},
    {"detail": "\u0000"},
    {"result": "words"},
    {"result": [1]},
    {"result": {"text": "x" * (256 * 1024)}},
    {"occurred_at": 5},
    {"installation": "00000000-0000-0000-0000-000000000000"},
    {"installation": 5},
)
"""Messages that must become dead letters: raw bytes, or changes to an event that is good otherwise."""


@dataclass(frozen=True)
class Shape:
    """Tasks and, per graph, its chains."""

    tasks: tuple[Task, ...]
    graphs: dict[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True)
class Report:
    """A tool reports without task_run_id. `named`: it says the task, not only service and process."""

    task: int
    status: str = "SUCCESS"
    key: str | None = None
    external_id: str | None = None
    event_id: str | None = None
    named: bool = True


@dataclass(frozen=True)
class Answer:
    """An event with the id of the `pick`-th task run that was dispatched: of those in flight, or of all."""

    pick: int
    status: str = "SUCCESS"
    in_flight: bool = True
    external_id: str | None = None
    event_id: str | None = None
    key: str | None = None
    echo: bool = False
    wrong: bool = False


@dataclass(frozen=True)
class Repeat:
    """The `pick`-th event of the script so far once more, to the byte."""

    pick: int


@dataclass(frozen=True)
class Hostile:
    kind: int
    task: int


@dataclass(frozen=True)
class Launch:
    graph: int
    key: str | None = None


@dataclass(frozen=True)
class Insert:
    task: int
    status: str = "QUEUED"
    key: str | None = None
    external_id: str | None = None


@dataclass(frozen=True)
class Update:
    """One UPDATE over some task runs: (pick among all, status)."""

    changes: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Cancel:
    graph_run: int


@dataclass(frozen=True)
class Fill:
    graph_run: int
    task_run: int


@dataclass(frozen=True)
class Edit:
    """Add the chain between two tasks to a graph, or take it out where some graph has it."""

    graph: int
    before: int
    after: int


Step = Report | Answer | Repeat | Hostile | Launch | Insert | Update | Cancel | Fill | Edit


@dataclass
class _Drawn:
    after: set[str] = field(default_factory=set)
    graphs: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    """Up to 8 tasks, up to 3 graphs; a chain goes from an earlier letter to a later one and is of one graph."""
    names = _NAMES[: draw(st.integers(2, len(_NAMES)))]
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    chains = draw(st.lists(st.sampled_from(pairs), min_size=1, max_size=len(names) + 3, unique=True))
    graphs = draw(st.integers(1, 3))
    drawn = _Drawn()
    for number, chain in enumerate(chains):
        graph = f"g{number % graphs if number < graphs else draw(st.integers(0, graphs - 1))}"
        drawn.graphs[graph] = (*drawn.graphs.get(graph, ()), chain)
        drawn.after.add(chain[1])
    tasks = tuple(_task(draw, name, nobody_before=name not in drawn.after) for name in names)
    return Shape(tasks, drawn.graphs)


def _task(draw: st.DrawFn, name: str, *, nobody_before: bool) -> Task:
    choices = [RUNNER, RUNNER, AIRFLOW]
    service = draw(st.sampled_from([NIFI, *choices] if nobody_before else choices))
    process = draw(st.sampled_from([name, name, name, "shared"]))
    return Task(name, service, process)


_picks = st.integers(0, 11)
_keys = st.sampled_from(_KEYS)
_external_ids = st.sampled_from((None, None, None, "x", "y"))
_event_ids = st.sampled_from((None, None, None, None, "e"))
_ends = st.sampled_from(("SUCCESS",) * 6 + ("FAILED", "SKIPPED"))
_statuses = st.one_of(_ends, _ends, st.sampled_from(("RUNNING", "ACCEPTED")))

_reports = st.builds(
    Report,
    task=_picks,
    status=_statuses,
    key=_keys,
    external_id=_external_ids,
    event_id=_event_ids,
    named=st.booleans(),
)
_answers = st.builds(
    Answer,
    pick=_picks,
    status=_statuses,
    in_flight=st.sampled_from((True, True, True, False)),
    external_id=_external_ids,
    event_id=_event_ids,
    key=_keys,
    echo=st.booleans(),
    wrong=st.sampled_from((False,) * 11 + (True,)),
)
event_steps = st.one_of(
    _reports,
    _answers,
    _answers,
    st.builds(Repeat, pick=_picks),
    st.builds(Hostile, kind=st.integers(0, len(HOSTILE) - 1), task=_picks),
)
"""Steps that are events."""

_hand_statuses = st.sampled_from(
    ("SUCCESS", "SUCCESS", "FAILED", "SKIPPED", "CANCELLED", "RUNNING", "QUEUED")
)
_statements = st.one_of(
    st.builds(Launch, graph=_picks, key=_keys),
    st.builds(Insert, task=_picks, status=_hand_statuses, key=_keys, external_id=_external_ids),
    st.builds(Update, st.lists(st.tuples(_picks, _hand_statuses), min_size=1, max_size=3).map(tuple)),
    st.builds(Cancel, graph_run=_picks),
    st.builds(Fill, graph_run=_picks, task_run=_picks),
    st.builds(Edit, graph=_picks, before=_picks, after=_picks),
)
steps = st.one_of(event_steps, event_steps, event_steps, _statements)
"""Events and plain SQL."""


def scripts(of: st.SearchStrategy[Step]) -> st.SearchStrategy[list[Step]]:
    """Scripts of 30 steps or so; made of pieces, for hypothesis draws short lists and drops pieces quickly."""
    pieces = st.lists(st.lists(of, min_size=1, max_size=12), min_size=1, max_size=12)
    return pieces.map(lambda drawn: [step for piece in drawn for step in piece])
