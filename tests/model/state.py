"""Task runs and graph runs, and the questions the rules ask about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from tests.model.definitions import Catalog, Version

__all__ = ["ENDED", "FLYING", "Cause", "GraphRun", "OpenedBy", "Origin", "Part", "TaskRun", "World"]

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


class Cause(Enum):
    """Why a task run FAILED."""

    REPORTED = "reported"
    TIMEOUT = "timeout"
    HAND = "hand"
    CONFIG = "config"


@dataclass(eq=False, repr=False)
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
    cause: Cause | None = None  # of FAILED
    home: GraphRun | None = None  # the graph run that started it
    due: float | None = None  # QUEUED: a retry that waits for this instant
    later: TaskRun | None = None  # the next attempt
    unsent: bool = False  # its dispatch waits for its delivery
    delivered: float | None = None  # the last time
    first_delivered: float | None = None
    acknowledged: bool = False
    running: float | None = None  # since when its tool reports it RUNNING
    timeout: int | None = None
    patience: int | None = None  # how long its dispatch may go unanswered before it is sent again
    resent: int = 0
    made: float = 0
    ended_at: float = 0
    sent: float = 0
    replayed: bool = False  # born of a dead letter that was replayed

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    def gone_on_since(self, instant: float) -> bool:
        """Whether it has come to the state it is in after that, or has ended."""
        return self.ended or max(self.made, self.sent, self.running or 0) > instant

    @property
    def in_flight(self) -> bool:
        return self.status in FLYING

    def may_be(self, external_id: str | None) -> bool:
        """Whether it bears no other external_id (reading 12)."""
        return external_id is None or self.external_id in (None, external_id)


@dataclass(frozen=True)
class Part:
    """What a partial run starts from: given tasks, or one chain (then `given` holds the task that starts)."""

    given: frozenset[str]
    chain: tuple[str, str] | None = None

    def within(self, version: Version) -> Part:
        """What of it starts from tasks that the version has."""
        return Part(self.given & version.tasks, self.chain)

    def of(self, version: Version) -> Version:
        """This part of a version."""
        if self.chain is None:
            return version.cut(self.given)
        return version.around(self.chain, from_next=self.chain[1] in self.given)


@dataclass(eq=False, repr=False)
class GraphRun:
    """`places`: per task the task runs that stood for it here; the last one decides. No entry: an empty place."""

    id: int
    graph: str | None  # None: of one chain that is in no graph
    key: str | None
    version: Version
    opened_by: OpenedBy
    created: float = 0
    part: Part | None = None
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
    now: float = 0
    installation: str | None = None
    task_runs: list[TaskRun] = field(default_factory=list)
    graph_runs: list[GraphRun] = field(default_factory=list)
    executions: dict[tuple[str, str, str], TaskRun] = field(default_factory=dict)
    seen: dict[tuple[str, str, str, str], tuple[TaskRun, float]] = field(default_factory=dict)

    def task_run(self, run_id: int) -> TaskRun | None:
        return self.task_runs[run_id - 1] if 0 < run_id <= len(self.task_runs) else None

    def new_task_run(self, task: str, key: str | None, status: str, origin: Origin) -> TaskRun:
        made = TaskRun(len(self.task_runs) + 1, task, key, status, origin, made=self.now)
        self.task_runs.append(made)
        return made

    def new_graph_run(
        self,
        graph: str | None,
        key: str | None,
        version: Version,
        opened_by: OpenedBy,
        part: Part | None = None,
    ) -> GraphRun:
        made = GraphRun(len(self.graph_runs) + 1, graph, key, version, opened_by, self.now, part)
        self.graph_runs.append(made)
        return made

    def runs_of(self, task_run: TaskRun) -> list[GraphRun]:
        """Every graph run the task run stands in."""
        return [run for run in self.graph_runs if task_run in run.places.get(task_run.task, ())]

    def held(self, task_run: TaskRun) -> bool:
        """Whether a pause keeps it from being sent: that of the graph whose run started it."""
        home = task_run.home
        return home is not None and home.graph is not None and self.catalog.graphs[home.graph].paused

    def bind(self, task_run: TaskRun, external_id: str | None, *, news: bool) -> None:
        """Make the tool's id known for the execution; of both the first stays (reading 10). One that is known for
        another execution is shown only if it came with news.
        """
        if external_id is not None:
            task = self.catalog.tasks[task_run.task]
            bound = self.executions.setdefault((task.service.name, task.process, external_id), task_run)
            if bound is task_run or news:
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

    def remembered(self, event: tuple[str, str, str, str]) -> TaskRun | None:
        """What the same event was for, if that was in the last 14 days."""
        task_run, at = self.seen.get(event, (None, 0.0))
        return task_run if at > self.now - 14 * 86_400 else None

    def ever_succeeded(self, task: str) -> bool:
        return any(run.task == task and run.status == "SUCCESS" for run in self.task_runs)
