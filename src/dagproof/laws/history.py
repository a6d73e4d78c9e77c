"""Whatever happens, the rows are a function of the latest inputs of the dates that ran."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from dagproof.histories import History, Step
from dagproof.lab import Lab
from dagproof.laws.base import Finding, Law, require_effect

MOST_STEPS = 6


class AnyHistory(Law):
    """What it does: draws histories of runs, reruns, cleared tasks, crashes, retries and corrections of several dates.

    What each of them leaves is compared with fresh runs of the same dates, in order, on the latest data. A date that
    crashed or was corrected last is run again first. The other laws try one thing at a time; this one finds what
    takes two things to go wrong.

    Why is this bad: production does not stop at one rerun. A table that survives each mishap alone, and not two of
    them, fails in the week in which everything fails.

    Example:
        if not already_loaded(ds):
            load(ds)  # and a correction is never loaded

    Use instead:
        replace_partition(ds)
    """

    name = "history"
    order = 90
    relation = "S(any history) = S(each date that ran, once, in order, on its latest inputs)"
    verdict = "history-dependent"
    accusation = "depends on its history"
    headline = "Rows differ from those of fresh runs"
    sides = ("fresh runs", "after this history")
    promise = "whatever happens, the rows are those of fresh runs on the latest data"

    def draws(self, lab: Lab, dates: Sequence[str]) -> SearchStrategy[History]:
        """Several dates, with any of the things that happen to them in between."""
        require_effect(lab, (Step("run", dates[0]),))
        kinds = ["rerun", "clear", "retry"]
        points = [point.name for point in lab.points((Step("run", dates[0]),))[0]]
        kinds += ["crash"] if points else []
        kinds += ["correct"] if lab.proof.corrections else []
        event = st.builds(
            _step,
            st.sampled_from(kinds),
            st.sampled_from(sorted(dates)),
            st.sampled_from(sorted(lab.about["tasks"])),
            st.sampled_from(points or [""]),
            st.sampled_from(sorted(lab.proof.corrections) or [""]),
        )
        in_order = bool(lab.about["depends_on_past"])
        runs = st.just(tuple(dates)) if in_order else st.permutations(sorted(dates)).map(tuple)
        return st.builds(_history, runs, st.integers(1, len(dates)), st.lists(event, min_size=1, max_size=MOST_STEPS))

    def simpler(self, lab: Lab, history: History) -> Iterable[History]:
        """The history without one of its steps, where each date still runs first and is healed last."""
        shorter = [history[:n] + history[n + 1 :] for n in range(len(history))]
        return [steps for steps in shorter if _is_sound(steps)]

    def check(self, lab: Lab, history: History) -> Finding:
        """Compare with fresh runs of the same dates in order."""
        require_effect(lab, history)
        return self.compared(lab, fresh(history), history)


def _step(kind: str, date: str, task: str, point: str, correction: str) -> Step:
    return Step(
        kind,
        date,
        task=task if kind in ("clear", "retry") else "",
        point=point if kind == "crash" else "",
        correction=correction if kind == "correct" else "",
    )


def _history(dates: tuple[str, ...], number: int, events: Sequence[Step]) -> History:
    """Return a history of the first `number` dates: each runs before anything else, and is healed at the end."""
    wanted = dates[:number]
    steps: list[Step] = []
    ran: set[str] = set()
    for event in events:
        if event.date not in wanted:
            continue
        if event.date not in ran:
            steps += [Step("run", date) for date in wanted[: wanted.index(event.date) + 1] if date not in ran]
            ran |= set(wanted[: wanted.index(event.date) + 1])
        steps.append(event)
    steps += [Step("run", date) for date in wanted if date not in ran]
    for date in wanted:
        last = next((step.kind for step in reversed(steps) if step.date == date), "")
        if last in ("crash", "correct"):
            steps.append(Step("rerun", date))
    return tuple(steps)


def _is_sound(history: History) -> bool:
    """Tell whether each date begins with its run, and does not end with a crash or a correction."""
    of_date: dict[str, list[str]] = {}
    for step in history:
        of_date.setdefault(step.date, []).append(step.kind)
    return bool(history) and all(
        kinds[0] == "run" and kinds.count("run") == 1 and kinds[-1] not in ("crash", "correct")
        for kinds in of_date.values()
    )


def fresh(history: History) -> History:
    """Return the fresh runs that must leave the same: each date once, in order, on its latest data."""
    steps: list[Step] = []
    for date in sorted({step.date for step in history}):
        corrections = dict.fromkeys(step for step in history if step.kind == "correct" and step.date == date)
        steps += [*corrections, Step("run", date)]
    return tuple(steps)
