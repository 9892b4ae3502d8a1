"""Is it alive, can it work, and the figures: outside the prefix, without a token."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import psycopg
from flask import Blueprint, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily

from orchestration.db.errors import DeployError

from .views import answer, database, reading

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

    from .database import Connection

__all__ = ["blueprint"]

_HEARTBEAT = 15.0  # seconds without a sign of any bridge, while the service is started
HELP = {
    "orchestration_up": "1 where the database answers.",
    "orchestration_service_started": "1 where the service shall work, 0 where it is stopped.",
    "orchestration_bridges": "Living bridges.",
    "orchestration_lag_messages": "Messages on etl_finished_tasks not yet applied.",
    "orchestration_horizon_age_seconds": "Age of the instant up to which all events were applied.",
    "orchestration_unsent_dispatches": "Dispatches no broker has confirmed.",
    "orchestration_oldest_unsent_age_seconds": "Age of the oldest of them.",
    "orchestration_task_runs_in_flight": "Task runs dispatched or running.",
    "orchestration_dead_letters_open": "Messages that could not be applied and were not replayed.",
    "orchestration_reaper_age_seconds": "Since the reaper last ran.",
    "orchestration_graph_last_success_timestamp_seconds": "When a run of the graph last ended SUCCESS.",
    "orchestration_graph_open_runs": "Open runs of a graph.",
    "orchestration_graph_awaiting_runs": "Open runs of a graph that await a root.",
}  # fmt: skip
_GRAPHS = """
select g.name as graph,
       (select extract(epoch from r.finished_at) from orchestration.graph_run r
        where r.graph_id = g.id and r.status = 'SUCCESS' order by r.id desc limit 1) as last_success,
       (select count(*) from orchestration.graph_run r where r.graph_id = g.id and r.status = 'RUNNING') as open_runs,
       (select count(distinct a.graph_run_id) from orchestration.awaited_root a where a.graph_id = g.id) as awaiting
from orchestration.graph g where not g.archived order by g.name limit 2000
"""

probes = Blueprint("probes", __name__)


def blueprint() -> Blueprint:
    """/healthz, /readyz, /metrics."""
    return probes


@probes.get("/healthz")
def healthz() -> Response:
    """The process answers."""
    return answer({"status": "ok"})


@probes.get("/readyz")
def readyz() -> Response:
    """Can requests be served, and do events flow? 503 with what is amiss."""
    checks: dict[str, str] = {}
    try:
        status = database().check()
        checks["database"] = status.problem or "ok"
        row = reading(_service)
        beat = row["beat_age"]
        if row["state"] == "stopped":
            checks["bridge"] = "ok"
            checks["service"] = "stopped"
        else:
            checks["bridge"] = (
                "ok"
                if beat is not None and beat < _HEARTBEAT
                else "no bridge lives: start orchestration bridge"
            )
            checks["service"] = "started"
            if row["horizon_note"] is not None:
                checks["horizon"] = row["horizon_note"]
    except DeployError as error:
        checks["database"] = str(error)
    except psycopg.Error:
        checks["database"] = "away"
    ready = checks.get("database") == "ok" and checks.get("bridge") == "ok" and "horizon" not in checks
    response = answer({"ready": ready, "checks": checks}, 200 if ready else 503)
    if not ready:
        response.headers["Retry-After"] = "5"
    return response


@probes.get("/metrics")
def metrics() -> Response:
    """Prometheus text."""
    registry = CollectorRegistry()
    registry.register(_Figures())
    return Response(generate_latest(registry), mimetype="text/plain; version=0.0.4")


def _service(connection: Connection) -> dict[str, Any]:
    row = connection.execute(
        "select s.*, "
        "extract(epoch from clock_timestamp() - s.horizon)::float8 as horizon_seconds, "
        "extract(epoch from clock_timestamp() - s.reaper_at)::float8 as reaper_seconds, "
        "extract(epoch from clock_timestamp() - s.oldest_unsent_at)::float8 as unsent_age, "
        "(select extract(epoch from clock_timestamp() - max(b.heartbeat_at))::float8 "
        "from orchestration.bridge_instance b where b.retired_at is null) as beat_age "
        "from orchestration.service_status() s"
    ).fetchone()
    assert row is not None
    return row


class _Figures:
    """Reads the figures when they are asked for."""

    def collect(self) -> Iterator[Metric]:
        try:
            row = reading(_service)
            graphs = reading(lambda connection: connection.execute(_GRAPHS).fetchall())
        except psycopg.Error:
            yield _gauge("orchestration_up", 0)
            return
        yield _gauge("orchestration_up", 1)
        yield _gauge("orchestration_service_started", row["state"] == "started")
        yield _gauge("orchestration_bridges", len(row["instances"]))
        yield _gauge("orchestration_lag_messages", row["lag"])
        yield _gauge("orchestration_horizon_age_seconds", row["horizon_seconds"])
        yield _gauge("orchestration_reaper_age_seconds", row["reaper_seconds"])
        yield _gauge("orchestration_unsent_dispatches", row["unsent"])
        yield _gauge("orchestration_oldest_unsent_age_seconds", row["unsent_age"] or 0)
        yield _gauge("orchestration_task_runs_in_flight", row["in_flight"])
        yield _gauge("orchestration_dead_letters_open", row["dead_letters"])
        for name, column in (
            ("orchestration_graph_last_success_timestamp_seconds", "last_success"),
            ("orchestration_graph_open_runs", "open_runs"),
            ("orchestration_graph_awaiting_runs", "awaiting"),
        ):
            family = GaugeMetricFamily(name, HELP[name], labels=["graph"])
            for graph in graphs:
                if graph[column] is not None:
                    family.add_metric([graph["graph"]], float(graph[column]))
            yield family


def _gauge(name: str, value: float | bool | None) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, HELP[name], value=float(value) if value is not None else float("nan"))
