"""The order in which dates run does not matter."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from dagproof.histories import History, Step
from dagproof.lab import Lab
from dagproof.laws.base import Finding, Law, NotApplicableError, active


class Order(Law):
    """What it does: runs each two dates in the wrong order, and compares with the right one.

    Pairs are enough: where each two dates may change places, any order can be turned into any other by swapping
    neighbours, so that ten dates take 45 histories and not 3,628,800.

    Why is this bad: backfills run newest first if told to, several runs are active at once, and a date that failed
    is repaired after later ones. Whatever the last one of them overwrites is then wrong.

    Example:
        cursor.execute("UPDATE accounts SET balance = %s", (balance_of_the_day,))

    Use instead:
        cursor.execute("INSERT INTO balances (dt, account, balance) VALUES …")  # and read the latest day
    """

    name = "order"
    order = 50
    relation = "S(dates in any order) = S(dates in order)"
    verdict = "order-dependent"
    accusation = "depends on the order of its runs"
    headline = "Rows differ when the dates run in another order"
    sides = ("in order", "in this order")
    judges_reference = True
    promise = "any two dates may change places"

    def examples(self, dates: Sequence[str]) -> list[History]:
        """Each two of the dates, the later one first."""
        return [(Step("run", later), Step("run", earlier)) for earlier, later in combinations(dates, 2)]

    def histories(self, lab: Lab, dates: Sequence[str]) -> list[History]:
        """Each two of the dates, the later one first."""
        if tasks := lab.about["depends_on_past"]:
            raise NotApplicableError(f"{', '.join(tasks)} wait for the run before, so that dates run in order only")
        if len(dates) < 2:
            raise NotApplicableError("an order takes two dates; give another --date")
        return self.examples(active(lab, dates))

    def check(self, lab: Lab, history: History) -> Finding:
        """Compare with the same dates in order."""
        return self.compared_in_time(lab, tuple(sorted(history, key=lambda step: step.date)), history)
