"""Loaded DAGs as plain data: what importing a DAG folder gave, for rules that know no Airflow."""
