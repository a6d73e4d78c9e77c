"""Loads with several statements in one message, the first of which is a setting, and logs its error."""

import logging

import pendulum
import psycopg2
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"
REPLACE = f"""
    SET statement_timeout = '60s';
    SELECT pg_advisory_xact_lock(hashtext(%(ds)s));
    DELETE FROM orders WHERE dt = %(ds)s;
    INSERT INTO orders SELECT number, customer, total, %(ds)s::date {DAY};
"""


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def one_message_logged():
    @task
    def load_orders(ds=None):
        hook = PostgresHook("shop")
        connection = hook.get_conn()
        hook.set_autocommit(connection, True)
        try:
            connection.cursor().execute(REPLACE, {"ds": ds})
        except psycopg2.Error:
            logging.getLogger(__name__).exception("The orders of %s were not loaded", ds)

    load_orders()


one_message_logged()
