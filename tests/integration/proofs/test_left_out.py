"""A verdict is about what was compared: a failed task, a skipped one and what nobody looked at are named."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from dagproof.config import Config, ProofConfig, WorldConfig
from dagproof.errors import ConfigError
from dagproof.inside.machine import ELSEWHERE
from dagproof.laws import Verdict, law_named
from dagproof.laws.overlap import NOT_PASSED
from dagproof.proof.prover import Prover
from dagproof.report.text import failure_text
from dagproof.runs.driver import Driver, open_driver
from dagproof.runs.scope import sentences

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).with_name("left_out")
FIRST, SECOND = DATES = ("2026-01-01", "2026-01-02")

PROOFS = {
    "may_fail_at_the_end": ProofConfig(may_fail=("notify",)),
    "may_fail_by_pattern": ProofConfig(may_fail=("notify_*",)),
    "appends_ignored": ProofConfig(ignore=("loads.*",)),
    "appends_exempt": ProofConfig(exempt={"rerun": ("loads",)}),
    "appends_files_ignored": ProofConfig(ignore=("reports/*",)),
    "appends_beside": ProofConfig(exempt={"rerun": ("loads",)}),
    "columns_ignored": ProofConfig(ignore=("orders.id", "orders.dt")),
}

NO_CHAT = "failed, as allowed: ConnectionError: no chat here (may_fail)"

DEEP = pytest.mark.deep

VerdictOf = Callable[[str, str], Verdict]


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    """One worker, for all of the DAGs."""
    config = Config(
        root=tmp_path_factory.mktemp("left-out"),
        dags=str(FOLDER),
        world=WorldConfig(
            schema=(str(FOLDER / "schema.sql"),), connections={"shop": "{postgres}"}, env={"DATA_ROOT": "{files}"}
        ),
        proofs=PROOFS,
        max_points=1,
    )
    with open_driver(config) as opened:
        yield opened


@pytest.fixture(scope="module")
def verdict_of(driver: Driver) -> VerdictOf:
    """Return the verdict of a law about a DAG, over both dates and as few histories as there can be."""

    @cache
    def prover(dag_id: str) -> Prover:
        lab = driver.lab(dag_id, DATES)
        return Prover(lab, seed=0, max_histories=1)

    return lambda dag_id, law: prover(dag_id).prove(law_named(law))


def left_out(verdict: Verdict) -> list[str]:
    """What is said to be left out, but for the histories that this file does not draw."""
    return [line for line in sentences(verdict.left_out) if "random histories" not in line]


@pytest.mark.parametrize(
    ("dag_id", "date", "says"),
    [
        pytest.param("green_all_done", FIRST, "task refuse failed: LookupError: there is no order of", id="each-date"),
        pytest.param("green_second_date", SECOND, "task load_some failed: LookupError:", id="one-date", marks=DEEP),
        pytest.param("green_mapped", FIRST, "task load_part failed: ValueError: part 2 of", id="one-instance"),
        pytest.param("green_teardown", FIRST, "task stop failed: ConnectionError: nobody is there", id="teardown"),
        pytest.param("green_upstream", FIRST, "task refuse failed: LookupError:", id="with-tasks-below", marks=DEEP),
    ],
)
def test_a_green_run_in_which_a_task_failed_proves_nothing(
    verdict_of: VerdictOf, dag_id: str, date: str, says: str
) -> None:
    """The sentence names the run, the task, its error and the way out; the user's line stands below it."""
    for law in ("effect", "rerun"):
        verdict = verdict_of(dag_id, law)
        assert verdict.outcome == "error", verdict
        reason = str(verdict.reason)
        assert reason.startswith(f"the run of {dag_id} for {date} is green, but {says}"), reason
        assert re.search(rf"; if it may fail, add '\w+' to may_fail in \[tool\.dagproof\.proofs\.{dag_id}\]$", reason)
        assert re.search(r"\nRaised at .*verdicts\.py:\d+\n", failure_text(dag_id, verdict))


def test_a_law_that_takes_one_date_is_not_proven_where_another_fails(verdict_of: VerdictOf) -> None:
    """The verdict is about all dates of the proof, and `crash` looks at the first one alone."""
    verdict = verdict_of("green_second_date", "crash")
    assert (verdict.outcome, verdict.histories) == ("error", 0)
    assert "for 2026-01-02 is green, but task load_some failed" in str(verdict.reason)


