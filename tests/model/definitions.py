"""Services, processes, tasks, chains, graphs; and versions, the immutable shapes that runs are pinned to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

__all__ = ["Catalog", "Graph", "RefusedError", "Service", "Task", "Version"]


class RefusedError(Exception):
    """A person asked for what the rules do not allow; nothing was changed."""


@dataclass(frozen=True)
class Service:
    """`dispatchable`: it has a dispatch topic; without one it only reports."""

    name: str
    dispatchable: bool = True
    echoes_ids: bool = False
    corrections: bool = True


@dataclass(frozen=True)
class Task:
    """A task's name is unique, so it stands for the task everywhere; `process` is the uid within the service.

    Times are in seconds.
    """

    name: str
    service: Service
    process: str
    max_attempts: int = 1
    retry_delay: int = 60
    timeout: int | None = None
    ack_timeout: int | None = None

    @property
    def patience(self) -> int | None:
        """How long a delivered dispatch may go unanswered before it is sent again."""
        return self.ack_timeout if self.ack_timeout is not None else 300 if self.service.echoes_ids else None


@dataclass(frozen=True)
class Version:
    """A shape: its tasks and the chains between them. Tasks without a chain are the given ones of a partial run."""

    tasks: frozenset[str]
    chains: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, chains: Iterable[tuple[str, str]]) -> Version:
        """The version whose tasks are the ends of its chains."""
        pairs = frozenset(chains)
        return cls(frozenset(task for pair in pairs for task in pair), pairs)

    @cached_property
    def roots(self) -> frozenset[str]:
        return self.tasks - {after for _, after in self.chains}

    def predecessors(self, task: str) -> frozenset[str]:
        return frozenset(before for before, after in self.chains if after == task)

    def downstream(self, tasks: Iterable[str]) -> frozenset[str]:
        """All that comes after any of `tasks`, without them (unless one comes after another)."""
        found: set[str] = set()
        left = list(tasks)
        while left:
            task = left.pop()
            for before, after in self.chains:
                if before == task and after not in found:
                    found.add(after)
                    left.append(after)
        return frozenset(found)

    def cut(self, given: Iterable[str]) -> Version:
        """The part that starts from `given`, which need nobody there: given tasks start unconditionally."""
        start = frozenset(given)
        tasks = start | self.downstream(start)
        return Version(tasks, frozenset((a, b) for a, b in self.chains if a in tasks and b in tasks - start))

    def outside(self, given: Iterable[str]) -> frozenset[str]:
        """Predecessors of later tasks of the cut that lie outside it."""
        return self.missing(self.cut(given))

    def around(self, chain: tuple[str, str], *, from_next: bool) -> Version:
        """The part that a chain by hand starts: previous, next, and what is downstream of next (SPEC 4.4)."""
        before, after = chain
        rest = {after} | self.downstream([after])
        if from_next:
            return self.cut([after])
        tasks = rest | {before}
        return Version(
            frozenset(tasks),
            frozenset((a, b) for a, b in self.chains if a in tasks and b in rest - {after}) | {chain},
        )

    def missing(self, part: Version) -> frozenset[str]:
        """Predecessors that lie outside a part, of its tasks that do not start it."""
        later = part.tasks - part.roots
        return frozenset(a for a, b in self.chains if b in later and a not in part.tasks)


@dataclass
class Graph:
    name: str
    version: Version
    archived: bool = False
    policy: str = "latest"
    timeout: int | None = 7 * 86_400
    pauses: list[list[float | None]] = field(default_factory=list)  # from, to; to None: paused now

    @property
    def paused(self) -> bool:
        return bool(self.pauses) and self.pauses[-1][1] is None

    def paused_between(self, start: float, end: float) -> float:
        """For how long of that time its clocks stood still."""
        spans = [(begun or 0, end if over is None else over) for begun, over in self.pauses]
        return sum(max(0, min(over, end) - max(begun, start)) for begun, over in spans)


@dataclass
class Catalog:
    """All definitions, by name. Graphs keep the order in which they were made. `chains`: also those now in no graph."""

    tasks: dict[str, Task] = field(default_factory=dict)
    graphs: dict[str, Graph] = field(default_factory=dict)
    chains: set[tuple[str, str]] = field(default_factory=set)

    def add_task(self, name: str, service: Service, process: str | None = None) -> Task:
        return self.put(Task(name, service, name if process is None else process))

    def put(self, task: Task) -> Task:
        """Define a task."""
        if task.name in self.tasks:
            raise RefusedError(f"task {task.name!r} exists")
        self.tasks[task.name] = task
        return task

    def add_graph(self, name: str, chains: Iterable[tuple[str, str]]) -> Graph:
        if name in self.graphs:
            raise RefusedError(f"graph {name!r} exists")
        version = self._checked(name, Version.of(chains))
        graph = self.graphs[name] = Graph(name, version)
        return graph

    def edit(
        self, name: str, add: Iterable[tuple[str, str]] = (), remove: Iterable[tuple[str, str]] = ()
    ) -> None:
        """One transaction's edit: the next runs of the graph are of the new version, runs on their way are not.

        A chain taken out of the graph stays, in no graph.
        """
        graph = self.graphs[name]
        version = Version.of((graph.version.chains - frozenset(remove)) | frozenset(add))
        graph.version = self._checked(name, version)

    def named(self, service: str, process: str, task: str | None) -> list[Task]:
        """The tasks an event's words may mean."""
        return [
            found
            for found in self.tasks.values()
            if (found.service.name, found.process) == (service, process) and task in (None, found.name)
        ]

    def rooted(self, task: str) -> list[Graph]:
        """The graphs whose current version has the task as a root."""
        return [graph for graph in self.graphs.values() if not graph.archived and task in graph.version.roots]

    def holding(self, task: str) -> list[Graph]:
        """The graphs whose current version has the task."""
        return [graph for graph in self.graphs.values() if not graph.archived and task in graph.version.tasks]

    def _checked(self, name: str, version: Version) -> Version:
        elsewhere = {
            chain: graph.name
            for graph in self.graphs.values()
            if graph.name != name
            for chain in graph.version.chains
        }
        for before, after in sorted(version.chains):
            for task in (before, after):
                if task not in self.tasks:
                    raise RefusedError(f"task {task!r} is not known")
            if not self.tasks[after].service.dispatchable:
                raise RefusedError(
                    f"chain {before} -> {after}: nothing can be sent to the service of {after}"
                )
            if (before, after) in elsewhere:
                raise RefusedError(f"chain {before} -> {after} belongs to graph {elsewhere[before, after]!r}")
        everything = Version.of(self.chains | version.chains)
        for task in sorted(version.tasks):
            if task in everything.downstream([task]):
                raise RefusedError(f"graph {name!r}: {task} would come after itself")
        self.chains |= version.chains
        return version
