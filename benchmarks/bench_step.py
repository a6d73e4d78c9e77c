"""What a step of a history costs, beside stock ``dag.test()``, alone in its folder and among 200 other DAG files.

    python benchmarks/bench_step.py [--steps 10] [--files 200]

Both are warm: the first run of each is not counted. A step of dagproof is everything that a proof pays for it: the
forked child, the run, and the snapshot of all stores after it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from dagproof.config import parse_config
from dagproof.histories import Step
from dagproof.runs.driver import open_driver

DAG = """
import pendulum
from airflow.sdk import dag, task


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def {name}():
    @task
    def write(ds=None):
        with open("out.txt", "w") as file:
            file.write(ds)

    write()


{name}()
"""

STOCK = """
import json, sys, time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from airflow.utils import db

db.initdb()
from dagproof.airflow.bundle import bundle_bag

folder = Path(sys.argv[1])
dag = bundle_bag(folder, folder / "one.py").dags["one"]
seconds = []
for n in range(int(sys.argv[2]) + 1):
    started = time.perf_counter()
    run = dag.test(logical_date=datetime(2026, 1, 1, tzinfo=timezone.utc) + timedelta(days=n))
    assert run.state == "success", run.state
    seconds.append(time.perf_counter() - started)
print("\\n" + json.dumps(seconds[1:]))
"""


def dagproof_steps(folder: Path, steps: int) -> list[float]:
    """Return the seconds that each of `steps` steps takes in dagproof."""
    config = parse_config({"dags": str(folder), "world": {"connections": {"db": "{postgres}"}}}, root=folder)
    dates = [f"2026-01-{day:02d}" for day in range(1, steps + 2)]
    with open_driver(config) as driver:
        lab, _ = driver.lab("one", dates)
        worker = driver.worker(driver.machines[0])
        seconds = []
        with driver.worlds.world(worker) as world:
            for date in dates:
                started = time.perf_counter()
                world.run(lab.runs["one", date], Step("run", date))
                world.snapshot()
                seconds.append(time.perf_counter() - started)
    return seconds[1:]


def stock_runs(folder: Path, runs: int) -> list[float]:
    """Return the seconds that each of `runs` calls of ``dag.test()`` takes, in one warm process."""
    with tempfile.TemporaryDirectory() as home:
        bundle = [{"name": "b", "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle"}]
        bundle[0]["kwargs"] = {"path": str(folder)}  # type: ignore[assignment]
        environment = {
            **os.environ,
            "AIRFLOW_HOME": home,
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_FOLDER": str(folder),
            "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(bundle),
            "AIRFLOW__API_AUTH__JWT_SECRET": "a secret of no consequence, long enough",
        }
        command = [sys.executable, "-c", STOCK, str(folder), str(runs)]
        done = subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return list(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--files", type=int, default=200)
    options = parser.parse_args()
    table = Table("other DAG files", "dagproof step", "stock dag.test()", "ratio", title="seconds, median (min–max)")
    for files in (0, options.files):
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            (folder / "one.py").write_text(DAG.format(name="one"))
            for n in range(files):
                (folder / f"other_{n:03d}.py").write_text(DAG.format(name=f"other_{n:03d}"))
            ours, stock = dagproof_steps(folder, options.steps), stock_runs(folder, options.steps)
        ratio = statistics.median(stock) / statistics.median(ours)
        table.add_row(str(files), _shown(ours), _shown(stock), f"{ratio:.1f}")
    Console().print(table)


def _shown(seconds: list[float]) -> str:
    return f"{statistics.median(seconds):.3f} ({min(seconds):.3f}–{max(seconds):.3f})"


if __name__ == "__main__":
    main()
