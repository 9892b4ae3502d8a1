"""The model's operations. Each is atomic: it is done whole, or nothing of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.model.definitions import Catalog, RefusedError
from tests.model.event import DeadLetterError, Event, decode, parse
from tests.model.flow import fill, settle, skip, start
from tests.model.matching import Match, address, match
from tests.model.placing import cross, place, told_apart
from tests.model.state import ENDED, GraphRun, OpenedBy, Origin, TaskRun, World

__all__ = ["Engine", "Outcome"]

_MAY_BECOME = {
    "QUEUED": {"DISPATCHED", "RUNNING", *ENDED},
    "DISPATCHED": {"RUNNING", *ENDED},
    "RUNNING": set(ENDED),
}
_BORN = {"RUNNING", *ENDED}


@dataclass(frozen=True)
class Outcome:
    """What became of an event.

    `kind`: applied (a state changed), recorded (it belongs to `task_run` and changed none), duplicate (`task_run`
    is the first one's), dead. `reason`: of a dead letter, or `late` for an event of an ended execution.
    `matched_by`: task_run_id, external_id, in_flight, ended, started.
    """

    kind: str
    task_run: int | None = None
    matched_by: str | None = None
    reason: str | None = None


@dataclass
class Engine:
    """One installation. Tasks and graphs are defined in `catalog`."""

    world: World = field(default_factory=World)
    dead_letters: list[str] = field(default_factory=list)

    @property
    def catalog(self) -> Catalog:
        return self.world.catalog

    # events

    def receive(self, raw: bytes) -> Outcome:
        """One message, exactly as from Kafka."""
        try:
            value = decode(raw)
        except DeadLetterError as dead:
            return self._bury(dead)
        return self.report(value)

    def report(self, value: object) -> Outcome:
        """One event as a JSON value."""
        try:
            return self._apply(parse(value))
        except DeadLetterError as dead:
            return self._bury(dead)

    def _bury(self, dead: DeadLetterError) -> Outcome:
        self.dead_letters.append(dead.reason)
        return Outcome("dead", reason=dead.reason)

    def _apply(self, event: Event) -> Outcome:
        world = self.world
        if event.installation not in (None, world.installation):
            raise DeadLetterError("foreign", str(event.installation))
        service, process = address(world, event)
        seen = None if event.event_id is None else (service, process, event.event_id, event.status)
        if seen in world.seen:
            return Outcome("duplicate", world.seen[seen].id)
        found = match(world, event, service, process)
        known = found.task_run
        outcome = self._begin(event, found) if known is None else self._go_on(event, known, found.by)
        if seen is not None and outcome.task_run is not None:
            world.seen[seen] = world.task_runs[outcome.task_run - 1]
        return outcome

    def _begin(self, event: Event, found: Match) -> Outcome:
        """Rule 6: work the tool started by itself."""
        task = found.task.name
        if event.status == "ACCEPTED":
            raise DeadLetterError("unexpected", f"nothing of {task} is in flight")  # reading 15
        told_apart(
            self.world,
            task,
            event.run_key,
            event.status,
            has_external_id=event.external_id is not None,
        )
        task_run = self._born(task, event.status, event.run_key, event.external_id)
        return Outcome("applied", task_run.id, found.by)

    def _go_on(self, event: Event, task_run: TaskRun, by: str) -> Outcome:
        """An event of an execution that is known."""
        world, ends = self.world, event.status in ENDED
        if task_run.ended:
            world.bind(task_run, event.external_id)
            task_run.tool_ended = task_run.tool_ended or ends
            return Outcome("recorded", task_run.id, by, "late")
        alone = task_run.origin is Origin.TOOL and not world.runs_of(task_run)
        if ends and alone:
            has_external_id = (event.external_id or task_run.external_id) is not None
            told_apart(world, task_run.task, event.run_key, event.status, has_external_id=has_external_id)
            task_run.key = event.run_key  # reading 18
        world.bind(task_run, event.external_id)
        if event.status == "ACCEPTED" or event.status == task_run.status:
            return Outcome("recorded", task_run.id, by)
        task_run.status = event.status
        if ends:
            task_run.tool_ended = True
            self._effects(task_run)
        return Outcome("applied", task_run.id, by)

    def _born(self, task: str, status: str, key: str | None, external_id: str | None) -> TaskRun:
        """A task run a tool started, in the state it reported."""
        task_run = self.world.new_task_run(task, key, status, Origin.TOOL)
        self.world.bind(task_run, external_id)
        if task_run.ended:
            task_run.tool_ended = True
            self._effects(task_run)
        return task_run

    def _effects(self, task_run: TaskRun) -> None:
        """What follows from an end."""
        for run in self.world.runs_of(task_run):
            settle(self.world, run)
        if task_run.origin is Origin.TOOL:
            if task_run.status != "CANCELLED":
                place(self.world, task_run)
        elif task_run.status == "SUCCESS":
            cross(self.world, task_run)

    # by hand

    def set_policy(self, graph: str, policy: str) -> None:
        """UPDATE graph SET repeat_policy: counts from the next event on."""
        self.catalog.graphs[graph].policy = policy

    def launch_graph(self, graph: str, run_key: str | None = None) -> int:
        """SPEC 4.4, first line: dispatchable roots are dispatched, the others awaited. The graph run's id."""
        found = self.catalog.graphs.get(graph)
        if found is None or found.archived or not found.version.tasks:
            raise RefusedError(f"graph {graph!r} cannot be launched")
        run = self.world.new_graph_run(graph, run_key, found.version, OpenedBy.HAND)
        for root in sorted(found.version.roots):
            if self.catalog.tasks[root].service.dispatchable:
                start(self.world, run, root)
        return run.id

    # plain SQL, SPEC 4.9

    def insert_task_run(
        self, task: str, status: str = "QUEUED", run_key: str | None = None, external_id: str | None = None
    ) -> int:
        """INSERT task_run; its id."""
        found = self.catalog.tasks.get(task)
        if found is None:
            raise RefusedError(f"task {task!r} is not known")
        if status == "QUEUED":
            if not found.service.dispatchable:
                raise RefusedError(f"nothing can be sent to the service of {task!r}")
            task_run = self.world.new_task_run(task, run_key, "DISPATCHED", Origin.ALONE)
            task_run.dispatched = True
            self.world.bind(task_run, external_id)
            return task_run.id
        if status not in _BORN:
            raise RefusedError(f"a task run is not born {status}")
        known = (found.service.name, found.process, external_id) in self.world.executions
        has_external_id = external_id is not None and not known
        try:
            if status != "CANCELLED":
                told_apart(self.world, task, run_key, status, has_external_id=has_external_id)
        except DeadLetterError as dead:
            raise RefusedError(str(dead)) from dead
        return self._born(task, status, run_key, external_id).id

    def update_task_runs(self, statuses: Mapping[int, str]) -> None:
        """UPDATE task_run SET status, one statement over several rows (id → status)."""
        changes: list[tuple[bool, int, TaskRun, str]] = []
        for run_id, status in statuses.items():
            task_run = self.world.task_run(run_id)
            if task_run is None or status == task_run.status:
                continue
            if status not in _MAY_BECOME.get(task_run.status, set()):
                raise RefusedError(f"task run {run_id} cannot go from {task_run.status} to {status}")
            changes.append((status == "SUCCESS", run_id, task_run, status))
        for _, _, task_run, status in sorted(changes, key=lambda change: change[:2]):
            had_tool = task_run.status in ("DISPATCHED", "RUNNING")
            task_run.status = status
            if task_run.ended:
                task_run.ended_by_us = had_tool
                self._effects(task_run)

    def cancel_graph_run(self, run_id: int) -> None:
        """UPDATE graph_run SET status = 'CANCELLED'."""
        run = self._graph_run(run_id)
        if run.status == "CANCELLED":
            return
        if not run.open:
            raise RefusedError(f"graph run {run_id} has ended")
        run.status, run.reason = "CANCELLED", "cancelled"
        for task in run.empty():
            skip(self.world, run, task, "cancelled")
        for task in sorted(run.version.tasks):
            task_run = run.current(task)
            if task_run is None or task_run.ended:
                continue
            if not any(other.open for other in self.world.runs_of(task_run)):
                task_run.ended_by_us = task_run.status in ("DISPATCHED", "RUNNING")
                task_run.status, task_run.reason = "CANCELLED", "cancelled"

    def fill_place(self, graph_run_id: int, task_run_id: int) -> None:
        """INSERT graph_run_task_run: let a task run stand in an open run's empty place."""
        run, task_run = self._graph_run(graph_run_id), self.world.task_run(task_run_id)
        if task_run is None:
            raise RefusedError(f"task run {task_run_id} is not known")
        if not run.open or task_run.task not in run.version.tasks or run.current(task_run.task):
            raise RefusedError(f"graph run {graph_run_id} has no empty place for {task_run.task}")
        fill(run, task_run)
        settle(self.world, run)

    def _graph_run(self, run_id: int) -> GraphRun:
        if not 0 < run_id <= len(self.world.graph_runs):
            raise RefusedError(f"graph run {run_id} is not known")
        return self.world.graph_runs[run_id - 1]
