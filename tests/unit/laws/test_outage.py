"""What the law of errors takes to be a green run, and which files it saw a run write."""

from __future__ import annotations

import pytest

from dagproof.inside.exchange import RunReport
from dagproof.laws.outage import _is_green, _is_seen

WHY = "child, which it triggers, failed in task load: gone"
RED, GREEN = RunReport("child", "failed", dag_run="failed"), RunReport("child", "success", dag_run="success")


@pytest.mark.parametrize(
    ("report", "is_green"),
    [
        pytest.param(RunReport("dag", "success", dag_run="success"), True, id="a run"),
        pytest.param(RunReport("dag", "failed", dag_run="failed"), False, id="a run that failed"),
        pytest.param(RunReport("dag", "failed", dag_run="success"), True, id="green, although a task failed"),
        pytest.param(RunReport("dag", "failed", WHY, "success", beside=(RED,)), False, id="what it triggers failed"),
        pytest.param(RunReport("dag", "failed", WHY, "success", beside=(GREEN, RED)), False, id="one of two failed"),
        pytest.param(
            RunReport("dag", "failed", WHY, "success", beside=(RunReport("child", "failed", dag_run="success"),)),
            True,
            id="what it triggers is green, although a task failed",
        ),
    ],
)
def test_a_run_is_green_with_all_that_it_triggers(report: RunReport, is_green: bool) -> None:
    """For somebody who looks at the runs in Airflow."""
    assert _is_green(report) is is_green


def test_a_file_that_no_operation_names_was_written_unseen() -> None:
    """By a shell command, say; what lies in a folder that was renamed was seen."""
    seen = ["open .mark.tmp", "rename to mark.txt", "rename to done/a b", "open ~/x.csv"]
    assert all(_is_seen(path, seen) for path in ("mark.txt", "done/a b/part", "~/x.csv"))
    assert not any(_is_seen(path, seen) for path in ("sorted.csv", "mark.txt2", "x.csv", "done/a"))
