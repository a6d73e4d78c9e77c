"""Two fresh runs of a date leave the same rows, on whichever machine."""

from __future__ import annotations

from collections.abc import Sequence

from dagproof.histories import History, Step
from dagproof.inside.exchange import LeftOut
from dagproof.inside.machine import ELSEWHERE, HERE
from dagproof.laws.base import Finding, Law
from dagproof.runs.lab import Lab
from dagproof.stores.closeness import differ_in_last_digits
from dagproof.stores.diff import Diff
from dagproof.worlds.failing import RunFailedError, sentence

#: What is said of a sum of floats, which is another one in each order.
_DIGITS = "not compared to the last digit of a float, which depends on the order of rows"


class Deterministic(Law):
    """A fresh run on another machine leaves identical rows.

    ## What it does
    Runs a date in two fresh worlds, on two machines, and compares the rows.

    The machines differ in time zone, host name, process ids and the order of Python's sets (PYTHONHASHSEED). Rows that
    were there before a task, and the entries of folders as Python lists them, come in reverse order on the second
    machine, and PostgreSQL uses other query plans there. So a result differs if it depends on position rather than
    value: the first of several ties, a row number, a LIMIT without ORDER BY. Only the last digits of floats, as in a
    sum, may depend on that order, and the keys that the database generates (`generated_keys`).

    ## Why is this bad
    If two fresh runs of one date differ, no rerun can restore a table, no test can compare with
    expected rows, and every other difference hides behind this one.

    ## Example
    ```python
    cursor.execute("INSERT INTO orders VALUES (%s, %s)", (uuid4(), order.total))
    ```

    ## Use instead
    ```python
    cursor.execute("INSERT INTO orders VALUES (%s, %s)", (uuid5(NAMESPACE, order.number), order.total))
    ```
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
        here = self.seen(lab, lab.state(history, machine=self.machines[0]))
        try:
            elsewhere = self.seen(lab, lab.state(history, machine=self.machines[1]))
        except RunFailedError as failure:
            return Finding(broken=True, headline=f"{sentence(failure)}, on another machine", raised=failure.raised)
        found = lab.diff(here, elsewhere)
        if not found or not differ_in_last_digits(here, lab.renamed(here, elsewhere)):
            return Finding(found)
        digits = tuple(LeftOut(name, _DIGITS) for name in _where(found))
        elsewhere = self.seen(lab, lab.state(history, machine=ELSEWHERE.in_order()))
        return Finding(lab.diff(here, elsewhere), left_out=digits)


def _where(found: Diff) -> list[str]:
    columns = [f"{table.table}.{column}" for table in found.tables for column in table.columns]
    return [*(columns or [table.table for table in found.tables]), *(file.path for file in found.files)]
