"""The only place that imports Airflow, and only inside the worker process."""
