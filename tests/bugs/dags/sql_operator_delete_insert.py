"""Replaces the day's orders with an SQL operator, one run at a time for each day."""

import pendulum
from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import dag


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def sql_operator_delete_insert():
    SQLExecuteQueryOperator(
        task_id="load_orders",
        conn_id="shop",
        sql="""
        SELECT pg_advisory_xact_lock(hashtext('{{ ds }}'));
        DELETE FROM orders WHERE dt = '{{ ds }}';
        INSERT INTO orders SELECT number, customer, total, '{{ ds }}'
        FROM placed_orders WHERE placed_at >= '{{ ds }}'::date AND placed_at < '{{ ds }}'::date + 1;
        """,
        split_statements=True,
    )


sql_operator_delete_insert()
