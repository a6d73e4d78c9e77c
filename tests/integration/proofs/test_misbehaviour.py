"""A DAG that misbehaves gets the verdict `error` with one sentence, and never a proof."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from dagproof.config import load_config
from dagproof.laws import Verdict, law_named
from dagproof.proof.prover import Prover
from dagproof.runs.driver import Driver, open_driver
from tests.integration.proofs.conftest import Project
from tests.support.processes import processes_of
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

DATE = "2026-01-01"

TOLD = [
    pytest.param(
        "unmapped_connection",
        "failed in task unmapped_connection: ",
        "the connection 'warehouse' is not mapped: add warehouse = \"…\" to connections in [tool.dagproof.world]",
        id="unmapped-connection",
    ),
    pytest.param(
        "unmapped_variable",
        "failed in task unmapped_variable: ",
        "the variable 'threshold' is not set: add threshold = \"…\" to variables in [tool.dagproof.world]",
        id="unmapped-variable",
    ),
    pytest.param(
        "wants_mysql",
        "failed in task wants_mysql: ",
        "the connection 'shop_mysql' is not mapped: add shop_mysql = \"…\" to connections in [tool.dagproof.world]; "
        "it has the connection type 'mysql' (MySQL), for which a world has no server; map the connection to "
        "PostgreSQL ({postgres}), to files, SQLite or DuckDB ({files}), or to a server that you start as a service; "
        "or skip or replace its tasks with `tasks` in [tool.dagproof.proofs.DAG_ID] (docs/stand-ins.md explains what "
        "a proof then means)",
        id="of-another-kind",
    ),
    pytest.param(
        "unset_environment",
        "failed in task unset_environment: KeyError: the environment variable 'LAKE_ROOT' is not set: add LAKE_ROOT = "
        '"…" to env in [tool.dagproof.world]',
        "",
        id="unset-environment",
    ),
    pytest.param("fails", "failed in task fails: LookupError: there is no order 7", "", id="fails"),
    pytest.param(
        "fails_at_sql",
        "failed in task fails_at_sql: ",
        'relation "no_such_table" does not exist',
        id="fails-at-sql",
    ),
    pytest.param(
        "wants_a_date",
        "failed in task wants_a_date: TypeError: 'NoneType' object is not subscriptable",
        "(a run that an asset triggers has no logical_date and no ds; dag_run.run_after is always there)",
        id="wants-a-date",
    ),
    pytest.param("exits", "failed", "", id="exits"),
    pytest.param("is_killed", "failed: the process of the run was killed by SIGKILL", "", id="is-killed"),
    pytest.param(
        "forges", "failed: the process of the run ended with exit status 0 before it was done", "", id="forges"
    ),
    pytest.param(
        "is_gone", "failed: the process of the run ended with exit status 0 before it was done", "", id="is-gone"
    ),
    pytest.param(
        "writes_outside",
        "failed in task writes_outside: OutsideWorldError: the run tried to write ",
        "which is outside its world; give the DAG a folder below {files} with env, connections or paths in "
        "[tool.dagproof.world], or list the path under allow",
        id="writes-outside",
    ),
    pytest.param("shell_writes_outside", "failed in task shell_writes_outside: ", "", id="shell-writes-outside"),
    *(
        pytest.param(
            f"connects_with_{how}",
            f"failed in task connects_with_{how}: OutsideWorldError: the run tried to connect to 127.0.0.1:",
            "which is not part of its world; map it to {postgres} or to a service in [tool.dagproof.world], or list 1",
            id=f"connects-with-{how}",
        )
        for how in ("socket", "psycopg", "psycopg2")
    ),
    pytest.param("connects_in_a_child", "failed in task connects_in_a_child: ", "", id="connects-in-a-child"),
    pytest.param("connects_in_a_shell", "failed in task connects_in_a_shell: ", "", id="connects-in-a-shell"),
]

Opened = tuple[Project, Driver]


def opened(project: Project) -> Iterator[Opened]:
    """A driver for a project."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(project.temporary))
        patch.setattr("tempfile.tempdir", str(project.temporary))
        with open_driver(load_config(project.root)) as driver:
            yield project, driver


@pytest.fixture(scope="module")
def patient(make_project: Callable[..., Project]) -> Iterator[Opened]:
    """A driver that lets a run take its time."""
    yield from opened(make_project())


@pytest.fixture(scope="module")
def impatient(make_project: Callable[..., Project]) -> Iterator[Opened]:
    """A driver that gives a run three seconds."""
    yield from opened(make_project(timeout=3))


def verdict_about(driver: Driver, name: str, law: str = "effect") -> Verdict:
    """The verdict about one of the DAGs in misbehaving/tasks.py."""
    lab = driver.lab(f"dag_{name}", [DATE])
    return Prover(lab, seed=0, max_histories=2).prove(law_named(law))


