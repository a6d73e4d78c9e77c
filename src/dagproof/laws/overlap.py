"""Two runs at the same time leave what one after the other leaves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dagproof.histories import History, Step
from dagproof.lab import Lab
from dagproof.laws.base import Finding, Law, NotApplicableError, active
from dagproof.scope import NOT_TRIED
from dagproof.worlds.machine import ELSEWHERE, HERE
from dagproof.worlds.points import thinned

#: The most points at which one run is held; more are thinned out evenly.
MOST_POINTS = 8


class Overlap(Law):
    """What it does: holds a run at one of its points while another one goes past it, and compares the rows.

    The other run is of the next date, and of the same date (a task that was taken for dead and tried again may still
    be running). It is held before a message to PostgreSQL or at a file operation; where the other one has to wait for
    what it has locked, it goes on. Serialization failures and deadlocks that the tasks' retries absorb are fine.

    Why is this bad: catching up starts several runs at once. Two of them that both look for rows to replace, both
    find none, and both insert; or share a temporary table or file, and load each other's rows.

    Where a row may be there twice, a delete and an insert in one transaction are not enough: two of them at once both
    delete nothing, and both insert. A lock that both ask for, or a unique key and retries, are.

    Example:
        DELETE FROM orders WHERE dt = %(ds)s;
        INSERT INTO orders SELECT …;

    Use instead:
        SELECT pg_advisory_xact_lock(hashtext('orders/' || %(ds)s));  -- first, in the same transaction
        DELETE FROM orders WHERE dt = %(ds)s;
        INSERT INTO orders SELECT …;
    """

    name = "overlap"
    order = 60
    relation = "two runs of one date at once, and of two dates at once: same S as one after the other"
    verdict = "not concurrency-safe"
    accusation = "is not safe to run twice at once"
    headline = "Rows differ when two runs are at work at once"
    sides = ("one after the other", "both at once")
    promise = "two runs at once leave the rows of one after the other"
    machines = (HERE, ELSEWHERE)

    def histories(self, lab: Lab, dates: Sequence[str]) -> Iterable[History]:
        """Two dates, and one date twice, the one held at each of its points."""
        dates = active(lab, dates)
        run = Step("run", dates[0])
        points = [point for point in lab.points((run,))[0] if point.kind != "reply"]
        if not points:
            raise NotApplicableError(
                "its runs have no point at which one could be held: they use neither the world's database nor, unless "
                "by a shell command or a library in C, its files"
            )
        alone = lab.about["max_active_runs"] == 1
        if alone and len(dates) > 1:
            lab.scope.leave_out("two dates at once", NOT_TRIED, "max_active_runs = 1")
        if (few := len(points) - MOST_POINTS) > 0:
            why = f"left out: a run is held at {MOST_POINTS}, spread over it"
            lab.scope.leave_out(f"{few} of {len(points)} points", why)
        others = [*dates[1:2], dates[0]] if not alone else [dates[0]]
        for other in others:
            for point in thinned(points, MOST_POINTS):
                yield (Step("overlap", dates[0], other=other, point=point.name),)

    def check(self, lab: Lab, history: History) -> Finding:
        """Compare with one run after the other, in either order."""
        step = history[0]
        run = Step("run", step.date)
        if step.date == step.other:
            either: list[History] = [(run,), (run, Step("rerun", step.date))]
        elif lab.about["depends_on_past"]:
            either = [(run, Step("run", step.other))]
        else:
            either = [(run, Step("run", step.other)), (Step("run", step.other), run)]
        findings = [self.compared(lab, runs, history) for runs in either]
        return next((finding for finding in findings if not finding), findings[0])
