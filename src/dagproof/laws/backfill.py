"""A backfill of all dates leaves what running them day by day has left."""

from __future__ import annotations

from collections.abc import Sequence

from dagproof.histories import History, Step
from dagproof.laws.base import Finding, Law, NotApplicableError, active
from dagproof.runs.lab import Lab


class Backfill(Law):
    """A backfill of all dates leaves the same rows as running each date in turn.

    ## What it does
    Waits until the data of all dates has arrived, and backfills the dates weeks later.

    The result is compared with running each date in turn, as soon as its data is there. A backfill is not a scheduled
    run: it has its own run id and run type, and the data of later dates is there already.

    ## Why is this bad
    After a new column or a fixed bug, you wipe a table and backfill it, and expect the same table. A task that reads
    the latest file, or everything up to now, produces a different one.

    ## Example
    ```python
    path = max(glob("raw/orders/*.csv"))
    ```

    ## Use instead
    ```python
    path = f"raw/orders/{ds}.csv"
    ```
    """

    name = "backfill"
    order = 75
    relation = "each date in turn = wipe and backfill all of them"
    verdict = "incremental ≠ full refresh"
    accusation = "leaves different rows when it is backfilled"
    headline = "Rows differ between daily runs and a backfill of all dates"
    sides = ("day by day", "backfilled")
    promise = "a backfill of all dates leaves the same rows as running each date in turn"

    def examples(self, dates: Sequence[str]) -> list[History]:
        """Each date alone, and all of them."""
        several = [_backfilled(dates)] if len(dates) > 1 else []
        return [*(_backfilled([date]) for date in dates[:1]), *several]

    def histories(self, lab: Lab) -> list[History]:
        """Each date alone, and all of them, where there is a schedule."""
        if lab.runs[lab.dag_id, lab.dates[0]].run_type != "scheduled":
            raise NotApplicableError("it has no schedule, so it cannot be backfilled")
        return self.examples(active(lab))

    def check(self, lab: Lab, history: History) -> Finding:
        """Compare with the same dates, each run as soon as its data are there."""
        runs = tuple(Step("run", step.date) for step in history if step.kind == "backfill")
        return self.compared(lab, runs, history)


def _backfilled(dates: Sequence[str]) -> History:
    arrivals = tuple(Step("arrive", date) for date in dates) if len(dates) > 1 else ()
    return (*arrivals, *(Step("backfill", date) for date in dates))
