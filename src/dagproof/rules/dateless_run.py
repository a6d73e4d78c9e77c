"""A task uses the run's date in a DAG whose runs have none."""

from __future__ import annotations

from collections.abc import Iterator

from dagproof.rules.base import Finding, Rule
from dagproof.source.dagfile import DagFile
from dagproof.source.dates import Use, has_no_date, uses_of_dates


class DatelessRun(Rule):
    """A task uses the run's date in a DAG whose runs have none.

    ## What it does
    Finds `{{ ds }}`, `{{ data_interval_start }}` and others in templates, parameters such as `ds=None` of a task's
    function, and `context["ds"]`, in DAGs that only assets start (`schedule=[Asset("orders")]`). If the template or
    the function checks for a date, the finding is doubtful.

    ## Why is this bad
    In Airflow 3 a run that assets start has no logical date: `{{ ds }}` and `context["ds"]` fail, and a parameter is
    `None`, so that a query for the day selects nothing. A run that somebody triggers by hand with a date works, so
    nobody notices earlier.

    ## Example
    ```python
    from datetime import timedelta

    import pendulum
    from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
    from airflow.sdk import DAG, Asset

    SAFE = {"retries": 3, "execution_timeout": timedelta(minutes=30)}

    with DAG("report", schedule=[Asset("orders")], start_date=pendulum.datetime(2026, 1, 1), default_args=SAFE):
        SQLExecuteQueryOperator(task_id="clean", conn_id="shop", sql="DELETE FROM report WHERE dt = '{{ ds }}'")
    ```

    ## Use instead
    ```python
    from datetime import timedelta

    import pendulum
    from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
    from airflow.sdk import DAG, Asset

    SAFE = {"retries": 3, "execution_timeout": timedelta(minutes=30)}
    DAY = "{{ (triggering_asset_events.values() | first | first).extra.dt }}"

    with DAG("report", schedule=[Asset("orders")], start_date=pendulum.datetime(2026, 1, 1), default_args=SAFE):
        SQLExecuteQueryOperator(task_id="clean", conn_id="shop", sql=f"DELETE FROM report WHERE dt = '{DAY}'")
    ```
    """

    name = "dateless-run"
    code = "DP206"

    def check(self, dagfile: DagFile) -> Iterator[Finding]:
        """Look at the tasks of DAGs that only assets start."""
        for task in dagfile.tasks:
            if has_no_date(task.dag, dagfile.resolver):
                for use in uses_of_dates(dagfile, task):
                    yield self.found(dagfile, use.places, _message(use), task=task, certain=use.is_sure)


def _message(use: Use) -> str:
    shown = {"template": f"{{{{ {use.name} }}}}", "context": f'context["{use.name}"]'}.get(use.kind, use.name)
    fails = "is None" if use.kind == "parameter" else "fails"
    return (
        f"{shown} {fails} in this DAG: assets start its runs, and these have no date; take the date from the event "
        "that started the run (triggering_asset_events), or schedule the DAG by time"
    )
