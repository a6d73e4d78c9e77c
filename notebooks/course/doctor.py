"""Is all there that the course needs? And does Airflow start with these settings?"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from dagproof.errors import DagproofError

from .desk import Desk

AIRFLOWS = ("3.1.", "3.2.", "3.3.")
#: Gigabytes that the worlds of a lesson may take for a while.
DISK = 1.0

_PROBE = """
from airflow.configuration import AIRFLOW_CONFIG, conf
print("settings:", AIRFLOW_CONFIG)
print("dags:    ", conf.get("core", "dags_folder"))
print("logs:    ", conf.get("logging", "base_log_folder"))
print("database:", conf.get("database", "sql_alchemy_conn"))
"""


def diagnosis(desk: Desk) -> Iterator[tuple[bool, str]]:
    """Yield what was looked at: whether it is well, and a sentence that says what to do where it is not."""
    yield sys.version_info >= (3, 10), "Python is 3.10 or newer"
    found = importlib.metadata.version("apache-airflow")
    yield (
        found.startswith(AIRFLOWS),
        "Airflow is 3.1, 3.2 or 3.3" + ("" if found.startswith(AIRFLOWS) else f": {found}"),
    )
    free = shutil.disk_usage(desk.bench.home).free / 1e9
    yield free > DISK, f"there is {DISK:g} GB of free disk or more" + ("" if free > DISK else f": {free:.1f} GB")
    yield "airflow" not in sys.modules, "Airflow is not imported here: it runs in a process of its own"
    try:
        answer = desk.rows("SELECT 1 AS one").one[0]
    except (DagproofError, OSError) as error:
        yield False, f"PostgreSQL does not answer: {error}"
    else:
        yield answer == 1, "PostgreSQL answers"


def start_airflow(home: Path, settings: Mapping[str, str]) -> tuple[bool, str]:
    """Start Airflow in the folder `home` with just these variables; return whether it does so, and what it says."""
    env = {"PATH": os.environ.get("PATH", ""), "HOME": str(home), "PYTHONWARNINGS": "ignore", **settings}
    ended = subprocess.run(
        [sys.executable, "-c", _PROBE], env=env, cwd=home, capture_output=True, text=True, timeout=60, check=False
    )
    if ended.returncode == 0:
        lines = [
            line for line in ended.stdout.splitlines() if line.startswith(("settings:", "dags:", "logs:", "database:"))
        ]
        return True, "\n".join(lines)
    return False, ended.stderr.strip().splitlines()[-1].rpartition("exceptions.")[2]
