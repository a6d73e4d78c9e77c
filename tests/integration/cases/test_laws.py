"""The laws on what people reported: which one speaks, what it says, and what it does not accuse."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.cases.conftest import Case

pytestmark = pytest.mark.slow

Copy = Callable[[str], Case]


def outcomes(verdicts: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Return what became of each law."""
    return {law: verdict["outcome"] for law, verdict in verdicts.items()}


def steps(verdict: dict[str, Any]) -> list[str]:
    """Return the kinds of the steps of a history."""
    return [step["step"] for step in verdict["history"]]


def test_a_table_that_the_first_run_makes_is_overlapped_later(case: Copy) -> None:
    """A load without a lock, which does nothing but make the table in its first run."""
    ended = case("overlap_later_runs").prove("second_bad", "overlap")
    verdict = ended.verdicts()["overlap"]
    assert (ended.status, verdict["outcome"]) == (1, "falsified")
    assert steps(verdict) == ["run", "overlap"]
    assert verdict["diff"]["tables"][0]["duplicated"] == 4


@pytest.mark.deep
def test_a_load_without_a_lock_is_overlapped_at_once(case: Copy) -> None:
    """Nothing has to run before it."""
    verdict = case("overlap_later_runs").prove("plain_bad", "overlap").verdicts()["overlap"]
    assert (verdict["outcome"], steps(verdict)) == ("falsified", ["overlap"])


@pytest.mark.deep
def test_an_attempt_that_was_given_up_may_fail(case: Copy) -> None:
    """Its staging table is gone, and all rows are right."""
    assert outcomes(case("loading_table").prove("museum_good", "overlap", "retry").verdicts()) == {
        "overlap": "proven",
        "retry": "proven",
    }


@pytest.mark.deep
def test_a_load_that_counts_what_it_has_staged_before_is_not_retry_safe(case: Copy) -> None:
    """As ever."""
    verdict = case("loading_table").prove("museum_bad", "retry").verdicts()["retry"]
    assert (verdict["outcome"], verdict["verdict"]) == ("falsified", "not retry-safe")


@pytest.mark.deep
def test_scratch_is_compared_by_no_law(case: Copy) -> None:
    """One staging table for all dates is another one after each date; only what was loaded from it counts."""
    verdicts = case("shared_staging").prove("staging_bad", "order", "rerun", "overlap").verdicts()
    assert outcomes(verdicts) == {"order": "proven", "rerun": "proven", "overlap": "falsified"}
    assert [table["table"] for table in verdicts["overlap"]["diff"]["tables"]] == ["target"]


@pytest.mark.deep
def test_staging_of_its_own_is_healthy(case: Copy) -> None:
    """No law accuses it."""
    verdicts = case("shared_staging").prove("staging_good").verdicts()
    assert set(outcomes(verdicts).values()) == {"proven", "not-applicable"}


@pytest.mark.deep
def test_dates_that_never_run_at_once_are_named(case: Copy) -> None:
    """With one active run at a time, two dates at once are not tried, and the verdict says so."""
    verdicts = case("shared_staging").prove("staging_one", "order", "overlap").verdicts()
    assert outcomes(verdicts) == {"order": "proven", "overlap": "proven"}
    assert {"what": "two dates at once", "why": "not tried", "setting": "max_active_runs = 1"} in verdicts["overlap"][
        "left_out"
    ]


@pytest.mark.deep
def test_a_run_that_is_skipped_when_it_is_late_is_laid_at_the_clock(case: Copy) -> None:
    """And at backfills; no other law is violated, though its runs are late, too. What was skipped is named."""
    verdicts = case("latest_only").prove("latest_bad").verdicts()
    assert {law for law, outcome in outcomes(verdicts).items() if outcome == "falsified"} == {"clock", "backfill"}
    assert "error" not in outcomes(verdicts).values()
    for law in ("clock", "backfill"):
        assert verdicts[law]["headline"].endswith("; skipped: load, notify")


@pytest.mark.deep
def test_reruns_that_make_a_later_date_late_are_not_blamed(case: Copy) -> None:
    """`rerun` draws histories in which the second date starts days late."""
    verdicts = case("latest_only").prove("latest_bad", "rerun", "order").verdicts()
    assert outcomes(verdicts) == {"rerun": "proven", "order": "proven"}


def test_rows_that_a_refused_correction_changed_are_called_that(case: Copy) -> None:
    """The task that refuses is named, and the one that has written."""
    ended = case("publish_then_check").prove("check_bad", "correction")
    verdict = ended.verdicts()["correction"]
    assert (ended.status, verdict["verdict"]) == (1, "changes rows that it refuses")
    assert "failed in task check" in verdict["headline"]
    assert verdict["written_by"] == "task load"


@pytest.mark.deep
def test_a_check_before_the_rows_are_published_is_healthy(case: Copy) -> None:
    """What is staged before is scratch."""
    assert outcomes(case("publish_then_check").prove("check_good", "correction").verdicts()) == {"correction": "proven"}


PROJECT = """
    [tool.dagproof.world]
    schema = ["schema.sql"]
    connections = {{ warehouse = "{{postgres}}" }}
    [tool.dagproof.proofs.second_bad]
    dates = ["2026-03-01", "2026-03-02"]
    {keys}
"""


def configured(case: Case, keys: str) -> Case:
    """Return the case with these keys in the table of its proof."""
    text = textwrap.dedent(PROJECT).format(keys=keys)
    Path(case.root, "pyproject.toml").write_text(text, encoding="utf-8")
    return case


def test_a_misspelt_column_is_reported_before_any_law(case: Copy) -> None:
    """It costs the first runs, and no proof."""
    ended = configured(case("overlap_later_runs"), 'ignore = ["fct.ids"]').prove("second_bad", output="text")
    assert (ended.status, ended.out) == (2, "")
    assert "ignore names 'fct.ids', which is neither a column nor a file; did you mean 'fct.id'?" in ended.err


def test_verdicts_are_printed_although_a_name_was_wrong(case: Copy) -> None:
    """One that a later run could still have made: nobody knows before the last law."""
    ended = configured(case("overlap_later_runs"), 'exempt = { crash = ["nowhere"] }').prove("second_bad", "effect")
    assert ended.status == 2
    assert outcomes(ended.verdicts()) == {"effect": "proven"}
    assert "exempt.crash names 'nowhere'" in ended.err


@pytest.mark.deep
def test_a_correction_that_cannot_be_made_is_reported_before_any_law(case: Copy) -> None:
    """Not when the law that makes it comes at last."""
    broken = configured(case("overlap_later_runs"), 'corrections = { gone = "gone.sql" }')
    Path(broken.root, "gone.sql").write_text("UPDATE sources SET v = 0;", encoding="utf-8")
    ended = broken.prove("second_bad", "rerun", "correction")
    assert (ended.status, ended.out) == (2, "")
    assert 'relation "sources" does not exist' in ended.err
