"""Whatever happens, the rows are a function of the latest inputs of the dates that ran."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from dagproof.histories import History, Step
from dagproof.inside.machine import ELSEWHERE, HERE
from dagproof.laws.base import Finding, Law, active, tidied
from dagproof.runs.erring import usual
from dagproof.runs.happened import failing_part
from dagproof.runs.lab import Lab
from dagproof.worlds.failing import RunFailedError

#: What may happen in a drawn history, in any order: each of these to one of the dates, or to none.
TROUBLES = ("rerun", "retry", "clear", "overlap", "crash", "crash correct", "crash correct")
#: How many of them are drawn: what takes a history beyond this finds little more, and costs runs.
MOST_TROUBLES = 6


class AnyHistory(Law):
    """Whatever happens, the rows are those of fresh runs on the latest data.

    ## What it does
    Generates random histories of runs, reruns, cleared tasks, crashes, errors, retries and corrections of several
    dates.

    Some histories have two runs at once, of one date or of two. What each history leaves is compared with fresh runs
    of the same dates, in order, on the latest data. If the last step of a date was a crash, an error or a correction,
    the date is run again before the comparison. The other laws test one fault at a time; this one tests combinations.

    ## Why is this bad
    Production does not stop at one rerun. A table that survives each fault alone, but not two of
    them, fails in the week in which everything fails.

    ## Example
    ```python
    if not already_loaded(ds):
        load(ds)  # and a correction is never loaded
    ```

    ## Use instead
    ```python
    replace_partition(ds)
    ```
    """

    name = "history"
    order = 90
    effort = 9
    relation = "S(any history) = S(each date that ran, once, in order, on its latest inputs)"
    verdict = "history-dependent"
    accusation = "depends on its history"
    headline = "Rows differ from those of fresh runs"
    sides = ("fresh runs", "after this history")
    machines = (HERE, ELSEWHERE)
    judges_reference = True
    promise = "whatever happens, the rows are those of fresh runs on the latest data"

    def draws(self, lab: Lab) -> SearchStrategy[History]:
        """Several dates, with any of the things that happen to them in between."""
        dates = active(lab)
        errors = {point.name: usual(point) for point in lab.points((Step("run", dates[0]),))[0]}
        trouble = st.tuples(
            st.sampled_from(["", *sorted(dates) * 3]),  # nothing happens now and then, and is the simplest
            st.sampled_from(sorted(lab.about.tasks)),
            st.sampled_from(["", *errors]),  # what is corrected need not be cut off first
            st.sampled_from(_accepted(lab, dates[0]) or [""]),
            st.sampled_from(["", "", "", *_may_overlap(lab, dates)]),  # two runs, for what is rarely found
            st.booleans(),
        )
        kinds = st.permutations(TROUBLES).map(lambda drawn: drawn[:MOST_TROUBLES])
        troubles = st.lists(trouble, min_size=MOST_TROUBLES, max_size=MOST_TROUBLES)
        events = st.builds(_events, kinds, troubles, st.just(errors))
        in_order = bool(lab.about.depends_on_past)
        runs = st.just(tuple(dates)) if in_order else st.permutations(sorted(dates)).map(tuple)
        # mostly all dates, for it may take two to go wrong; one alone is simpler
        number = st.integers(0, 9).map(lambda drawn: len(dates) if drawn else 1)
        return st.builds(_history, runs, number, events)

    def simpler(self, lab: Lab, history: History) -> Iterable[History]:
        """The history without one of its steps, where each date still runs first and is healed last."""
        shorter = [history[:n] + history[n + 1 :] for n in range(len(history))]
        return [steps for steps in shorter if _is_sound(steps)]

    def check(self, lab: Lab, history: History) -> Finding:
        """Compare with fresh runs of the same dates in order."""
        finding = self.compared_in_time(lab, fresh(history), history)
        if finding.diff:
            finding = self.compared_in_time(lab, fresh(history), history, at_last=True)
        if finding.diff:
            crashes = [history[: n + 1] for n, step in enumerate(history) if step.is_fault]
            return tidied(finding, [lab.state(steps) for steps in crashes])
        if finding and not finding.history:
            return replace(finding, history=failing_part(lab, history))
        return finding


#: Another run of the very date.
SAME = "same"


def _accepted(lab: Lab, date: str) -> list[str]:
    """Return the corrections after which a fresh run succeeds: data that are refused leave nothing to compare with."""
    names = []
    for name in sorted(lab.proof.corrections):
        try:
            lab.state((Step("correct", date, correction=name), Step("run", date)))
        except RunFailedError:
            continue
        names.append(name)
    return names


def _may_overlap(lab: Lab, dates: Sequence[str]) -> list[str]:
    """Return with which dates a run may overlap: ``same`` for its own date, which is tried again; none where none may.

    Who exempts anything from `overlap`, or skips it, knows that two runs at once do not leave the same.
    """
    if not lab.has_two_workers or "overlap" in lab.proof.skip or "overlap" in lab.proof.exempt:
        return []
    alone = lab.about.max_active_runs == 1 or lab.about.depends_on_past
    return [SAME] if alone else [SAME, *sorted(dates)[:2]]


def _events(
    kinds: Sequence[str], troubles: Sequence[tuple[str, str, str, str, str, bool]], errors: Mapping[str, str]
) -> list[Step]:
    """Return the steps that several troubles are.

    Each has a date (or none), a task, a point, a correction, the date with which the run overlaps (or none), and
    whether a run is tried again because it meets the error that is usual at its point, and not after its work.
    """
    steps = []
    for words, (date, task, point, correction, other, errs) in zip(kinds, troubles, strict=True):
        for kind in words.split() if date else ():
            if kind == "overlap" and point and other:
                at = point.replace("reply", "message")  # an answer cannot be held
                steps.append(Step(kind, date, point=at, other=date if other == SAME else other))
            elif kind == "crash" and point:
                steps.append(Step(kind, date, point=point))
            elif kind == "retry" and errs and point:
                steps.append(Step("outage", date, point=point, error=errors[point]))
            elif kind == "correct" and correction:
                steps.append(Step(kind, date, correction=correction))
            elif kind in ("rerun", "retry", "clear"):
                steps.append(Step(kind, date, task=task if kind != "rerun" else ""))
    return steps


def _history(dates: tuple[str, ...], number: int, events: Sequence[Step]) -> History:
    """Return a history of the first `number` dates: each runs before anything else, and is healed at the end.

    A date that was cut off or corrected is healed by a whole run: a single task that is cleared would go on with what
    the tasks before it have left, or have not. So would one of another date that reads what was corrected.
    """
    wanted = dates[:number]
    steps: list[Step] = []
    ran: set[str] = set()
    unhealed: set[str] = set()
    corrected: set[str] = set()
    for event in events:
        date = event.date
        if date not in wanted or (event.kind == "correct" and event in steps):  # twice the same is another correction
            continue
        involved = {date, event.other if event.other in wanted else date}
        for day in wanted[: max(wanted.index(day) for day in involved) + 1]:
            steps += [Step("run", day)] if day not in ran else []
            ran.add(day)
        if event.other:
            event = replace(event, other=event.other if event.other in wanted else date)
        is_whole = event.kind == "clear" and (date in unhealed or corrected)
        steps.append(Step("rerun", date) if is_whole else event)
        is_correction = event.kind == "correct"
        unhealed = unhealed | {date} if event.is_fault or is_correction else unhealed - involved
        corrected = corrected | {date} if is_correction else corrected & unhealed
    steps += [Step("run", date) for date in wanted if date not in ran]
    return (*steps, *(Step("rerun", date) for date in wanted if date in unhealed))


def _is_sound(history: History) -> bool:
    """Tell whether each date begins with its run, and does not end with a fault or a correction.

    And no single task is cleared between a correction and the next run of its date.
    """
    of_date: dict[str, list[str]] = {}
    corrected: set[str] = set()
    for step in history:
        if step.kind == "clear" and corrected:
            return False
        corrected = corrected | {step.date} if step.kind == "correct" else corrected - _healed_by(step)
        for date in {step.date, step.other or step.date}:
            of_date.setdefault(date, []).append(step.kind)
    return bool(history) and all(
        kinds[0] == "run" and kinds.count("run") == 1 and kinds[-1] not in ("crash", "outage", "correct")
        for kinds in of_date.values()
    )


def _healed_by(step: Step) -> set[str]:
    return set() if step.is_fault else {step.date, step.other}


def fresh(history: History) -> History:
    """Return the fresh runs that must leave the same: each date once, in order, on its latest data."""
    steps: list[Step] = []
    for date in sorted({step.date for step in history}):
        corrections = [step for step in history if step.kind == "correct" and step.date == date]
        steps += [*corrections, Step("run", date)]
    return tuple(steps)
