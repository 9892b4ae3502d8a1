"""Plays one script on the model and on the database, and tells the first difference in words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg

from tests.equivalence import shapes as draw
from tests.equivalence.database import Side, refusal, told_by
from tests.model.definitions import RefusedError
from tests.model.engine import Engine, Outcome
from tests.model.snapshot import Snapshot, difference, of_engine
from tests.model.state import World

__all__ = ["DifferenceError", "Player", "model_of"]


_T = TypeVar("_T")
_Acts = tuple[Callable[[], object], Callable[[], object]]


class DifferenceError(AssertionError):
    """Database and model do not agree."""


def model_of(shape: draw.Shape) -> Engine:
    """A model in which the shape is defined."""
    engine = Engine(World(installation="ours"))
    for task in shape.tasks:
        engine.catalog.add_task(task.name, task.service, task.process)
    for name, chains in shape.graphs.items():
        engine.catalog.add_graph(name, chains).policy = shape.policies.get(name, "latest")
    return engine


@dataclass(frozen=True)
class _Message:
    """An event in the model's ids, or bytes that are none."""

    value: dict[str, Any] | bytes

    def told(self, side: Side, ids: dict[int, int]) -> dict[str, Any] | bytes:
        """The same for the database, in its ids and names."""
        if isinstance(self.value, bytes):
            return self.value
        event = side.event(self.value)
        known = event.get("task_run_id")
        if type(known) is int and known in ids:
            event["task_run_id"] = ids[known]
        return event


