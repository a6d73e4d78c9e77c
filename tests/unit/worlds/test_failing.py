"""Why a run did not end in success, in one sentence."""

from __future__ import annotations

import pytest

from dagproof.config import WorldConfig
from dagproof.inside.exchange import RunReport
from dagproof.worlds.failing import why
from dagproof.worlds.settings import is_file

OUTSIDE = "which is outside its world; give the DAG a folder below {files}"


def test_a_path_is_refused_once() -> None:
    """What came of the first refusal says nothing new; another path does."""
    refused = [f"the run's `touch /a` tried to {what}, {OUTSIDE}" for what in ("write /a", "change the times of /a")]
    report = RunReport(state="failed", refused=(*refused, f"the run tried to write /b, {OUTSIDE}"))
    assert why("the run of d", report, WorldConfig()) == (
        "the run of d ended as failed, and no task failed; the run's `touch /a` tried to write /a, which is outside "
        "its world; give the DAG a folder below {files}; the run tried to write /b, which is outside its world; give "
        "the DAG a folder below {files}"
    )


@pytest.mark.parametrize(
    ("path", "is_one"),
    [("/tmp/orders.csv", True), ("/var/run/app.pid", True), ("/opt/airflow/data", False), ("/opt/spark-3.5", False),
     ("/etc/conf.d", False), ("/data/app.v2", False), ("/home/me/.dbt", False), ("/tmp/orders.csv/", False)],
)  # fmt: skip
def test_a_fixed_path_that_ends_as_files_do_is_one(path: str, is_one: bool) -> None:
    """So that code can write it: its folder is made, and it is not."""
    assert is_file(path) == is_one
