"""Replaces the day's sales, which get new ids; a view that is made once shows the one that had an id."""

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DAY = "FROM placed_orders WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1"


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def view_of_one_id():
    @task
    def load_orders(ds=None):
        PostgresHook("shop").run(
            [
                "SELECT pg_advisory_xact_lock(1)",
                "DELETE FROM sales WHERE dt = %(ds)s",
                f"INSERT INTO sales (number, customer, dt) SELECT number, customer, %(ds)s {DAY} ORDER BY number",
                """
                DO $$ BEGIN
                    IF to_regclass('top_sale') IS NULL THEN
                        EXECUTE 'CREATE VIEW top_sale AS SELECT * FROM sales WHERE id = '
                        || (SELECT id FROM sales ORDER BY number DESC LIMIT 1);
                    END IF;
                END $$
                """,
            ],
            parameters={"ds": ds},
        )

    load_orders()


view_of_one_id()
