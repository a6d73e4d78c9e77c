"""Rows that tie: the second machine has what was there before the run in another physical order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.slow

CaseNamed = Callable[[str], Any]


def test_which_of_several_rows_comes_first_is_found_to_differ(case: CaseNamed) -> None:
    """`row_number()` over ties: other e-mails on the other machine, whose order of rows is named."""
    ended = case("ties").prove("ties_bad", "effect", "deterministic", output="text")
    assert ended.status == 1, ended.out + ended.err
    assert "3 changed in email" in ended.out
    assert "order of upstream rows" in ended.out


def test_an_order_without_ties_is_proven(case: CaseNamed) -> None:
    """Whatever the order of rows is."""
    ended = case("ties").prove("ties_good", "effect", "deterministic", "rerun")
    assert ended.status == 0, ended.out + ended.err
    assert {verdict["outcome"] for verdict in ended.verdicts().values()} == {"proven"}


STAGED = """\
from datetime import datetime

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import DAG

with DAG("staged", schedule="@daily", start_date=datetime(2026, 3, 1), catchup=False,
         default_args={{"conn_id": "warehouse", "retries": 1}}):
    load = SQLExecuteQueryOperator(task_id="load", sql=[
        "SELECT pg_advisory_xact_lock(1)",
        "CREATE TABLE IF NOT EXISTS stage (LIKE raw)", "DELETE FROM stage WHERE day = '{{{{ ds }}}}'",
        "INSERT INTO stage SELECT * FROM raw WHERE day = '{{{{ ds }}}}' ORDER BY customer, email"])
    dedupe = SQLExecuteQueryOperator(task_id="dedupe", sql=[
        "SELECT pg_advisory_xact_lock(2)",
        "DELETE FROM customer WHERE day = '{{{{ ds }}}}'",
        "INSERT INTO customer SELECT DISTINCT ON (customer) day, 1, customer, email FROM {source} "
        "WHERE day = '{{{{ ds }}}}' ORDER BY customer, {by}"])
    load >> dedupe
"""
SAME = [
    pytest.param("stage", "updated", "updated, email", id="rows-of-the-task-before"),
    pytest.param("newest", "updated", "updated, email", id="materialized-view", marks=pytest.mark.deep),
]


@pytest.mark.parametrize(("source", "tying", "ordered"), SAME)
def test_rows_that_lie_in_the_order_of_a_load_are_turned_too(
    case: CaseNamed, source: str, tying: str, ordered: str
) -> None:
    """The staging table that the task before has filled, a materialized view: the first of several is any of them."""
    folder = case("ties")
    schema = folder.root / "schema.sql"
    schema.write_text(schema.read_text() + "CREATE MATERIALIZED VIEW newest AS SELECT * FROM raw;\n")
    for by, status, outcome in ((tying, 1, "falsified"), (ordered, 0, "proven")):
        (folder.root / "dags" / "staged.py").write_text(STAGED.format(source=source, by=by))
        dates = ("--date", "2026-03-01", "--date", "2026-03-02")
        ended = folder.prove("staged", "deterministic", arguments=dates)
        verdict = ended.verdicts()["deterministic"]
        assert (ended.status, verdict["outcome"]) == (status, outcome), ended.out + ended.err
        assert not [entry for entry in verdict["left_out"] if "order of rows" in entry["why"]]


FILES = """\
import glob
import os
from datetime import datetime
from pathlib import Path

from airflow.sdk import dag, task


@dag(schedule="@daily", start_date=datetime(2026, 3, 1), catchup=False)
def joins():
    @task(retries=0)
    def join(ds=None):
        out = Path(os.environ["OUT"], ds)
        out.mkdir(exist_ok=True)
        for name in ("b", "c", "a"):
            (out / f"{{name}}.csv").write_text(f"{{name}}\\n")
        (out / "all.txt").write_text("".join(Path(path).read_text() for path in {order}(glob.glob(f"{{out}}/*.csv"))))

    join()


joins()
"""


@pytest.mark.parametrize(("order", "outcome"), [("list", "falsified"), ("sorted", "proven")])
def test_lines_in_the_order_of_a_folder_are_no_last_digits(case: CaseNamed, order: str, outcome: str) -> None:
    """The same lines in another order make another file."""
    folder = case("ties")
    settings = folder.root / "pyproject.toml"
    world = "[tool.dagproof.world]\n"
    settings.write_text(settings.read_text().replace(world, world + 'env = { OUT = "{files}" }\n'))
    (folder.root / "dags" / "joins.py").write_text(FILES.format(order=order))
    assert (
        folder.prove("joins", "deterministic", arguments=("--date", "2026-03-01")).verdicts()["deterministic"][
            "outcome"
        ]
        == outcome
    )
