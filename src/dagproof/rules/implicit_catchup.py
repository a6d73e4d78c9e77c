"""A scheduled DAG does not set catchup."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

from dagproof.loaded.model import LoadedDag, LoadedFile
from dagproof.rules.base import FINE, Finding, Rule, Verdict
from dagproof.source.dagfile import Dag, DagFile
from dagproof.source.names import Resolver
from dagproof.source.values import Value, followed

KEYS = ("schedule", "schedule_interval", "timetable")
MESSAGE = "the DAG has a schedule but does not set catchup; set it to True or False"
OF_DAG = (
    *("catchup", "schedule", "schedule_interval", "timetable", "max_active_runs", "max_active_tasks"),
    *("max_consecutive_failed_dag_runs", "dagrun_timeout", "is_paused_upon_creation"),
)
"""Settings of a DAG that no task reads."""
NEVER_LATE = ("@once", "@continuous")
DELTAS = ("datetime.timedelta", "pendulum.duration", "pendulum.Duration", "dateutil.relativedelta.relativedelta")


class ImplicitCatchup(Rule):
    """A scheduled DAG does not set catchup.

    ## What it does
    Finds DAGs with a time-based schedule (a cron string, a `timedelta`, a timetable) and no `catchup`. Finds
    `catchup`, `schedule`, `max_active_runs` and other settings of a DAG in `default_args`, too: these go to the tasks,
    where they have no effect.

    ## Why is this bad
    Airflow 2 catches up by default and Airflow 3 does not, and the configuration can reverse either default. So after
    an upgrade, a pause or a new deployment the same file runs every missed date, or leaves a gap that nobody asked
    for.

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
            message = _message(_is_implicit(dag, dagfile.resolver), dagfile.default_args(dag).known)
            if message:
                yield self.found(dagfile, (*dag.chain, dag.place), message, dag_id=dag.dag_id)

    def judge_dag(self, dag: LoadedDag, file: LoadedFile) -> Verdict:
        """Look at what a DAG was really given, by a factory or a class of its own, too."""
        if not dag.given:
            return None  # it was not seen being made
        return _message(dag.schedule.periodic and "catchup" not in dag.given, dag.default_args) or FINE


def _message(implicit: bool, default_args: Collection[str]) -> str:
    """What is wrong; empty where nothing is."""
    lost = [key for key in OF_DAG if key in default_args]
    parts = [MESSAGE] if implicit and not lost else []
    if lost:
        named, does = ", ".join(lost), "does" if len(lost) == 1 else "do"
        parts.append(
            f"{named} in default_args {does} nothing, since default_args go to the tasks: "
            f"give {'it' if len(lost) == 1 else 'them'} to the DAG itself"
        )
        if implicit:
            parts.append("the DAG has a schedule, and whether it catches up is left to the installation")
    return "; ".join(parts)


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
