"""A task that reaches another system may wait for it for ever."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from dagproof.loaded.model import LoadedDag, LoadedFile, LoadedTask
from dagproof.rules.base import FINE, Finding, Rule, Verdict
from dagproof.source.dagfile import DagFile, Task
from dagproof.source.reaching import policy_place, reach, way_out
from dagproof.source.sensors import sensor_kind
from dagproof.source.settings import Settings


class EndlessTask(Rule):
    """A task that reaches another system may run forever.

    ## What it does
    Finds tasks without an `execution_timeout` that surely reach another system: operators of providers, commands such
    as `curl` and `psql`, Python that sends requests or connects to a database. Calls that give up by themselves are
    fine: a request with a `timeout`, an operator with such a parameter of its own (`extra_options={"timeout": 60}`,
    `cmd_timeout`, `waiter_max_attempts`). It takes values from the task, `.override(…)`, its groups and the
    `default_args` of its DAG, and a `dagrun_timeout` of the DAG counts, too. Several tasks of one DAG, or of DAGs that
    share their `default_args`, are one finding, at the place where one line fixes them all. For a function with
    `@asset`, put `@task(execution_timeout=…)` below it. Sensors have a rule of their own, `endless-sensor`.

    ## Why is this bad
    Sooner or later, a server accepts a connection and never answers. The task then neither fails nor is retried; it
    holds its slot until somebody looks, and the next runs wait behind it.

    ## Example
    ```python
    import pendulum
    from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
    from airflow.sdk import DAG

    with DAG("orders", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True):
        SQLExecuteQueryOperator(
            task_id="clean",
            conn_id="shop",
            sql="DELETE FROM orders WHERE dt = '{{ ds }}' AND amount = 0",
            retries=3,
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
            retries=3,
            execution_timeout=timedelta(minutes=10),
        )
    ```
    """

    name = "endless-task"
    code = "DP502"

    def check(self, dagfile: DagFile) -> Iterator[Finding]:
        """Look at each task that reaches another system."""
        for task in dagfile.tasks:
            is_endless = not sensor_kind(task, dagfile) and _is_endless(task, dagfile)
            does = reach(task, dagfile, unlimited=True) if is_endless else None
            if does:
                told = does.told(dagfile, task)
                message = (
                    f"{told}, and the task has no time limit: if that hangs, so does the task; {way_out(task, KEY)}"
                )
                yield self.found_of_task(dagfile, task, does.way, message, policy_place(task, dagfile, KEY), JOINT)

    def judge_task(self, task: LoadedTask, dag: LoadedDag, file: LoadedFile) -> Verdict:
        """Believe the time limit that a task really has; whether it needs one is told by its source."""
        return FINE if task.execution_timeout is not None else None


KEY = "execution_timeout"
JOINT = (
    "{count} tasks reach other systems and have no time limit: if one of these hangs, so does its task; "
    "set execution_timeout in default_args"
)


def _is_endless(task: Task, dagfile: DagFile) -> bool:
    if (
        task.dag is None
        or (task.dag.arguments.open and not task.dag.is_asset)
        or "dagrun_timeout" in task.dag.arguments.known
    ):
        return False
    settings = Settings(task, dagfile)
    given = settings.given("execution_timeout")
    if given:
        return (
            isinstance(given.node, ast.Constant)
            and given.node.value is None
            and not settings.of_task("execution_timeout")
        )
    return settings.has("execution_timeout") is False
