"""A scheduled DAG does not say whether it catches up."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from dagproof.loaded.model import LoadedDag, LoadedFile
from dagproof.rules.base import FINE, Finding, Rule, Verdict
from dagproof.source.dagfile import Dag, DagFile
from dagproof.source.names import Resolver
from dagproof.source.values import Value, followed

KEYS = ("schedule", "schedule_interval", "timetable")
MESSAGE = "the DAG has a schedule and does not say whether it catches up; set catchup to True or False"
NEVER_LATE = ("@once", "@continuous")
DELTAS = ("datetime.timedelta", "pendulum.duration", "pendulum.Duration", "dateutil.relativedelta.relativedelta")


class ImplicitCatchup(Rule):
    """A scheduled DAG does not say whether it catches up.

    ## What it does
    Finds DAGs with a schedule of time (a cron string, a `timedelta`, a timetable) and no `catchup`.

    ## Why is this bad
    Airflow 2 catches up by default and Airflow 3 does not, and either default can be turned round in the configuration.
    So after an upgrade, a pause or a new deployment the same file runs every missed date, or leaves a gap that nobody
    ordered.

    ## Example
    ```python
    import pendulum
    from airflow.sdk import DAG

    with DAG("orders", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1)):
        pass
    ```

    ## Use instead
    ```python
    import pendulum
    from airflow.sdk import DAG

    with DAG("orders", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True):
        pass
    ```
    """

    name = "implicit-catchup"
    code = "DP204"

    def check(self, dagfile: DagFile) -> Iterator[Finding]:
        """Look at each DAG."""
        for dag in dagfile.dags:
            if _is_implicit(dag, dagfile.resolver):
                yield self.found(dagfile, (*dag.chain, dag.place), MESSAGE, dag_id=dag.dag_id)

    def judge_dag(self, dag: LoadedDag, file: LoadedFile) -> Verdict:
        """Look at what a DAG was really given, by a factory or a class of its own, too."""
        if not dag.given:
            return None  # it was not seen being made
        return MESSAGE if dag.schedule.periodic and "catchup" not in dag.given else FINE


def _is_implicit(dag: Dag, resolver: Resolver) -> bool:
    if dag.arguments.open or "catchup" in dag.arguments.known:
        return False
    given = [dag.arguments.known[key] for key in KEYS if key in dag.arguments.known]
    return any(_is_of_time(value, resolver) for value in given)


def _is_of_time(value: Value, resolver: Resolver) -> bool:
    """Whether a schedule surely comes by time: assets, None, and what can't be told are none."""
    found = list(followed(value, resolver))
    return bool(found) and all(_one_is_of_time(one, resolver) for one in found)


def _one_is_of_time(value: Value, resolver: Resolver) -> bool:
    if isinstance(value.node, ast.Constant):
        return isinstance(value.node.value, str) and value.node.value not in NEVER_LATE
    if not isinstance(value.node, ast.Call):
        return False
    names = resolver.names(value.node.func, value.scope)
    return any(name in DELTAS or name.endswith(("CronTriggerTimetable", "IntervalTimetable")) for name in names)
