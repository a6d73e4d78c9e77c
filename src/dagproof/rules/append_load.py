"""A load adds rows, and a rerun adds them again."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from dagproof.rules.base import Finding, Rule
from dagproof.source.asking import is_asked_first
from dagproof.source.dagfile import Chain, DagFile, Site, Task
from dagproof.source.sqladds import Setting, Update, updates
from dagproof.source.sqlwrites import UNKNOWN, writes
from dagproof.source.strings import Text, file_text, texts
from dagproof.source.usage import is_log
from dagproof.source.values import Value, constant, given

MAKES_ROOM = re.compile(
    r"delete|truncat|clear|purge|overwrite|unlink|rmtree|remove|upsert|merge|wipe|reset|clean|drop_(?:table|partition|schema)",
    re.IGNORECASE,
)
EXECUTES = frozenset({"execute", "executemany", "run", "query", "sql", "execute_values", "execute_batch"})
FILE_OPENS = (("open",), ("io.open",))
JOURNAL = re.compile(r"log|audit|attempt|histor|journal|event|metric|stat(?:us|istics)?$", re.IGNORECASE)
COUNTER = re.compile(r"version|revision|retries|tries|runs$", re.IGNORECASE)
AGAIN = {
    "+": ("adds to", "adds it"),
    "-": ("subtracts from", "subtracts it"),
    "*": ("multiplies", "multiplies it"),
    "||": ("appends to", "appends it"),
}
SQL_KEYS = re.compile(r"sql|hql|bql|query|statement|preoperator|postoperator", re.IGNORECASE)


@dataclass(frozen=True)
class _Append:
    """One place that appends: to what, and how it is told."""

    target: str
    shown: str
    places: Chain


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
    Finds `INSERT INTO` and `COPY … FROM` in SQL, `to_sql(if_exists="append")`, `insert_rows(…)` of a hook,
    `WRITE_APPEND`, and files opened in the mode `"a"`, where nothing in the same task makes room first: no `DELETE`,
    `TRUNCATE`, new table or upsert of the same target. Finds SQL that adds to what a column holds, too: `UPDATE stock
    SET n = n + 1`, and upserts and merges with `n = stock.n + excluded.n`. That is fine where a condition or the
    task asks whether it was done already: `WHERE last_day < …` of a column that is set with it, `if cursor.rowcount:`.
    Where the task runs SQL that can't be told, nothing is found. A target that is named as a journal (`audit_log`) is
    doubtful, and so are a `version` and a `||` that may merge documents.

    ## Why is this bad
    A retry, a cleared run or a backfill loads the same date again, and each time its rows are there once more. Nothing
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
        """Look at what each task does as a whole."""
        for task in dagfile.tasks:
            look = _Look(dagfile, task)
            for append in look.appends:
                if not look.cannot_tell and not {append.target, UNKNOWN} & look.cleared:
                    what = f" to {append.target}" if append.target != UNKNOWN else ""
                    message = f"{append.shown} adds{what}, and nothing in the task makes room first: a rerun adds again"
                    certain = not JOURNAL.search(append.target)
                    yield self.found(dagfile, append.places, message, task=task, certain=certain)
            for one in look.additions():
                yield self.found(dagfile, one.places, one.message, task=task, certain=one.is_certain)


class _Look:
    """What one task appends and clears."""

    def __init__(self, dagfile: DagFile, task: Task) -> None:
        self.dagfile = dagfile
        self.resolver = dagfile.resolver
        self.appends: list[_Append] = []
        self.cleared: set[str] = set()
        self.updates: list[tuple[Update, Chain, Chain]] = []
        """Each with where it is, and the calls that run it."""
        self.used_up: set[str] = set()
        """The tables that are emptied, and not filled before: what was in them is there only once."""
        self.cannot_tell = False
        for call, scope in task.calls:
            for keyword in call.keywords:
                for text in texts(Value(keyword.value, scope), self.resolver, keyword.arg or ""):
                    self._argument(text, task)
        for site in dagfile.sites_of(dagfile.reached_by(task)):
            self._site(site)

    def _argument(self, text: Text, task: Task) -> None:
        if text.text == "WRITE_APPEND":
            self.appends.append(_Append(UNKNOWN, "WRITE_APPEND", (*task.chain, text.place)))
        elif text.is_sql or SQL_KEYS.search(text.key):
            folder = self.dagfile.module.path.parent
            found = file_text(text, [folder], (".sql", ".hql"))
            if text.text.strip().endswith((".sql", ".hql")) and not found:
                self.cannot_tell = True
            self._sql(found[1] if found else text.text, (*task.chain, text.place))

    def _site(self, site: Site) -> None:
        if is_log(site.call):
            return
        places = (*site.body.chain, site.place)
        method = _method(site.call)
        if MAKES_ROOM.search(method):
            self.cannot_tell = True
        found = [text for value in _values(site) for text in texts(value, self.resolver) if text.is_sql]
        for text in found:
            self._sql(text.text, (*site.body.chain, text.place), places)
        if method in EXECUTES and not found and not any(name.startswith("subprocess.") for name in site.names):
            self.cannot_tell = True
        if method == "to_sql":
            self._to_sql(site, places)
        elif method == "insert_rows" and any("Hook()" in name for name in site.names):
            self._insert_rows(site, places)
        elif method in ("to_csv", "to_json") and given(site.call, site.scope, self.resolver, "mode", None) == "a":
            self.appends.append(_Append(UNKNOWN, f'{method}(mode="a")', places))
        elif method == "open":
            self._open(site, places)
        for keyword in site.call.keywords:
            if keyword.arg == "write_disposition" and self._is_append(Value(keyword.value, site.scope)):
                self.appends.append(_Append(UNKNOWN, "WRITE_APPEND", places))

    def _is_append(self, value: Value) -> bool:
        """Whether it is ``WRITE_APPEND``, as text or as ``WriteDisposition.WRITE_APPEND``."""
        node = value.node
        is_member = isinstance(node, ast.Attribute) and node.attr == "WRITE_APPEND"
        return is_member or constant(value, self.resolver) == "WRITE_APPEND"

    def _sql(self, sql: str, places: Chain, way: Chain = ()) -> None:
        for write in writes(sql):
            if write.appends:
                self.appends.append(_Append(write.target, "this SQL", places))
            else:
                self.cleared.add(write.target)
                self.used_up |= {write.target} if write.verb in ("DELETE", "TRUNCATE") else set()
        self.updates += [(update, places, way) for update in updates(sql)]

    def additions(self) -> Iterator[_Addition]:
        """Yield what adds to old values, where nothing tells that it has been done already."""
        used_up = self.used_up - {append.target for append in self.appends}
        fresh = {(update.target, one.column) for update, *_ in self.updates for one in update.settings if one.is_fresh}
        marks = {column for _, column in fresh}
        joined = {(update.target, one.column, one.operator) for update, *_ in self.updates for one in update.settings}
        for update, places, way in self.updates:
            has_room = bool({update.target, UNKNOWN} & self.cleared) or (update.target == UNKNOWN and self.cleared)
            is_known = update.is_guarded or marks & update.conditions or used_up & update.names
            adds = tuple(
                one
                for one in update.settings
                if one.operator
                and (update.target, one.column) not in fresh
                and not {(update.target, one.column, sign) for sign in "+-"} <= joined
            )
            if adds and not (self.cannot_tell or has_room or is_known or is_asked_first(way)):
                yield _Addition(update, adds, places)

    def _to_sql(self, site: Site, places: Chain) -> None:
        how = self._given(site, 3, "if_exists")
        if how == "append":
            target = self._given(site, 0, "name")
            shown = target.lower() if isinstance(target, str) else UNKNOWN
            self.appends.append(_Append(shown, 'to_sql(if_exists="append")', places))
        else:
            self.cannot_tell = self.cannot_tell or how is ...

    def _insert_rows(self, site: Site, places: Chain) -> None:
        if any(keyword.arg in ("replace", None) for keyword in site.call.keywords):
            self.cannot_tell = True
        target = self._given(site, 0, "table")
        shown = target.rpartition(".")[2].lower() if isinstance(target, str) else UNKNOWN
        self.appends.append(_Append(shown, "insert_rows()", places))

    def _open(self, site: Site, places: Chain) -> None:
        is_method = isinstance(site.call.func, ast.Attribute) and site.names != ("io.open",)
        if any(name.startswith("<") for name in site.names) or not (is_method or site.names in FILE_OPENS):
            return
        mode = self._given(site, 0 if is_method else 1, "mode")
        if isinstance(mode, str) and re.fullmatch(r"a[bt+]{0,2}", mode):
            is_log_file = "log" in ast.unparse(site.call).lower()
            if not is_log_file:
                self.appends.append(_Append(UNKNOWN, f'open(…, "{mode}")', places))

    def _given(self, site: Site, position: int, name: str) -> object:
        return given(site.call, site.scope, self.resolver, name, position)


def _method(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _values(site: Site) -> Iterator[Value]:
    for argument in (*site.call.args, *(keyword.value for keyword in site.call.keywords)):
        yield Value(argument, site.scope)
