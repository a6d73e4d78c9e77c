"""A run changes a store: a proof over runs that write nothing is no proof."""

from __future__ import annotations

from collections.abc import Sequence

from dagproof.histories import History, Step
from dagproof.inside.exchange import LeftOut
from dagproof.laws.base import Finding, Law, NotApplicableError, writes
from dagproof.runs.happened import named_skipped
from dagproof.runs.lab import Lab
from dagproof.runs.scope import unseen
from dagproof.stores.diff import has_effect


class Effect(Law):
    """A run writes rows or files.

    ## What it does
    Runs each date in a fresh world and checks that the run has changed a table or a file.

    What tasks return (XComs), log or print is not an effect, and neither are asset events.

    If the dates come from the schedule, one date with an effect is enough: the others may have no data.

    ## Why is this bad
    A DAG that writes nothing passes every comparison. In Airflow 3 a cron string gives a data
    interval of zero width, so a filter from its start to its end selects no rows, on any day, without an error.

    ## Example
    ```sql
    WHERE created_at >= '{{ data_interval_start }}' AND created_at < '{{ data_interval_end }}'
    ```

    ## Use instead
    ```sql
    WHERE created_at >= '{{ ds }}'::date AND created_at < '{{ ds }}'::date + 1
    ```
    """

    name = "effect"
    order = 10
    relation = "run D changes a store"
    verdict = "vacuous"
    accusation = "has no effect"
    headline = "The run succeeds and writes nothing: no row of any table, no file"
    sides = ("before the run", "after it")
    promise = "a run writes rows or files"

    def examples(self, dates: Sequence[str]) -> list[History]:
        """One run of each date."""
        return [(Step("run", date),) for date in dates]

    def histories(self, lab: Lab) -> list[History]:
        """One run of each date."""
        return self.examples(lab.dates)

    def check(self, lab: Lab, history: History) -> Finding:
        """Compare with what was there before the run, the DAGs that run first included."""
        found = lab.diff(lab.before(history), lab.state(history))
        is_empty = not has_effect(found, lab.state(history))
        if is_empty and any(writes(lab, date) for date in lab.guessed):
            nothing = LeftOut(f"the run for {history[0].date}", "writes nothing; name dates for which there are data")
            return Finding(left_out=(nothing,))
        if is_empty and (beside := unseen(lab, [history])):
            raise NotApplicableError(f"the run for {history[0].date} writes nothing that is compared: {beside}")
        return Finding(found, broken=is_empty, headline=self._skipping(lab, history) if is_empty else "")

    def _skipping(self, lab: Lab, history: History) -> str:
        """Return the headline, with the tasks that the run has skipped."""
        names = {state.task_id for state in lab.report(history).states if state.state == "skipped"}
        skipped = named_skipped(lab, names)
        return self.headline + skipped if skipped else ""
