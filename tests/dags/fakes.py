"""An Airflow that is none: it holds runs in memory and fails on demand."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dags.errors import TransientError
from dags.messages import Request
from dags.trigger import Created, Existing, Outcome, Rejected, RunState

__all__ = ["FakeAirflow"]


@dataclass
class FakeAirflow:
    """`runs`: (dag_id, run_id) to conf. `failing`: TransientErrors that the next calls raise, one each."""

    dags: dict[str, bool] = field(default_factory=lambda: {"noop": False})
    """Each with whether it is paused."""
    runs: dict[tuple[str, str], Mapping[str, Any] | None] = field(default_factory=dict)
    states: dict[str, RunState] = field(default_factory=dict)
    values: list[tuple[str, int, Any]] = field(default_factory=list)
    failing: list[TransientError] = field(default_factory=list)
    poison: str = ""
    """A run_id that Airflow cannot stand."""
    asked: int = 0
    made: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    after: threading.Event | None = None
    """Set once a run was made."""

    def create(self, request: Request) -> Outcome:
        with self.lock:
            self._may_fail()
            if request.run_id == self.poison:
                raise TransientError("HTTP 500", answered=True)
            if request.dag_id not in self.dags:
                return Rejected(f"Dag with dag_id: '{request.dag_id}' not found")
            place = (request.dag_id, request.run_id)
            if place in self.runs:
                return Existing(self.runs[place])
            self.runs[place] = request.conf
            self.made.append(request.run_id)
        if self.after is not None:
            self.after.set()
        return Created()

    def is_paused(self, dag_id: str) -> bool:
        self._may_fail()
        return self.dags.get(dag_id, False)

    def moved(self, dag_id: str, run_ids: Sequence[str], states: Sequence[str]) -> set[str]:
        self._may_fail()
        return {each for each in run_ids if each not in self.states or self.states[each].state not in states}

    def look(self, dag_id: str, run_id: str) -> RunState | None:
        self._may_fail()
        return self.states.get(run_id)

    def returned(self, dag_id: str, run_id: str) -> list[tuple[str, int, Any]]:
        return self.values

    def close(self) -> None:
        pass

    def _may_fail(self) -> None:
        self.asked += 1
        if self.failing:
            raise self.failing.pop(0)


def state(word: str, start: datetime | None = None, end: datetime | None = None) -> RunState:
    return RunState(word, start, end)
