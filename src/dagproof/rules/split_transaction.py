"""A load deletes and inserts in two transactions."""

from __future__ import annotations

from collections.abc import Iterator

from dagproof.rules.base import Finding, Rule
from dagproof.source.dagfile import DagFile, Task
from dagproof.source.effects import Effect, Effects
from dagproof.source.order import precedes


class SplitTransaction(Rule):
    """A load deletes and inserts in two transactions.

    ## What it does
    Finds tasks that delete from a table (or truncate or drop it) and insert into it, or drop it and rename another one
    to its name, with a commit in between: two `run(…)` of a hook, a list of statements under `autocommit=True`, a
    `commit()` or `COMMIT` in the middle, two connections. A `MERGE` counts as an insert. Where one task deletes and a
    later one inserts, it is doubtful, and so is one text of several statements under `autocommit`, which some
    databases run as one. Staging tables, temporary tables, and deletes of rows that are older than something, or that
    are missing elsewhere (`WHERE NOT EXISTS …`), are left out.

    ## Why is this bad
    Between the two, readers see a table without its rows. Where the task is killed there, or the insert fails, they see
    it until somebody notices; and what was there before is gone.

    ## Example
    ```python
    from datetime import timedelta

    import pendulum
    from airflow.providers.postgres.hooks.postgres import PostgresHook
    from airflow.sdk import dag, task


    @dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True)
    def load_orders():
        @task(retries=3, execution_timeout=timedelta(minutes=30))
        def load(ds=None):
            hook = PostgresHook("shop")
            hook.run("DELETE FROM orders WHERE dt = %s", parameters=[ds])
            hook.run("INSERT INTO orders SELECT * FROM staging WHERE dt = %s", parameters=[ds])

        load()


    load_orders()
    ```

    ## Use instead
    ```python
    from datetime import timedelta

    import pendulum
    from airflow.providers.postgres.hooks.postgres import PostgresHook
    from airflow.sdk import dag, task


    @dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True)
    def load_orders():
        @task(retries=3, execution_timeout=timedelta(minutes=30))
        def load(ds=None):
            statements = [
                "DELETE FROM orders WHERE dt = %(ds)s",
                "INSERT INTO orders SELECT * FROM staging WHERE dt = %(ds)s",
            ]
            PostgresHook("shop").run(statements, parameters={"ds": ds})

        load()


    load_orders()
    ```
    """

    name = "split-transaction"
    code = "DP402"

    def check(self, dagfile: DagFile) -> Iterator[Finding]:
        """Look at each task, and at pairs of them."""
        effects = {task: Effects(dagfile, task) for task in dagfile.tasks}
        for task, own in effects.items():
            for effect, certain in own.split():
                yield self.found(dagfile, effect.places, _message(effect), task=task, certain=certain)
        clearing = [task for task in dagfile.tasks if effects[task].emptied()]
        after = precedes(dagfile) if clearing else {}
        for first in clearing:
            for second in (task for task in dagfile.tasks if task in after[first]):
                for effect in effects[second].fills(effects[first].emptied()):
                    message = _of_two_tasks(first, effect)
                    yield self.found(dagfile, effect.places, message, task=second, certain=False)


def _of_two_tasks(first: Task, effect: Effect) -> str:
    empties = f"the task {first.task_id!r}" if first.task_id else "a task before it"
    return (
        f"{empties} empties {effect.write.target}, and this task fills it: until it has, readers miss the rows, and "
        "clearing this task alone adds them a second time; do both in one task, in one transaction"
    )


def _message(effect: Effect) -> str:
    if effect.write.verb == "RENAME":
        return (
            f"this renames a table to {effect.write.target} after the one there is dropped and that is committed: "
            "until then readers find no table; do both in one transaction"
        )
    return (
        f"this inserts into {effect.write.target} after the deletion there is committed: until then readers miss its "
        "rows, and lose them where the insert fails; do both in one transaction"
    )
