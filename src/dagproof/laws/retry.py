"""A task whose worker is lost after its work, and that is tried again, leaves the same rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dagproof.histories import History, Step
from dagproof.laws.base import Finding, Law
from dagproof.runs.lab import Lab


class Retry(Law):
    """A task that is retried after its work leaves identical rows.

    ## What it does
    Makes each task of a run fail once after it has done its work, and retries it.

    A task without retries gets one, because somebody will clear it. Only this task is retried, with what its upstream
    tasks left.

    ## Why is this bad
    A worker can die between the task's last statement and the moment at which it reports success to
    Airflow. Airflow then retries the task, as configured.

    ## Example
    ```python
    cursor.execute("UPDATE accounts SET balance = balance + %s WHERE id = %s", (amount, account))
    ```

    ## Use instead
    ```python
    cursor.execute("UPDATE accounts SET balance = (SELECT sum(amount) FROM bookings WHERE …) WHERE id = %s", …)
    ```
    """

    name = "retry"
    order = 35
    relation = "each task of run D fails after its effects landed, and is retried: same S"
    verdict = "not retry-safe"
    accusation = "is not safe to retry"
    headline = "Rows differ after a task was retried"
    sides = ("after one try", "after two")
    promise = "a task that is retried after its work leaves identical rows"

    def examples(self, dates: Sequence[str]) -> list[History]:
        """Each date, with all of its tasks tried again."""
        return [(Step("retry", date),) for date in dates]

    def simpler(self, lab: Lab, history: History) -> Iterable[History]:
        """The same with just one task tried again."""
        if len(lab.about.tasks) < 2 or history[0].task:
            return ()
        return [(Step("retry", history[0].date, task=task),) for task in lab.about.tasks]

    def check(self, lab: Lab, history: History) -> Finding:
        """Compare with a run in which nothing is lost."""
        return self.compared(lab, (Step("run", history[0].date),), history)
