"""Prove that rerunning an Airflow DAG yields identical rows."""

__version__ = "0.1.0"