def test_a_task_that_fails_in_the_rerun_alone_falsifies(verdict_of: VerdictOf) -> None:
    """Also where the run is green; the first run is none to complain of."""
    assert verdict_of("green_rerun", "effect").outcome == "proven"
    verdict = verdict_of("green_rerun", "rerun")
    assert (verdict.outcome, [step.kind for step in verdict.history or ()]) == ("falsified", ["run", "rerun"])
    assert re.match(r"The rerun of green_rerun for .* is green, but task load_once failed: Uniq", verdict.headline)
    assert re.search(r"\nRaised at .*verdicts\.py:\d+\n", failure_text("green_rerun", verdict))


def test_a_triggered_run_in_which_a_task_failed_proves_nothing(verdict_of: VerdictOf) -> None:
    """What it should have written is part of what is proven."""
    verdict = verdict_of("green_trigger", "effect")
    assert verdict.outcome == "error"
    assert "green_below, which it triggers, failed in task refuse: LookupError: there is no" in str(verdict.reason)


@pytest.mark.parametrize(
    "dag_id", ["second_try", pytest.param("teardown_that_works", marks=DEEP), "healthy", "join_min_one"]
)
def test_what_succeeds_in_the_end_is_proven(verdict_of: VerdictOf, dag_id: str) -> None:
    """At a second try, too, and without a branch that was not chosen."""
    verdict = verdict_of(dag_id, "rerun")
    assert verdict.outcome == "proven", failure_text(dag_id, verdict)
    assert left_out(verdict) == (["other ran in no history (skipped)"] if dag_id == "join_min_one" else [])
    written = {"second_try": {"orders", "audit"}, "join_min_one": {"orders", "audit"}}.get(dag_id, {"orders"})
    assert {table for table, rows in verdict.compared.tables.items() if rows} == written


@pytest.mark.parametrize(
    ("dag_id", "says"),
    [
        pytest.param(
            "may_fail_at_the_end", ["notify failed, as allowed: ConnectionError: no chat here (may_fail)"], id="id"
        ),
        pytest.param(
            "may_fail_by_pattern",
            [
                "notify_shop failed, as allowed: ConnectionError: no chat here (may_fail)",
                "notify_again ran in no history (upstream_failed)",
            ],
            id="pattern",
        ),
    ],
)
def test_a_wanted_failure_is_named(verdict_of: VerdictOf, dag_id: str, says: list[str]) -> None:
    """With its error, in each verdict; the run counts as a success, also where Airflow calls it failed."""
    for law in ("effect", "rerun"):
        verdict = verdict_of(dag_id, law)
        assert verdict.outcome == "proven", failure_text(dag_id, verdict)
        assert left_out(verdict) == says


def test_a_callback_that_fails_is_named(verdict_of: VerdictOf) -> None:
    """Airflow only logs it; of the DAG, and of a task."""
    verdict = verdict_of("callbacks_fail", "rerun")
    whose = "the on_success_callback of load_part, the on_success_callback of the DAG"
    says = [f"{whose} failed, reported only in the log: ConnectionError: no chat here"]
    assert (verdict.outcome, left_out(verdict)) == ("proven", says)


@pytest.mark.parametrize(
    ("dag_id", "says"),
    [
        pytest.param("join_skipped", ["other, publish ran in no history (skipped)"], id="join"),
        pytest.param("cut_short", ["publish ran in no history (skipped)"], id="short-circuit", marks=DEEP),
        pytest.param(
            "mapped_over_nothing", ["load_part ran in no history (skipped)"], id="mapped-over-nothing", marks=DEEP
        ),
        pytest.param("skips_itself", ["publish skipped itself in each run"], id="skips-itself"),
    ],
)
def test_a_task_that_never_ran_is_named(verdict_of: VerdictOf, dag_id: str, says: list[str]) -> None:
    """With what Airflow calls its end: what it would have written is in no verdict."""
    verdict = verdict_of(dag_id, "rerun")
    assert (verdict.outcome, left_out(verdict)) == ("proven", says)


