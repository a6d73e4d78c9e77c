"""Loads with several statements in one message, the first of which is a setting, and logs its error."""

import logging

import pendulum
import psycopg
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

REPLACE = """
    SET statement_timeout = '60s';
    SELECT pg_advisory_xact_lock(hashtext('{ds}'));
    DELETE FROM orders WHERE dt = '{ds}';
    INSERT INTO orders SELECT number, customer, total, '{ds}'::date FROM placed_orders
    WHERE placed_at >= '{ds}'::date AND placed_at < '{ds}'::date + 1;
"""


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def one_message_logged():
    @task
    def load_orders(ds=None):
        hook = PostgresHook("shop")
        connection = hook.get_conn()
        hook.set_autocommit(connection, True)
        try:
            connection.cursor().execute(REPLACE.format(ds=ds))
        except psycopg.Error:
            logging.getLogger(__name__).exception("The orders of %s were not loaded", ds)

    load_orders()


one_message_logged()
