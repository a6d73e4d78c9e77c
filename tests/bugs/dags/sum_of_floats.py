"""Adds the day's totals up as floats, in SQL: the last digits depend on the order of the rows."""

import pendulum
from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import dag

DAY = "FROM placed_orders WHERE placed_at >= date '{{ ds }}' AND placed_at < date '{{ ds }}' + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def sum_of_floats():
    SQLExecuteQueryOperator(
        task_id="load_orders",
        conn_id="shop",
        sql=[
            "SELECT pg_advisory_xact_lock(1)",
            "DELETE FROM daily_totals WHERE dt = '{{ ds }}'",
            f"INSERT INTO daily_totals SELECT '{{{{ ds }}}}', sum(total::float8 * 1.077) {DAY}",
        ],
    )


sum_of_floats()
