"""DAG `stg_to_ods`: moves one batch of sales from `stg` to `ods` of the warehouse, Airflow connection `dwh`.

Its run's conf says which: {"batch_id": "…", "business_date": "YYYY-MM-DD", "rows": 1000}; `rows`, which may be left out,
is how many there must be. The work is `sql/stg_to_ods.sql`, one transaction: a retry or another run changes nothing
more. What the task returns, and so the run's result under `move`, says what became of the rows that were read.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import DAG, Param
from airflow.sdk.exceptions import AirflowFailException

# conf is wrong, there is no such batch, or it is not what conf says: trying again would not help
FINAL = frozenset({"22023", "P0002", "23514"})


def counts(cursor: Any) -> Any:
    """The one object that the last statement answers; the first answers nothing."""
    return cursor.fetchone()[0] if cursor.description else None


class MoveBatch(SQLExecuteQueryOperator):  # type: ignore[misc]
    """Runs the SQL; fails at once where a retry would fail too."""

    def execute(self, context: Any) -> Any:
        try:
            return super().execute(context)
        except Exception as problem:
            if (getattr(problem, "sqlstate", None) or getattr(problem, "pgcode", None)) in FINAL:
                raise AirflowFailException(str(problem)) from problem
            raise


with DAG(
    dag_id="stg_to_ods",
    description="One batch of sales from stg to ods, rejects with their reasons",
    schedule=None,
    catchup=False,
    max_active_runs=8,
    template_searchpath=[str(Path(__file__).resolve().parent / "sql")],
    params={
        "batch_id": Param(None, type=["null", "string"], description="As in stg.sales.batch_id"),
        "business_date": Param(None, type=["null", "string"], description="YYYY-MM-DD"),
        "rows": Param(
            None, type=["null", "integer", "string"], description="How many there must be; may be left out"
        ),
    },
    tags=["orchestration"],
    doc_md=__doc__,
) as dag:
    MoveBatch(
        task_id="move",
        conn_id="dwh",
        sql="stg_to_ods.sql",
        parameters={"conf": "{{ (dag_run.conf or {}) | tojson }}"},
        split_statements=True,
        handler=counts,
        retries=2,
        retry_delay=timedelta(seconds=5),
    )
