"""Data that come late change no row, and nobody holds a worker slot for them."""

from __future__ import annotations

from dagproof.histories import History, Step
from dagproof.laws.base import Finding, Law, NotApplicableError, active
from dagproof.runs.lab import Lab

#: The share of the delay for which a task may hold a slot besides its own work.
MOST_HELD = 0.5


class Late(Law):
    """Data that come late change no row, and no worker slot is held for them.

    ## What it does
    Starts a run when it is due, and runs the DAGs in `after` only `delay` seconds later.

    The rows must be the same, and no task may have held a worker slot while it waited. The clock jumps, so an
    hour takes no real time.

    ## Why is this bad
    Upstream is late sooner or later. A DAG that does not wait then fails, or loads what is there.
    One that waits in poke mode takes a slot from tasks that could run, and a few of them block all slots.

    ## Example
    ```python
    FileSensor(task_id="wait", filepath="orders.csv")  # mode="poke" is the default
    ```

    ## Use instead
    ```python
    FileSensor(task_id="wait", filepath="orders.csv", mode="reschedule", timeout=6 * 3600)
    ```
    """

    name = "late"
    order = 80
    relation = "upstream arrives late by Δ: same S, and the waiting sensor held no worker slot"
    verdict = "fails while waiting"
    accusation = "does not wait well"
    headline = "Rows differ when the data come late"
    sides = ("with the data in time", "with the data late")
    promise = "data that come late change no row, and no worker slot is held for them"

    def histories(self, lab: Lab) -> list[History]:
        """Each date, with its data late."""
        if lab.runs[lab.dag_id, lab.dates[0]].run_type == "asset_triggered":
            raise NotApplicableError(
                "assets start its runs, so a run starts only when its data are there, however late"
            )
        if not lab.proof.after:
            raise NotApplicableError(
                f"no upstream DAG is configured; list it in `after` in [tool.dagproof.proofs.{lab.dag_id}]"
            )
        return [(Step("late", date, delay=int(lab.proof.delay)),) for date in active(lab)]

    def check(self, lab: Lab, history: History) -> Finding:
        """Compare with the data in time, and look who held a slot meanwhile."""
        step = history[0]
        on_time = (Step("run", step.date),)
        finding = self.compared(lab, on_time, history)
        if finding:
            return finding
        usual, slots = lab.report(on_time).slots, lab.report(history).slots
        for task, seconds in slots.items():
            held = seconds - usual.get(task, 0.0)
            if held > MOST_HELD * step.delay:
                headline = f"{task} held a worker slot for {held / 60:,.0f} minutes while it waited"
                accusation = "holds a worker slot while it waits"
                return Finding(
                    broken=True, verdict="holds a slot while waiting", accusation=accusation, headline=headline
                )
        return finding
