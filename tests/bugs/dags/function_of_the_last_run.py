"""Replaces the day's orders, and lets a function count them: those of the run that came last."""

import pendulum
from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import dag

DAY = "FROM placed_orders WHERE placed_at >= date '{{ ds }}' AND placed_at < date '{{ ds }}' + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def function_of_the_last_run():
    SQLExecuteQueryOperator(
        task_id="load_orders",
        conn_id="shop",
        sql=[
            "SELECT pg_advisory_xact_lock(1)",
            "DELETE FROM orders WHERE dt = '{{ ds }}'",
            f"INSERT INTO orders SELECT number, customer, total, '{{{{ ds }}}}'::date {DAY}",
            "CREATE OR REPLACE FUNCTION count_day() RETURNS bigint LANGUAGE sql "
            "AS $$ SELECT count(*) FROM orders WHERE dt = '{{ ds }}' $$",
        ],
    )


function_of_the_last_run()
