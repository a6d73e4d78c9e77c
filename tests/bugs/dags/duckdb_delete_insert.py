"""Replaces the day's orders in a DuckDB database, in one transaction."""

import os
from pathlib import Path

import duckdb
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def duckdb_delete_insert():
    @task
    def load_orders(ds=None):
        rows = PostgresHook("shop").get_records(f"SELECT number, customer, %(ds)s::date {DAY}", {"ds": ds})
        with duckdb.connect(str(Path(os.environ["DATA_ROOT"], "shop.duckdb"))) as shop:
            shop.execute("CREATE TABLE IF NOT EXISTS orders (number INTEGER, customer VARCHAR, dt DATE)")
            shop.begin()
            shop.execute("DELETE FROM orders WHERE dt = ?", [ds])
            shop.executemany("INSERT INTO orders VALUES (?, ?, ?)", rows)
            shop.commit()

    load_orders()


duckdb_delete_insert()
