"""Two fresh runs of a date leave the same rows, on whichever machine."""

from __future__ import annotations

from collections.abc import Sequence

from dagproof.histories import History, Step
from dagproof.lab import Lab
from dagproof.laws.base import Finding, Law
from dagproof.worlds.machine import ELSEWHERE, HERE


class Deterministic(Law):
    """What it does: runs a date in two fresh worlds, on two machines, and compares the rows.

    The machines differ in time zone, host name, process ids and the order of Python's sets (PYTHONHASHSEED).

    Why is this bad: where two fresh runs of one date differ, no rerun can repair a table, no test can compare with
    expected rows, and every other difference hides behind this one.

    Example:
        cursor.execute("INSERT INTO orders VALUES (%s, %s)", (uuid4(), order.total))

    Use instead:
        cursor.execute("INSERT INTO orders VALUES (%s, %s)", (uuid5(NAMESPACE, order.number), order.total))
    """

    name = "deterministic"
    order = 20
    relation = (
        "S(run D) in one world = S(run D) in a fresh one, with another TZ, PYTHONHASHSEED, hostname and process id"
    )
    verdict = "non-deterministic"
    accusation = "is not deterministic"
    headline = "Two fresh runs of the same date differ"
    sides = ("on one machine", "on another")
    machines = (HERE, ELSEWHERE)
    asks_who = True
    promise = "a fresh run on another machine leaves identical rows"

    def examples(self, dates: Sequence[str]) -> list[History]:
        """One run of each date."""
        return [(Step("run", date),) for date in dates]

    def check(self, lab: Lab, history: History) -> Finding:
        """Compare the run with the same run on a machine of another name, time zone and hash order."""
        here, elsewhere = lab.state(history), lab.state(history, machine=ELSEWHERE)
        return Finding(lab.diff(self.seen(lab, here), self.seen(lab, elsewhere)))
