"""Replaces the day's orders in a copy of the table with an index and a key, and swaps the two by their names."""

import pendulum
from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import dag

DAY = "FROM placed_orders WHERE placed_at >= date '{{ ds }}' AND placed_at < date '{{ ds }}' + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def swap_with_an_index():
    SQLExecuteQueryOperator(
        task_id="load_orders",
        conn_id="shop",
        sql=[
            "SELECT pg_advisory_xact_lock(1)",
            "CREATE TABLE fresh (number int PRIMARY KEY, customer text, total numeric(10, 2), dt date)",
            "CREATE INDEX ON fresh (dt)",
            "INSERT INTO fresh SELECT * FROM keyed_orders WHERE dt <> '{{ ds }}'",
            f"INSERT INTO fresh SELECT number, customer, total, '{{{{ ds }}}}'::date {DAY}",
            "DROP TABLE keyed_orders",
            "ALTER TABLE fresh RENAME TO keyed_orders",
        ],
    )


swap_with_an_index()
