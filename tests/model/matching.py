"""Which execution does an event belong to? SPEC 4.1, rules 1 to 5. Nothing here changes anything."""

from __future__ import annotations

from dataclasses import dataclass

from tests.model.definitions import Task
from tests.model.event import DeadLetterError, Event
from tests.model.state import FLYING, TaskRun, World

__all__ = ["Match", "address", "match"]


@dataclass(frozen=True)
class Match:
    """`by`: task_run_id, external_id, in_flight, ended (rule 5), or started (rule 6, then without a task run)."""

    task: Task
    by: str
    task_run: TaskRun | None = None


def address(world: World, event: Event) -> tuple[str, str]:
    """Service and process of the event, once its names and its id are known to exist and to agree."""
    if event.task_run_id is not None:
        task_run = world.task_run(event.task_run_id)
        if task_run is None:
            raise DeadLetterError("unknown", f"task run {event.task_run_id}")
        task = world.catalog.tasks[task_run.task]
        _agree(event, task)
        return task.service.name, task.process
    assert event.service is not None
    assert event.process is not None
    if not world.catalog.named(event.service, event.process, event.task):
        raise DeadLetterError("unknown", f"{event.service} {event.process} {event.task or ''}".rstrip())
    return event.service, event.process


def match(world: World, event: Event, service: str, process: str) -> Match:
    """Rules 1–6, for an event that `address` let through. `ambiguous` where several fit."""
    if event.task_run_id is not None:
        task_run = world.task_run(event.task_run_id)
        assert task_run is not None
        return Match(world.catalog.tasks[task_run.task], "task_run_id", task_run)
    if event.external_id is not None:
        known = world.executions.get((service, process, event.external_id))
        if known is not None:
            return Match(world.catalog.tasks[known.task], "external_id", known)
    task = _task(world, event, service, process)
    if not task.service.echoes_ids:
        flying = _in_flight(world, event, task)
        if flying is not None:
            return Match(task, "in_flight", flying)
    late = _ended_by_us(world, event, task)
    if late is not None:
        return Match(task, "ended", late)
    return Match(task, "started")


def _agree(event: Event, task: Task) -> None:
    said = (event.service, event.process, event.task)
    for word, fact in zip(said, (task.service.name, task.process, task.name), strict=True):
        if word not in (None, fact):
            raise DeadLetterError("mismatch", f"{word} is not {fact}")


def _candidates(world: World, event: Event, task: str) -> list[TaskRun]:
    return [
        run for run in world.task_runs if run.task == task and run.in_flight and run.may_be(event.external_id)
    ]


def _task(world: World, event: Event, service: str, process: str) -> Task:
    """Rule 3."""
    named = world.catalog.named(service, process, event.task)
    if len(named) == 1:
        return named[0]
    flying = [task for task in named if _candidates(world, event, task.name)]
    if len(flying) == 1:
        return flying[0]
    roots = [task for task in named if world.is_root(task.name, event.run_key)]
    if len(roots) == 1:
        return roots[0]
    raise DeadLetterError("ambiguous", ", ".join(sorted(task.name for task in named)))


def _in_flight(world: World, event: Event, task: Task) -> TaskRun | None:
    """Rule 4 (readings 12, 13)."""
    candidates = _candidates(world, event, task.name)
    same_key = [run for run in candidates if run.key == event.run_key]
    if same_key:
        return min(same_key, key=lambda run: (run.status == FLYING[-1], run.id))
    if len(candidates) > 1:
        raise DeadLetterError("ambiguous", f"{task.name}: {', '.join(str(run.id) for run in candidates)}")
    return candidates[0] if candidates else None


def _ended_by_us(world: World, event: Event, task: Task) -> TaskRun | None:
    """Rule 5 (reading 14)."""
    for run in world.task_runs:
        if (run.task, run.key) != (task.name, event.run_key) or not run.may_be(event.external_id):
            continue
        if run.ended_by_us and not run.tool_ended:
            return run
    return None
