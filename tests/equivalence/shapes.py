"""What is drawn: small worlds of tasks and graphs that meet, and scripts of steps over them.

A step names what it needs loosely (a number that picks among what there is when its turn comes), so that any
script can be played in any world, and hypothesis can make a failing one smaller.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from tests.model.definitions import Service, Task, Version

__all__ = [
    "HOSTILE",
    "Answer",
    "Cancel",
    "Edit",
    "Fill",
    "Hostile",
    "Insert",
    "Launch",
    "Policy",
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
_KEYS: tuple[str | None, ...] = (None, None, None, "k", "k", "m")

_policies = st.sampled_from(("latest", "latest", "queue", "reject"))

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
    """Tasks and, per graph, its chains and its repeat_policy where that is not `latest`."""

    tasks: tuple[Task, ...]
    graphs: dict[str, tuple[tuple[str, str], ...]]
    policies: dict[str, str] = field(default_factory=dict)

    @property
    def roots(self) -> tuple[Task, ...]:
        versions = [Version.of(chains) for chains in self.graphs.values()]
        return tuple(task for task in self.tasks if any(task.name in version.roots for version in versions))


@dataclass(frozen=True)
class Report:
    """A tool reports without task_run_id. `named`: it says the task, not only service and process.

    `task` picks among the tasks, `root` only among those that are a root of a graph in the shape.
    """

    task: int
    root: bool = False
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


@dataclass(frozen=True)
class Policy:
    """Another repeat_policy for a graph."""

    graph: int
    policy: str


Step = Report | Answer | Repeat | Hostile | Launch | Insert | Update | Cancel | Fill | Edit | Policy


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    """Up to 8 tasks, up to 3 graphs; a chain goes from an earlier letter to a later one and is of one graph."""
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
    policies = {name: draw(_policies) for name in graphs}
    return Shape(
        tuple(_task(draw, name, nobody_before=name not in after) for name in names), graphs, policies
    )


def _task(draw: st.DrawFn, name: str, *, nobody_before: bool) -> Task:
    choices = [RUNNER, RUNNER, AIRFLOW]
    service = draw(st.sampled_from([NIFI, *choices] if nobody_before else choices))
    process = draw(st.sampled_from([name, name, name, "shared"]))
    return Task(name, service, process)


def _mixed(parts: dict[st.SearchStrategy[Step], int]) -> st.SearchStrategy[Step]:
    """Each part as often as its number says; `one_of` would take the same strategy only once."""
    weighted = [part for part, weight in parts.items() for _ in range(weight)]
    return st.integers(0, len(weighted) - 1).flatmap(weighted.__getitem__)


_picks = st.integers(0, 11)
_keys = st.sampled_from(_KEYS)
_external_ids = st.sampled_from((None,) * 6 + ("x", "y"))
_event_ids = st.sampled_from((None,) * 9 + ("e",))
_statuses = st.sampled_from(
    ("SUCCESS",) * 20
    + ("FAILED", "FAILED", "SKIPPED", "SKIPPED", "RUNNING", "RUNNING", "RUNNING", "ACCEPTED")
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
    pick=_picks,
    status=_statuses,
    in_flight=st.sampled_from((True, True, True, False)),
    external_id=_external_ids,
    event_id=_event_ids,
    key=_keys,
    echo=st.booleans(),
    wrong=st.sampled_from((False,) * 11 + (True,)),
)
_hostile = st.builds(Hostile, kind=st.integers(0, len(HOSTILE) - 1), task=_picks)
_repeats = st.builds(Repeat, pick=_picks)
event_steps = _mixed({_reports: 7, _answers: 10, _repeats: 1, _hostile: 1})
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
    st.builds(Policy, graph=_picks, policy=_policies),
)
steps = _mixed({_reports: 7, _answers: 10, _repeats: 1, _hostile: 1, _statements: 6})
"""Events and plain SQL."""


def scripts(of: st.SearchStrategy[Step]) -> st.SearchStrategy[list[Step]]:
    """Scripts of 30 steps or so; made of pieces, for hypothesis draws short lists and drops pieces quickly."""
    pieces = st.lists(st.lists(of, min_size=1, max_size=12), min_size=1, max_size=12)
    return pieces.map(lambda drawn: [step for piece in drawn for step in piece])
