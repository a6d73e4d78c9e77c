"""Triggers the DAG that loads the day, and waits for it; the load replaces the day's orders."""

import pendulum
from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG

DAY = "FROM placed_orders WHERE placed_at >= '{{ params.day }}'::date AND placed_at < '{{ params.day }}'::date + 1"

with DAG("triggers_a_load", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC")):
    TriggerDagRunOperator(
        task_id="load_orders",
        trigger_dag_id="triggered_load",
        conf={"day": "{{ ds }}"},
        logical_date="{{ logical_date }}",
        reset_dag_run=True,
        wait_for_completion=True,
    )

with DAG("triggered_load", schedule=None, params={"day": ""}):
    SQLExecuteQueryOperator(
        task_id="replace",
        conn_id="shop",
        sql=[
            "LOCK orders IN SHARE ROW EXCLUSIVE MODE",
            "DELETE FROM orders WHERE dt = '{{ params.day }}'",
            f"INSERT INTO orders SELECT number, customer, total, '{{{{ params.day }}}}'::date {DAY}",
        ],
        autocommit=False,
    )
