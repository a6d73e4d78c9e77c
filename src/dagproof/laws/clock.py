"""The rows of a date do not depend on when it runs."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from dagproof.histories import History, Step
from dagproof.laws.base import Finding, Law, active
from dagproof.runs.lab import Lab

MONTHS_LATER = timedelta(days=217, hours=5)


class Clock(Law):
    """A run at another time leaves identical rows.

    ## What it does
    Runs a date when it is due, and again in fresh worlds whose wall clock shows another time.

    The times are months later, across midnight, at the end of a year, and during the clock changes of Europe and
    America. SQL sees the moved clock, too: now(), CURRENT_DATE and similar; likewise `date` in a shell. A column that
    now() fills differs between any two runs, and is not compared. Other programs see the real time, and so does an
    untyped SQL literal such as `dt = 'today'`.

    ## Why is this bad
    A backfill runs a date months after its day, a retry after midnight. A load that reads the
    current time then writes to the wrong day, or leaves other values than a run that was on time.

    ## Example
    ```python
    cursor.execute("DELETE FROM orders WHERE dt = %s", (date.today(),))
    ```

    ## Use instead
    ```python
    cursor.execute("DELETE FROM orders WHERE dt = %s", (context["ds"],))
    ```
    """

    name = "clock"
    order = 25
    relation = "S(run D) at wall clock T1 = at T2, months apart, across midnight, a year's end and a change of clocks"
    verdict = "clock-dependent"
    accusation = "depends on the clock"
    headline = "A run of the same date at another time leaves different rows"
    sides = ("when it is due", "at another time")
    promise = "a run at another time leaves identical rows"
    asks_who = True

    def histories(self, lab: Lab) -> list[History]:
        """Each date months later, and the first one at each of the other moments."""
        dates = active(lab)
        runs = {date: lab.runs[lab.dag_id, date].due for date in dates}
        later = [(Step("run", date, at=(due + MONTHS_LATER).isoformat()),) for date, due in runs.items()]
        first = dates[0]
        return [*later, *((Step("run", first, at=moment.isoformat()),) for moment in _moments(runs[first]))]

    def check(self, lab: Lab, history: History) -> Finding:
        """Compare with the run when it is due."""
        return self.compared(lab, (Step("run", history[0].date),), history)


def _moments(due: datetime) -> list[datetime]:
    """Return moments after `due`: midnight, new year, and the changes of clocks in America and Europe."""
    day = due.astimezone(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    candidates = [
        day + timedelta(days=1, seconds=-1),
        datetime(day.year, 12, 31, 23, 59, 59, tzinfo=timezone.utc),
        _sunday(day.year + 1, 3, 2).replace(hour=6, minute=59, second=59),  # New York, in spring
        _sunday(day.year + 1, 10, -1).replace(hour=0, minute=59, second=59),  # Europe, in autumn
    ]
    return [moment for moment in candidates if moment > due]


def _sunday(year: int, month: int, number: int) -> datetime:
    """Return the `number`-th Sunday of a month of 31 days, from its end where it is negative."""
    days = [datetime(year, month, day, tzinfo=timezone.utc) for day in range(1, 32)]
    sundays = [day for day in days if day.weekday() == 6]
    return sundays[number - 1 if number > 0 else number]
