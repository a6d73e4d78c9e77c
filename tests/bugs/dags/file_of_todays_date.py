"""Exports the day's orders to the file of today, as the shell knows it."""

import pendulum
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG("file_of_todays_date", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC")):
    BashOperator(task_id="export_orders", bash_command='echo "orders of {{ ds }}" > "$DATA_ROOT/$(date +%F).csv"')
