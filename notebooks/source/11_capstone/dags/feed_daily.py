"""The partner: writes each day's orders to DATA_ROOT/feed/<date>.csv, the way partners do."""

import os
from pathlib import Path

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

QUERY = "SELECT number, customer, (total * 100)::int FROM placed_orders WHERE placed_at::date = %(ds)s::date ORDER BY 1"


def printed(cents):
    euros, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{euros:,}".replace(",", ".") + f",{rest:02}"


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def feed_daily():
    @task
    def write(ds=None):
        rows = PostgresHook("shop").get_records(QUERY, parameters={"ds": ds})
        lines = ["number;customer;total"]
        for number, customer, cents in rows:
            total = cents * 100 if number % 6 == 1 else -cents if number % 6 == 4 else cents
            lines.append(
                f"{number};{customer};{printed(total)}" if number % 2 else f" {number} ; {customer} ;{printed(total)} "
            )
        lines.insert(3, lines[1])  # sent twice
        lines.insert(5, "")
        if int(ds[-2:]) % 5 == 0:  # a poisoned day
            lines[4:4] = ["oops", f"{rows[0][0] + 1000};;12,00", f"{rows[0][0] + 2000};Ada;1o,50"]
        path = Path(os.environ["DATA_ROOT"], "feed", f"{ds}.csv")
        path.parent.mkdir(exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text("\n".join(lines) + "\n")
        part.replace(path)

    write()


feed_daily()
