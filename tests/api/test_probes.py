"""Health, readiness and metrics: without a token, with the database away too."""

from __future__ import annotations

from flask.testing import FlaskClient

from orchestration.api import create_app
from orchestration.api.settings import Settings
from tests.support.databases import Database


def test_alive_and_not_ready_without_a_bridge(client: FlaskClient) -> None:
    assert client.get("/healthz").status_code == 200
    found = client.get("/readyz")
    assert found.status_code == 503
    assert "no bridge lives" in found.get_json()["checks"]["bridge"]


def test_ready_with_a_bridge_that_beats(client: FlaskClient, module_database: Database) -> None:
    with module_database.connect() as connection:
        connection.execute("select orchestration.register_bridge('here', 1, 'test')")
        found = client.get("/readyz").get_json()
        assert found["checks"]["bridge"] == "ok"
        assert "never read" in found["checks"]["horizon"], "a horizon that stands still is shown"
        connection.execute("select orchestration.stop_service()")
        assert client.get("/readyz").status_code == 200, "a stopped service has nothing to be ready for"
        connection.execute("select orchestration.start_service()")


def test_metrics_have_names_and_help(client: FlaskClient, module_database: Database) -> None:
    with module_database.connect() as connection:
        connection.execute("insert into orchestration.graph (name) values ('measured')")
        connection.execute("select orchestration.reap_stale_runs()")
    text = client.get("/metrics").get_data(as_text=True)
    for name in (
        "lag_messages",
        "horizon_age_seconds",
        "unsent_dispatches",
        "dead_letters_open",
        "reaper_age_seconds",
        "bridges",
    ):
        assert f"# HELP orchestration_{name} " in text
    assert "orchestration_up 1.0" in text
    assert 'orchestration_graph_open_runs{graph="measured"} 0.0' in text


def test_the_database_is_away() -> None:
    nowhere = {"ORCHESTRATION_DSN": "postgresql://nobody:secret@127.0.0.1:9/none", "ORCHESTRATION_ENV": "dev"}
    app = create_app(Settings.from_env({**nowhere, "ORCHESTRATION_API_POOL_TIMEOUT": "0.1"}))
    client = app.test_client()
    try:
        assert client.get("/healthz").status_code == 200
        ready = client.get("/readyz")
        assert (ready.status_code, ready.headers["Retry-After"]) == (503, "5")
        assert "orchestration_up 0.0" in client.get("/metrics").get_data(as_text=True)
        found = client.get("/api/v1/graphs", headers={"Authorization": "Bearer orc_x"})
        assert (found.status_code, found.headers["Retry-After"]) == (503, "1")
        assert b"secret" not in found.data + ready.data
    finally:
        app.extensions["orchestration"].close()
