"""Task runs and graph runs, and the questions the rules ask about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from tests.model.definitions import Catalog, Version

__all__ = ["ENDED", "FLYING", "GraphRun", "OpenedBy", "Origin", "TaskRun", "World"]

ENDED = frozenset({"SUCCESS", "FAILED", "SKIPPED", "CANCELLED"})
FLYING = ("DISPATCHED", "RUNNING", "QUEUED")  # in flight; QUEUED only behind the others


class Origin(Enum):
    """Who made a task run: a graph run (also a skip), the tool by itself, or a person for that task alone."""

    RUN = "run"
    TOOL = "tool"
    ALONE = "alone"


class OpenedBy(Enum):
    """What opened a graph run; policies compare only EVENT."""

    EVENT = "event"
    PARTIAL = "partial"
    HAND = "hand"


@dataclass
class TaskRun:
    id: int
    task: str
    key: str | None
    status: str
    origin: Origin
    attempt: int = 1
    reason: str | None = None
    external_id: str | None = None
    dispatched: bool = False
    ended_by_us: bool = False  # while a tool had it, or may have had it
    tool_ended: bool = False  # the tool reported an end

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def in_flight(self) -> bool:
        return self.status in FLYING

    def may_be(self, external_id: str | None) -> bool:
        """Whether it bears no other external_id (reading 12)."""
        return external_id is None or self.external_id in (None, external_id)


@dataclass
class GraphRun:
    """`places`: per task the task runs that stood for it here; the last one decides. No entry: an empty place."""

    id: int
    graph: str
    key: str | None
    version: Version
    opened_by: OpenedBy
    status: str = "RUNNING"
    reason: str | None = None
    places: dict[str, list[TaskRun]] = field(default_factory=dict)
    replaces: GraphRun | None = None
    replaced_by: GraphRun | None = None
    redone: frozenset[str] = frozenset()  # tasks done anew where it replaces another run

    @property
    def open(self) -> bool:
        return self.status == "RUNNING"

    def current(self, task: str) -> TaskRun | None:
        held = self.places.get(task)
        return held[-1] if held else None

    def empty(self) -> list[str]:
        return sorted(task for task in self.version.tasks if not self.places.get(task))

    def awaits(self, task: str) -> bool:
        return self.open and task in self.version.roots and self.current(task) is None

    def awaits_any(self) -> bool:
        return any(self.awaits(root) for root in self.version.roots)


@dataclass
class World:
    """Everything there is. Lists are in the order of ids, which is the order of time."""

    catalog: Catalog = field(default_factory=Catalog)
    installation: str | None = None
    task_runs: list[TaskRun] = field(default_factory=list)
    graph_runs: list[GraphRun] = field(default_factory=list)
    executions: dict[tuple[str, str, str], TaskRun] = field(default_factory=dict)
    seen: dict[tuple[str, str, str, str], TaskRun] = field(default_factory=dict)

    def task_run(self, run_id: int) -> TaskRun | None:
        return self.task_runs[run_id - 1] if 0 < run_id <= len(self.task_runs) else None

    def new_task_run(self, task: str, key: str | None, status: str, origin: Origin) -> TaskRun:
        made = TaskRun(len(self.task_runs) + 1, task, key, status, origin)
        self.task_runs.append(made)
        return made

    def new_graph_run(self, graph: str, key: str | None, version: Version, opened_by: OpenedBy) -> GraphRun:
        made = GraphRun(len(self.graph_runs) + 1, graph, key, version, opened_by)
        self.graph_runs.append(made)
        return made

    def runs_of(self, task_run: TaskRun) -> list[GraphRun]:
        """Every graph run the task run stands in."""
        return [run for run in self.graph_runs if task_run in run.places.get(task_run.task, ())]

    def bind(self, task_run: TaskRun, external_id: str | None) -> None:
        """Make the tool's id known for the execution; of both the first stays (reading 10)."""
        if external_id is not None:
            task = self.catalog.tasks[task_run.task]
            self.executions.setdefault((task.service.name, task.process, external_id), task_run)
            task_run.external_id = task_run.external_id or external_id

    def awaiting(self, graph: str, task: str, key: str | None) -> GraphRun | None:
        """The open run that gets this root: event-opened ones first, then those opened by hand, the oldest each."""
        found = [run for run in self.graph_runs if run.graph == graph and run.key == key and run.awaits(task)]
        return min(found, key=lambda run: (run.opened_by is not OpenedBy.EVENT, run.id), default=None)

    def is_root(self, task: str, key: str | None) -> bool:
        """A root of a current version, or awaited by an open run with that key (reading 20)."""
        return bool(self.catalog.rooted(task)) or any(
            run.key == key and run.awaits(task) for run in self.graph_runs
        )

    def ever_succeeded(self, task: str) -> bool:
        return any(run.task == task and run.status == "SUCCESS" for run in self.task_runs)
