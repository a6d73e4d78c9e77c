"""What happened in a history: when its runs were, what they skipped, and where it ended."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from dagproof.histories import History
from dagproof.worlds.failing import RunFailedError

if TYPE_CHECKING:
    from dagproof.runs.lab import Lab

#: How many of the tasks that a run has skipped are named.
MOST_SKIPPED = 5


def failing_part(lab: Lab, history: History) -> History:
    """Return the beginning of a history that fails, up to the step that does."""
    for number in range(1, len(history)):
        try:
            lab.state(history[:number])
        except RunFailedError:
            return history[:number]
    return history


def take_the_same_course(expected: History, history: History) -> bool:
    """Tell whether no data change in `history`, and its dates first run in the order of `expected`.

    Of two dates that run at once, either may come first.
    """
    if any(step.kind == "correct" for step in history):
        return False
    runs, others = (list(dict.fromkeys(s.date for s in steps if s.runs)) for steps in (expected, history))
    return any(step.other not in ("", step.date) for step in history) or runs == others


def skipping(lab: Lab, expected: History, history: History) -> str:
    """Return ``; skipped: load`` for the tasks that a run of `history` skips and the one of `expected` does not."""
    now, usual = (_skipped(lab, steps) for steps in (history, expected))
    names = {task for date, tasks in now.items() if date in usual for task in tasks - usual[date]}
    return named_skipped(lab, names)


def named_skipped(lab: Lab, names: Collection[str]) -> str:
    """Return ``; skipped: load, publish``, in the order of the DAG's file; nothing for no task."""
    in_order = [task_id for task_id in lab.about.tasks if task_id in names]
    more = [f"and {len(in_order) - MOST_SKIPPED} more"] if len(in_order) > MOST_SKIPPED else []
    return f"; skipped: {', '.join([*in_order[:MOST_SKIPPED], *more])}" if in_order else ""


def _skipped(lab: Lab, history: History) -> dict[str, set[str]]:
    """Return the tasks that any run of a date skips, by date."""
    found: dict[str, set[str]] = {}
    for number, step in enumerate(history, start=1):
        if step.runs:
            states = lab.report(history[:number]).states
            found.setdefault(step.date, set()).update(s.task_id for s in states if s.state == "skipped")
    return found


def at_the_times_of(lab: Lab, expected: History, history: History, *, at_last: bool) -> History:
    """Return `expected` with each run at the time at which `history` has the run of its date, where that is another."""
    first, last = _times(lab, history)
    seen: set[str] = set()
    steps = []
    for step in expected:
        if step.kind in ("run", "rerun"):
            at = (last if at_last or step.date in seen else first).get(step.date, "")
            seen.add(step.date)
            steps.append(replace(step, at=at))
        else:
            steps.append(step)
    usual = [lab.report(expected[:n]).clock if step.at else "" for n, step in enumerate(steps, start=1)]
    return expected if usual == [step.at for step in steps] else tuple(steps)


def _times(lab: Lab, history: History) -> tuple[dict[str, str], dict[str, str]]:
    """Return when the first and the last run of each date of `history` began."""
    first: dict[str, str] = {}
    last: dict[str, str] = {}
    for number, step in enumerate(history, start=1):
        if not step.runs:
            continue
        report = lab.report(history[:number])
        for date, clock in ((step.date, report.clock), (step.other, report.other_clock)):
            if date and clock:
                first.setdefault(date, clock)
                last[date] = clock
    return first, last
