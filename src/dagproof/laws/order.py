"""The order in which dates run does not matter."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from dagproof.histories import History, Step
from dagproof.laws.base import Finding, Law, NotApplicableError, active
from dagproof.runs.lab import Lab


class Order(Law):
    """Running two dates in either order leaves identical rows.

    ## What it does
    Runs each pair of dates in both orders, and compares the rows.

    Pairs are enough: if any two dates can be swapped, swapping neighbors turns any order into any other. So ten
    dates take 45 histories, not 3,628,800.

    ## Why is this bad
    A backfill may run newest first, several runs are active at once, and a date that failed is
    rerun after later ones. What the last run overwrites is then wrong.

    ## Example
    ```python
    cursor.execute("UPDATE accounts SET balance = %s", (balance_of_the_day,))
    ```

    ## Use instead
    ```python
    cursor.execute("INSERT INTO balances (dt, account, balance) VALUES …")  # and read the latest day
    ```
    """

    name = "order"
    order = 50
    relation = "S(dates in any order) = S(dates in order)"
    verdict = "order-dependent"
    accusation = "depends on the order of its runs"
    headline = "Rows differ when the dates run in another order"
    sides = ("in order", "in this order")
    judges_reference = True
    promise = "running two dates in either order leaves identical rows"

    def examples(self, dates: Sequence[str]) -> list[History]:
        """Each two of the dates, the later one first."""
        return [(Step("run", later), Step("run", earlier)) for earlier, later in combinations(dates, 2)]

    def histories(self, lab: Lab) -> list[History]:
        """Each two of the dates, the later one first."""
        if tasks := lab.about.depends_on_past:
            raise NotApplicableError(f"{', '.join(tasks)} wait for the previous run, so dates run in order only")
        if len(lab.dates) < 2:
            raise NotApplicableError("the law needs two dates; add another --date")
        return self.examples(active(lab))

    def check(self, lab: Lab, history: History) -> Finding:
        """Compare with the same dates in order."""
        return self.compared_in_time(lab, tuple(sorted(history, key=lambda step: step.date)), history)
