"""What holds for every DAG file of this repository, whatever it does."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DAGS = ROOT / "dags"
FILES = sorted(DAGS.glob("*.py"))

LIST = """
import json, sys
from pathlib import Path
from dagproof.airflow.bundle import bundle_bag

sys.modules.update(dict.fromkeys(sys.argv[2:]))  # what is None there cannot be imported
folder = Path(sys.argv[1])
bag = bundle_bag(folder, folder)
dags = {
    dag_id: {
        "catchup": dag.catchup,
        "deadlines": [alert.interval.total_seconds() / 3600 for alert in dag.deadline or []],
        "description": dag.description,
        "doc": dag.doc_md,
        "start_date": str(dag.start_date.astimezone(dag.timezone)),
        "tags": sorted(dag.tags),
        "tasks": {
            task.task_id: {
                "kind": type(task).__name__,
                "mode": getattr(task, "mode", None),
                "owner": task.owner,
                "pool": task.pool,
                "retries": task.retries,
                "sensor": hasattr(task, "poke_interval"),
                "timeout": getattr(task, "timeout", None),
                "execution_timeout": task.execution_timeout and task.execution_timeout.total_seconds(),
                "backoff": bool(task.retry_exponential_backoff),
            }
            for task in dag.tasks
        },
    }
    for dag_id, dag in bag.dags.items()
}
print("\\n" + json.dumps({"dags": dags, "errors": bag.import_errors}))
"""

# Each of their runs does all there is to do, so that there is nothing to catch up on.
ALL_AT_ONCE = {"refresh_aggregations"}

SEVEN_DAYS = 7 * 24 * 3600


def load(folder: Path, home: Path, without: str = "", **variables: str) -> dict[str, Any]:
    """Import `folder` as the dag processor does, in a process of its own, perhaps one that lacks a module."""
    environment = {
        **variables,
        **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, "-c", LIST, str(folder), *without.split()],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Our DAGs, imported once."""
    return load(DAGS, tmp_path_factory.mktemp("airflow"), without="airflow.providers.docker.operators.docker")


