"""A task asks for what lies between two moments that are the same."""

from __future__ import annotations

import ast
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

from dagproof.rules.base import Finding, Rule
from dagproof.source.amounts import seconds
from dagproof.source.bounds import passed
from dagproof.source.comparisons import compared, pandas_between
from dagproof.source.dagfile import Chain, Dag, DagFile, Place, Site, Task
from dagproof.source.moments import Moments, with_moments
from dagproof.source.names import Resolver
from dagproof.source.readings import Reading
from dagproof.source.scopes import Scope
from dagproof.source.sqlfilters import Between, betweens, with_fields, with_parameters
from dagproof.source.strings import Text, texts
from dagproof.source.templated import rendered
from dagproof.source.usage import is_log
from dagproof.source.values import Value, followed, keywords

OF_INSTALLATION = "AIRFLOW__SCHEDULER__CREATE_CRON_DATA_INTERVALS"
TRIGGERS = ("CronTriggerTimetable", "DeltaTriggerTimetable")
DELTAS = ("datetime.timedelta", "pendulum.duration", "pendulum.Duration", "dateutil.relativedelta.relativedelta")


class ZeroWidthInterval(Rule):
    """A task filters by a data interval of zero width.

    ## What it does
    Finds filters between `data_interval_start` and `data_interval_end` (in SQL, its parameters, templates, `.sql`
    files, and comparisons in Python and pandas) in a DAG whose timetable makes the two equal: a cron string or preset,
    a `timedelta`, or a trigger timetable without an `interval`. A filter that takes both ends selects that one moment;
    it is doubtful. So is what is given both ends as bounds: `since=…, until=…` of an operator, a function or a request,
    `--from … --to …` in a command, `?after=…&before=…` in an address. Nothing is found where the environment sets
    `AIRFLOW__SCHEDULER__CREATE_CRON_DATA_INTERVALS`.

    ## Why is this bad
    In Airflow 2 `@daily` meant the interval of a day. In Airflow 3 it means a moment: the run's start and end are both
    midnight, and `>= start AND < end` selects no row at all, ever. The task succeeds, and a rerun also selects
    nothing, so no comparison of runs shows it.

    ## Example
    ```python
    from datetime import timedelta

    import pendulum
    from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
    from airflow.sdk import DAG

    SAFE = {"retries": 3, "execution_timeout": timedelta(minutes=30)}

    with DAG("orders", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True, default_args=SAFE):
        SQLExecuteQueryOperator(
            task_id="clean",
            conn_id="shop",
            sql="DELETE FROM orders WHERE at >= '{{ data_interval_start }}' AND at < '{{ data_interval_end }}'",
        )
    ```

    ## Use instead
    ```python
    from datetime import timedelta

    import pendulum
    from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
    from airflow.sdk import DAG
    from airflow.timetables.interval import CronDataIntervalTimetable

    SAFE = {"retries": 3, "execution_timeout": timedelta(minutes=30)}
    DAILY = CronDataIntervalTimetable("@daily", timezone="UTC")

    with DAG("orders", schedule=DAILY, start_date=pendulum.datetime(2026, 1, 1), catchup=True, default_args=SAFE):
        SQLExecuteQueryOperator(
            task_id="clean",
            conn_id="shop",
            sql="DELETE FROM orders WHERE at >= '{{ data_interval_start }}' AND at < '{{ data_interval_end }}'",
        )
    ```
    """

    name = "zero-width-interval"
    code = "DP205"

    def check(self, dagfile: DagFile) -> Iterator[Finding]:
        """Look at each task of a DAG whose runs are about a moment."""
        if os.environ.get(OF_INSTALLATION, "").lower() in ("true", "t", "1"):
            return
        for task in dagfile.tasks:
            if task.dag and _is_of_moments(task.dag, dagfile.resolver):
                for reading in _Look(dagfile, task).found():
                    yield self.found_reading(dagfile, reading, _message(reading))


