"""Exports the day's orders to the file of that day, and writes down when: in the log."""

import pendulum
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG("shell_file_by_schedule", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC")):
    BashOperator(task_id="export_orders", bash_command='date; echo "orders of {{ ds }}" > "$DATA_ROOT/{{ ds }}.csv"')
