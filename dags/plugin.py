"""The plugin that Airflow finds by the entry point `airflow.plugins`: it hears of every DAG run, in scheduler and api-server.

Imported by every Airflow process, so it imports little; `reporter.py` says what it may do.
"""

from __future__ import annotations

from typing import Any

from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin

from .reporter import DagRun, Reporter

__all__ = ["OrchestrationPlugin"]


class _SessionRows:
    """Reads over the session that the run belongs to. Never one of its own: that would break the scheduler's locks."""

    def returned(self, run: DagRun, most: int) -> tuple[list[tuple[str, int, Any]], int]:
        from airflow.models.xcom import XComModel
        from sqlalchemy import Text, cast, func, select
        from sqlalchemy.orm import object_session

        session = object_session(run)
        if session is None:
            return [], 0
        of_run = (
            XComModel.dag_id == run.dag_id,
            XComModel.run_id == run.run_id,
            XComModel.key == "return_value",
        )
        with session.no_autoflush:
            size = session.execute(
                select(func.coalesce(func.sum(func.length(cast(XComModel.value, Text))), 0)).where(*of_run)
            ).scalar_one()
            if size > most:
                return [], int(size)
            rows = session.execute(
                select(XComModel.task_id, XComModel.map_index, XComModel.value)
                .where(*of_run)
                .order_by(XComModel.task_id, XComModel.map_index)
            ).all()
        return [(task_id, map_index, value) for task_id, map_index, value in rows], int(size)

    def failed(self, run: DagRun) -> list[str]:
        from airflow.models.taskinstance import TaskInstance
        from sqlalchemy import select
        from sqlalchemy.orm import object_session

        session = object_session(run)
        if session is None:
            return []
        with session.no_autoflush:
            rows = session.execute(
                select(TaskInstance.task_id)
                .where(
                    TaskInstance.dag_id == run.dag_id,
                    TaskInstance.run_id == run.run_id,
                    TaskInstance.state == "failed",
                )
                .distinct()
                .order_by(TaskInstance.task_id)
                .limit(20)
            ).all()
        return [task_id for (task_id,) in rows]


class _Listener:
    """Airflow's hooks; argument names are Airflow's."""

    def __init__(self) -> None:
        self._reporter = Reporter(_SessionRows())

    @hookimpl  # type: ignore[untyped-decorator]
    def on_dag_run_running(self, dag_run: DagRun, msg: str) -> None:
        self._reporter.tell(dag_run, "RUNNING", msg)

    @hookimpl  # type: ignore[untyped-decorator]
    def on_dag_run_success(self, dag_run: DagRun, msg: str) -> None:
        self._reporter.tell(dag_run, "SUCCESS", msg)

    @hookimpl  # type: ignore[untyped-decorator]
    def on_dag_run_failed(self, dag_run: DagRun, msg: str) -> None:
        self._reporter.tell(dag_run, "FAILED", msg)


class OrchestrationPlugin(AirflowPlugin):  # type: ignore[misc]
    """Tells the orchestrator what becomes of DAG runs."""

    name = "orchestration"
    listeners = [_Listener()]  # noqa: RUF012 - Airflow's attribute
