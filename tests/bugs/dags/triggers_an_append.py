"""Triggers the DAG that loads the day, which does so as often as it is triggered."""

import pendulum
from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG

DAY = "FROM placed_orders WHERE placed_at >= '{{ params.day }}'::date AND placed_at < '{{ params.day }}'::date + 1"

with DAG("triggers_an_append", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC")):
    TriggerDagRunOperator(task_id="load_orders", trigger_dag_id="triggered_append", conf={"day": "{{ ds }}"})

with DAG("triggered_append", schedule=None, params={"day": ""}):
    SQLExecuteQueryOperator(
        task_id="append",
        conn_id="shop",
        sql=f"INSERT INTO orders SELECT number, customer, total, '{{{{ params.day }}}}'::date {DAY}",
    )
