"""Make the shop's summaries anew each night, and reconcile them with the orders."""

from __future__ import annotations

import pendulum
from airflow.sdk import dag, task

from etl.settings import warehouse_pool
from wiring.mail import done_within, mail_failure
from wiring.places import database
from wiring.tasks import default_args, permanent_errors_fail


@dag(
    dag_id="refresh_aggregations",
    description="Makes the shop's summaries anew and reconciles them with the orders.",
    schedule="0 3 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Kolkata"),
    # Each run makes everything anew: one that was missed needs no run of its own.
    catchup=False,
    max_active_runs=1,
    deadline=done_within(hours=3),
    default_args=default_args(pool=warehouse_pool(), on_failure_callback=mail_failure),
    tags=["warehouse", "shop", "aggregates"],
    doc_md="""
    ### Summaries of the shop's orders

    Makes `customer_summary`, `product_summary`, `daily_sales` and `monthly_sales` anew from all of `orders`, each in
    one transaction, and then compares each of their rows with the orders, to the cent. Nothing depends on the date of
    the run: late, early, again or twice at once, the same orders give the same rows. The queries are in
    `etl/sql/refresh/`, one a table. With `TRANSFORM_ENGINE=spark`, Spark computes the same rows (`etl/spark/`).

    Connections: `postgres_default`, and `smtp_default` whose extra has `from_email`. The Airflow variable
    `alert_email` says who is told. The tables are in `etl/sql/shop.sql`.

    **When it fails.** An e-mail says so. A reader sees the old rows of a table or the new ones, never none or a mix.

    | what | then |
    |---|---|
    | there are no orders | the refreshes are tried again, further and further apart, and the old rows stay |
    | orders were late or corrected | the next run has them; clear this one to have them now |
    | a table or a column is missing | its refresh fails at once and says which; the others go on |
    | a summary and the orders differ | `verify_aggregations` fails at once, naming the table, the row and both values |
    | orders came in between | the same; clear the whole run |
    | the database is away, or its disk is full | what needs it is tried again |
    | the run is not done in three hours | an e-mail says so, where `DEADLINE_ALERTS` is on; the run goes on |
    | the mail server is away | the task fails as it would have, and its log says that no e-mail went out |
    """,
)
def refresh_aggregations() -> None:
    """Define the DAG."""

    @task
    def refresh(summary: str) -> None:
        """Replace all rows of a summary."""
        # Imported here: the scheduler parses this file again and again and needs none of it.
        from etl.aggregates import refresh
        from etl.spark.settings import transform_engine

        with permanent_errors_fail(), database() as connection:
            rows = refresh(summary, connection, transform_engine())
        print(f"{summary} has {rows:,} rows.")

    @task
    def verify_aggregations() -> None:
        """Reconcile the summaries with the orders."""
        from etl.aggregates import verify

        with permanent_errors_fail(), database() as connection:
            verify(connection)
        print("The summaries are those of the orders, to the cent.")

    summaries = ("customer_summary", "product_summary", "daily_sales", "monthly_sales")
    [refresh.override(task_id=f"refresh_{name}")(name) for name in summaries] >> verify_aggregations()


refresh_aggregations()
