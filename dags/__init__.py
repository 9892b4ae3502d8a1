"""Apache Airflow's side: DAGs, the plugin that reports, and the warehouse of the example."""
