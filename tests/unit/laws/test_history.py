"""Drawn histories are such that a healthy DAG passes them, and are compared with the right fresh runs."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from dagproof.histories import Step
from dagproof.laws.history import SAME, TROUBLES, _events, _history, _is_sound, fresh

DATES = ("2026-01-01", "2026-01-02", "2026-01-03")

event = st.one_of(
    st.builds(Step, st.sampled_from(["rerun", "retry", "clear", "crash", "correct"]), st.sampled_from(DATES)),
    st.builds(Step, st.just("overlap"), st.sampled_from(DATES), other=st.sampled_from(DATES)),
    st.builds(Step, st.just("outage"), st.sampled_from(DATES), point=st.just("message 3"), error=st.just("deadlock")),
)
events = st.lists(event, max_size=8)
orders = st.permutations(DATES).map(tuple)
numbers = st.integers(1, len(DATES))


@given(orders, numbers, events)
def test_each_date_runs_first_and_once(dates: tuple[str, ...], number: int, drawn: list[Step]) -> None:
    """Whatever happens to a date happens after its run, and all the dates that are asked for run, in their order."""
    history = _history(dates, number, drawn)
    runs = [step.date for step in history if step.kind == "run"]
    assert runs == list(dates[:number])
    for date in runs:
        assert next(step.kind for step in history if date in (step.date, step.other)) == "run"


@given(orders, numbers, events)
def test_a_date_that_was_cut_off_or_corrected_is_healed_by_a_whole_run(
    dates: tuple[str, ...], number: int, drawn: list[Step]
) -> None:
    """Neither is the last that happens to a date, nor is a single task cleared right after it."""
    history = _history(dates, number, drawn)
    for date in dates[:number]:
        kinds = [step.kind for step in history if date in (step.date, step.other)]
        assert kinds[-1] not in ("crash", "outage", "correct")
        assert not any(kind in ("crash", "outage", "correct") and then == "clear" for kind, then in pairwise(kinds))


@given(orders, numbers, events)
def test_no_single_task_is_cleared_while_corrected_data_wait_for_their_run(
    dates: tuple[str, ...], number: int, drawn: list[Step]
) -> None:
    """Neither of the date nor of another one, which may read them; a shorter history has none either."""
    history = _history(dates, number, drawn)
    assert _is_sound(history)
    waiting: set[str] = set()
    for step in history:
        assert not (waiting and step.kind == "clear")
        waiting = waiting | {step.date} if step.kind == "correct" else waiting
        waiting = waiting if step.is_fault or step.kind == "correct" else waiting - {step.date, step.other}
    corrected, cleared = Step("correct", dates[0], correction="changed"), Step("clear", dates[1], task="load")
    runs = (Step("run", dates[0]), Step("run", dates[1]))
    assert _is_sound((*runs, corrected, Step("rerun", dates[0]), cleared))
    assert not _is_sound((*runs, corrected, cleared, Step("rerun", dates[0])))


@given(orders, events)
def test_nothing_that_was_drawn_is_lost(dates: tuple[str, ...], drawn: list[Step]) -> None:
    """With all dates asked for, each event is there, a cleared task perhaps as a whole rerun, a correction once."""
    history = _history(dates, len(dates), drawn)
    corrected = [step for step in drawn if step.kind == "correct"]
    assert [s for s in history if s.kind == "correct"] == list(dict.fromkeys(corrected))
    for kind in ("retry", "crash", "outage"):
        assert [s for s in history if s.kind == kind] == [s for s in drawn if s.kind == kind]
    assert sum(s.kind in ("rerun", "clear") for s in history) >= sum(s.kind in ("rerun", "clear") for s in drawn)


@given(orders, numbers, events)
def test_fresh_runs_are_of_each_date_once_in_order_on_its_latest_data(
    dates: tuple[str, ...], number: int, drawn: list[Step]
) -> None:
    """A date's corrections come right before its only run, each of them once."""
    history = _history(dates, number, drawn)
    steps = fresh(history)
    assert [step.date for step in steps if step.kind == "run"] == sorted(dates[:number])
    assert {step for step in steps if step.kind == "correct"} == {step for step in history if step.kind == "correct"}
    assert len(set(steps)) == len(steps)
    assert [step.date for step in steps] == sorted(step.date for step in steps)
    assert {step.kind for step in steps} <= {"run", "correct"}


details = st.tuples(
    st.sampled_from(["", *DATES]),
    st.just("load"),
    st.sampled_from(["", "message 3", "reply 3"]),
    st.sampled_from(["", "wrong"]),
    st.sampled_from(["", SAME, *DATES]),
    st.booleans(),
)
ERRORS = {"message 3": "deadlock", "reply 3": "connection lost"}


@given(st.permutations(TROUBLES), st.lists(details, min_size=len(TROUBLES), max_size=len(TROUBLES)))
def test_a_trouble_without_a_date_is_none(kinds: list[str], drawn: list[tuple[str, str, str, str, str, bool]]) -> None:
    """And a run is cut off only where there is a point, and corrected only where a correction is known."""
    steps = _events(kinds, drawn, ERRORS)
    assert len(steps) <= sum(len(words.split()) for words, (date, *_) in zip(kinds, drawn, strict=True) if date)
    for step in steps:
        assert step.date in DATES
        assert bool(step.point) == (step.kind in ("crash", "outage", "overlap"))
        assert step.error == (ERRORS[step.point] if step.kind == "outage" else "")
        assert bool(step.other) == (step.kind == "overlap")
        assert step.is_fault or not step.point.startswith("reply")
        assert bool(step.correction) == (step.kind == "correct")
        assert bool(step.task) == (step.kind in ("retry", "clear"))
