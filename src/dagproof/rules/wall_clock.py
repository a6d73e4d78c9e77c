"""Task code reads the current time."""

from __future__ import annotations

from collections.abc import Iterator

from dagproof.rules.base import Finding, Rule
from dagproof.source import dbt, sqlclocks
from dagproof.source.clocks import BY_LOGICAL_DATE, OPERATORS_BY_CLOCK
from dagproof.source.dagfile import DagFile, Task
from dagproof.source.readings import Reading, Readings
from dagproof.source.settings import Settings
from dagproof.source.sqlfiles import SqlFile
from dagproof.source.values import constant
from dagproof.source.wallclock import CLOCK


class WallClock(Rule):
    """Task code, a template, SQL or shell reads the current time.

    ## What it does
    Finds what reads the clock while a task runs, or puts the time of parsing into a task: `datetime.now()` and similar
    in Python (also in functions of your own modules that the task calls), `{{ macros.datetime.now() }}` in templated
    fields, `now()`, `CURRENT_DATE`, `age(born)` or `'today'::date` in SQL, `$(date)` in shell, and operators that
    depend on the current day or hour: `BranchDayOfWeekOperator`, `BranchDateTimeOperator` and `DayOfWeekSensor`
    without `use_task_logical_date=True` (doubtful if the DAG's `default_args` can't be read). Doubtful, too, are `{{
    dag_run.start_date }}` and `{{ ti.start_date }}` in SQL that writes: a rerun starts later. Time that only goes into
    a log line, a pause or a measured duration is fine.

    In models of dbt it finds `{{ run_started_at }}`, `current_timestamp` and similar. They are certain in models that
    are tables or incremental; doubtful in views, in branches, and in columns that say when a row was written
    (`loaded_at`).

    ## Why is this bad
    A rerun of last month's date reads today's clock: it loads another day, or writes other rows than the first run
    did. Retries across midnight and backfills do so too, and nothing fails.

    ## Example
    ```python
    import datetime

    import pendulum
    from airflow.sdk import dag, task


    @dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True)
    def load_orders():
        @task
        def load():
            return f"orders/{datetime.date.today()}.csv"

        load()


    load_orders()
    ```

    ## Use instead
    ```python
    import pendulum
    from airflow.sdk import dag, task


    @dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True)
    def load_orders():
        @task
        def load(ds=None):
            return f"orders/{ds}.csv"

        load()


    load_orders()
    ```
    """

    name = "wall-clock"
    code = "DP201"

    def check(self, dagfile: DagFile) -> Iterator[Finding]:
        """Yield each reading of the clock."""
        readings = Readings(dagfile, CLOCK)
        for reading in readings.find():
            yield self.found_reading(dagfile, reading, _message(reading))
        for dag, key, reading in readings.of_params():
            message = (
                f"{reading.shown} is read when the file is parsed, and becomes the default of the param {key!r}: "
                "a rerun or a backfill gets the day on which it was parsed; leave the default out, and use the run's "
                "own dates where it is None"
            )
            yield self.found(dagfile, (*reading.chain, reading.place), message, dag_id=dag.dag_id)
        for task in dagfile.tasks:
            kind = _kind_by_clock(task)
            settings = Settings(task, dagfile)
            told = [constant(given, dagfile.resolver) for name in BY_LOGICAL_DATE if (given := settings.given(name))]
            if kind and not any(told):
                message = (
                    f"{kind} uses the current time: a rerun of the same date may take another branch; set "
                    f"{BY_LOGICAL_DATE[0]}=True"
                )
                certain = settings.has(BY_LOGICAL_DATE[0]) is not None
                yield self.found(dagfile, (*task.chain, task.place), message, task=task, certain=certain)

    def check_sql(self, sql: SqlFile) -> Iterator[Finding]:
        """Look at models of dbt, and at SQL that Airflow renders."""
        for use in dbt.clocks(sql) if sql.kind == "model" else ():
            kind, _, column = use.why.partition(" ")
            doubt = DOUBTS[kind].format(column=column) if kind in DOUBTS else kind and DOUBTS["other"]
            message = f"{use.shown} reads the current time: running the model again for an old date gives other rows"
            advice = "take the date from var() or from the data"
            shown = f"{message} ({doubt}); {advice}" if doubt else f"{message}; {advice}"
            yield self.found_in_sql(sql, use.offset, shown, certain=not doubt)
        for clock in sqlclocks.clocks(sql.code) if sql.kind == "template" else ():
            if not clock.why and not clock.is_default:
                reading = f"SQL {clock.name} reads the current time: a rerun of the same date gets another one"
                yield self.found_in_sql(
                    sql, clock.offset, f"{reading}; use the run's own dates, as elsewhere in this file"
                )


DOUBTS = {
    "audit": "fine if {column} only says when the row was written",
    "branch": "fine if the branch is only taken in development",
    "set": "fine if the value is not used for data",
    "view": "fine for a view, which is asked anew each time",
    "other": "fine if it only says what is too old to keep, or when the row was written",
}


def _kind_by_clock(task: Task) -> str | None:
    """The class of a task that goes by the clock, where its own arguments can all be told."""
    kinds = [name.rpartition(".")[2] for name in task.names if name.startswith("airflow.")]
    if len(kinds) != len(task.names) or not kinds or not OPERATORS_BY_CLOCK.issuperset(kinds):
        return None
    mapped = [call for call, _ in task.calls if call is not task.node]
    varies = {*BY_LOGICAL_DATE, None} & {keyword.arg for call in mapped for keyword in call.keywords}
    is_open = varies or any(getattr(call.func, "attr", "") == "expand_kwargs" for call in mapped)
    return None if task.arguments.open or is_open else kinds[0]


def _message(reading: Reading) -> str:
    shown, (kind, _, name) = reading.shown, reading.why.partition(" ")
    if reading.when_parsed:
        return (
            f"{shown} is read when the file is parsed, and a task works with that value: a rerun or a backfill gets "
            "the day on which it was parsed; use the run's own dates"
        )
    if shown.startswith("{{") and not reading.certain:
        return f"{shown} is when this very run began: a rerun writes another time; use the run's own dates"
    if kind == "audit":
        return (
            f"{shown} puts the current time into {name}: a rerun writes another value there; fine if {name} only says "
            "when the row was written and nobody compares or filters by it, otherwise use the run's own dates"
        )
    if kind == "retention":
        return (
            f"{shown} decides which rows are too old to keep: a rerun of an old date deletes by today's clock; fine "
            "for retention, but use the run's own dates if this makes room for what is loaded next"
        )
    if kind == "duration":
        return (
            f"{shown} measures how long something took, and that goes on to other code: fine in a log line or a "
            "metric; if it is written as data, a rerun writes another value"
        )
    if kind == "default":
        return (
            f"{shown} is the default of a column: rows that are inserted without it get the time of their insert, so a "
            "rerun writes another one; fine if it only says when the row was written"
        )
    return f"{shown} reads the current time: a rerun of the same date gets another one; use the run's own dates"
