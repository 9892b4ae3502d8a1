"""Airflow over the channel from a task to its supervisor, which is how TriggerDagRunOperator asks.

The channel is not declared public: everything that knows it stands here.
The supervisor puts ids into paths as they are, and never answers a message it cannot read: only ids and conf that
`messages` passed may come here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .errors import TransientError
from .messages import conf_problem
from .trigger import Created, Existing, Outcome, Rejected, RunState

if TYPE_CHECKING:
    from .messages import Request

__all__ = ["SupervisorAirflow", "reason_of"]

_REFUSALS = (400, 404, 422)
_RETURNED = "return_value"
_AT_ONCE = 50


class SupervisorAirflow:
    """`Airflow` within a task."""

    def create(self, request: Request) -> Outcome:
        from airflow.sdk.execution_time.comms import TriggerDagRun

        assert conf_problem(request.config) is None
        answer = self._ask(
            TriggerDagRun(
                dag_id=request.dag_id,
                run_id=request.run_id,
                conf=request.conf,
                logical_date=None,
                reset_dag_run=False,
            )
        )
        if isinstance(answer, Rejected):
            return answer
        if _word(getattr(answer, "error", None)) == "DAGRUN_ALREADY_EXISTS":
            return self._existing(request)
        if getattr(answer, "ok", False):
            return Created()
        raise TransientError(f"Airflow's supervisor answers {type(answer).__name__}")

    def is_paused(self, dag_id: str) -> bool:
        from airflow.sdk.execution_time.comms import GetDag

        answer = self._ask(GetDag(dag_id=dag_id))
        return False if isinstance(answer, Rejected) else bool(answer.is_paused)

    def moved(self, dag_id: str, run_ids: Sequence[str], states: Sequence[str]) -> set[str]:
        found: set[str] = set()
        for begin in range(0, len(run_ids), _AT_ONCE):
            self._bisect(dag_id, list(run_ids[begin : begin + _AT_ONCE]), list(states), found)
        return found

    def look(self, dag_id: str, run_id: str) -> RunState | None:
        run = self._run(dag_id, run_id)
        return None if run is None else RunState(_word(run.state), run.start_date, run.end_date)

    def returned(self, dag_id: str, run_id: str) -> list[tuple[str, int, Any]]:
        from airflow.sdk.execution_time.comms import GetTaskBreadcrumbs, GetXComSequenceSlice

        answer = self._ask(GetTaskBreadcrumbs(dag_id=dag_id, run_id=run_id))
        if isinstance(answer, Rejected):
            return []
        places: dict[str, list[int]] = {}
        for each in answer.breadcrumbs:
            if each.get("state") == "success":
                places.setdefault(each["task_id"], []).append(each["map_index"])
        rows = []
        for task_id, indexes in places.items():
            values = self._ask(
                GetXComSequenceSlice(
                    key=_RETURNED,
                    dag_id=dag_id,
                    run_id=run_id,
                    task_id=task_id,
                    start=None,
                    stop=None,
                    step=None,
                )
            )
            if not isinstance(values, Rejected):
                mapped = max(indexes) >= 0
                rows += [(task_id, i if mapped else -1, value) for i, value in enumerate(values.root)]
        return rows

    def close(self) -> None:
        """The channel is the task's, not ours."""

    # -- helpers ----------------------------------------------------------------------------------------

    def _bisect(self, dag_id: str, run_ids: list[str], states: list[str], found: set[str]) -> None:
        from airflow.sdk.execution_time.comms import GetDRCount

        answer = self._ask(GetDRCount(dag_id=dag_id, run_ids=run_ids, states=states))
        count = 0 if isinstance(answer, Rejected) else int(answer.count)
        if count == len(run_ids):
            return
        if count == 0:
            found.update(run_ids)
            return
        middle = len(run_ids) // 2
        self._bisect(dag_id, run_ids[:middle], states, found)
        self._bisect(dag_id, run_ids[middle:], states, found)

    def _existing(self, request: Request) -> Outcome:
        run = self._run(request.dag_id, request.run_id)
        if run is None:
            raise TransientError(f"run {request.run_id} of DAG {request.dag_id} was there and is gone")
        return Existing(run.conf)

    def _run(self, dag_id: str, run_id: str) -> Any:
        from airflow.sdk.execution_time.comms import GetDagRun

        answer = self._ask(GetDagRun(dag_id=dag_id, run_id=run_id))
        return None if isinstance(answer, Rejected) else answer

    def _ask(self, message: Any) -> Any:
        """The supervisor's answer; Rejected for what it will never do. Raises TransientError."""
        from airflow.sdk.exceptions import AirflowRuntimeError
        from airflow.sdk.execution_time import task_runner

        try:
            return task_runner.SUPERVISOR_COMMS.send(message)
        except AirflowRuntimeError as error:
            detail: Mapping[str, Any] = error.error.detail or {}
            status = detail.get("status_code")
            reason = reason_of(detail)
            if status in _REFUSALS:
                return Rejected(reason)
            answered = isinstance(status, int) and status >= 500
            raise TransientError(f"Airflow's api-server: {reason}", answered=answered) from error


def reason_of(detail: Mapping[str, Any]) -> str:
    """The most telling words of an error of the execution API, however deep they lie."""
    found: object = detail
    while isinstance(found, Mapping):
        found = found.get("detail") or found.get("message") or found.get("reason") or str(dict(found))
    if isinstance(found, list):
        found = "; ".join(
            str(each.get("msg", each)) if isinstance(each, Mapping) else str(each) for each in found
        )
    return str(found)


def _word(value: object) -> str:
    """The value of an enum, or the text itself."""
    return str(getattr(value, "value", value))
