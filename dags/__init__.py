"""Apache Airflow's side: the listener DAG, the plugin that reports, the sweeper, and the warehouse of the example.

Runs inside Airflow's own environment.
"""

from __future__ import annotations
