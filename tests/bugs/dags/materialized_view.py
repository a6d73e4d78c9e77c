"""Replaces the day's orders, and then refreshes a view of all days."""

import pendulum
from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import dag

DAY = "FROM placed_orders WHERE placed_at >= date '{{ ds }}' AND placed_at < date '{{ ds }}' + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def materialized_view():
    load_orders = SQLExecuteQueryOperator(
        task_id="load_orders",
        conn_id="shop",
        sql=[
            "SELECT pg_advisory_xact_lock(hashtext('{{ ds }}'))",
            "DELETE FROM orders WHERE dt = '{{ ds }}'",
            f"INSERT INTO orders SELECT number, customer, total, '{{{{ ds }}}}'::date {DAY}",
        ],
    )
    load_orders >> SQLExecuteQueryOperator(
        task_id="refresh", conn_id="shop", sql="REFRESH MATERIALIZED VIEW customer_totals"
    )


materialized_view()
