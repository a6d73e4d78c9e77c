"""Which two runs are let meet: at first, and after other runs; not two dates where Airflow never runs two."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any, cast

import pytest

from dagproof.histories import History
from dagproof.inside.exchange import DagFacts
from dagproof.laws.base import NotApplicableError
from dagproof.laws.late import Late
from dagproof.laws.overlap import MOST_POINTS, MOST_POINTS_LATER, Overlap
from dagproof.runs.lab import Lab
from dagproof.runs.points import Point
from dagproof.runs.scope import Scope
from dagproof.worlds.failing import RunFailedError

DATES = ("2026-01-01", "2026-01-02", "2026-01-03")


def lab(
    monkeypatch: pytest.MonkeyPatch, *, points: int = 20, fails: str = "", dates: tuple[str, ...] = DATES, **about: Any
) -> Lab:
    """Return a lab whose runs have so many points, each of them with an answer; a step of the kind `fails` does."""
    monkeypatch.setattr("dagproof.laws.overlap.active", lambda lab: lab.dates)

    def points_of(history: History) -> tuple[list[Point], str]:
        if history[-1].kind == fails:
            raise RunFailedError("the rerun failed", "")
        return [Point(kind, n) for n in range(1, points + 1) for kind in ("message", "reply")], ""

    known = DagFacts("", {}, **about)
    return cast("Lab", SimpleNamespace(dates=dates, about=known, points=points_of, scope=Scope()))


def ways(histories: list[History]) -> list[str]:
    """Return in which ways two runs meet, each of them once, as kinds and days."""
    return list(
        dict.fromkeys(" ".join(f"{s.kind}{s.date[-1]}{s.other[-1:]}" for s in history) for history in histories)
    )


def test_two_runs_meet_at_first_and_after_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """First runs in an empty world, first runs in one where another date ran, and reruns."""
    found = list(Overlap().histories(lab(monkeypatch)))
    assert ways(found) == [
        "overlap12",
        "overlap11",
        "run1 overlap22",
        "run1 run2 overlap11",
        "run1 run2 overlap12",
    ]
    assert len(found) == 2 * MOST_POINTS + sum(MOST_POINTS_LATER)
    assert all(step.point.startswith("message") for history in found for step in history if step.point)


def test_two_dates_that_are_never_active_at_once_do_not_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    """That is noted; a date that is tried again meets itself all the same."""
    one = lab(monkeypatch, max_active_runs=1)
    assert ways(list(Overlap().histories(one))) == ["overlap11", "run1 overlap22", "run1 run2 overlap11"]
    assert ("two dates at once", "max_active_runs = 1") in {(left.what, left.setting) for left in one.scope.left_out}


def test_a_single_date_meets_itself_after_its_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no other one."""
    assert ways(list(Overlap().histories(lab(monkeypatch, dates=DATES[:1])))) == ["overlap11", "run1 overlap11"]


def test_reruns_that_fail_anyhow_do_not_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no error: `rerun` judges that. What was not tried is noted, and so are points."""
    failing = lab(monkeypatch, fails="rerun")
    assert ways(list(Overlap().histories(failing))) == ["overlap12", "overlap11", "run1 overlap22"]
    whys = {left.why for left in failing.scope.left_out}
    assert "not tried, as the two also fail one after the other" in whys
    whats = [left.what for left in failing.scope.left_out if left.why == "not tried"]
    assert any(re.fullmatch(r"holding a first run at \d+ of its \d+ points", what) for what in whats)


def test_late_says_nothing_of_a_dag_that_assets_start() -> None:
    """It starts when its data are there."""
    runs = {("mart", DATES[0]): SimpleNamespace(run_type="asset_triggered")}
    started = SimpleNamespace(dag_id="mart", dates=DATES, runs=runs, proof=SimpleNamespace(after=("stage",)))
    with pytest.raises(NotApplicableError, match="assets start its runs"):
        Late().histories(cast("Lab", started))