@pytest.mark.parametrize(("name", "begins", "holds"), TOLD)
def test_a_run_that_fails_is_an_error_in_one_sentence(name: str, begins: str, holds: str, patient: Opened) -> None:
    """That names the DAG, the date, the task and the reason, and nothing of ours; nothing outside was touched."""
    project, driver = patient
    verdict = verdict_about(driver, name)
    assert (verdict.outcome, verdict.verdict, verdict.history) == ("error", None, None)
    reason = str(verdict.reason)
    assert reason.startswith(f"the run of dag_{name} for {DATE} {begins}"), reason
    assert holds in reason
    assert "\n" not in reason
    assert "Traceback" not in reason
    assert project.connections() == 0
    assert list(project.outside.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "ends"),
    [
        pytest.param("fails_at_sql", 'UndefinedTable: relation "no_such_table" does not exist', id="by-the-hook"),
        pytest.param(
            "misspells_a_column",
            '.errors.UndefinedColumn) column "idd" does not exist '
            'HINT: Perhaps you meant to reference the column "orders.id".',
            id="by-sqlalchemy",
        ),
    ],
)
def test_an_error_of_the_server_ends_without_the_statement(name: str, ends: str, patient: Opened) -> None:
    """The line that PostgreSQL quotes, with its caret, says nothing in one line; what comes after it is a help."""
    assert str(verdict_about(patient[1], name).reason).endswith(ends)


def test_the_log_of_the_run_is_shown(patient: Opened) -> None:
    """Its end, which holds what the task printed and where it failed."""
    verdict = verdict_about(patient[1], "fails")
    assert "LookupError: there is no order 7" in verdict.log_tail
    assert len(verdict.log_tail.splitlines()) <= 20


def test_the_log_shows_what_a_shell_said_and_not_what_airflow_did(patient: Opened) -> None:
    """Of a traceback the frames of the user's own code; of a shell command what it printed."""
    of_shell, of_python = (verdict_about(patient[1], name).log_tail for name in ("fails_in_a_shell", "fails"))
    assert "there is no order 7" in of_shell
    assert "AirflowException: Bash command failed. The command returned a non-zero exit code 3." in of_shell
    assert "misbehaving/tasks.py" in of_python
    for noise in ("site-packages/airflow/", "[DAG TEST]", "::group::", "DagRun Finished"):
        assert noise not in of_shell + of_python


@pytest.mark.parametrize("name", ["hangs", "ignores_sigterm", "spins", "hangs_and_leaves_a_child"])
def test_a_run_that_hangs_is_killed(name: str, impatient: Opened) -> None:
    """With all that it has started, whatever signal it ignores."""
    project, driver = impatient
    before = set(processes_of(project.temporary))
    verdict = verdict_about(driver, name)
    assert verdict.outcome == "error"
    assert verdict.reason == (
        f"the run of dag_{name} for {DATE} took more than 3 s and was killed; raise timeout in [tool.dagproof.world] "
        f"if it must"
    )
    assert 3 <= verdict.seconds < 15
    assert eventually(lambda: set(processes_of(project.temporary)) <= before, 20), processes_of(project.temporary)


def test_a_retry_that_backs_off_is_not_waited_for(impatient: Opened) -> None:
    """Neither is it looked for again and again: the clock jumps to when the scheduler would start it."""
    verdict = verdict_about(impatient[1], "backs_off")
    assert verdict.outcome == "proven", verdict.reason


def test_a_child_that_a_run_leaves_behind_is_killed(patient: Opened) -> None:
    """Also one that left its session: it could write into the next world."""
    project, driver = patient
    verdict = verdict_about(driver, "leaves_a_child")
    assert verdict.outcome == "proven", verdict.reason
    assert not [line for line in processes_of(project.temporary) if line.startswith("sleep")]


@pytest.mark.parametrize(
    ("name", "skipped"),
    [
        pytest.param("skips_all", "skipped: part_7, part_6, part_5, part_4, part_3, and 1 more", id="all"),
        pytest.param("skips_one", "skipped: writes", id="one"),
        pytest.param("loads_what_there_is", "", id="none"),
    ],
)
def test_a_run_without_effect_says_what_it_skipped(name: str, skipped: str, patient: Opened) -> None:
    """In the order of the file, and not without end; a run that did all that it should says no more than before."""
    verdict = verdict_about(patient[1], name)
    assert verdict.verdict == "vacuous"
    assert verdict.headline == (f"{law_named('effect').headline}; {skipped}" if skipped else "")


def test_a_dag_without_tasks_proves_nothing(patient: Opened) -> None:
    """There is nothing that could have an effect."""
    assert verdict_about(patient[1], "without_tasks").outcome in {"error", "falsified"}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("fills_the_disk", "wrote more than 50 MB and was killed; raise disk in [tool.dagproof.world] if it must"),
        ("writes_one_big_file", "failed in task writes_one_big_file: OSError: [Errno 27] File too large"),
        ("opens_200_connections", "failed in task opens_200_connections: LookupError: there are 200 connections"),
    ],
)
def test_a_run_that_takes_too_much_is_stopped(name: str, reason: str, patient: Opened) -> None:
    """Of the disk, and of the server's connections; what it took is given back."""
    project, driver = patient
    verdict = verdict_about(driver, name)
    assert verdict.outcome == "error"
    assert str(verdict.reason).startswith(f"the run of dag_{name} for {DATE} {reason}")
    driver.reload()  # what another test has proven is not run again
    assert verdict_about(driver, "writes").outcome == "proven"
    written = sum(path.stat().st_size for path in project.temporary.rglob("*.bin") if path.is_file())
    assert written == 0


def test_the_next_run_is_none_the_worse(patient: Opened) -> None:
    """After a run that was killed, in the same worker."""
    assert verdict_about(patient[1], "is_killed").outcome == "error"
    assert verdict_about(patient[1], "writes").outcome == "proven"


def test_a_failed_run_fails_every_law(patient: Opened) -> None:
    """None of them is proven by a run that failed."""
    assert {verdict_about(patient[1], "fails", law).outcome for law in ("effect", "rerun")} == {"error"}
