"""What strangers read first, word for word: reports of proofs in which something stands in, or is taken as meant."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from dagproof.config import parse_config
from dagproof.errors import WorkerError
from dagproof.laws import law_named
from dagproof.proof.budget import Budget
from dagproof.proof.causes import told_once
from dagproof.proof.prover import Prover
from dagproof.report.text import proof_text
from dagproof.runs.driver import Driver, open_driver

FOLDER = Path(__file__).with_name("reports")
DATES = ("2026-01-01", "2026-01-02")
TASKS = {"fetch": "stubs.py:names", "notify": "skip"}


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    """One worker, for all of the DAGs, in a folder in which no history is saved."""
    root = tmp_path_factory.mktemp("reports")
    shutil.copytree(FOLDER, root, dirs_exist_ok=True)
    (root / "dags").mkdir()
    (root / "reports.py").rename(root / "dags" / "reports.py")
    table = {
        "world": {"schema": "schema.sql", "connections": {"shop": "{postgres}"}},
        "proofs": {
            "replaced": {"tasks": TASKS, "conf": {"mode": "full"}},
            "kept": {"history": ["versions", "loads"]},
            "triggers_nothing": {"tasks": {"start": "skip"}},
        },
    }
    with open_driver(parse_config(table, root=root)) as opened:
        yield opened


def report(driver: Driver, dag_id: str, *laws: str, budget: Budget | None = None) -> str:
    """The whole report about a DAG and some laws, as the command prints it; with fewer histories."""
    prover = Prover(driver.lab(dag_id, DATES), seed=0, max_histories=1, budget=budget)
    verdicts = told_once([prover.prove(law_named(law), laws_left=len(laws)) for law in laws])
    text = proof_text(prover.concluded(verdicts, time.perf_counter()))
    return re.sub(r"\d+\.\d s$", "0.0 s", re.sub(r"replay [0-9a-f]{6}", "replay ID", text))


REPORTS = [
    pytest.param(
        "replaced",
        ("effect", "rerun"),
        """
        replaced: 2 of 2 laws proven over 2026-01-01, 2026-01-02

          ✓ effect         proven over 2 histories: a run writes rows or files
          ✓ rerun          proven over 3 histories: running a date again leaves identical rows
                           not tried: drawn histories (--max-histories 1)

          orders.id compared up to other generated values (generated_keys)
          uuid-ossp is a stand-in in SQL, whose version-1 ids are random (--postgres embedded)
          not run, but taken out: notify (tasks)
          not run, but taken out, with stubs.py:names called instead: fetch (tasks)
          not tried: a conf other than {"mode": "full"} (conf)
          seed 0, 0.0 s
        """,
        id="what-stands-in",
    ),
    pytest.param(
        "noted",
        ("rerun",),
        """
        noted is not idempotent

        - Rows differ after a rerun

            notes    after one run: 2 rows   after this: 2 rows
            2 added, e.g. (order_id, dt) = (3, 2026-01-01)
            2 missing, e.g. (order_id, dt) = (1, 2026-01-01)
            orders   after one run: 2 rows   after this: 2 rows
            2 changed in id, e.g. (dt, what) = (2026-01-01, shoe): id 1 became 3

        Minimal failing history (2 steps):

            1  run    2026-01-01      4 rows
            2  rerun  2026-01-01      4 rows  ~

        LEAVES
        Written by task load, at dags/reports.py:LINE
        Replay:  dagproof replay ID

        noted: 0 of 1 law proven over 2026-01-01, 2026-01-02

          ✗ rerun          non-idempotent: run(2026-01-01), rerun(2026-01-01)
                           LEAVES
                           uuid-ossp is a stand-in in SQL, whose version-1 ids are random (--postgres embedded)
                           not tried: 2026-01-02

          seed 0, 0.0 s
        """,
        id="keys-that-leave",
    ),
    pytest.param(
        "appended",
        ("rerun", "retry"),
        """
        appended is not idempotent

        - Rows differ after a rerun

            orders   after one run: 1 row   after this: 2 rows
            1 added, e.g. id = 2

        Minimal failing history (2 steps):

            1  run    2026-01-01       1 row
            2  rerun  2026-01-01      2 rows  ~

        orders.id compared up to other generated values (generated_keys)
        Written by task load, at dags/reports.py:LINE
        Replay:  dagproof replay ID

        appended: 0 of 2 laws proven over 2026-01-01, 2026-01-02

          ✗ rerun          non-idempotent: run(2026-01-01), rerun(2026-01-01)
          ✗ retry          not retry-safe, as rerun: retry(2026-01-01)

          orders.id compared up to other generated values (generated_keys)
          uuid-ossp is a stand-in in SQL, whose version-1 ids are random (--postgres embedded)
          not tried: 2026-01-02
          seed 0, 0.0 s
        """,
        id="as-rerun",
    ),
    pytest.param(
        "kept",
        ("rerun", "order"),
        """
        kept: 2 of 2 laws proven over 2026-01-01, 2026-01-02

          ✓ rerun          proven over 3 histories: running a date again leaves identical rows
                           not tried: drawn histories (--max-histories 1)
          ✓ order          proven over 1 history: any two dates may change places
                           versions compared by its current rows only (valid_to) (history)

          uuid-ossp is a stand-in in SQL, whose version-1 ids are random (--postgres embedded)
          loads may have more rows, and must keep those that it has (history)
          seed 0, 0.0 s
        """,
        id="history",
    ),
    pytest.param(
        "created",
        ("rerun",),
        """
        created is not idempotent

        - The rerun of created for 2026-01-01 failed in task make: DuplicateTable: relation "made" already exists

        Minimal failing history (2 steps):

            1  run    2026-01-01
            2  rerun  2026-01-01        ~

        Raised at dags/reports.py:LINE

        Replay:  dagproof replay ID

        created: 0 of 1 law proven over 2026-01-01, 2026-01-02

          ✗ rerun          non-idempotent: run(2026-01-01), rerun(2026-01-01)
                           uuid-ossp is a stand-in in SQL, whose version-1 ids are random (--postgres embedded)
                           not tried: 2026-01-02

          seed 0, 0.0 s
        """,
        id="rerun-that-fails",
    ),
    pytest.param(
        "triggers_nothing",
        ("effect",),
        """
        triggers_nothing: 1 of 1 law proven over 2026-01-01, 2026-01-02

          ✓ effect         proven over 2 histories: a run writes rows or files
                           orders.id compared up to other generated values (generated_keys)
                           uuid-ossp is a stand-in in SQL, whose version-1 ids are random (--postgres embedded)
                           not run, but taken out: start (tasks)

          seed 0, 0.0 s
        """,
        id="trigger-taken-out",
    ),
]
LEAVES = (
    "orders.id compared by value, as it leaves its table: notes; if that refers to the key, configure "
    '{ "notes.order_id" = "orders.id" } (generated_keys)'
)


@pytest.mark.parametrize(("dag_id", "laws", "text"), REPORTS)
def test_a_report_reads(driver: Driver, dag_id: str, laws: tuple[str, ...], text: str) -> None:
    """As it stands here, from the first line to the last."""
    found = re.sub(r"(reports\.py):\d+$", r"\1:LINE", report(driver, dag_id, *laws), flags=re.MULTILINE)
    assert found.replace(LEAVES, "LEAVES") == dedent(text).strip("\n")


def test_a_budget_that_is_spent_is_listed(driver: Driver) -> None:
    """The first law tries one history in any case; nothing is left for the others."""
    text = report(driver, "triggers_nothing", "effect", "rerun", "order", budget=Budget("1s", time.monotonic() - 1))
    assert text == dedent(
        """\
        triggers_nothing: 1 of 3 laws proven, 2 not applicable, over 2026-01-01, 2026-01-02

          ✓ effect         proven over 1 history: a run writes rows or files
                           orders.id compared up to other generated values (generated_keys)
                           uuid-ossp is a stand-in in SQL, whose version-1 ids are random (--postgres embedded)
                           not run, but taken out: start (tasks)
                           not tried: 2026-01-02
                           not tried: 1 example (--budget 1s)
          – rerun          not applicable: not tried, as nothing is left of --budget 1s
          – order          not applicable: the same

          seed 0, 0.0 s"""
    )


@pytest.mark.parametrize(
    ("dag_id", "reason"),
    [
        pytest.param(
            "nameless",
            "in task load: AirflowNotFoundException: a connection without a name was asked for: name it in the task, "
            'such as conn_id="warehouse" (The conn_id `None` isn\'t defined)',
            id="connection-without-a-name",
        ),
        pytest.param(
            "of_mysql",
            "in task load: AirflowNotFoundException: the connection 'shop_mysql' is not mapped: add shop_mysql = "
            "\"…\" to connections in [tool.dagproof.world]; it is of the kind 'mysql' (MySQL), which no world has; a "
            "world has PostgreSQL ({postgres}), files and SQLite or DuckDB files ({files}), and the servers that you "
            "start as services; map the connection to one of these, or take its tasks out with tasks in "
            "[tool.dagproof.proofs.DAG_ID] (docs/stand-ins.md says what a proof then means) (The conn_id `shop_mysql` "
            "isn't defined)",
            id="connection-of-another-kind",
        ),
        pytest.param(
            "without_param",
            ": the run could not start: ParamValidationError: Invalid input for param region: No value passed; set its "
            "params with conf in [tool.dagproof.proofs.without_param]",
            id="param-without-a-value",
        ),
        pytest.param(
            "asks",
            ": no task of the run can start: all wait for something that never happens (an unmet depends_on_past, "
            "or human input); let a function answer instead of a person with tasks in [tool.dagproof.proofs.DAG_ID]",
            id="person",
        ),
    ],
)
def test_what_a_run_lacks_is_named_with_the_way_out(driver: Driver, dag_id: str, reason: str) -> None:
    """In the one sentence of the verdict."""
    verdict = Prover(driver.lab(dag_id, DATES), seed=0, max_histories=1).prove(law_named("effect"))
    said = f"the run of {dag_id} for 2026-01-01 failed{'' if reason[0] == ':' else ' '}{reason}"
    assert (verdict.outcome, verdict.reason) == ("error", said)


def test_a_dag_that_is_triggered_has_to_be_there(driver: Driver) -> None:
    """Unless the task that triggers it is taken out; its own DAG is no name to offer."""
    with pytest.raises(WorkerError) as error:
        driver.lab("triggers_nobody", DATES)
    assert str(error.value) == (
        f"task start of triggers_nobody triggers trigger_nobody: no DAG 'trigger_nobody' in "
        f"{driver.config.dags_folder}; if it cannot run here, take the task out with tasks in "
        f"[tool.dagproof.proofs.triggers_nobody]"
    )
