"""Two runs at the same time leave what one after the other leaves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from dagproof.histories import History, Step
from dagproof.inside.exchange import LeftOut
from dagproof.inside.machine import ELSEWHERE, HERE
from dagproof.laws.base import Finding, Law, NotApplicableError, active
from dagproof.runs.lab import Lab
from dagproof.runs.points import Point, thinned
from dagproof.runs.scope import NOT_TRIED
from dagproof.worlds.failing import RunFailedError

#: The most points at which a first run is held; more are thinned out evenly.
MOST_POINTS = 8
#: The most at which a run is held after others: first runs and reruns of one date, and reruns of two.
MOST_POINTS_LATER = (2, 2, 1)
#: Why two runs are not let meet.
NO_REFERENCE = f"{NOT_TRIED}, as the two also fail one after the other"
#: Why two runs did not meet as they should.
NOT_PASSED = f"{NOT_TRIED} to the end, as the other run took more than three times as long as a run alone"
#: Why a run may fail.
NOT_JUDGED = "not judged, as running it again left the right rows"


class Overlap(Law):
    """Two overlapping runs leave the same rows as one after the other.

    ## What it does
    Holds a run at one of its points while another one overtakes it, and compares the rows.

    The other run is of the next date, or of the same date (a task that Airflow considered dead and retried may still
    be running). The first run is held before a message to PostgreSQL or at a file operation. If the other run waits
    for a lock of the held one, the held one continues. Both are tried in a fresh world, and again after runs of the
    dates, as those may have created the tables. Only rows decide: an attempt that Airflow has given up may fail, tasks
    are retried, and a run that fails is run again. A date that cannot be run again then fails the law.

    ## Why is this bad
    Catchup starts several runs at once. Two of them look for rows to replace, both find none, and
    both insert; or they share a temporary table or file, and load each other's rows.

    Without a unique key, a delete and an insert in one transaction are not enough: two such transactions at once both
    delete nothing, and both insert. Take a lock in both, or add a unique key and retries.

    ## Example
    ```sql
    DELETE FROM orders WHERE dt = %(ds)s;
    INSERT INTO orders SELECT …;
    ```

    ## Use instead
    ```sql
    SELECT pg_advisory_xact_lock(hashtext('orders/' || %(ds)s));  -- first, in the same transaction
    DELETE FROM orders WHERE dt = %(ds)s;
    INSERT INTO orders SELECT …;
    ```
    """

    name = "overlap"
    order = 60
    effort = 6
    relation = "two runs of one date at once, and of two dates at once: same S as one after the other"
    verdict = "not concurrency-safe"
    accusation = "is not safe to run concurrently"
    headline = "Rows differ when two runs overlap"
    sides = ("one after the other", "both at once")
    promise = "two overlapping runs leave the same rows as one after the other"
    machines = (HERE, ELSEWHERE)

    def histories(self, lab: Lab) -> Iterable[History]:
        """Two dates, and one date twice, the one held at each of its points; at first, and after runs of the dates."""
        dates = active(lab)
        run = Step("run", dates[0])
        points = _held_at(lab, (run,))
        if not points:
            raise NotApplicableError(
                "its runs have no point at which to hold one: they use neither the world's database nor its files, "
                "except in shell commands or C libraries"
            )
        others = [dates[0]] if _is_alone(lab) else [*dates[1:2], dates[0]]
        for other in others:
            for point in thinned(points, MOST_POINTS):
                yield (Step("overlap", dates[0], other=other, point=point.name),)
        if _is_alone(lab) and len(dates) > 1:
            lab.scope.leave_out("two dates at once", NOT_TRIED, "max_active_runs = 1")
        self._leave_out(lab, len(points), MOST_POINTS, "a first run")
        yield from self._later(lab, dates)

    def _later(self, lab: Lab, dates: Sequence[str]) -> Iterator[History]:
        """Two runs after earlier ones, which may have made the tables: first runs of a date, reruns, reruns of two.

        What begins with runs that do not succeed one after the other is left out.
        """
        first, last = dates[0], dates[:2][-1]
        both = tuple(Step("run", date) for date in dates[:2])
        ways = [(both[:1], last, last, "a later run")] if last != first else []
        ways.append((both, first, first, "a rerun"))
        if last != first and not (_is_alone(lab) or lab.about.depends_on_past):
            ways.append((both, first, last, "a rerun beside that of another date"))
        for (before, date, other, which), most in zip(ways, MOST_POINTS_LATER, strict=False):
            kind = "rerun" if Step("run", date) in before else "run"
            try:
                points = _held_at(lab, (*before, Step(kind, date)))
            except RunFailedError:
                lab.scope.leave_out(f"two runs at once, one of them a {kind}, after another run", NO_REFERENCE)
                continue
            self._leave_out(lab, len(points), most, which)
            if len(points) > 1 and points[0].kind == "message":
                points = points[1:]  # before it, a run has done nothing yet
            for point in thinned(points, most):
                yield (*before, Step("overlap", date, other=other, point=point.name))

    def _leave_out(self, lab: Lab, number: int, most: int, which: str) -> None:
        """Note at how many of its points a run is not held."""
        if number > most:
            lab.scope.leave_out(f"holding {which} at {number - most} of its {number} points", NOT_TRIED)

    def check(self, lab: Lab, history: History) -> Finding:
        """Compare with one run after the other, in either order."""
        *before, step = history
        findings = []
        for runs in _one_after_the_other(lab, tuple(before), step):
            try:
                lab.state(runs)
            except RunFailedError:
                continue  # running them like that fails anyhow: nobody can expect that
            findings.append(self.compared_in_time(lab, runs, history))
            if not findings[-1]:
                _note(lab, history)
                return findings[-1]
        if not findings:
            lab.state((Step("run", step.date),))
            lab.state((Step("run", step.other),))
            return Finding(left_out=(LeftOut(f"runs of {step.date} and {step.other} at once", NO_REFERENCE),))
        return findings[0]


def _note(lab: Lab, history: History) -> None:
    """Note what equal rows do not show, as the two runs did not meet at the point, or not as they should."""
    report, point = lab.report(history), history[-1].point
    if report.again:
        lab.scope.leave_out("a run that failed beside another one", NOT_JUDGED)
    if not report.reached:
        lab.scope.leave_out(f"holding a run at {point}", f"{NOT_TRIED}: the run did not get there")
    elif not report.passed:
        lab.scope.leave_out(f"two runs at once at {point}", NOT_PASSED)


def _held_at(lab: Lab, history: History) -> list[Point]:
    """Return the points at which the last run of `history` can be held."""
    return [point for point in lab.points(history)[0] if point.kind != "reply"]


def _is_alone(lab: Lab) -> bool:
    """Tell whether no two dates of the DAG run at the same time."""
    return bool(lab.about.max_active_runs == 1)


def _one_after_the_other(lab: Lab, before: History, overlap: Step) -> list[History]:
    """Return how the two runs of `overlap` happen when one waits for the other, after what happened `before`."""
    ran = {step.date for step in before}
    mine, other = (Step("rerun" if date in ran else "run", date) for date in (overlap.date, overlap.other))
    if mine == other:
        return [(*before, mine), (*before, mine, Step("rerun", mine.date))]
    if lab.about.depends_on_past:
        return [(*before, mine, other)]
    return [(*before, mine, other), (*before, other, mine)]