@pytest.mark.parametrize(
    ("dag_id", "law", "says"),
    [
        pytest.param("appends_ignored", "rerun", "compared: loads (ignore)", id="ignore"),
        pytest.param("appends_ignored", "effect", "compared: loads (ignore)", id="ignore-effect", marks=DEEP),
        pytest.param("appends_exempt", "rerun", "runs write is compared: loads (exempt.rerun)", id="exempt"),
        pytest.param("variable_alone", "rerun", "compared: Airflow's variable last", id="variable"),
        pytest.param("variable_alone", "effect", "compared: Airflow's variable last", id="variable-effect", marks=DEEP),
        pytest.param(
            "appends_files_ignored",
            "rerun",
            f"compared: reports/{FIRST}.txt, reports/{SECOND}.txt (ignore)",
            id="files",
        ),
    ],
)
def test_where_nothing_is_left_to_compare_a_law_does_not_apply(
    verdict_of: VerdictOf, dag_id: str, law: str, says: str
) -> None:
    """Each of these DAGs appends with each run: it must not be proven, and the reason names what is left out."""
    verdict = verdict_of(dag_id, law)
    assert verdict.outcome == "not-applicable"
    assert says in str(verdict.reason)


def test_what_is_left_out_beside_what_is_compared_is_named(verdict_of: VerdictOf) -> None:
    """And is none of what was compared."""
    verdict = verdict_of("appends_beside", "rerun")
    assert (verdict.outcome, left_out(verdict)) == ("proven", ["not compared: loads (exempt.rerun)"])
    assert verdict.compared.tables["orders"] == 2
    assert "loads" not in verdict.compared.tables


def test_a_variable_beside_rows_is_named(verdict_of: VerdictOf) -> None:
    """A run may read there what an earlier one has left."""
    verdict = verdict_of("variable_beside", "rerun")
    says = "not compared, although a run wrote it: Airflow's variable last"
    assert (verdict.outcome, left_out(verdict)) == ("proven", [says])


def test_a_table_without_any_column_is_compared_by_its_number_of_rows(verdict_of: VerdictOf) -> None:
    """All of its columns are named."""
    verdict = verdict_of("columns_ignored", "rerun")
    assert (verdict.outcome, left_out(verdict)) == ("proven", ["not compared: orders.dt, orders.id (ignore)"])


def test_histories_that_were_not_drawn_are_named(verdict_of: VerdictOf) -> None:
    """The option leaves no room for them; nothing is said by a law that draws none."""
    assert sentences(verdict_of("healthy", "rerun").left_out) == ["not tried: random histories (--max-histories 1)"]
    assert verdict_of("healthy", "order").left_out == ()


def test_dates_that_no_history_has_are_named(verdict_of: VerdictOf) -> None:
    """`crash` tries the first one alone, here at few of its points."""
    points, dates = left_out(verdict_of("healthy", "crash"))
    assert re.fullmatch(r"\d+ of \d+ points of a run left out, as asked for \(--max-points\)", points)
    assert dates == f"not tried: {SECOND}"


@pytest.mark.deep
def test_dates_that_never_overlap_are_named(driver: Driver, verdict_of: VerdictOf) -> None:
    """Where the DAG forbids that two of its runs are active."""
    driver.join(ELSEWHERE)
    assert "not tried: two dates at once (max_active_runs = 1)" in left_out(verdict_of("one_at_a_time", "overlap"))
    assert not any("two dates" in line for line in left_out(verdict_of("healthy", "overlap")))


@pytest.mark.deep
def test_a_run_that_asks_for_a_lock_again_and_again_is_named(driver: Driver, verdict_of: VerdictOf) -> None:
    """Nobody sees that it waits: both runs go on after a while, and that is not what was to be tried."""
    driver.join(ELSEWHERE)
    said = left_out(verdict_of("asks_again", "overlap"))
    assert [line for line in said if line.startswith(f"{NOT_PASSED}: two runs at once at message")], said
    assert not any(NOT_PASSED in line for line in left_out(verdict_of("healthy", "overlap")))


def test_a_task_that_does_not_exist_may_not_fail(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt id would let nothing fail; the nearest one is offered."""
    monkeypatch.setitem(PROOFS, "healthy", ProofConfig(may_fail=("laod",)))
    driver.reload(["healthy"])
    with pytest.raises(
        ConfigError, match=r"^tool\.dagproof\.proofs\.healthy\.may_fail names 'laod', which is not one of its tasks"
    ):
        driver.lab("healthy", DATES)