@pytest.fixture(scope="module")
def in_container(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Our DAGs where a container is to do what it can, the warehouse has a pool, and deadlines are told."""
    return load(
        DAGS,
        tmp_path_factory.mktemp("airflow"),
        TRANSACTIONS_IMAGE="warehouse-etl:1",
        WAREHOUSE_POOL="shop",
        DEADLINE_ALERTS="on",
    )


def clocks(source: str) -> list[int]:
    """Return the lines that ask for the present time."""
    asking = {"now", "utcnow", "today"}
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and (
            (isinstance(node.func, ast.Attribute) and node.func.attr in asking)
            or (isinstance(node.func, ast.Attribute) and ast.unparse(node.func) in {"time.time", "time.localtime"})
            or (isinstance(node.func, ast.Name) and node.func.id in asking)
        )
    ]


def holding_sensors(dags: dict[str, Any]) -> list[str]:
    """Return the sensors that hold a worker slot while they wait, or wait for the default of seven days."""
    return [
        f"{dag_id}.{task_id}"
        for dag_id, dag in dags.items()
        for task_id, task in dag["tasks"].items()
        if task["sensor"] and (task["mode"] != "reschedule" or task["timeout"] >= SEVEN_DAYS)
    ]


def test_every_file_imports_and_gives_its_dag(loaded: dict[str, Any]) -> None:
    """As a bundle, without an error; the DAG is named as the file is."""
    assert loaded["errors"] == {}
    assert sorted(loaded["dags"]) == [path.stem for path in FILES]


def test_a_file_that_does_not_import_would_be_noticed(tmp_path: Path) -> None:
    """The planted twin of the test above."""
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "broken.py").write_text("from airflow.sdk import dag\nimport no_such_module\n")
    assert "no_such_module" in str(load(tmp_path / "dags", tmp_path / "home")["errors"])


@pytest.mark.parametrize("path", [*FILES, *sorted((ROOT / "etl").rglob("*.py"))], ids=lambda path: path.name)
def test_no_dag_and_no_etl_code_asks_for_the_present_time(path: Path) -> None:
    """A run of a date is about that date, whenever it happens."""
    assert clocks(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    ["datetime.now(tz=UTC)", "pendulum.now()", "date.today()", "pd.Timestamp.utcnow()", "time.time()", "now()"],
)
def test_code_that_asks_for_the_present_time_would_be_noticed(source: str) -> None:
    """The planted twin of the test above."""
    assert clocks(f"x = 1\ny = {source}") == [2]


def test_every_sensor_gives_its_slot_back_while_it_waits(loaded: dict[str, Any]) -> None:
    """Reschedule mode, and a timeout that somebody chose."""
    assert any(task["sensor"] for dag in loaded["dags"].values() for task in dag["tasks"].values())
    assert holding_sensors(loaded["dags"]) == []


@pytest.mark.parametrize("change", [{"mode": "poke"}, {"timeout": SEVEN_DAYS}], ids=["poke", "default timeout"])
def test_a_sensor_that_holds_its_slot_would_be_noticed(loaded: dict[str, Any], change: dict[str, Any]) -> None:
    """The planted twin of the test above."""
    sensor = loaded["dags"]["consumer_users_daily"]["tasks"]["wait_for_file"]
    assert holding_sensors({"d": {"tasks": {"wait": {**sensor, **change}}}}) == ["d.wait"]


def test_every_dag_says_who_owns_it_what_it_does_and_where_it_starts(loaded: dict[str, Any]) -> None:
    """Owner, description, documentation, tags, a start date, and catching up if each date has its own work."""
    for dag_id, dag in loaded["dags"].items():
        assert dag["catchup"] is (dag_id not in ALL_AT_ONCE)
        assert dag["start_date"].startswith("2026-01-01")
        assert dag["description"]
        assert "fail" in dag["doc"]
        assert dag["tags"]
        assert all(task["owner"] != "airflow" for task in dag["tasks"].values())


def test_a_container_takes_the_place_of_one_task(loaded: dict[str, Any], in_container: dict[str, Any]) -> None:
    """Which is retried as patiently; and nobody else needs Airflow's Docker provider, without which `loaded` is."""
    name = "run_batch_processing"
    expected = loaded["dags"]["batch_pipeline_dag"]["tasks"]
    tasks = in_container["dags"]["batch_pipeline_dag"]["tasks"]
    own = {"kind": "ProcessingContainer", "timeout": tasks[name]["timeout"]}  # of its requests to the engine
    assert tasks[name] == expected[name] | own | {"pool": "shop"}
    assert tasks.keys() == expected.keys()
    assert in_container["errors"] == {}


def test_what_works_on_the_shops_warehouse_is_in_its_pool(loaded: dict[str, Any], in_container: dict[str, Any]) -> None:
    """Where one is named; otherwise each task is in the pool that each Airflow has."""

    def pools(dags: dict[str, Any]) -> dict[str, set[str]]:
        return {dag_id: {task["pool"] for task in dag["tasks"].values()} for dag_id, dag in dags["dags"].items()}

    users = {"producer_users_daily", "consumer_users_daily"}
    assert pools(loaded) == {dag_id: {"default_pool"} for dag_id in loaded["dags"]}
    assert pools(in_container) == {
        dag_id: {"default_pool"} if dag_id in users else {"shop"} for dag_id in loaded["dags"]
    } | {"monitor_errors": {"shop", "default_pool"}}


def test_runs_have_a_deadline_where_somebody_looks_at_it(loaded: dict[str, Any], in_container: dict[str, Any]) -> None:
    """Some hours after they were queued."""

    def deadlines(dags: dict[str, Any]) -> dict[str, list[float]]:
        return {dag_id: dag["deadlines"] for dag_id, dag in dags["dags"].items() if dag["deadlines"]}

    assert deadlines(loaded) == {}
    shop = ("daily_quality_check", "refresh_aggregations", "batch_pipeline_dag", "monitor_errors")
    expected = {**{dag_id: [3] for dag_id in shop}, "weekly_full_pipeline": [6], "archive_warehouse": [12]}
    assert deadlines(in_container) == expected


def test_every_task_is_retried_more_and_more_patiently_and_ends_some_time(loaded: dict[str, Any]) -> None:
    """Retries with exponential backoff and an execution timeout; sensors may leave retrying to their own looks."""
    for dag in loaded["dags"].values():
        for task in dag["tasks"].values():
            assert task["execution_timeout"]
            assert task["sensor"] or (task["retries"] >= 1 and task["backoff"])
