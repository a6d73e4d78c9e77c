"""Where branches meet again, a task is skipped whichever way was taken."""

from __future__ import annotations

from collections.abc import Iterator

from dagproof.rules.base import Finding, Rule
from dagproof.source.branching import Skipped, skipped_joins
from dagproof.source.dagfile import DagFile, Task


class SkippedJoin(Rule):
    """A task where branches meet is skipped whichever way was taken.

    ## What it does
    Finds tasks below a branch (`@task.branch`, `BranchPythonOperator` and others) that come after several of its ways
    and have the trigger rule `all_success`, which is the default. Where the branch may choose several ways at once, it
    is doubtful.

    ## Why is this bad
    The branch skips the ways that it does not choose, and `all_success` takes a skipped task before it as a reason to
    skip, too. So the task where the ways meet never runs, nor does anything after it, and the run is green.

    ## Example
    ```python
    import pendulum
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import DAG, task

    with DAG("orders", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True):

        @task.branch
        def choose(ds=None):
            return "full" if ds.endswith("-01") else "partial"

        ways = [EmptyOperator(task_id="full"), EmptyOperator(task_id="partial")]
        choose() >> ways >> EmptyOperator(task_id="publish")
    ```

    ## Use instead
    ```python
    import pendulum
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import DAG, task

    with DAG("orders", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True):

        @task.branch
        def choose(ds=None):
            return "full" if ds.endswith("-01") else "partial"

        ways = [EmptyOperator(task_id="full"), EmptyOperator(task_id="partial")]
        choose() >> ways >> EmptyOperator(task_id="publish", trigger_rule="none_failed_min_one_success")
    ```
    """

    name = "skipped-join"
    code = "DP503"

    def check(self, dagfile: DagFile) -> Iterator[Finding]:
        """Look at what comes after each branch."""
        for one in skipped_joins(dagfile):
            places = (*one.join.chain, one.join.place)
            yield self.found(dagfile, places, _message(one), task=one.join, certain=one.is_sure)


def _message(one: Skipped) -> str:
    unless = "" if one.is_sure else ", unless it chooses all of the ways at once"
    return (
        f"{_shown(one.join, 'this task')} is skipped whichever way {_shown(one.branch, 'the branch')} chooses{unless}: "
        f"it needs all tasks before it to succeed, and the branch skips {_shown(one.by, 'one of them')} or another "
        'one; set trigger_rule="none_failed_min_one_success"'
    )


def _shown(task: Task, otherwise: str) -> str:
    return f"the task {task.task_id!r}" if task.task_id else otherwise
