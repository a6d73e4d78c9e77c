"""Replaces the day's orders, and lets a view show the last day that there is."""

import pendulum
from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import dag

DAY = "FROM placed_orders WHERE placed_at >= date '{{ ds }}' AND placed_at < date '{{ ds }}' + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def view_of_the_last_day():
    SQLExecuteQueryOperator(
        task_id="load_orders",
        conn_id="shop",
        sql=[
            "SELECT pg_advisory_xact_lock(1)",
            "DELETE FROM orders WHERE dt = '{{ ds }}'",
            f"INSERT INTO orders SELECT number, customer, total, '{{{{ ds }}}}'::date {DAY}",
            "CREATE OR REPLACE VIEW orders_of_the_day AS SELECT * FROM orders WHERE dt = (SELECT max(dt) FROM orders)",
        ],
    )


view_of_the_last_day()
