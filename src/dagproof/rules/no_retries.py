"""A task that reaches another system is tried once."""

from __future__ import annotations

import os
from collections.abc import Iterator

from dagproof.loaded.model import LoadedDag, LoadedFile, LoadedTask
from dagproof.rules.base import FINE, Finding, Rule, Verdict
from dagproof.source.amounts import seconds
from dagproof.source.dagfile import DagFile, Task
from dagproof.source.reaching import policy_place, reach, way_out
from dagproof.source.settings import Settings

OF_INSTALLATION = "AIRFLOW__CORE__DEFAULT_TASK_RETRIES"


class NoRetries(Rule):
    """A task that reaches another system is tried only once.

    ## What it does
    Finds tasks without `retries` that surely reach another system: operators of providers, commands such as `curl` and
    `psql`, Python that sends requests or connects to a database, also in functions of your own modules. It takes
    values from the task, `.override(…)`, its groups and the `default_args` of its DAG. `retries=0` of a task itself is
    taken as intended; in `default_args` it is doubtful. Several tasks of one DAG, or of DAGs that share their
    `default_args`, are one finding, at the place where one line fixes them all. For a function with `@asset`, put
    `@task(retries=…)` below it. Nothing is found where the environment sets `AIRFLOW__CORE__DEFAULT_TASK_RETRIES`.

    ## Why is this bad
    A connection that breaks once a month is normal, and a retry succeeds. Without one, somebody gets up at night to
    clear the task by hand, and everything downstream is late.

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
            how = _tries_once(task, dagfile)
            does = reach(task, dagfile) if how else None
            if how and does:
                decided = how == DECIDED
                told, way = does.told(dagfile, task), way_out(task, "retries")
                message = f"{told}, and {how}: one broken connection fails the run; {way}"
                place = policy_place(task, dagfile, "retries")
                joint = JOINT_DECIDED if decided else JOINT
                yield self.found_of_task(dagfile, task, does.way, message, place, joint, certain=not decided)

    def judge_task(self, task: LoadedTask, dag: LoadedDag, file: LoadedFile) -> Verdict:
        """Believe the retries that a task really has; whether it needs any is told by its source."""
        return FINE if task.retries else None


FORGOTTEN = "the task has no retries"
DECIDED = "default_args say retries=0, which may be meant"
JOINT = (
    "{count} tasks reach other systems and have no retries: one broken connection fails the run; "
    "set retries in default_args"
)
JOINT_DECIDED = (
    "default_args say retries=0, so this may be meant: {count} tasks reach other systems, and one broken connection "
    "fails the run; set retries, or retries=0 at each task that must not run twice"
)


def _tries_once(task: Task, dagfile: DagFile) -> str | None:
    """How it comes that a task is tried once; None where it isn't, or says itself that it is meant."""
    settings = Settings(task, dagfile)
    if settings.of_task("retries") or task.dag is None:
        return None
    given = settings.given("retries")
    if given:
        return DECIDED if seconds(given, dagfile.resolver) == 0 else None
    return FORGOTTEN if settings.has("retries") is False else None
