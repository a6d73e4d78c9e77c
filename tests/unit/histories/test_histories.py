"""Histories are plain data: they print, save, come back, and have a name."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.vendor.pretty import pretty

from dagproof.histories import Step, history_from_json, history_id, history_to_json
from dagproof.histories.steps import KINDS, runs_and_reruns, without_reruns

DATES = st.dates().map(lambda date: date.isoformat())
OUTAGES = st.builds(
    Step,
    st.just("outage"),
    DATES,
    point=st.sampled_from(["message 3", "message 4"]),
    error=st.sampled_from(["deadlock", "connection lost"]),
    lasts=st.sampled_from(["", "always"]),
)
PLAIN = st.builds(Step, st.sampled_from(sorted(KINDS.keys() - {"outage"})), DATES | st.text())
HISTORIES = st.lists(PLAIN | OUTAGES).map(tuple)


@given(HISTORIES)
def test_a_history_survives_json(history: tuple[Step, ...]) -> None:
    """Written and read back it is the same."""
    assert history_from_json(json.loads(json.dumps(history_to_json(history)))) == history


def test_json_has_a_step_and_a_date() -> None:
    """As in the report of ``prove``."""
    assert history_to_json((Step("run", "2026-01-01"),)) == [{"step": "run", "date": "2026-01-01"}]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param([{"step": "run"}], id="no-date"),
        pytest.param([{"date": "2026-01-01"}], id="no-step"),
        pytest.param([{"step": "jump", "date": "2026-01-01"}], id="unknown-step"),
        pytest.param(["run"], id="no-object"),
        pytest.param(7, id="no-list"),
    ],
)
def test_what_is_no_history_is_refused(data: object) -> None:
    """With one kind of error, whatever is wrong with it."""
    with pytest.raises(ValueError, match="step"):
        history_from_json(data)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"point": "message 3", "error": "dedlock"}, "unknown error 'dedlock'; valid errors: .*deadlock"),
        ({"point": "message 3"}, "unknown error ''"),
        ({"point": "file 3", "error": "deadlock"}, "no run hits 'deadlock' at the point 'file 3'; valid .* message N"),
        ({"error": "deadlock"}, "no run hits 'deadlock' at the point ''"),
        ({"point": "message 3", "error": "deadlock", "lasts": "ever"}, "lasts 'always'"),
        ({"step": "run", "error": "deadlock"}, "a step run has no error"),
    ],
)
def test_an_outage_needs_an_error_that_fits_its_point(fields: dict[str, str], message: str) -> None:
    """The message names what would."""
    with pytest.raises(ValueError, match=message):
        history_from_json([{"step": "outage", "date": "2026-01-01", **fields}])


def test_an_outage_reads_as_what_happens() -> None:
    """Its error, its point, and whether that stays."""
    once = Step("outage", "2026-01-01", point="message 3", error="deadlock")
    always = Step("outage", "2026-01-01", point="connect 1", error="connection refused", lasts="always")
    assert str(once) == "outage(2026-01-01, deadlock at message 3)"
    assert str(always) == "outage(2026-01-01, connection refused at connect 1 and each time after that)"


@given(HISTORIES, HISTORIES)
def test_a_name_is_of_one_history(one: tuple[Step, ...], other: tuple[Step, ...]) -> None:
    """The same history has the same name, and each six hexadecimal digits."""
    names = [history_id("dag", "rerun", history_to_json(history)) for history in (one, other)]
    assert (names[0] == names[1]) == (one == other)
    assert all(len(name) == 6 and int(name, 16) >= 0 for name in names)


def test_a_name_is_for_ever() -> None:
    """People paste it into tickets: it must not change from machine to machine or version to version."""
    assert history_id("orders", "rerun", [{"step": "run", "date": "2026-01-01"}]) == "c1ae1f"


@given(st.lists(DATES))
def test_a_date_is_run_once_and_then_rerun(dates: list[str]) -> None:
    """Its first appearance is the run, and without the reruns each date is there once, in that order."""
    history = runs_and_reruns(dates)
    assert [step.date for step in history] == dates
    once = without_reruns(history)
    assert [step.date for step in once] == list(dict.fromkeys(dates))
    assert {step.kind for step in once} <= {"run"}
    assert without_reruns(once) == once


def test_a_step_prints_short() -> None:
    """Also where Hypothesis prints it, which asks neither str nor repr."""
    step = Step("rerun", "2026-01-01")
    assert str(step) == pretty(step) == "rerun(2026-01-01)"


def test_an_unknown_kind_of_step_is_refused() -> None:
    """With those that there are."""
    with pytest.raises(ValueError, match=r"unknown step 'skip'; valid steps: run, rerun, "):
        Step("skip", "2026-01-01")
