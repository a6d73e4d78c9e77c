"""A DAG's start depends on when its file is parsed."""

from __future__ import annotations

from collections.abc import Iterator

from dagproof.loaded.model import LoadedDag, LoadedFile, LoadedTask
from dagproof.rules.base import FINE, Finding, Rule, Verdict
from dagproof.source.dagfile import Chain, Dag, DagFile, Place
from dagproof.source.taint import Taint
from dagproof.source.values import Value
from dagproof.source.wallclock import CLOCK

KEYS = ("start_date", "end_date")


class DynamicStartDate(Rule):
    """A start_date or end_date depends on when the file is parsed.

    ## What it does
    Finds a `start_date` or `end_date` of a DAG, of its `default_args` or of a task that is computed from the clock:
    `datetime.now()`, `days_ago(1)`, a helper or a constant of the module that reads it.

    ## Why is this bad
    The file is parsed again and again, and the start moves with it. A DAG that always starts now never completes its
    first interval, or skips dates, and nobody can know afterwards which dates should be there.

    ## Example
    ```python
    from datetime import datetime, timedelta

    from airflow.sdk import DAG

    with DAG("orders", schedule="@daily", start_date=datetime.now() - timedelta(days=1), catchup=False):
        pass
    ```

    ## Use instead
    ```python
    import pendulum
    from airflow.sdk import DAG

    with DAG("orders", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=False):
        pass
    ```
    """

    name = "dynamic-start-date"
    code = "DP202"

    def check(self, dagfile: DagFile) -> Iterator[Finding]:
        """Look at each DAG, its default_args, and each task."""
        taint = Taint(dagfile.resolver, CLOCK.is_source)
        for dag in dagfile.dags:
            for key, value, way in _dates_of_dag(dagfile, dag):
                if cause := taint.cause(value):
                    places = _places(dagfile, (*dag.chain, dag.place, *way), value, cause)
                    yield self.found(dagfile, places, _message(key), dag_id=dag.dag_id)
        for task in dagfile.tasks:
            for key in KEYS:
                given = task.arguments.known.get(key)
                if given and (cause := taint.cause(given)):
                    yield self.found(dagfile, _places(dagfile, task.chain, given, cause), _message(key), task=task)

    def judge_dag(self, dag: LoadedDag, file: LoadedFile) -> Verdict:
        """Compare it with what it is when the file is imported a year later."""
        twin = next((later for later in file.later or () if later.dag_id == dag.dag_id), None)
        return _judged(list(KEYS), dag, twin) if twin else None

    def judge_task(self, task: LoadedTask, dag: LoadedDag, file: LoadedFile) -> Verdict:
        """Compare the dates that are its own with what they are a year later."""
        own = [key for key in KEYS if getattr(task, key) != getattr(dag, key)]
        tasks = (one for later in file.later or () if later.dag_id == dag.dag_id for one in later.tasks)
        twin = next((one for one in tasks if one.task_id == task.task_id), None)
        return _judged(own, task, twin) if twin else None


def _judged(keys: list[str], now: LoadedDag | LoadedTask, later: LoadedDag | LoadedTask) -> Verdict:
    moved = [key for key in keys if getattr(now, key) != getattr(later, key)]
    return _message(moved[0]) if moved else FINE


def _dates_of_dag(dagfile: DagFile, dag: Dag) -> Iterator[tuple[str, Value, Chain]]:
    """Each date that a DAG is given, and the way to it through its `default_args`."""
    defaults = dagfile.default_args(dag).known
    for key in KEYS:
        if key in dag.arguments.known:
            yield key, dag.arguments.known[key], ()
        if key in defaults:
            given = dag.arguments.known["default_args"]
            yield key, defaults[key], (Place(given.scope.module, given.node),)


def _places(dagfile: DagFile, chain: Chain, value: Value, cause: Chain) -> Chain:
    """The way to the reading: told where the date is given, unless that is the DAG file already."""
    given = Place(value.scope.module, value.node)
    if cause[-1].module is dagfile.module and all(place.module is dagfile.module for place in cause):
        return chain + cause
    if given.module is dagfile.module:
        cause = tuple(place for place in cause if place.module is not dagfile.module)
    return (*chain, given, *cause)


def _message(key: str) -> str:
    return f"{key} depends on when the file is parsed, so it changes with each parse; write a fixed date"
