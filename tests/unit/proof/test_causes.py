"""Verdicts with one cause: the first is told in full, the others refer to it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dagproof.histories import Step
from dagproof.laws import Verdict
from dagproof.laws.verdict import FALSIFIED, PROVEN
from dagproof.proof.causes import told_once
from dagproof.stores.diff import Diff, FileDiff, TableDiff

D1, D2 = "2026-01-01", "2026-01-02"
DOUBLED = Diff((TableDiff("orders", 20, 40, duplicated=20),))
RERUN = Verdict("rerun", FALSIFIED, history=(Step("run", D1), Step("rerun", D1)), diff=DOUBLED, written_by="task load")


def after(law: str, *steps: Step, **other: object) -> Verdict:
    """Return a verdict like that of rerun, about another law and history."""
    return replace(RERUN, law=law, history=steps, **other)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "verdict",
    [
        pytest.param(after("retry", Step("retry", D1)), id="tried-again"),
        pytest.param(after("crash", Step("crash", D1, point="message 7"), Step("rerun", D1)), id="crash"),
        pytest.param(after("overlap", Step("overlap", D1, other=D1, point="message 7")), id="twice-at-once"),
        pytest.param(after("correction", Step("run", D1), Step("correct", D1), Step("rerun", D1)), id="corrected"),
        pytest.param(after("history", Step("run", D1), Step("run", D2), Step("clear", D1)), id="among-others"),
        pytest.param(
            after("retry", Step("retry", D1), diff=Diff((TableDiff("orders", 9, 18, duplicated=9),))), id="other-number"
        ),
        pytest.param(after("retry", Step("retry", D1), written_by="task load, in step 1"), id="same-task"),
    ],
)
def test_the_same_difference_after_the_same_runs_is_told_once(verdict: Verdict) -> None:
    """Whatever else happens in the history, and however many rows there are."""
    assert [v.same_as for v in told_once([RERUN, verdict])] == [None, "rerun"]
    assert verdict.to_json()["same_as"] is None
    assert told_once([RERUN, verdict])[1].to_json()["same_as"] == "rerun"


@pytest.mark.parametrize(
    "verdict",
    [
        pytest.param(after("order", Step("run", D2), Step("run", D1)), id="other-runs"),
        pytest.param(RERUN, id="proven-again"),
        pytest.param(after("retry", Step("retry", D2)), id="other-date"),
        pytest.param(after("retry", Step("retry", D1), written_by="task publish"), id="other-task"),
        pytest.param(after("retry", Step("retry", D1), diff=Diff((TableDiff("orders", 1, 2, added=1),))), id="added"),
        pytest.param(
            after("retry", Step("retry", D1), diff=Diff((TableDiff("orders", 1, 1, changed=1, columns=("total",)),))),
            id="column",
        ),
        pytest.param(
            after("retry", Step("retry", D1), diff=replace(DOUBLED, files=(FileDiff("a", "added"),))), id="file-too"
        ),
        pytest.param(after("crash", Step("crash", D1), Step("rerun", D1), accusation="is not atomic"), id="other-word"),
        pytest.param(after("retry", Step("retry", D1), diff=Diff()), id="fails"),
    ],
)
def test_another_difference_has_its_own_text(verdict: Verdict) -> None:
    """Also where just the runs, or who wrote it, are others."""
    assert [v.same_as for v in told_once([RERUN, verdict])] == [None, None]


def test_all_refer_to_the_first_one() -> None:
    """What is proven is no cause; what was said of an earlier set of verdicts does not count."""
    retry = after("retry", Step("retry", D1), same_as="clock")
    proven = Verdict("effect", PROVEN)
    told = told_once([proven, RERUN, retry, after("history", Step("run", D1), Step("clear", D1))])
    assert [v.same_as for v in told] == [None, None, "rerun", "rerun"]
    assert [v.same_as for v in told_once([retry])] == [None]
