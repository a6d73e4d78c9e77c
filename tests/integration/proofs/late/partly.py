"""A producer of two tasks, and two consumers: one waits for what is there first, one for what is there last."""

import os
from datetime import datetime
from pathlib import Path

from airflow.sdk import DAG, dag, task

START = datetime(2026, 1, 1)


def root():
    return Path(os.environ["DATA_ROOT"])


@dag(schedule="@daily", start_date=START, catchup=False)
def producer():
    @task
    def orders(ds=None):
        (root() / f"orders-{ds}.csv").write_text("1\n2\n")

    @task
    def customers(ds=None):
        (root() / f"customers-{ds}.csv").write_text("1 ada\n2 grace\n")

    orders() >> customers()


producer()

for dag_id, awaited in (("hasty", "orders"), ("patient", "customers")):
    with DAG(dag_id, schedule="@daily", start_date=START, catchup=False) as consumer:

        @task.sensor(poke_interval=60, timeout=7200, mode="reschedule")
        def wait(name, ds=None):
            return (root() / f"{name}-{ds}.csv").exists()

        @task
        def join(ds=None):
            names = root() / f"customers-{ds}.csv"
            known = dict(line.split() for line in names.read_text().splitlines()) if names.exists() else {}
            numbers = (root() / f"orders-{ds}.csv").read_text().split()
            (root() / f"joined-{ds}.txt").write_text("\n".join(known.get(number, "unknown") for number in numbers))

        wait(awaited) >> join()
    globals()[dag_id] = consumer
