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


@dataclass(frozen=True)
class Task:
    """A task's name is unique, so it stands for the task everywhere; `process` is the uid within the service."""

    name: str
    service: Service
    process: str


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
        start = frozenset(given)
        part = self.cut(start).tasks
        return frozenset(a for a, b in self.chains if b in part - start and a not in part)


@dataclass
class Graph:
    name: str
    version: Version
    archived: bool = False
    policy: str = "latest"


@dataclass
class Catalog:
    """All definitions, by name. Graphs keep the order in which they were made. `chains`: also those now in no graph."""

    tasks: dict[str, Task] = field(default_factory=dict)
    graphs: dict[str, Graph] = field(default_factory=dict)
    chains: set[tuple[str, str]] = field(default_factory=set)

    def add_task(self, name: str, service: Service, process: str | None = None) -> Task:
        if name in self.tasks:
            raise RefusedError(f"task {name!r} exists")
        task = self.tasks[name] = Task(name, service, name if process is None else process)
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
