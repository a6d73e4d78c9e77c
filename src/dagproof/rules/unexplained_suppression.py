"""A suppression comment gives no reason."""

from __future__ import annotations

from collections.abc import Iterator

from dagproof.rules.base import Finding, Rule
from dagproof.source.dagfile import DagFile


class UnexplainedSuppression(Rule):
    """A suppression comment gives no reason.

    ## What it does
    Finds `# dagproof: allow RULE` without a reason in parentheses.

    ## Why is this bad
    Anyone who reads the file in a year can neither know whether the exception still applies, nor whom to ask.

    ## Example
    ```python
    import pendulum
    from airflow.providers.standard.sensors.filesystem import FileSensor
    from airflow.sdk import DAG

    with DAG("orders", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True):
        # dagproof: allow poke-sensor
        FileSensor(task_id="wait", filepath="orders.csv", timeout=3600)
    ```

    ## Use instead
    ```python
    import pendulum
    from airflow.providers.standard.sensors.filesystem import FileSensor
    from airflow.sdk import DAG

    with DAG("orders", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True):
        # dagproof: allow poke-sensor (the file is there within seconds)
        FileSensor(task_id="wait", filepath="orders.csv", timeout=3600)
    ```
    """

    name = "unexplained-suppression"
    code = "DP901"

    def check(self, dagfile: DagFile) -> Iterator[Finding]:
        """Nothing: `dagproof.check.suppressions` judges the comments, once all other rules have spoken."""
        yield from ()
