"""The key of an upsert is different each time."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from dagproof.rules.base import Finding, Rule
from dagproof.source import sqltext
from dagproof.source.chance import CHANCE
from dagproof.source.dagfile import Chain, DagFile, Place, Site
from dagproof.source.names import Names
from dagproof.source.scopes import Scope
from dagproof.source.sqlkeys import Upsert, upserts
from dagproof.source.strings import texts
from dagproof.source.taint import Taint
from dagproof.source.usage import is_log
from dagproof.source.values import Value, followed
from dagproof.source.wallclock import CLOCK

PARAMETERS = ("parameters", "params", "vars", "argslist", "vars_list", "seq_of_parameters")


class UnstableKey(Rule):
    """The key of an upsert is different each time.

    ## What it does
    Finds `INSERT … ON CONFLICT (key)` whose key comes from `uuid4()`, `random`, `hash()` of a text, or the clock: in
    the SQL itself (`gen_random_uuid()`, `now()`), or in the parameters given beside it. If the columns are not named,
    the finding is doubtful.

    ## Why is this bad
    The key of an existing row never comes again, so nothing ever conflicts: each rerun adds all rows again, although
    the upsert looks safe.

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
            sql="INSERT INTO orders (id, dt) SELECT gen_random_uuid(), dt FROM staging ON CONFLICT (id) DO NOTHING",
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
            sql="INSERT INTO orders (id, dt) SELECT number, dt FROM staging ON CONFLICT (id) DO NOTHING",
        )
    ```
    """

    name = "unstable-key"
    code = "DP403"

    def check(self, dagfile: DagFile) -> Iterator[Finding]:
        """Look at the SQL of each operator, and at the SQL and parameters of each call."""
        taint = Taint(dagfile.resolver, _differs)
        for task in dagfile.tasks:
            for call, scope in task.calls:
                for keyword in call.keywords:
                    for text in texts(Value(keyword.value, scope), dagfile.resolver):
                        for column in _unstable_in_sql(text.text):
                            places = (*task.chain, text.place)
                            yield self.found(dagfile, places, _message(column), task=task)
        for site in dagfile.sites("run"):
            if not is_log(site.call):
                for column, places, certain in _of_site(dagfile, site, taint):
                    task_, message = site.body.task, _message(column, certain=certain)
                    yield self.found(dagfile, places, message, task=task_, certain=certain)


def _differs(call: ast.Call, scope: Scope, names: Names) -> bool:
    return CHANCE.is_source(call, scope, names) or CLOCK.is_source(call, scope, names)


def _unstable_in_sql(sql: str) -> Iterator[str]:
    for upsert in upserts(sql):
        for column, value in upsert.key_values():
            if any(sqltext.draws(value)) or any(sqltext.clocks(value)):
                yield column


def _of_site(dagfile: DagFile, site: Site, taint: Taint) -> Iterator[tuple[str, Chain, bool]]:
    for argument in site.call.args[:2]:
        for text in texts(Value(argument, site.scope), dagfile.resolver):
            for column in _unstable_in_sql(text.text):
                yield column, (*site.body.chain, text.place), True
            for upsert in upserts(text.text):
                for row in _rows(dagfile, site):
                    for column, value, certain in _keys(upsert, row):
                        if taint.cause(value):
                            yield column, (*site.body.chain, Place(value.scope.module, value.node)), certain


def _rows(dagfile: DagFile, site: Site) -> Iterator[Value]:
    """The rows that are given as parameters, as far as they are written down."""
    given = [keyword.value for keyword in site.call.keywords if keyword.arg in PARAMETERS] or site.call.args[1:]
    for argument in given:
        for value in followed(Value(argument, site.scope), dagfile.resolver):
            node = value.node
            if isinstance(node, ast.ListComp | ast.GeneratorExp):
                yield Value(node.elt, value.scope)
            elif isinstance(node, ast.List) and any(isinstance(one, ast.Tuple | ast.Dict) for one in node.elts):
                yield from (Value(one, value.scope) for one in node.elts)
            elif isinstance(node, ast.Tuple | ast.List | ast.Dict):
                yield value


def _keys(upsert: Upsert, row: Value) -> Iterator[tuple[str, Value, bool]]:
    """What a row gives to the keys; where the columns are not named, any uncertain one of its values may be it."""
    if not upsert.columns:
        parts = row.node.elts if isinstance(row.node, ast.Tuple | ast.List) else []
        for part in parts:
            yield ", ".join(upsert.keys), Value(part, row.scope), False
    for column, value in upsert.key_values():
        parameter = upsert.parameter(value)
        if isinstance(row.node, ast.Tuple | ast.List) and isinstance(parameter, int):
            for part in row.node.elts[parameter : parameter + 1]:
                yield column, Value(part, row.scope), True
        if isinstance(row.node, ast.Dict) and isinstance(parameter, str):
            for key, part in zip(row.node.keys, row.node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == parameter:
                    yield column, Value(part, row.scope), True


def _message(column: str, *, certain: bool = True) -> str:
    if not certain:
        return f"this value is a new one each time; if it is the key {column}, a rerun adds all rows again"
    return f"the key {column} is different each time, so nothing conflicts and a rerun adds all rows again"
