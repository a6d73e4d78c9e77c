"""How long the shop's DAGs take on the full shop (60,495 records), and how much of that is Airflow's.

    python benchmarks/bench_warehouse.py [--factor 1] [--repeat 3] [--url postgresql://…]

Each DAG runs under `dag.test()` in this process, once to warm up and then so often;
the best counts. "Ours" is the time spent inside the functions of `etl/`, connecting
to the database not included; the rest is Airflow's. The weekly pipeline takes in all of
the shop as one week, into empty tables each time; the logs are nine of 2,000 entries.
Ends with 1 if a DAG takes 15 seconds or more on the full shop.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import functools
import importlib
import io
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import psycopg

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / part) for part in ("", "src", "dags")]

import etl.aggregates  # noqa: E402 - the path is set just above
import etl.logs.land  # noqa: E402
import etl.logs.report  # noqa: E402
import etl.logs.stage  # noqa: E402
import etl.quality.run  # noqa: E402
import etl.quality.score  # noqa: E402
import etl.weekly.files  # noqa: E402
import etl.weekly.load  # noqa: E402
import etl.weekly.report  # noqa: E402
import etl.weekly.transform  # noqa: E402
from dagproof.postgres.servers import start_server  # noqa: E402
from etl.shop.load import as_csv, load_shop, raw_tables  # noqa: E402
from etl.shop.size import Shop, scaled  # noqa: E402

LIMIT = 15
LAST_DAY = datetime.datetime(2026, 6, 14, 2, tzinfo=datetime.timezone(datetime.timedelta(hours=5, minutes=30)))
WORK = {
    "daily_quality_check": [
        (etl.quality.run, "validate_schema"),
        (etl.quality.run, "run_checks"),
        (etl.quality.score, "store_score"),
    ],
    "refresh_aggregations": [(etl.aggregates, "refresh"), (etl.aggregates, "verify")],
    "weekly_full_pipeline": [
        (etl.weekly.load, "validate_week"),
        (etl.weekly.load, "ingest_week"),
        (etl.weekly.transform, "transform"),
        (etl.weekly.transform, "check_week"),
        (etl.weekly.report, "write_reports"),
        (etl.weekly.report, "summary"),
    ],
    "monitor_errors": [
        (etl.logs.land, "land_log"),
        (etl.logs.stage, "drop_staged"),
        (etl.logs.stage, "create_tables"),
        (etl.logs.stage, "stage_logs"),
        (etl.logs.report, "publish"),
        (etl.logs.report, "excesses"),
        (etl.logs.report, "alert"),
    ],
}
EMPTY_SHOP = "TRUNCATE " + ", ".join(etl.weekly.load.NEEDED)


class Stopwatch:
    """Adds up how long some functions take."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def watch(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function, watched."""

        @functools.wraps(function)
        def watched(*args: Any, **kwargs: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                self.seconds += time.perf_counter() - start

        return watched


def run(dag_id: str) -> tuple[float, float]:
    """Return how long one run takes in all, and how much of it is our own work."""
    watch = Stopwatch()
    if dag_id == "weekly_full_pipeline":
        with psycopg.connect(os.environ["AIRFLOW_CONN_POSTGRES_DEFAULT"]) as connection:
            connection.execute(EMPTY_SHOP)
    dag = getattr(importlib.import_module(dag_id), dag_id)()
    with contextlib.ExitStack() as stack:
        for module, name in WORK[dag_id]:
            stack.enter_context(mock.patch.object(module, name, watch.watch(getattr(module, name))))
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))  # what tasks print
        start = time.perf_counter()
        state = dag.test(logical_date=LAST_DAY).state
        took = time.perf_counter() - start
    assert state == "success", f"{dag_id}: {state}"
    return took, watch.seconds


def measure(repeat: int) -> list[tuple[str, float, float]]:
    """Return, for each DAG, its best run."""
    from airflow.utils.db import initdb

    initdb()
    found = []
    for dag_id in WORK:
        run(dag_id)
        found.append((dag_id, *min(run(dag_id) for _ in range(repeat))))
    return found


def whole_shop_as_a_week(shop: Shop, root: Path) -> None:
    """Write the files of a week in which everything happened, and let the pipeline find them."""
    for table, rows in raw_tables(shop).items():
        name = table.removeprefix("raw_")
        columns = etl.weekly.files.TABLES[name]
        with (root / f"{name}-2026-06-13.csv").open("wb") as file:
            file.write(",".join(columns).encode() + b"\n")
            file.writelines(as_csv(row[: len(columns)] for row in rows))
    os.environ |= {"DATA_ROOT": str(root), "LOGS_SOURCE": "generator:2000"}
    os.environ["SHOP_SOURCE"] = f"{root}/{{table}}-{{ds}}.csv"


def main(url: str, factor: float, repeat: int, root: Path) -> int:
    """Fill the database, measure, and print a table."""
    whole_shop_as_a_week(scaled(factor, dirt=0.02), root)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute((ROOT / "etl" / "sql" / "shop.sql").read_bytes())
        start = time.perf_counter()
        records = load_shop(connection, scaled(factor, dirt=0.02))
        loading = time.perf_counter() - start
        connection.execute("ANALYZE")
    os.environ["AIRFLOW_CONN_POSTGRES_DEFAULT"] = url
    found = measure(repeat)
    print(f"{records:,} records, made and loaded (raw and base) in {loading:.1f} s; best of {repeat}\n")
    print(f"{'':<24}{'seconds':>9}{'Airflow':>9}{'ours':>9}")
    for dag_id, took, ours in found:
        print(f"{dag_id:<24}{took:>9.2f}{took - ours:>9.2f}{ours:>9.2f}")
    return int(factor <= 1 and any(took >= LIMIT for _, took, _ in found))


@contextlib.contextmanager
def quiet_airflow() -> Iterator[None]:
    """Give Airflow, which is imported later, a home that goes away, and let it print nothing."""
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {
            "AIRFLOW_HOME": home,
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
        }
        yield


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--factor", type=float, default=1)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--url", help="a PostgreSQL database to use; the shop's tables in it are filled anew")
    asked = parser.parse_args()
    with quiet_airflow(), contextlib.ExitStack() as servers:
        address = asked.url or servers.enter_context(start_server("embedded")).url("postgres")
        root = Path(servers.enter_context(tempfile.TemporaryDirectory()))
        sys.exit(main(address, asked.factor, asked.repeat, root))
