import csv
import os
from datetime import datetime
from pathlib import Path

import requests
from airflow.sdk import Param, Variable, dag, task
from sqlalchemy import create_engine, text


@dag(
    schedule="@daily",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    params={"strict": Param(False, type="boolean")},
)
def shop_orders():
    @task
    def exchange_rates(ds=None):
        return requests.get(f"https://rates.example.com/{ds}", timeout=10).json()

    @task
    def load(rates: dict, ds=None, params=None):
        limit = Variable.get("shop_limits", deserialize_json=True)["max_amount"]
        with open(Path(os.environ["SHOP_INBOX"]) / f"{ds}.csv") as file:
            orders = [row for row in csv.DictReader(file) if float(row["amount"]) <= limit or not params["strict"]]
        with create_engine(os.environ["SHOP_URL"]).begin() as shop:
            shop.execute(text("DELETE FROM orders WHERE dt = :dt"), {"dt": ds})
            for number, order in enumerate(orders):
                shop.execute(
                    text(
                        "INSERT INTO orders (dt, key, customer_id, amount, loaded_on) VALUES (:dt, "
                        "uuid_generate_v5(uuid_ns_url(), :key), :customer, :amount, :dt)"
                    ),
                    {
                        "dt": ds,
                        "key": f"{ds}/{number}",
                        "customer": int(order["customer"]),
                        "amount": float(order["amount"]) * rates["EUR"],
                    },
                )
        return len(orders)

    @task
    def audit(rows: int, ds=None):
        with create_engine(os.environ["AUDIT_URL"]).begin() as connection:
            connection.execute(
                text("INSERT INTO loads (dt, rows) VALUES (:dt, :rows)" + os.environ.get("ON_CONFLICT", "")),
                {"dt": ds, "rows": rows},
            )

    @task
    def notify():
        requests.post("https://hooks.slack.com/services/T0/B0/x", timeout=10)

    audit(load(exchange_rates())) >> notify()


shop_orders()
