"""A task that reaches another system is tried once."""

from __future__ import annotations

import os
from collections.abc import Iterator

from dagproof.loaded.model import LoadedDag, LoadedFile, LoadedTask
from dagproof.rules.base import FINE, Finding, Rule, Verdict
from dagproof.source.amounts import seconds
from dagproof.source.dagfile import DagFile, Task
from dagproof.source.outside import touched_by
from dagproof.source.settings import Settings

OF_INSTALLATION = "AIRFLOW__CORE__DEFAULT_TASK_RETRIES"


class NoRetries(Rule):
    """A task that reaches another system is tried only once.

    ## What it does
    Finds tasks without `retries` that surely reach another system: operators of providers, commands such as `curl`
    and `psql`, Python that sends requests or connects to a database, also in functions of your own modules. What the
    task, `.override(…)`, its groups and the `default_args` of its DAG give counts. `retries=0` of a task itself is
    taken as meant; in `default_args` it is not. Nothing is found where the environment sets
    `AIRFLOW__CORE__DEFAULT_TASK_RETRIES`.

    ## Why is this bad
    A connection that breaks once a month is nothing special, and the second try succeeds. Without one, somebody gets
    up at night to clear the task by hand, and all that waits for it is late.

    ## Example
    ```python
    from datetime import timedelta

    import pendulum
    from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
    from airflow.sdk import DAG

    with DAG("orders", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True):
        SQLExecuteQueryOperator(
            task_id="clean",
            conn_id="shop",
            sql="DELETE FROM orders WHERE dt = '{{ ds }}' AND amount = 0",
            execution_timeout=timedelta(minutes=10),
        )
    ```

    ## Use instead
    ```python
    from datetime import timedelta

    import pendulum
    from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
    from airflow.sdk import DAG

    with DAG("orders", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True):
        SQLExecuteQueryOperator(
            task_id="clean",
            conn_id="shop",
            sql="DELETE FROM orders WHERE dt = '{{ ds }}' AND amount = 0",
            execution_timeout=timedelta(minutes=10),
            retries=3,
            retry_delay=timedelta(minutes=5),
        )
    ```
    """

    name = "no-retries"
    code = "DP501"

    def check(self, dagfile: DagFile) -> Iterator[Finding]:
        """Look at each task that reaches another system."""
        if os.environ.get(OF_INSTALLATION, "0") != "0":
            return
        for task in dagfile.tasks:
            does = touched_by(task, dagfile) if _is_tried_once(task, dagfile) else None
            if does:
                message = f"{does}, and the task has no retries: one broken connection fails the run; set retries"
                yield self.found(dagfile, (*task.chain, task.place), message, task=task)

    def judge_task(self, task: LoadedTask, dag: LoadedDag, file: LoadedFile) -> Verdict:
        """Believe the retries that a task really has; whether it needs any is told by its source."""
        return FINE if task.retries else None


def _is_tried_once(task: Task, dagfile: DagFile) -> bool:
    settings = Settings(task, dagfile)
    if settings.of_task("retries") or task.dag is None:
        return False
    given = settings.given("retries")
    if given:
        return seconds(given, dagfile.resolver) == 0
    return settings.has("retries") is False
