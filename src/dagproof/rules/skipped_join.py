"""Where branches meet again, a task is skipped whichever way was taken."""

from __future__ import annotations

from collections.abc import Iterator

from dagproof.rules.base import Finding, Rule
from dagproof.source.branching import Skipped, skipped_joins
from dagproof.source.dagfile import DagFile, Task


class SkippedJoin(Rule):
    """A task where branches meet is skipped, whichever branch was chosen.

    ## What it does
    Finds tasks below a branch (`@task.branch`, `BranchPythonOperator` and others) that join several of its paths and
    have the trigger rule `all_success`, which is the default. If the branch may choose several paths at once, the
    finding is doubtful.

    ## Why is this bad
    The branch skips the paths that it does not choose, and with `all_success` a skipped upstream task causes a skip,
    too. So the joining task never runs, nor does anything downstream, and the run is green.

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
    unless = "" if one.is_sure else ", unless it chooses all branches at once"
    return (
        f"{_shown(one.join, 'this task')} is skipped, whichever branch {_shown(one.branch, 'the branch task')} "
        f"chooses{unless}: it needs all upstream tasks to succeed, and the branch skips "
        f"{_shown(one.by, 'one of them')} or another "
        'one; set trigger_rule="none_failed_min_one_success"'
    )


def _shown(task: Task, otherwise: str) -> str:
    return f"the task {task.task_id!r}" if task.task_id else otherwise
