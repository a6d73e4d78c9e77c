"""What a verdict is about: failed tasks below a green run, tables that are exempt, tasks that never ran."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.integration.cases.conftest import Case

pytestmark = pytest.mark.slow

MakeCase = Callable[[str], Case]
NUMBER = 'InvalidTextRepresentation: invalid input syntax for type numeric: "n/a"'


def test_all_done_is_green_on_each_date(case: MakeCase) -> None:
    """The load fails on each date, the note after it succeeds: no law is proven, and task and error are named."""
    ended = case("all_done_is_green").prove("green_audit", "effect", "rerun", output="text")
    assert ended.status == 2
    assert (
        "- the run of green_audit for 2026-03-01 is green, but task load failed: DivisionByZero: division by zero; "
        "if it may fail, add 'load' to may_fail in [tool.dagproof.proofs.green_audit]\n\n"
        "Raised at dags/green_audit.py:12\n"
    ) in ended.out
    assert "\ngreen_audit: 0 of 2 laws proven over 2026-03-01, 2026-03-02\n" in ended.out


@pytest.mark.deep
@pytest.mark.parametrize(
    ("dag_id", "says"),
    [
        pytest.param("green_bad", f"for 2026-03-02 is green, but task load failed: {NUMBER}", id="one-date"),
        pytest.param("green_audit", "for 2026-03-01 is green, but task load failed: DivisionByZero", id="each-date"),
    ],
)
def test_all_done_is_green_under_all_laws(case: MakeCase, dag_id: str, says: str) -> None:
    """Also under those that look at the first date alone, where the load succeeds."""
    ended = case("all_done_is_green").prove(dag_id)
    assert ended.status == 2
    outcomes = {law: verdict["outcome"] for law, verdict in ended.verdicts().items()}
    assert {law for law, outcome in outcomes.items() if outcome != "error"} == {"correction", "late"}, outcomes
    assert all(says in verdict["reason"] for verdict in ended.verdicts().values() if verdict["outcome"] == "error")


@pytest.mark.deep
def test_all_done_is_green_repaired(case: MakeCase) -> None:
    """A teardown cleans up, and what is no number goes elsewhere: proven, and nothing was left out but dates."""
    ended = case("all_done_is_green").prove("green_good")
    assert ended.status == 0, ended.out
    said = {entry["why"] for verdict in ended.verdicts().values() for entry in verdict["left_out"]}
    assert said <= {"not tried"}


def test_exempt_is_said(case: MakeCase) -> None:
    """The only table is exempt from `crash`: it does not apply, and says why; `rerun` compares the table."""
    ended = case("exempt_is_said").prove("mapped_good", "rerun", "crash", arguments=("--max-points", "1"))
    assert ended.status == 0, ended.err
    rerun, crash = ended.verdicts()["rerun"], ended.verdicts()["crash"]
    assert (crash["outcome"], crash["reason"]) == (
        "not-applicable",
        "nothing that its runs write is compared: balances (exempt.crash)",
    )
    assert (rerun["outcome"], rerun["compared"]["tables"], rerun["left_out"]) == (
        "proven",
        {"balances": 6, "tx": 27},
        [],
    )


@pytest.mark.deep
def test_exempt_is_said_of_the_bug(case: MakeCase) -> None:
    """It keeps what a correction takes away; that is found as before."""
    verdicts = case("exempt_is_said").prove("mapped_bad", "crash", "correction").verdicts()
    assert {law: verdict["outcome"] for law, verdict in verdicts.items()} == {
        "crash": "not-applicable",
        "correction": "falsified",
    }


def test_join_never_runs(case: MakeCase) -> None:
    """The join after the branch is skipped each time; so is the branch of Mondays in what `crash` tries."""
    ended = case("join_never_runs").prove(
        "branch_bad", "rerun", "crash", output="text", arguments=("--max-points", "1", "--max-histories", "4")
    )
    assert ended.status == 0, ended.err
    assert ended.out.endswith(f"\n  publish ran in no history (skipped)\n  seed 0, {ended.out.split()[-2]} s\n")
    crash = ended.out.partition("✓ crash")[2]
    assert "\n                   incremental ran in no history (skipped)\n" in crash
    assert "incremental" not in ended.out.partition("✓ crash")[0]


@pytest.mark.deep
def test_join_never_runs_repaired(case: MakeCase) -> None:
    """Nothing but the branch that `crash` and others did not come to is named."""
    ended = case("join_never_runs").prove("branch_good")
    assert ended.status == 0, ended.out
    named = {
        law: [entry["what"] for entry in v["left_out"] if "ran in" in entry["why"]]
        for law, v in ended.verdicts().items()
    }
    assert not any("publish" in names for names in named.values())
    assert (named["rerun"], named["crash"]) == ([], ["incremental"])
