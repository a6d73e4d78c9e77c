"""Loads the day's orders into the partition of today, as PostgreSQL knows it."""

import pendulum
from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import DAG

with DAG("partition_of_current_date", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC")):
    SQLExecuteQueryOperator(
        task_id="load_orders",
        conn_id="shop",
        sql=[
            "DELETE FROM orders WHERE dt = CURRENT_DATE",
            """INSERT INTO orders SELECT number, customer, total, CURRENT_DATE FROM placed_orders
               WHERE placed_at >= '{{ ds }}'::date AND placed_at < '{{ ds }}'::date + 1""",
        ],
        autocommit=False,
    )
