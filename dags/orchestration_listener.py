"""The DAGs that consume dispatches from Kafka and make DAG runs of them. docs/airflow.md.

`orchestration_listener`, and `orchestration_listener_2` … where ORCHESTRATION_AIRFLOW_LISTENERS asks for several, which
share the topic's partitions.
"""

from __future__ import annotations

from datetime import datetime, timezone

from airflow.sdk import DAG

from orchestration.dags.operators import ListenOperator
from orchestration.dags.settings import DagSettings

settings = DagSettings.from_env()

for number in range(1, settings.listeners + 1):
    with DAG(
        dag_id="orchestration_listener" if number == 1 else f"orchestration_listener_{number}",
        description="Makes DAG runs of the orchestrator's dispatches; not to be paused",
        schedule="@continuous",
        start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=False,
        tags=["orchestration"],
        doc_md=__doc__,
    ):
        ListenOperator(
            task_id="listen",
            sweeps=number == 1,
            retries=0,
            pool=settings.pool,
            priority_weight=1000,
            weight_rule="absolute",
        )
