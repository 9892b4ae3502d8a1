"""Apache Airflow for `make up WITH=airflow`: an environment, a database and processes of its own."""

from __future__ import annotations
