"""The end of a run's log: what the user's code did, and no frame of those that called it."""

from __future__ import annotations

from pathlib import Path

import dagproof
from dagproof.worlds.runlog import log_tail

OURS = Path(dagproof.__file__).parent
LOG = f"""\
[info     ] DAG bundles loaded: dagproof [airflow.dag_processing.bundles.manager.DagBundlesManager] loc=manager.py:304
[info     ] creating dag run [airflow.serialization.definitions.dag] loc=dag.py:615
[error    ] Task failed with exception
Traceback (most recent call last):
  File "/venv/lib/python3.11/site-packages/airflow/sdk/execution_time/task_runner.py", line 9, in run
    result = _execute_task(context=context)
  File "{OURS}/airflow/meddling.py", line 107, in execute
    return original(*args, **kwargs)
           ^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/home/me/dags/users.py", line 3, in load
    raise LookupError("there is no order 7")
LookupError: there is no order 7
"""


def test_a_traceback_has_the_users_frames_alone(tmp_path: Path) -> None:
    """Neither Airflow's nor ours, wherever dagproof is installed; what is the user's stays, with its line."""
    (tmp_path / "log").write_text(LOG)
    assert log_tail(tmp_path / "log").splitlines() == [
        "[error    ] Task failed with exception",
        "Traceback (most recent call last):",
        '  File "/home/me/dags/users.py", line 3, in load',
        '    raise LookupError("there is no order 7")',
        "LookupError: there is no order 7",
    ]
