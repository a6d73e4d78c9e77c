"""Data that come late change no row, and nobody holds a worker slot for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from dagproof.histories import History, Step
from dagproof.inside.exchange import RunReport
from dagproof.laws.base import Finding, Law, NotApplicableError, active
from dagproof.runs.lab import Lab
from dagproof.runs.scope import NOT_TRIED
from dagproof.worlds.failing import RunFailedError

#: The share of the delay for which a task may hold a slot besides its own work.
MOST_HELD = 0.5


#: Between how many tasks of a producer the run is started.
MOST_BETWEEN = 2


def _between_tasks(producer: RunReport) -> Sequence[str]:
    """Return some of the tasks before which a run of a producer can stop with something done."""
    tasks = list(dict.fromkeys(task.task_id for task in producer.tasks))[1:]
    return tasks if len(tasks) <= MOST_BETWEEN else (tasks[0], tasks[-1])


def _rest(lab: Lab, late: Step) -> History:
    """Return the steps in which the producers that are late run in time."""
    after = lab.proof.after
    return tuple(Step("arrive", late.date, task=dag_id) for dag_id in after[after.index(late.task) :])


class Late(Law):
    """Late data changes no rows, and no worker slot is held while waiting.

    ## What it does
    Starts a run when it is due, and runs the DAGs in `after` only `delay` seconds later. If there are several, some
    also run on time; if one has several tasks, its first tasks also run on time, so that part of the data is there.

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
    accusation = "does not wait correctly for late data"
    headline = "Rows differ when the data arrive late"
    sides = ("with the data on time", "with the data late")
    promise = "late data changes no rows, and no worker slot is held while waiting"

    def histories(self, lab: Lab) -> list[History]:
        """Each date, with its data late."""
        if lab.runs[lab.dag_id, lab.dates[0]].run_type == "asset_triggered":
            raise NotApplicableError("assets start its runs, so a run starts only when its data is there, however late")
        if not lab.proof.after:
            raise NotApplicableError(
                f"no upstream DAG is configured; list it in `after` in [tool.dagproof.proofs.{lab.dag_id}]"
            )
        dates = active(lab)
        delay = int(lab.proof.delay)
        return [*((Step("late", date, delay=delay),) for date in dates), *self._partly(lab, dates[0], delay)]

    def _partly(self, lab: Lab, date: str, delay: int) -> Iterator[History]:
        """Yield the histories in which some of the data of a date are there in time."""
        there: History = ()
        for dag_id in lab.proof.after:
            late = Step("late", date, task=dag_id, delay=delay)
            if there:
                yield (*there, late)
            arrives = Step("arrive", date, task=dag_id)
            for task in _between_tasks(lab.report((*there, arrives))):
                yield (*there, replace(arrives, point=f"task {task}"), late)
            there = (*there, arrives)

    def check(self, lab: Lab, history: History) -> Finding:
        """Compare with the data on time, and look who held a slot meanwhile."""
        step = history[-1]
        on_time: History = (Step("run", step.date),)
        if any(earlier.point for earlier in history):  # what running the producer again makes of it is its own affair
            on_time = (*history[:-1], *_rest(lab, step), *on_time)
            try:
                lab.state(on_time)
            except RunFailedError:
                lab.scope.leave_out(f"the data of {step.task} in part", f"{NOT_TRIED}, since running it again fails")
                return Finding()
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
