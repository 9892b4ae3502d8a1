"""What a script is made of: a small world of tasks and graphs that meet, and steps over it.

A step names what it needs loosely (a number that picks among what there is when its turn comes), so that any
script can be played in any world, and a failing one can be made smaller.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.model.definitions import Task, Version

__all__ = [
    "HOSTILE",
    "Answer",
    "Archive",
    "Cancel",
    "CancelTask",
    "Deliver",
    "Edit",
    "Fill",
    "Hostile",
    "Insert",
    "Launch",
    "LaunchChain",
    "LaunchTasks",
    "Mark",
    "Pause",
    "Policy",
    "Redefine",
    "Repeat",
    "Replay",
    "Report",
    "Rerun",
    "Resume",
    "Shape",
    "Step",
    "Update",
    "Wait",
]

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
    """Tasks and, per graph, its chains; graphs whose policy or time-out is not the default."""

    tasks: tuple[Task, ...]
    graphs: dict[str, tuple[tuple[str, str], ...]]
    policies: dict[str, str] = field(default_factory=dict)
    timeouts: dict[str, int] = field(default_factory=dict)

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
class LaunchTasks:
    graph: int
    tasks: tuple[int, ...]
    key: str | None = None


@dataclass(frozen=True)
class LaunchChain:
    chain: int
    key: str | None = None


@dataclass(frozen=True)
class Rerun:
    """From tasks of the graph run, or of what failed (none)."""

    graph_run: int
    tasks: tuple[int, ...] = ()


@dataclass(frozen=True)
class Mark:
    """`ended`: picks among ended task runs that did not succeed, else among those in flight."""

    pick: int
    status: str = "SUCCESS"
    ended: bool = False


@dataclass(frozen=True)
class CancelTask:
    pick: int


@dataclass(frozen=True)
class Pause:
    graph: int


@dataclass(frozen=True)
class Resume:
    graph: int
    skip: bool = False


@dataclass(frozen=True)
class Archive:
    """Archive a graph, or bring it back."""

    graph: int


@dataclass(frozen=True)
class Policy:
    """Another repeat_policy."""

    graph: int
    policy: str


@dataclass(frozen=True)
class Redefine:
    """Other attempts and time-outs of a task: they count for what is dispatched from then on."""

    task: int
    max_attempts: int = 1
    timeout: int | None = None
    ack_timeout: int | None = None


@dataclass(frozen=True)
class Wait:
    """Time passes and the reaper looks; `seconds` None: up to what comes due next, and a little."""

    seconds: int | None = None


@dataclass(frozen=True)
class Deliver:
    """All dispatches that wait reach their topic."""


@dataclass(frozen=True)
class Replay:
    pick: int


Step = (
    Report
    | Answer
    | Repeat
    | Hostile
    | Launch
    | Insert
    | Update
    | Cancel
    | Fill
    | Edit
    | LaunchTasks
    | LaunchChain
    | Rerun
    | Mark
    | CancelTask
    | Pause
    | Resume
    | Archive
    | Policy
    | Redefine
    | Wait
    | Deliver
    | Replay
)
