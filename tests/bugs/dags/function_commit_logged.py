"""Loads by a function of the database, and logs an error of the COMMIT."""

import logging

import pendulum
import psycopg
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def function_commit_logged():
    @task
    def load_orders(ds=None):
        connection = PostgresHook("shop").get_conn()
        connection.cursor().execute("SELECT replace_orders(%s)", (ds,))
        try:
            connection.commit()
        except psycopg.Error:
            logging.getLogger(__name__).exception("The orders of %s were not loaded", ds)

    load_orders()


function_commit_logged()
