"""Plays one script on the model and on the database, and tells the first difference in words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from tests.equivalence import steps as make
from tests.equivalence.acts import acts, pick
from tests.equivalence.database import Side, refusal, told_by
from tests.model.definitions import RefusedError
from tests.model.engine import Engine, Outcome
from tests.model.snapshot import Snapshot, difference, of_engine
from tests.model.state import World

__all__ = ["DifferenceError", "Player", "model_of"]


_EVENTS = (make.Report, make.Answer, make.Repeat, make.Hostile)


class DifferenceError(AssertionError):
    """Database and model do not agree."""


def model_of(shape: make.Shape) -> Engine:
    """A model in which the shape is defined."""
    engine = Engine(World(installation="ours"))
    for task in shape.tasks:
        engine.catalog.put(task)
    for name, chains in shape.graphs.items():
        graph = engine.catalog.add_graph(name, chains)
        graph.policy = shape.policies.get(name, graph.policy)
        graph.timeout = shape.timeouts.get(name, graph.timeout)
    return engine


@dataclass(frozen=True)
class _Message:
    """An event in the model's ids, or bytes that are none."""

    value: dict[str, Any] | bytes

    def told(self, ids: dict[int, int]) -> dict[str, Any] | bytes:
        """The same for the database, in its ids."""
        if isinstance(self.value, bytes):
            return self.value
        known = self.value.get("task_run_id")
        return (
            {**self.value, "task_run_id": ids[known]} if type(known) is int and known in ids else self.value
        )


