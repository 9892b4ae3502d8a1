"""The model's operations. Each is atomic: it is done whole, or nothing of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from tests.model import by_hand, reaper, statements
from tests.model.definitions import Catalog, RefusedError
from tests.model.ends import correct, effects, succeed_late
from tests.model.event import DeadLetterError, Event, decode, parse
from tests.model.matching import Match, address, match
from tests.model.placing import told_apart
from tests.model.state import ENDED, Cause, Origin, TaskRun, World

__all__ = ["DeadLetter", "Engine", "Outcome"]


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
class DeadLetter:
    """`value`: the event, where the bytes held one."""

    reason: str
    value: object = None
    at: float = 0
    replayed: bool = False


@dataclass
class Engine:
    """One installation. Tasks and graphs are defined in `catalog`."""

    world: World = field(default_factory=World)
    dead_letters: list[DeadLetter] = field(default_factory=list)

    @property
    def catalog(self) -> Catalog:
        return self.world.catalog

    # events

    def receive(self, raw: bytes) -> Outcome:
        """One message, exactly as from Kafka."""
        try:
            value = decode(raw)
        except DeadLetterError as dead:
            return self._bury(dead, None)
        return self.report(value)

    def report(self, value: object) -> Outcome:
        """One event as a JSON value."""
        try:
            return self._apply(parse(value))
        except DeadLetterError as dead:
            return self._bury(dead, value)

    def replay(self, number: int) -> Outcome:
        """The `number`-th dead letter (from 0) once more, under the present rules."""
        letter = self.dead_letters[number]
        if letter.replayed:
            raise RefusedError(f"dead letter {number} was replayed")
        try:
            outcome = self._apply(parse(letter.value), letter)
        except DeadLetterError as dead:
            raise RefusedError(f"dead letter {number}: {dead}") from dead
        letter.replayed = True
        return outcome

    def _bury(self, dead: DeadLetterError, value: object) -> Outcome:
        self.dead_letters.append(DeadLetter(dead.reason, value, self.world.now))
        return Outcome("dead", reason=dead.reason)

    def _apply(self, event: Event, letter: DeadLetter | None = None) -> Outcome:
        world = self.world
        if event.installation not in (None, world.installation):
            raise DeadLetterError("foreign", str(event.installation))
        service, process = address(world, event)
        seen = None if event.event_id is None else (service, process, event.event_id, event.status)
        first = None if seen is None else world.remembered(seen)
        if first is not None:
            return Outcome("duplicate", first.id)
        found = match(world, event, service, process)
        known = found.task_run
        if known is None:
            outcome = self._begin(event, found, letter)
        else:
            if (
                letter
                and event.status not in ENDED
                and (known.gone_on_since(letter.at) or event.status == known.status)
            ):
                raise RefusedError(f"task run {known.id} has gone on")
            outcome = self._go_on(event, known, found.by, replayed=letter is not None)
        if seen is not None and outcome.task_run is not None:
            world.seen[seen] = world.task_runs[outcome.task_run - 1], world.now
        return outcome

    def _begin(self, event: Event, found: Match, letter: DeadLetter | None) -> Outcome:
        """Rule 6: work the tool started by itself."""
        task, replayed = found.task.name, letter is not None
        if event.status == "ACCEPTED":
            raise DeadLetterError("unexpected", f"nothing of {task} is in flight")  # reading 15
        if letter is not None and event.status == "RUNNING" and event.external_id is None:
            done = [t for t in self.world.task_runs if (t.task, t.key) == (task, event.run_key)]
            if any((t.ended_at if t.ended and t.ended_at else t.made) >= letter.at for t in done):
                raise RefusedError(f"{task} has gone on")  # reading 78
        partial = (replayed and event.status in ENDED) or event.external_id is not None
        told_apart(self.world, task, event.run_key, event.status, partial=partial)
        born = statements.born(
            self.world, task, event.status, event.run_key, event.external_id, replayed=replayed
        )
        return Outcome("applied", born.id, found.by)

    def _go_on(self, event: Event, task_run: TaskRun, by: str, *, replayed: bool) -> Outcome:
        """An event of an execution that is known."""
        world, ends = self.world, event.status in ENDED
        if task_run.ended:
            return self._go_late(event, task_run, by)
        alone = task_run.origin is Origin.TOOL and not world.runs_of(task_run)
        if ends and alone:
            partial = (event.external_id or task_run.external_id) is not None or replayed
            told_apart(world, task_run.task, event.run_key, event.status, partial=partial)
            task_run.key = event.run_key  # reading 18
            task_run.replayed = replayed
        changes = event.status not in ("ACCEPTED", task_run.status)
        world.bind(task_run, event.external_id, news=event.status != task_run.status)
        task_run.acknowledged = True
        if not changes:
            return Outcome("recorded", task_run.id, by)
        task_run.status, task_run.due = event.status, None
        if ends:
            task_run.tool_ended = True
            task_run.cause = Cause.REPORTED
            effects(world, task_run)
        else:
            task_run.running = world.now
        return Outcome("applied", task_run.id, by)

    def _go_late(self, event: Event, task_run: TaskRun, by: str) -> Outcome:
        """An event of an ended execution: recorded, but for SUCCESS after a failure (SPEC 4.6)."""
        world = self.world
        world.bind(task_run, event.external_id, news=False)
        task_run.tool_ended = task_run.tool_ended or event.status in ENDED
        failed = task_run.status == "FAILED" and task_run.cause in (Cause.REPORTED, Cause.TIMEOUT)
        if (
            event.status == "SUCCESS"
            and failed
            and (succeed_late(world, task_run) or correct(world, task_run))
        ):
            return Outcome("applied", task_run.id, by)
        return Outcome("recorded", task_run.id, by, "late")

    # by hand

    def set_policy(self, graph: str, policy: str) -> None:
        """UPDATE graph SET repeat_policy: counts from the next event on."""
        self.catalog.graphs[graph].policy = policy

    def redefine(self, task: str, *, max_attempts: int, timeout: int | None, ack_timeout: int | None) -> None:
        """UPDATE task: attempts and time-outs."""
        self.catalog.tasks[task] = replace(
            self.catalog.tasks[task], max_attempts=max_attempts, timeout=timeout, ack_timeout=ack_timeout
        )

    def launch_graph(self, graph: str, run_key: str | None = None) -> int:
        """The graph run's id."""
        return by_hand.launch_graph(self.world, graph, run_key).id

    def launch_tasks(self, graph: str, tasks: Iterable[str], run_key: str | None = None) -> int:
        """The graph run's id."""
        return by_hand.launch_tasks(self.world, graph, tasks, run_key).id

    def launch_chain(self, chain: tuple[str, str], run_key: str | None = None) -> int:
        """The graph run's id."""
        return by_hand.launch_chain(self.world, chain, run_key).id

    def rerun(self, graph_run: int, from_tasks: Iterable[str] | None = None) -> int:
        """The new graph run's id."""
        return by_hand.rerun(self.world, graph_run, from_tasks).id

    def mark(self, task_run: int, status: str) -> int | None:
        """The graph run that took over, where the task run had ended."""
        run = by_hand.mark(self.world, task_run, status)
        return None if run is None else run.id

    def cancel_task_run(self, task_run: int) -> None:
        by_hand.cancel_task_run(self.world, task_run)

    def cancel_graph_run(self, graph_run: int) -> None:
        """Also UPDATE graph_run SET status = 'CANCELLED'."""
        by_hand.cancel_graph_run(self.world, graph_run)

    def pause(self, graph: str) -> None:
        by_hand.pause(self.world, graph)

    def resume(self, graph: str, *, skip: bool = False) -> None:
        by_hand.resume(self.world, graph, skip=skip)

    # time

    def wait(self, seconds: float) -> None:
        """Let time pass; nothing comes of it until somebody looks."""
        self.world.now += seconds

    def reap(self) -> None:
        reaper.reap(self.world)

    def deliver(self) -> None:
        """Every dispatch that waits reaches its topic."""
        for task_run in self.world.task_runs:
            if task_run.unsent:
                task_run.unsent, task_run.delivered = False, self.world.now
                if task_run.first_delivered is None:
                    task_run.first_delivered = self.world.now

    # plain SQL, SPEC 4.9

    def insert_task_run(
        self, task: str, status: str = "QUEUED", run_key: str | None = None, external_id: str | None = None
    ) -> int:
        """INSERT task_run; its id."""
        return statements.insert_task_run(self.world, task, status, run_key, external_id).id

    def update_task_runs(self, statuses: Mapping[int, str]) -> None:
        """UPDATE task_run SET status, one statement over several rows (id → status)."""
        statements.update_task_runs(self.world, statuses)

    def fill_place(self, graph_run: int, task_run: int) -> None:
        """INSERT graph_run_task_run: let a task run stand in an open run's empty place."""
        statements.fill_place(self.world, graph_run, task_run)
