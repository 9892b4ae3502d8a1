"""What Airflow is told: all by environment, so that no file of it can be stale."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

__all__ = ["DATABASE", "OWN_BUNDLE", "ROLE", "SHIPPED_BUNDLE", "airflow_environment", "keys"]

DATABASE = "airflow"
ROLE = "orchestration_airflow"
OWN_BUNDLE, SHIPPED_BUNDLE = "dags-folder", "orchestration"
_LOCAL_BUNDLE = "airflow.dag_processing.bundles.local.LocalDagBundle"
_LOOK = 5  # seconds between two looks for DAG files


def keys(had: Mapping[str, Any]) -> dict[str, Any]:
    """Secrets, kept where they are known: what is encrypted with them stays readable, tokens stay good."""
    return {
        "password": had.get("password") or secrets.token_urlsafe(18),
        "jwt_secret": had.get("jwt_secret") or secrets.token_urlsafe(48),
        "fernet_key": had.get("fernet_key") or base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "secret_key": had.get("secret_key") or secrets.token_urlsafe(32),
    }


def airflow_environment(
    home: Path, state: Mapping[str, Any], database: str, dags: Path, shipped: Path | None, dwh: str | None
) -> dict[str, str]:
    """Airflow's settings. `database`: the metadata database's DSN; `dwh`: that of the connection `dwh`."""
    port = state["port"]
    bundles = [_bundle(OWN_BUNDLE, dags)]
    if shipped is not None:
        bundles.append(_bundle(SHIPPED_BUNDLE, shipped))
    settings = {
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": "8",
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__DAGS_FOLDER": str(dags),
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",  # loopback only, DEV only
        "CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "CORE__FERNET_KEY": state["fernet_key"],
        "CORE__DEFAULT_TIMEZONE": "utc",
        "API__HOST": "127.0.0.1",
        "API__PORT": str(port),
        "API__BASE_URL": f"http://127.0.0.1:{port}",
        "API__WORKERS": "1",
        "API__SECRET_KEY": state["secret_key"],
        "API_AUTH__JWT_SECRET": state["jwt_secret"],
        "DATABASE__SQL_ALCHEMY_CONN": _scheme(database, "postgresql+psycopg2"),
        "DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(bundles),
        "DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": str(_LOOK),
        "DAG_PROCESSOR__REFRESH_INTERVAL": str(_LOOK),
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "60",
        "LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "WORKERS__EXECUTION_API_TIMEOUT": "30",  # a busy machine is no reason to fail
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
        "USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    environment = {f"AIRFLOW__{name}": value for name, value in settings.items()}
    if dwh:
        environment["AIRFLOW_CONN_DWH"] = _scheme(dwh, "postgres")
    return {**environment, "AIRFLOW_HOME": str(home), "AIRFLOW_URL": f"http://127.0.0.1:{port}"}


def _bundle(name: str, folder: Path) -> dict[str, Any]:
    return {
        "name": name,
        "classpath": _LOCAL_BUNDLE,
        "kwargs": {"path": str(folder), "refresh_interval": _LOOK},
    }


def _scheme(dsn: str, scheme: str) -> str:
    return urlunsplit(urlsplit(dsn)._replace(scheme=scheme))
