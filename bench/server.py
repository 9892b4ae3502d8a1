"""A server for benchmarks: fsync and synchronous_commit on, everything applied as in production."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stack.local import DEV_PASSWORD, TECH_USER
from stack.postgres import DATABASE, Cluster

SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "8GB", "max_locks_per_transaction": "256"}

__all__ = ["durable_database"]


@contextmanager
def durable_database() -> Iterator[tuple[str, str]]:
    """Start a cluster, create and apply the database, give (admin DSN, application DSN), drop it all."""
    with Cluster.throwaway(durable=True, settings=SETTINGS) as cluster:
        app_dsn = cluster.dsn(DATABASE, TECH_USER, DEV_PASSWORD)
        command = str(Path(sys.executable).with_name("orchestration"))
        environment = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("ORCHESTRATION_", "PG"))
            },
            "ORCHESTRATION_ADMIN_DSN": cluster.admin_dsn,
            "ORCHESTRATION_DSN": app_dsn,
            "ORCHESTRATION_ENV": "dev",
        }
        for words in (("db", "create"), ("db", "apply")):
            subprocess.run([command, *words], env=environment, check=True, capture_output=True)
        yield cluster.admin_dsn, app_dsn