class Player:
    """One script on both sides. `play` raises DifferenceError at the first step after which they differ."""

    def __init__(self, shape: draw.Shape, side: Side) -> None:
        self.shape = shape
        self.side = side
        self.model = model_of(shape)
        self.log: list[str] = []
        self._sent: list[_Message] = []
        self._dispatched: set[int] = set()
        self._now = self._compare()

    def play(self, steps: Iterable[draw.Step]) -> None:
        """One by one: events through `report`, statements as they are."""
        for step in steps:
            message = self._message(step)
            if message is not None:
                self._one(message)
            elif not isinstance(step, draw.Repeat | draw.Answer):
                self._statement(step)
            self._now = self._compare()

    def play_batches(self, steps: Sequence[draw.Step], sizes: Sequence[int]) -> None:
        """The same through `ingest`: as many events at once as the next of `sizes` says; a statement ends a batch."""
        batch: list[_Message] = []
        left = list(sizes)
        for step in steps:
            if isinstance(step, draw.Report | draw.Answer | draw.Repeat | draw.Hostile):
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
                self._now = self._compare()
        self._many(batch)

    # events

    def _one(self, message: _Message) -> None:
        told = message.told(self.side, self._ids())
        self.log.append(f"report {_words(told)}")
        if isinstance(told, bytes):
            return  # no jsonb: only `ingest` can be given it
        expected = self.model.report(message.value)
        try:
            found = self.side.report(told)
        except psycopg.Error as error:
            if expected.reason != "malformed":
                raise self._different(f"report raised {told_by(error)}, model {expected}") from error
            self.model.dead_letters.pop()  # jsonb cannot hold it: an argument that is bad
            return
        self._same_outcome(expected, found)

    def _same_outcome(self, expected: Outcome, found: int | None) -> None:
        model, database = of_engine(self.model), self.side.snapshot()
        ours = None if expected.task_run is None else model.task_runs[expected.task_run]
        theirs = None if found is None else database.task_runs.get(found, f"task run {found}")
        words = difference(model, database)
        if ours != theirs or words:
            raise self._different(f"{expected}: model answers {ours}, database {theirs}\n{words}")
        if found is not None and expected.matched_by is not None:
            matched_by = self.side.matched_by(found)
            if matched_by != expected.matched_by:
                raise self._different(
                    f"{ours}: matched_by model {expected.matched_by}, database {matched_by}"
                )

    def _many(self, batch: Sequence[_Message]) -> None:
        if not batch:
            return
        ids = self._ids()
        told = [message.told(self.side, ids) for message in batch]
        self.log.append("ingest\n    " + "\n    ".join(_words(each) for each in told))
        for message in batch:
            if isinstance(message.value, bytes):
                self.model.receive(message.value)
            else:
                self.model.report(message.value)
        try:
            sent = self.side.ingest([each if isinstance(each, bytes) else _bytes(each) for each in told])
        except psycopg.Error as error:
            raise self._different(f"ingest raised {told_by(error)}") from error
        self._now = self._compare()
        theirs = sorted(self._now[1].task_runs.get(each, f"task run {each}") for each in sent)
        ours = sorted(self._now[0].task_runs[each] for each in self._newly_dispatched())
        if ours != theirs:
            raise self._different(f"dispatches: model {ours}, database {theirs}")

    def _newly_dispatched(self) -> list[int]:
        found = {run.id for run in self.model.world.task_runs if run.dispatched}
        new = found - self._dispatched
        self._dispatched = found
        return sorted(new)

    def _message(self, step: draw.Step) -> _Message | None:
        """The event a step stands for, in the state before it; None where there is nothing to pick from."""
        message = self._made(step)
        if message is not None:
            self._sent.append(message)
        return message

    def _made(self, step: draw.Step) -> _Message | None:
        if isinstance(step, draw.Report):
            return _Message(self._reported(step))
        if isinstance(step, draw.Hostile):
            change = draw.HOSTILE[step.kind]
            if isinstance(change, bytes):
                return _Message(change)
            return _Message({**self._reported(draw.Report(step.task)), **change})
        if isinstance(step, draw.Repeat):
            return self._sent[step.pick % len(self._sent)] if self._sent else None
        if isinstance(step, draw.Answer):
            return self._answered(step)
        return None

    def _reported(self, step: draw.Report) -> dict[str, Any]:
        task = _pick(self.shape.roots if step.root else self.shape.tasks, step.task)
        fields = {
            "service": task.service.name,
            "process": task.process,
            "task": task.name if step.named else None,
            "run_key": step.key,
            "external_id": step.external_id,
            "event_id": step.event_id,
        }
        return {"status": step.status, **_given(fields)}

    def _answered(self, step: draw.Answer) -> _Message | None:
        runs = [
            run
            for run in self.model.world.task_runs
            if run.id in self._now[0].task_runs and run.dispatched and (run.in_flight or not step.in_flight)
        ]
        if not runs:
            return None
        run = runs[step.pick % len(runs)]
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

    def _statement(self, step: draw.Step) -> None:
        """Both sides do it, or both refuse it."""
        ours, theirs = self._acts(step)
        self.log.append(f"{step}")
        refused = raised = None
        try:
            ours()
        except RefusedError as error:
            refused = str(error)
        try:
            theirs()
        except psycopg.Error as error:
            raised = told_by(error)
            if refusal(error) is None:
                raise self._different(f"{step}: an error that is no refusal: {raised}") from error
        if (refused is None) != (raised is None):
            raise self._different(f"{step}: model {refused or 'does it'}, database {raised or 'does it'}")
        self._dispatched |= {run.id for run in self.model.world.task_runs if run.dispatched}

    def _acts(self, step: draw.Step) -> _Acts:
        model, side, world = self.model, self.side, self.model.world
        ids = self._ids()
        runs = {ours: theirs for theirs, ours in _inverse(self._now[0], self._now[1], "graph_runs").items()}
        match step:
            case draw.Launch():
                graph = _pick(list(self.shape.graphs), step.graph)
                return lambda: model.launch_graph(graph, step.key), lambda: side.launch(graph, step.key)
            case draw.Insert():
                task = _pick(self.shape.tasks, step.task).name
                values = (task, step.status, step.key, step.external_id)
                return lambda: model.insert_task_run(*values), lambda: side.insert(*values)
            case draw.Edit():
                return self._edit(step)
            case draw.Policy():
                graph = _pick(list(self.shape.graphs), step.graph)
                return lambda: model.set_policy(graph, step.policy), lambda: side.set_policy(
                    graph, step.policy
                )
            case draw.Update() if world.task_runs:
                statuses = {_pick(world.task_runs, pick).id: status for pick, status in step.changes}
                theirs = {ids[run]: status for run, status in statuses.items()}
                return lambda: model.update_task_runs(statuses), lambda: side.update(theirs)
            case draw.Cancel() if world.graph_runs:
                run = _pick(world.graph_runs, step.graph_run).id
                return lambda: model.cancel_graph_run(run), lambda: side.cancel(runs[run])
            case draw.Fill() if world.graph_runs and world.task_runs:
                run = _pick(world.graph_runs, step.graph_run).id
                filler = _pick(world.task_runs, step.task_run).id
                return lambda: model.fill_place(run, filler), lambda: side.fill(runs[run], ids[filler])
        return lambda: None, lambda: None

    def _edit(self, step: draw.Edit) -> _Acts:
        names = [task.name for task in self.shape.tasks]
        chain = (_pick(names, step.before), _pick(names, step.after))
        graphs = self.model.catalog.graphs
        owner = next((name for name, graph in graphs.items() if chain in graph.version.chains), None)
        if owner is not None:
            change: dict[str, Any] = {"name": owner, "remove": [chain]}
        else:
            change = {"name": _pick(list(graphs), step.graph), "add": [chain]}
        return lambda: self.model.catalog.edit(**change), lambda: self.side.edit(**change)

    # states

    def _compare(self) -> tuple[Snapshot, Snapshot]:
        model, database = of_engine(self.model), self.side.snapshot()
        words = difference(model, database)
        if words:
            raise self._different(words)
        return model, database

    def _ids(self) -> dict[int, int]:
        """The database's id of each task run of the model."""
        return {ours: theirs for theirs, ours in _inverse(*self._now, "task_runs").items()}

    def _different(self, words: str) -> DifferenceError:
        graphs = "\n".join(
            f"  {name} ({self.shape.policies.get(name)}): {' '.join(f'{a}->{b}' for a, b in chains)}"
            for name, chains in self.shape.graphs.items()
        )
        tasks = ", ".join(f"{task.name} ({task.service.name} {task.process})" for task in self.shape.tasks)
        script = "\n".join(f"  {line}" for line in self.log)
        return DifferenceError(
            f"{words}\nafter\n{script}\nin\n{graphs}\n  {tasks}\n  names {self.side.prefix}"
        )


def _inverse(model: Snapshot, database: Snapshot, what: str) -> dict[int, int]:
    """The model's id of each id of the database."""
    ours: dict[int, str] = getattr(model, what)
    theirs: dict[int, str] = getattr(database, what)
    by_name = {name: number for number, name in ours.items()}
    return {number: by_name[name] for number, name in theirs.items()}


def _pick(items: Sequence[_T], number: int) -> _T:
    return items[number % len(items)]


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _bytes(event: dict[str, Any]) -> bytes:
    return json.dumps(event).encode()


def _words(message: dict[str, Any] | bytes) -> str:
    text = repr(message) if isinstance(message, bytes) else json.dumps(message)
    return text if len(text) < 400 else text[:400] + "…"
