"""Importing a file takes too long."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any, ClassVar

from dagproof.loaded.model import LoadedFile, LoadedFolder, Spot
from dagproof.rules.base import Finding, Rule, SourceFile


class SlowImport(Rule):
    """Importing a file takes too long.

    ## What it does
    Finds files whose import takes longer than the option `seconds` (5), or both longer than the option `least-seconds`
    (2) and more than `times-median` (10) times the median of the folder's files. Airflow itself is imported already,
    as in the DAG processor, and does not count. Lookups and access to other systems are refused here, and may take
    longer in production.

    ## Why is this bad
    The DAG processor imports the file again every 30 seconds or so, and so does every task before it starts. After 30
    seconds it gives up, and the DAGs of the file disappear.

    ## Example
    ```python
    import time

    import pendulum
    from airflow.sdk import DAG

    time.sleep(6)  # stands for a model that is read, or a table that is built

    with DAG("orders", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True):
        pass
    ```

    ## Use instead
    ```python
    import time

    import pendulum
    from airflow.sdk import DAG, task

    with DAG("orders", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True):

        @task
        def load():
            time.sleep(6)

        load()
    ```
    """

    name = "slow-import"
    code = "DP005"
    needs_import = True
    options: ClassVar[Mapping[str, Any]] = {"seconds": 5.0, "least-seconds": 2.0, "times-median": 10.0}

    def check_folder(self, folder: LoadedFolder, sources: Sequence[SourceFile]) -> Iterator[Finding]:
        """Compare each file with the budget, and with the others."""
        known = [file for file in folder.files.values() if not file.error]
        middle = median(file.seconds for file in known) if known else 0.0
        for file in known:
            why = self._why(file, middle)
            if why:
                message = f"importing this file takes {file.seconds:.1f} s, {why}; do less at its top level"
                yield self.found_at((Spot(file.path, 1),), message)

    def _why(self, file: LoadedFile, middle: float) -> str | None:
        if file.seconds > self.option("seconds"):
            return f"where {self.option('seconds'):g} s are allowed"
        if file.seconds > max(self.option("least-seconds"), middle * self.option("times-median")):
            return f"and half of the folder's files take {middle:.2f} s or less"
        return None
