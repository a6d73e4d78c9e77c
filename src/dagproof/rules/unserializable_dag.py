"""The scheduler could not serialize a DAG."""

from __future__ import annotations

import re

from dagproof.loaded.model import LoadedDag, LoadedFile
from dagproof.rules.base import FINE, Rule, Verdict

#: What Airflow says of a class that only a plugin can make known.
_OF_PLUGINS = re.compile(r"[Rr]egister|Unknown priority strategy")


class UnserializableDag(Rule):
    """The scheduler can't serialize a DAG.

    ## What it does
    Serializes each DAG as the DAG processor does, and finds those that can't be: timetables that no plugin registers,
    parameters and other values that JSON does not support.

    ## Why is this bad
    The file imports and `dag.test()` runs it, but the scheduler works with serialized DAGs, and this one is missing.

    ## Example
    ```python
    import pendulum
    from airflow.sdk import DAG
    from airflow.timetables.interval import CronDataIntervalTimetable


    class Noon(CronDataIntervalTimetable):
        def __init__(self):
            super().__init__("0 12 * * *", timezone="UTC")


    with DAG("orders", schedule=Noon(), start_date=pendulum.datetime(2026, 1, 1), catchup=True):
        pass
    ```

    ## Use instead
    ```python
    import pendulum
    from airflow.sdk import DAG
    from airflow.timetables.interval import CronDataIntervalTimetable

    NOON = CronDataIntervalTimetable("0 12 * * *", timezone="UTC")

    with DAG("orders", schedule=NOON, start_date=pendulum.datetime(2026, 1, 1), catchup=True):
        pass
    ```
    """

    name = "unserializable-dag"
    code = "DP004"
    needs_import = True

    def judge_dag(self, dag: LoadedDag, file: LoadedFile) -> Verdict:
        """Tell why it can't be."""
        if dag.unserializable is None:
            return FINE
        hint = (
            "; name the folder of the plugin that registers it in [tool.dagproof.check] plugins, and import the class "
            "as that plugin does"
            if _OF_PLUGINS.search(dag.unserializable)
            else ""
        )
        return f"the scheduler can't serialize the DAG {dag.dag_id!r}: {dag.unserializable}{hint}"
