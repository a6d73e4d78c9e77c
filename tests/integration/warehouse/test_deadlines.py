"""A run that is not done in time is told by e-mail, once: by Airflow's own scheduler and triggerer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
HOURS = 4
LATE = ["batch_pipeline_dag", "daily_quality_check", "monitor_errors", "refresh_aggregations"]
IN_TIME = ["archive_warehouse", "consumer_users_daily", "producer_users_daily", "weekly_full_pipeline"]


BUNDLE = {
    "name": "dagproof",
    "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
    "kwargs": {"path": str(ROOT / "dags")},
}


@pytest.fixture
def environment(tmp_path: Path, mail: Any) -> dict[str, str]:
    """An Airflow of its own, whose mail comes here."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
        "AIRFLOW_HOME": str(tmp_path),
        "DEADLINE_ALERTS": "on",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "false",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "AIRFLOW__CORE__PARALLELISM": "1",
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([BUNDLE]),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{tmp_path}/airflow.db",
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'dags'}",  # of the triggerer, too
        **mail.env(),
    }


@pytest.fixture
def runs(environment: dict[str, str]) -> list[str]:
    """The runs that the scheduler made, and whose deadlines it has looked at."""
    program = [sys.executable, str(Path(__file__).with_name("deadline_probe.py")), str(HOURS)]
    done = subprocess.run(program, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return list(json.loads(done.stdout.splitlines()[-1]))


@pytest.fixture
def triggerer(runs: Any, environment: dict[str, str], tmp_path: Path) -> Iterator[Path]:
    """Airflow's triggerer, and its log."""
    log = tmp_path / "triggerer.txt"
    with log.open("wb") as file:
        command = [sys.executable, "-m", "airflow", "triggerer", "--skip-serve-logs"]
        process = subprocess.Popen(command, env=environment, stdout=file, stderr=subprocess.STDOUT)
    yield log
    process.terminate()
    process.wait(timeout=60)


def test_a_missed_deadline_sends_one_email(runs: list[str], triggerer: Path, mail: Any) -> None:
    """Of each run that is late, and of no other."""
    assert runs == sorted(LATE + IN_TIME)
    deadline = time.monotonic() + 120
    while len(mail.texts()) < len(LATE):
        assert time.monotonic() < deadline, triggerer.read_text()[-5000:]
        time.sleep(0.2)
    time.sleep(1)  # for one that must not come
    told = mail.texts()
    assert [text.split(": ")[0] for text in told] == [f"data@example.org | {dag_id}" for dag_id in LATE]
    assert all(" is not done in time | <p>It is queued, and was to be done by 20" in text for text in told)
