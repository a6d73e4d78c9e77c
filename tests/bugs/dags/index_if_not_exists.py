"""Replaces the day's orders, and adds an index unless it is there."""

import pendulum
from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import dag

DAY = "FROM placed_orders WHERE placed_at >= date '{{ ds }}' AND placed_at < date '{{ ds }}' + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def index_if_not_exists():
    SQLExecuteQueryOperator(
        task_id="load_orders",
        conn_id="shop",
        sql=[
            "SELECT pg_advisory_xact_lock(1)",
            "DELETE FROM orders WHERE dt = '{{ ds }}'",
            f"INSERT INTO orders SELECT number, customer, total, '{{{{ ds }}}}'::date {DAY}",
            "CREATE INDEX IF NOT EXISTS orders_by_day ON orders (dt)",
        ],
    )


index_if_not_exists()
