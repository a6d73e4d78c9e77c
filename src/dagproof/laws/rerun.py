"""Running a date again leaves identical rows."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from dagproof.histories import History
from dagproof.histories.steps import runs_and_reruns, without_reruns
from dagproof.laws.base import Finding, Law, active
from dagproof.runs.lab import Lab
from dagproof.worlds.failing import RunFailedError

MOST_REPEATS = 3


class Rerun(Law):
    """Running a date again leaves identical rows.

    ## What it does
    Runs a date, clears the run and runs it again a day later, and compares the rows.

    What differs between two fresh runs (such as a column filled by now()) is not compared, and the verdict lists it:
    the law `deterministic` judges that. Keys that the database generates may have other values after a rerun, as long
    as foreign keys follow them and nothing else depends on them; `generated_keys = "stable"` compares them by value.

    ## Why is this bad
    Retries, cleared runs and backfills repeat work all the time. If repeating a date changes its
    rows, each of them corrupts the table, usually by duplicating rows.

    ## Example
    ```python
    cursor.execute("INSERT INTO users_daily SELECT * FROM staging")
    ```

    ## Use instead
    ```python
    cursor.execute("DELETE FROM users_daily WHERE dt = %s", (ds,))
    cursor.execute("INSERT INTO users_daily SELECT * FROM staging")  # in the same transaction
    ```
    """

    name = "rerun"
    order = 30
    effort = 2
    relation = "S(run D, run D) = S(run D)"
    verdict = "non-idempotent"
    accusation = "is not idempotent"
    headline = "Rows differ after a rerun"
    sides = ("after one run", "after this")
    promise = "running a date again leaves identical rows"

    def examples(self, dates: Sequence[str]) -> list[History]:
        """Each date run twice, and the first of them three times: some faults wait for the second rerun."""
        return [*(runs_and_reruns([date] * 2) for date in dates), runs_and_reruns([dates[0]] * MOST_REPEATS)]

    def draws(self, lab: Lab) -> SearchStrategy[History] | None:
        """Several dates in order, each of them run up to three times in a row, at least one of them twice.

        None where the dates do not even run in turn: that is for the law `order` to say.
        """
        dates = active(lab)
        try:
            lab.state(runs_and_reruns(dates))
        except RunFailedError:
            return None
        return repeated(dates)

    def check(self, lab: Lab, history: History) -> Finding:
        """Compare with the same dates run once each."""
        return self.compared_in_time(lab, without_reruns(history), history)


def repeated(dates: Sequence[str]) -> SearchStrategy[History]:
    """Return how histories are drawn of several of the dates in order, some of them run several times in a row."""
    repeats = st.lists(st.integers(0, MOST_REPEATS), min_size=len(dates), max_size=len(dates))
    return repeats.filter(lambda counts: max(counts) > 1).map(
        lambda counts: runs_and_reruns([d for d, n in zip(dates, counts, strict=True) for _ in range(n)])
    )
