from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import Asset, asset

RAW = Asset("raw_orders")
TOTAL = "SELECT %(day)s::date, sum(amount) FROM orders WHERE dt = %(day)s"


def days(events):
    return [event.extra["day"] for event in events[RAW]]


@asset(schedule=RAW)
def daily_revenue(context):
    for day in days(context["triggering_asset_events"]):
        PostgresHook("marts").run(
            f"INSERT INTO revenue {TOTAL} ON CONFLICT (dt) DO UPDATE SET total = excluded.total",
            parameters={"day": day},
        )


@asset(schedule=RAW)
def revenue_log(context):
    for day in days(context["triggering_asset_events"]):
        PostgresHook("marts").run(f"INSERT INTO revenue_log {TOTAL}", parameters={"day": day})
