"""A load adds rows, and a rerun adds them again."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from dagproof.rules.base import Finding, Rule
from dagproof.source import dbt
from dagproof.source.appends import FILES, Append, Appends
from dagproof.source.asking import is_asked_first
from dagproof.source.callbacks import callbacks
from dagproof.source.dagfile import Chain, DagFile, Place, Task
from dagproof.source.dbt import Adds
from dagproof.source.effects import PASSING
from dagproof.source.guards import Guard, guard_of
from dagproof.source.order import precedes
from dagproof.source.sqladds import Setting, Update
from dagproof.source.sqlfiles import SqlFile
from dagproof.source.sqlwrites import UNKNOWN

JOURNAL = re.compile(
    r"log|audit|attempt|histor|journal|event|metric|stat(?:us|istics)?$|error|failure|failed|reject|quarantine"
    r"|dead_?letter|alert|notification|heartbeat|lineage",
    re.IGNORECASE,
)
COUNTER = re.compile(r"version|revision|retries|tries|runs$", re.IGNORECASE)
PREPARES = re.compile(r"truncat|delete|clear|clean|empty|purge|drop|recreate|reset|wipe|init", re.IGNORECASE)
AGAIN = {
    "+": ("adds to", "adds it"),
    "-": ("subtracts from", "subtracts it"),
    "*": ("multiplies", "multiplies it"),
    "||": ("appends to", "appends it"),
}

OF_SPARK = frozenset({'write.mode("append")', "writeTo(…).append()"})
INCREMENTAL = {
    Adds.ALL: "nothing in it asks which rows are there already: each run adds all that it selects",
    Adds.LAST: "`>= max(…)` selects the newest rows again: each run adds them again",
    Adds.LATE: "late rows are left out, and corrected ones are added beside the old ones (fine if neither happens)",
}


@dataclass(frozen=True)
class _Addition:
    """One statement that makes new values of the old ones, and in which columns."""

    update: Update
    settings: tuple[Setting, ...]
    places: Chain

    @property
    def message(self) -> str:
        """What it does, and what a rerun does."""
        does, again = AGAIN[self.settings[0].operator]
        columns = " and ".join(one.column for one in self.settings)
        of = f" of {self.update.target}" if self.update.target != UNKNOWN else ""
        return f"this SQL {does} the old {columns}{of}: a rerun {again} again; set what all rows together give, instead"

    @property
    def is_certain(self) -> bool:
        """Whether it is no journal, no count of versions or tries, and no ``||`` that may merge documents."""
        is_count = any(JOURNAL.search(name) or COUNTER.search(name) for name in self._names)
        return not is_count and not all(one.is_doubtful for one in self.settings)

    @property
    def _names(self) -> tuple[str, ...]:
        return (self.update.target, *(one.column for one in self.settings))


class AppendLoad(Rule):
    """A load adds rows, and a rerun adds them again.

    ## What it does
    Finds code that adds rows where nothing in the same task removes them first: no `DELETE`, `TRUNCATE`, new table or
    upsert of the same target. It knows `INSERT INTO` and `COPY … FROM` in SQL (in `psql -c`, too),
    `to_sql(if_exists="append")`, `insert_rows` and `bulk_load` of hooks, `insert()` and `add_all` of SQLAlchemy,
    `insert_many` of Mongo, `insert_rows_json`, `WRITE_APPEND` and load jobs of BigQuery, `mode("append")` of Spark,
    `write_pandas` of Snowflake, `copy_records_to_table` of asyncpg, transfer operators, files opened in the mode
    `"a"`, and functions that are called when a DAG or task succeeds. Finds SQL that adds to what a column holds, too:
    `UPDATE stock SET n = n + 1`, and upserts and merges with `n = stock.n + excluded.n`.

    It reports nothing where the task checks whether the work was done already (`if not is_known(row):` with a look-up
    of the same table, `WHERE last_day < …` of a column that is set with it, `if cursor.rowcount:`), where an error
    that a unique key raises is caught, and for files in temporary folders. Where the task runs SQL that can't be read,
    it reports nothing. Where an earlier task empties the table, split-transaction reports it. A target with the name
    of a log (`audit_log`, `load_errors`) or of a staging table is doubtful; likewise a condition that may be such a
    look-up, a `version`, and a `||` that may merge documents.

    Beside DAG files it finds `mode("append")` in scripts and notebooks of Spark, and incremental models of dbt without
    a `unique_key`, unless their strategy replaces rows (`insert_overwrite`, `delete+insert`, `microbatch`).

    ## Why is this bad
    A retry, a cleared run or a backfill loads the same date again, and each time its rows are added again. Nothing
    fails; the sums are wrong.

    ## Example
    ```python
    from datetime import timedelta

    import pendulum
    from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
    from airflow.sdk import DAG

    SAFE = {"retries": 3, "execution_timeout": timedelta(minutes=30)}

    with DAG("orders", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True, default_args=SAFE):
        SQLExecuteQueryOperator(
            task_id="load",
            conn_id="shop",
            sql="INSERT INTO orders SELECT * FROM staging WHERE dt = '{{ ds }}'",
        )
    ```

    ## Use instead
    ```python
    from datetime import timedelta

    import pendulum
    from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
    from airflow.sdk import DAG

    SAFE = {"retries": 3, "execution_timeout": timedelta(minutes=30)}

    with DAG("orders", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True, default_args=SAFE):
        SQLExecuteQueryOperator(
            task_id="load",
            conn_id="shop",
            sql=[
                "DELETE FROM orders WHERE dt = '{{ ds }}'",
                "INSERT INTO orders SELECT * FROM staging WHERE dt = '{{ ds }}'",
            ],
        )
    ```
    """

    name = "append-load"
    code = "DP401"

    def check(self, dagfile: DagFile) -> Iterator[Finding]:
        """Look at what each task does as a whole, and at what is called when it succeeds."""
        looks = {task: Appends(dagfile, task) for task in dagfile.tasks}
        before = _before(dagfile) if any(look.appends for look in looks.values()) else {}
        for task, look in looks.items():
            earlier = [looks[one] for one in before.get(task, ())]
            for append in _once(look.appends):
                yield from self._of_append(dagfile, look, append, earlier)
            for one in _additions(look):
                yield self.found(dagfile, one.places, one.message, task=task, certain=one.is_certain)
        for called in callbacks(dagfile):
            look = Appends(dagfile, called)
            for append in _once(look.appends):
                yield from self._of_append(dagfile, look, append, [], is_callback=True)

    def check_script(self, script: DagFile) -> Iterator[Finding]:
        """Look at what a script of Spark adds to tables and paths, where that is certain."""
        for task in script.tasks:
            look = Appends(script, task)
            for append in _once(look.appends):
                if append.shown in OF_SPARK and not any(_is_stream(place) for place in append.places):
                    found = self._of_append(script, look, append, [])
                    yield from (finding for finding in found if finding.certain)

    def check_sql(self, sql: SqlFile) -> Iterator[Finding]:
        """Look at incremental models of dbt."""
        found = dbt.adds(sql) if sql.kind == "model" else None
        if found:
            message = f"this incremental model has no unique_key, and {INCREMENTAL[found]}"
            advice = "set unique_key, or incremental_strategy to insert_overwrite or microbatch"
            yield self.found_in_sql(sql, 0, f"{message}; {advice}", certain=found != Adds.LATE)

    def _of_append(
        self, dagfile: DagFile, look: Appends, append: Append, earlier: list[Appends], *, is_callback: bool = False
    ) -> Iterator[Finding]:
        if look.makes_room_for(append.target):
            return
        if append.target != UNKNOWN and any(append.target in one.cleared for one in earlier):
            return  # split-transaction reports it
        guard = guard_of(append.way, append.target, look.resolver)
        if guard == Guard.SURE:
            return
        message, doubt = _message(append, is_callback=is_callback), ""
        if JOURNAL.search(append.target if append.target != UNKNOWN else append.to):
            doubt = f"fine where {append.to} is a journal, in which each run leaves a row"
        elif PASSING.search(append.target):
            doubt = f"fine where {append.to} is created anew for each run"
        elif guard == Guard.PERHAPS:
            doubt = "fine if the condition before it leaves out what is there already"
        elif others := _may_prepare(earlier):
            doubt = f"fine if {others} before it empties the table, and both are cleared together"
        elif append.is_doubtful:
            doubt = "which library it calls is only known by the name"
        shown = f"{message} ({doubt})" if doubt else message
        yield self.found(dagfile, append.places, shown, task=look.task, certain=not doubt)


def _is_stream(place: Place) -> bool:
    """Whether it hands batches of a stream to a function; the stream knows which of them it has done."""
    return isinstance(place.node, ast.Call) and getattr(place.node.func, "attr", "") == "foreachBatch"


def _message(append: Append, *, is_callback: bool) -> str:
    if append.target.startswith(FILES):
        return (
            f"{append.shown} adds to {append.to}, and nothing in the task empties or replaces it first: a rerun adds "
            "the same lines again; write the whole file, one for each date"
        )
    where = "this runs each time the DAG or task succeeds" if is_callback else "nothing in the task removes them first"
    return (
        f"{append.shown} adds rows to {append.to}, and {where}: a rerun of the same date adds them again; "
        "delete the date's rows in the same transaction, or upsert on a key"
    )


def _once(appends: list[Append]) -> Iterator[Append]:
    """Each place once: a text may be found at the call that is given it, and at the one that runs it.

    Several statements of one call that add to the same table are one mistake.
    """
    seen = set()
    for append in appends:
        call = append.way[-1].node if append.way else None
        place = append.places[-1]
        key = (place.module, call if call is not None and append.target != UNKNOWN else place.node, append.target)
        if key not in seen:
            seen.add(key)
            yield append


def _before(dagfile: DagFile) -> dict[Task, list[Task]]:
    """The tasks that come before each task."""
    after = precedes(dagfile)
    return {task: [one for one in dagfile.tasks if task in after[one]] for task in dagfile.tasks}


def _may_prepare(earlier: list[Appends]) -> str:
    """An earlier task that may make room: by its name, or by SQL that can't be read."""
    for look in earlier:
        if PREPARES.search(look.task.task_id or "") or UNKNOWN in look.cleared:
            return f"the task {look.task.task_id!r}" if look.task.task_id else "a task"
    return ""


def _additions(look: Appends) -> Iterator[_Addition]:
    """Yield what adds to old values, where nothing tells that it has been done already."""
    used_up = look.used_up - {append.target for append in look.appends}
    fresh = {(update.target, one.column) for update, *_ in look.updates for one in update.settings if one.is_fresh}
    marks = {column for _, column in fresh}
    joined = {(update.target, one.column, one.operator) for update, *_ in look.updates for one in update.settings}
    seen = set()
    for update, places, way in look.updates:
        has_room = bool({update.target, UNKNOWN} & look.cleared) or (update.target == UNKNOWN and look.cleared)
        is_known = update.is_guarded or marks & update.conditions or used_up & update.names
        adds = tuple(
            one
            for one in update.settings
            if one.operator
            and (update.target, one.column) not in fresh
            and not {(update.target, one.column, sign) for sign in "+-"} <= joined
        )
        key = (places[-1].node, update.target, adds)
        if adds and key not in seen and not (look.cannot_tell or has_room or is_known or is_asked_first(way)):
            seen.add(key)
            yield _Addition(update, adds, places)