class Player:
    """One script on both sides. `play` raises DifferenceError at the first step after which they differ."""

    def __init__(self, shape: make.Shape, side: Side) -> None:
        self.shape = shape
        self.side = side
        self.model = model_of(shape)
        self.log: list[str] = []
        self.played = 0
        self._sent: list[_Message] = []
        self._dispatched: set[int] = set()
        self.now = self._compare()

    def play(self, steps: Iterable[make.Step]) -> None:
        """One by one: events through `report`, statements as they are."""
        for step in steps:
            self.played += 1
            self.model.wait(1)
            self.side.clock(self.model.world.now)
            message = self._message(step)
            if message is not None:
                self._one(message)
            elif not isinstance(step, _EVENTS):
                self._statement(step)
                self.now = self._compare()

    def play_batches(self, steps: Sequence[make.Step], sizes: Sequence[int]) -> None:
        """The same through `ingest`: as many events at once as the next of `sizes` says; a statement ends a batch."""
        batch: list[_Message] = []
        left = list(sizes)
        for step in steps:
            self.played += 1
            if isinstance(step, _EVENTS):
                message = self._message(step)
                if message is not None:
                    batch.append(message)
                if batch and len(batch) >= (left[0] if left else 1):
                    self._many(batch)
                    left, batch = left[1:], []
            else:
                self._many(batch)
                batch = []
                self._statement(step)
                self.now = self._compare()
        self._many(batch)

    # events

    def _one(self, message: _Message) -> None:
        told = message.told(self.ids())
        self.log.append(f"report {_words(told)}")
        if isinstance(told, bytes):
            return  # no jsonb: only `ingest` can be given it
        expected = self.model.report(message.value)
        try:
            found = self.side.report(told)
        except psycopg.Error as error:
            if expected.reason != "malformed":
                raise self.different(f"report raised {told_by(error)}, model {expected}") from error
            self.model.dead_letters.pop()  # jsonb cannot hold it: an argument that is bad
            return
        self.same_outcome(expected, found)

    def same_outcome(self, expected: Outcome, found: int | None) -> None:
        """The same answer, way of matching and state."""
        model, database = of_engine(self.model), self.side.snapshot()
        ours = None if expected.task_run is None else model.task_runs[expected.task_run]
        theirs = None if found is None else database.task_runs.get(found, f"task run {found}")
        words = difference(model, database)
        if ours != theirs or words:
            raise self.different(f"{expected}: model answers {ours}, database {theirs}\n{words}")
        if found is not None and expected.matched_by is not None:
            matched_by = self.side.matched_by(found)
            if matched_by != expected.matched_by:
                raise self.different(f"{ours}: matched_by model {expected.matched_by}, database {matched_by}")
        self.now = model, database

    def _many(self, batch: Sequence[_Message]) -> None:
        if not batch:
            return
        self.model.wait(1)
        self.side.clock(self.model.world.now)
        ids = self.ids()
        told = [message.told(ids) for message in batch]
        self.log.append("ingest\n    " + "\n    ".join(_words(each) for each in told))
        for message in batch:
            if isinstance(message.value, bytes):
                self.model.receive(message.value)
            else:
                self.model.report(message.value)
        try:
            sent = self.side.ingest([each if isinstance(each, bytes) else _bytes(each) for each in told])
        except psycopg.Error as error:
            raise self.different(f"ingest raised {told_by(error)}") from error
        self.now = self._compare()
        theirs = sorted(self.now[1].task_runs.get(each, f"task run {each}") for each in sent)
        ours = sorted(self.now[0].task_runs[each] for each in self._newly_dispatched())
        if ours != theirs:
            raise self.different(f"dispatches: model {ours}, database {theirs}")

    def _newly_dispatched(self) -> list[int]:
        found = {run.id for run in self.model.world.task_runs if run.dispatched}
        new = found - self._dispatched
        self._dispatched = found
        return sorted(new)

    def _message(self, step: make.Step) -> _Message | None:
        """The event a step stands for, in the state before it; None where there is nothing to pick from."""
        message = self._made(step)
        if message is not None:
            self._sent.append(message)
        return message

    def _made(self, step: make.Step) -> _Message | None:
        if isinstance(step, make.Report):
            return _Message(self._reported(step))
        if isinstance(step, make.Hostile):
            change = make.HOSTILE[step.kind]
            if isinstance(change, bytes):
                return _Message(change)
            return _Message({**self._reported(make.Report(step.task)), **change})
        if isinstance(step, make.Repeat):
            return pick(self._sent, step.pick) if self._sent else None
        if isinstance(step, make.Answer):
            return self._answered(step)
        return None

    def _reported(self, step: make.Report) -> dict[str, Any]:
        task = pick(self.shape.roots if step.root else self.shape.tasks, step.task)
        fields = {
            "service": task.service.name,
            "process": task.process,
            "task": task.name if step.named else None,
            "run_key": step.key,
            "external_id": step.external_id,
            "event_id": step.event_id,
        }
        return {"status": step.status, **_given(fields)}

    def _answered(self, step: make.Answer) -> _Message | None:
        runs = [
            run
            for run in self.model.world.task_runs
            if run.id in self.now[0].task_runs and run.dispatched and (run.in_flight or not step.in_flight)
        ]
        if not runs:
            return None
        run = pick(runs, step.pick)
        task = self.model.catalog.tasks[run.task]
        fields: dict[str, Any] = {
            "run_key": step.key,
            "external_id": step.external_id,
            "event_id": step.event_id,
        }
        if step.echo or step.wrong:
            fields.update(service=task.service.name, process=task.process, task=task.name)
        if step.wrong:
            fields["process"] = "elsewhere"
        return _Message({"status": step.status, "task_run_id": run.id, **_given(fields)})

    # statements

    def _statement(self, step: make.Step) -> None:
        """Both sides do it, or both refuse it."""
        ours, theirs = acts(self, step)
        self.log.append(f"{step}")
        refused = raised = None
        mine = yours = None
        try:
            mine = ours()
        except RefusedError as error:
            refused = str(error)
        try:
            yours = theirs()
        except psycopg.Error as error:
            raised = told_by(error)
            if refusal(error) is None:
                raise self.different(f"{step}: an error that is no refusal: {raised}") from error
        if (refused is None) != (raised is None):
            raise self.different(f"{step}: model {refused or 'does it'}, database {raised or 'does it'}")
        if mine != yours:
            raise self.different(f"{step}: model answers {mine}, database {yours}")
        self._dispatched |= {run.id for run in self.model.world.task_runs if run.dispatched}

    # states

    def _compare(self) -> tuple[Snapshot, Snapshot]:
        model, database = of_engine(self.model), self.side.snapshot()
        words = difference(model, database)
        if words:
            raise self.different(words)
        return model, database

    def ids(self) -> dict[int, int]:
        """The database's id of each task run of the model."""
        return {ours: theirs for theirs, ours in _inverse(*self.now, "task_runs").items()}

    def graph_run_ids(self) -> dict[int, int]:
        """The same of graph runs."""
        return {ours: theirs for theirs, ours in _inverse(*self.now, "graph_runs").items()}

    def different(self, words: str) -> DifferenceError:
        """The error that tells it, with the whole script."""
        graphs = "\n".join(
            f"  {name} ({self.shape.policies.get(name, 'latest')}): {' '.join(f'{a}->{b}' for a, b in chains)}"
            for name, chains in self.shape.graphs.items()
        )
        tasks = ", ".join(
            f"{task.name} ({task.service.name} {task.process} x{task.max_attempts} after {task.retry_delay}"
            f"{f' timeout {task.timeout}' if task.timeout else ''})"
            for task in self.shape.tasks
        )
        script = "\n".join(f"  {line}" for line in self.log)
        return DifferenceError(f"{words}\nafter\n{script}\nin\n{graphs}\n  {tasks}")


def _inverse(model: Snapshot, database: Snapshot, what: str) -> dict[int, int]:
    """The model's id of each id of the database."""
    ours: dict[int, str] = getattr(model, what)
    theirs: dict[int, str] = getattr(database, what)
    by_name = {name: number for number, name in ours.items()}
    return {number: by_name[name] for number, name in theirs.items()}


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _bytes(event: dict[str, Any]) -> bytes:
    return json.dumps(event).encode()


def _words(message: dict[str, Any] | bytes) -> str:
    text = repr(message) if isinstance(message, bytes) else json.dumps(message)
    return text if len(text) < 400 else text[:400] + "…"
