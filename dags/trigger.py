"""How Airflow is asked: one interface, two ways.

`supervisor` (the default) sends what TriggerDagRunOperator sends, over the channel that every task has to its
supervisor: no credentials, but only within a task. `rest` is Airflow's public REST API (`rest.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .messages import Request
    from .settings import Settings

__all__ = ["Airflow", "Created", "Existing", "Outcome", "Rejected", "RunState", "connect"]


@dataclass(frozen=True)
class Created:
    """The DAG run was made."""


@dataclass(frozen=True)
class Existing:
    """There is a run of this id already, with this conf."""

    conf: Mapping[str, Any] | None = field(repr=False)


@dataclass(frozen=True)
class Rejected:
    """Airflow will never make this run: no such DAG, import errors, a conf that its params refuse."""

    reason: str


Outcome = Created | Existing | Rejected


@dataclass(frozen=True)
class RunState:
    """A DAG run as Airflow holds it. `state` is Airflow's word: queued, running, success, failed."""

    state: str
    start_date: datetime | None
    end_date: datetime | None


class Airflow(Protocol):
    """Every method raises TransientError where Airflow does not answer, or not as it should."""

    def create(self, request: Request) -> Outcome:
        """Make the DAG run."""

    def is_paused(self, dag_id: str) -> bool:
        """Whether runs of the DAG wait for somebody to unpause it. False where there is no such DAG."""

    def moved(self, dag_id: str, run_ids: Sequence[str], states: Sequence[str]) -> set[str]:
        """Those of `run_ids` that are in none of these states any more, or gone."""

    def look(self, dag_id: str, run_id: str) -> RunState | None:
        """The run; None: there is none."""

    def returned(self, dag_id: str, run_id: str) -> list[tuple[str, int, Any]]:
        """What its tasks returned: task_id, map_index, value."""

    def close(self) -> None:
        """Let go of connections."""


def connect(settings: Settings) -> Airflow:
    """The way that the settings choose."""
    if settings.trigger == "rest":
        from .rest import RestAirflow

        return RestAirflow(settings)
    from .supervisor import SupervisorAirflow

    return SupervisorAirflow()
