"""Keeps one order of each customer: that with the smallest number."""

import pendulum
from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import dag

DAY = "FROM placed_orders WHERE placed_at >= date '{{ ds }}' AND placed_at < date '{{ ds }}' + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def first_by_number():
    SQLExecuteQueryOperator(
        task_id="load_orders",
        conn_id="shop",
        sql=[
            "SELECT pg_advisory_xact_lock(1)",
            "DELETE FROM visits WHERE dt = '{{ ds }}'",
            "INSERT INTO visits SELECT DISTINCT ON (customer) date '{{ ds }}', number, customer "
            f"{DAY} ORDER BY customer, number",
        ],
    )


first_by_number()
