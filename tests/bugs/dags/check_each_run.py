"""Replaces the day's orders, and adds a constraint: each run leaves one more of them."""

import pendulum
from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import dag

DAY = "FROM placed_orders WHERE placed_at >= date '{{ ds }}' AND placed_at < date '{{ ds }}' + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def check_each_run():
    SQLExecuteQueryOperator(
        task_id="load_orders",
        conn_id="shop",
        sql=[
            "SELECT pg_advisory_xact_lock(1)",
            "DELETE FROM orders WHERE dt = '{{ ds }}'",
            f"INSERT INTO orders SELECT number, customer, total, '{{{{ ds }}}}'::date {DAY}",
            "ALTER TABLE orders ADD CHECK (total >= 0)",
        ],
    )


check_each_run()