class _Look:
    """What one task filters."""

    def __init__(self, dagfile: DagFile, task: Task) -> None:
        self.dagfile = dagfile
        self.resolver = dagfile.resolver
        self.task = task
        self.bodies = dagfile.reached_by(task)
        self.moments = Moments(dagfile, task, self.bodies)

    def found(self) -> Iterator[Reading]:
        filters = list(self._filters())
        yield from filters or itertools.islice(self._passed(), 1)

    def _filters(self) -> Iterator[Reading]:
        for call, scope in self.task.calls:
            yield from self._of_call(call, scope, self.task.chain)
        for body in self.bodies:
            for between, node in compared(body.scope, self.moments):
                yield self._reading(between, body.chain, Place(body.scope.module, node))
        for site in self.dagfile.sites_of(self.bodies):
            if not is_log(site.call):
                if asked := pandas_between(site.call, site.scope, self.moments):
                    yield self._reading(asked, site.body.chain, site.place)
                yield from self._of_call(site.call, site.scope, site.body.chain)

    def _of_call(self, call: ast.Call, scope: Scope, chain: Chain) -> Iterator[Reading]:
        """The SQL that a call is given, with the parameters that it is given beside."""
        arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
        found = [(a, text) for a in arguments for text in texts(Value(a, scope), self.resolver, stand_in=self._word)]
        for argument, text in found:
            file = rendered(text, self.dagfile, self.task)
            if file.is_sql(text):
                sql = with_moments(file.content if file.file else self._filled(text, scope))
                for other in arguments:
                    if other is not argument:
                        sql = with_parameters(sql, *self.moments.parameters(Value(other, scope)))
                for between in betweens(sql):
                    yield self._reading(between, chain, text.place, text, sql, file.file)

    def _passed(self) -> Iterator[Reading]:
        """Both ends in arguments of their own, or in one text: ``since=…, until=…``, ``?from=…&to=…``."""
        modules = {scope.module for _, scope in self.task.calls} | {body.scope.module for body in self.bodies}
        if not any("data_interval_end" in module.text for module in modules):
            return
        calls = [(call, scope, self.task.chain) for call, scope in self.task.calls]
        calls += [(site.call, site.scope, site.body.chain) for site in self._sites()]
        for call, scope, chain in calls:
            if found := passed(call, scope, self.moments, self.resolver):
                place = Place(scope.module, call)
                yield Reading(found, chain, place, self.task, certain=False, why="passed")

    def _sites(self) -> Iterator[Site]:
        for site in self.dagfile.sites_of(self.bodies):
            if not is_log(site.call):
                yield site

    def _word(self, node: ast.expr, scope: Scope) -> str | None:
        return self.moments.word(node, scope)

    def _filled(self, text: Text, scope: Scope) -> str:
        """A text with what ``.format(…)`` and ``%`` put into it."""
        node = text.place.node
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
            return with_parameters(text.text, *self.moments.parameters(Value(node.right, scope)))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
            by_name = {one.arg: self._word(one.value, scope) for one in node.keywords if one.arg}
            return with_fields(text.text, by_name, [self._word(one, scope) for one in node.args])
        return text.text

    def _reading(
        self,
        between: Between,
        chain: Chain,
        place: Place,
        text: Text | None = None,
        sql: str = "",
        file: Path | None = None,
    ) -> Reading:
        lines = sql.count("\n", 0, between.offset)
        if file:
            return Reading("", (*chain, place), place, self.task, not between.takes_both, line=lines + 1, file=file)
        line = text.line(0) + (lines if text.line(len(text.text)) > text.line(0) else 0) if text else 0
        return Reading("", chain, place, self.task, not between.takes_both, line=line)


def _is_of_moments(dag: Dag, resolver: Resolver) -> bool:
    """Whether the runs of a DAG surely have intervals that are moments."""
    given = dag.arguments.known.get("schedule")
    found = list(followed(given, resolver)) if given else []
    return bool(found) and all(_is_moment(one, resolver) for one in found)


def _is_moment(value: Value, resolver: Resolver) -> bool:
    node, scope = value
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and node.value != "@continuous"
    if not isinstance(node, ast.Call):
        return False
    names = resolver.names(node.func, scope)
    if any(name.endswith(TRIGGERS) and not name.startswith("<") for name in names):
        arguments = keywords(node, scope, resolver)
        interval = arguments.known.get("interval")
        return not arguments.open if interval is None else seconds(interval, resolver) == 0
    return any(name in DELTAS for name in names)


def _message(reading: Reading) -> str:
    if reading.why == "passed":
        return (
            f"{reading.shown}: under this schedule data_interval_start and data_interval_end are the same moment, so "
            "what asks for everything between them gets nothing, or that one moment; use CronDataIntervalTimetable, or "
            "compute the other end yourself"
        )
    if not reading.certain:
        return (
            "data_interval_start and data_interval_end are the same moment under this schedule, so this selects just "
            "what has exactly that time; use CronDataIntervalTimetable"
        )
    return (
        "data_interval_start and data_interval_end are the same moment under this schedule, so this selects nothing; "
        "use CronDataIntervalTimetable"
    )
