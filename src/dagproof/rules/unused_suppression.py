"""A suppression comment matches no finding."""

from __future__ import annotations

from collections.abc import Iterator

from dagproof.rules.base import Finding, Rule
from dagproof.source.dagfile import DagFile


class UnusedSuppression(Rule):
    """A suppression comment matches no finding.

    ## What it does
    Finds `# dagproof: allow RULE (reason)` where the rule finds nothing, and names that are not rules. A comment
    applies to its own line, or, if it has a line for itself, to the next line of code.

    ## Why is this bad
    It will hide a later finding, and suggests a problem that does not exist.

    ## Example
    ```python
    import pendulum
    from airflow.providers.standard.sensors.filesystem import FileSensor
    from airflow.sdk import DAG

    with DAG("orders", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True):
        # dagproof: allow poke-sensor (the file is there within seconds)
        FileSensor(task_id="wait", filepath="orders.csv", timeout=3600, mode="reschedule")
    ```

    ## Use instead
    ```python
    import pendulum
    from airflow.providers.standard.sensors.filesystem import FileSensor
    from airflow.sdk import DAG

    with DAG("orders", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True):
        FileSensor(task_id="wait", filepath="orders.csv", timeout=3600, mode="reschedule")
    ```
    """

    name = "unused-suppression"
    code = "DP902"

    def check(self, dagfile: DagFile) -> Iterator[Finding]:
        """Nothing: `dagproof.check.suppressions` judges the comments, once all other rules have spoken."""
        yield from ()
