"""Libraries and operators that add rows, each by its own name for it: SQLAlchemy, Mongo, BigQuery, Spark, Snowflake."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from dagproof.source.dagfile import Site, Task
from dagproof.source.names import Names, Resolver
from dagproof.source.scopes import Scope
from dagproof.source.sqlwrites import UNKNOWN
from dagproof.source.strings import PLACEHOLDER, text_of
from dagproof.source.values import Value, constant, followed, given

RUNS = frozenset({"execute", "executemany", "scalar", "scalars", "run_sync"})
INSERTS = re.compile(r"sqlalchemy\.(?:\w+\.)*insert$")
READERS = re.compile(r"sqlalchemy\.(?:\w+\.)*(?:select|text|func\.\w+)$")
SAVES = frozenset("on_conflict_do_update on_conflict_do_nothing on_duplicate_key_update prefix_with".split())  # noqa: SIM905
SESSION = re.compile(
    r"sqlalchemy\.(?:\w+\.)*(?:Session|AsyncSession|sessionmaker\(\)|scoped_session\(\)|async_sessionmaker\(\))\(\)"
)
MONGO = re.compile(r"(?:pymongo|motor)\.|airflow\.(?:\w+\.)*MongoHook\(\)")
BIGQUERY = re.compile(r"google\.cloud\.bigquery\.(?:\w+\.)*Client|airflow\.(?:\w+\.)*BigQueryHook\(\)")
STREAMS = frozenset({"insert_rows_json", "insert_rows_from_dataframe", "insert_all"})
COPIES = {
    "copy_records_to_table": "table_name",
    "copy_to_table": "table_name",
    "bulk_load": "table",
    "bulk_load_custom": "table",
}
WRITERS = re.compile(r"^(?:to_|write|save|insert)")
"""Methods whose ``mode="append"`` adds."""
WRANGLER = re.compile(r"awswrangler\.s3\.to_(?:parquet|csv|json|orc|deltalake|iceberg)$")
WRANGLER_SQL = re.compile(r"awswrangler\.(?:postgresql|mysql|redshift|sqlserver|oracle|timestream)\.(?:to_sql|copy)$")
OPERATORS: dict[str, tuple[str, tuple[str, ...]]] = {
    "GenericTransfer": ("destination_table", ("preoperator",)),
    "SQLInsertRowsOperator": ("table_name", ("preoperator", "insert_args")),
    "S3ToRedshiftOperator": ("table", ("method", "upsert_keys")),
    "S3ToMySqlOperator": ("mysql_table", ("mysql_duplicate_key_handling",)),
    "S3ToSqlOperator": ("table", ()),
    "HiveToMySqlOperator": ("mysql_table", ("mysql_preoperator",)),
    "TrinoToMySqlOperator": ("mysql_table", ("mysql_preoperator",)),
    "PrestoToMySqlOperator": ("mysql_table", ("mysql_preoperator",)),
    "VerticaToMySqlOperator": ("mysql_table", ("mysql_preoperator",)),
    "OracleToOracleTransferOperator": ("destination_table", ()),
    "BigQueryToPostgresOperator": ("target_table_name", ("replace",)),
    "BigQueryToMySqlOperator": ("target_table_name", ("replace",)),
    "BigQueryToMsSqlOperator": ("target_table_name", ("replace",)),
}
"""Transfers that insert, with the argument that names the table, and those that may make room or replace rows."""
MOST_DEPTH = 8


@dataclass(frozen=True)
class Found:
    """Something that adds: what to, and how both are told."""

    target: str
    shown: str
    to: str
    is_doubtful: bool = False
    node: ast.expr | None = None
    """The path that is written to, where it is one."""


def of_operator(task: Task, resolver: Resolver) -> Iterator[Found]:
    """Yield what an operator adds by itself."""
    for name in task.names:
        kind = name.rpartition(".")[2]
        if name.startswith("airflow.") and kind in OPERATORS and not task.arguments.open:
            key, safe = OPERATORS[kind]
            known = task.arguments.known
            if not any(one in known and not _is_off(one, known[one], resolver) for one in safe):
                value = known.get(key)
                target, to = table(value.node, value.scope, resolver) if value else (UNKNOWN, "its table")
                yield Found(target, kind, to)


def _is_off(key: str, value: Value, resolver: Resolver) -> bool:
    """Whether an argument that could make room says that it does not."""
    told = constant(value, resolver)
    return told in (None, False) or (key == "method" and told == "APPEND") or (told == "IGNORE_NOTHING")


def of_call(site: Site, names: Names, resolver: Resolver) -> Iterator[Found]:
    """Yield what a call of a library adds."""
    call, scope = site.call, site.scope
    method = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if method in RUNS and call.args:
        yield from _of_alchemy(call.args[0], scope, resolver)
    elif method in ("add_all", "add", "bulk_save_objects", "bulk_insert_mappings"):
        yield from _of_session(call, method, names, scope, resolver)
    elif method in ("insert_many", "insert_one") and isinstance(call.func, ast.Attribute):
        yield from _of_mongo(call.func.value, method, names, scope)
    elif method in STREAMS and (any(BIGQUERY.match(name) for name in names) or method == "insert_rows_json"):
        target, to = table(_argument(call, 0, "table", "table_id"), scope, resolver)
        yield Found(target, f"{method}()", to)
    elif method.startswith("load_table_from_") and not (
        any(k.arg in ("job_config", None) for k in call.keywords) or len(call.args) > 2
    ):
        if any(BIGQUERY.match(name) for name in names):
            target, to = table(_argument(call, 1, "destination"), scope, resolver)
            yield Found(target, f"{method}() without a job_config", to)
    elif method == "write_pandas" and given(call, scope, resolver, "overwrite", None) in (None, False):
        is_session = isinstance(call.func, ast.Attribute) and not any("pandas_tools" in name for name in names)
        target, to = table(_argument(call, 1 if is_session else 2, "table_name"), scope, resolver)
        yield Found(target, "write_pandas()", to)
    elif method in COPIES:
        target, to = table(_argument(call, 0, COPIES[method]), scope, resolver)
        yield Found(target, f"{method}()", to)
    elif method == "copy_from" and isinstance(call.func, ast.Attribute) and len(call.args) > 1:
        target, to = table(call.args[1], scope, resolver)
        yield Found(target, "copy_from()", to)
    else:
        yield from _of_mode(call, method, names, scope, resolver)


def _of_mode(call: ast.Call, method: str, names: Names, scope: Scope, resolver: Resolver) -> Iterator[Found]:
    """``write.mode("append").…``, ``insertInto``, ``to_parquet(mode="append")``, ``writeTo(…).append()``."""
    function = call.func
    if method in (
        "parquet",
        "save",
        "saveAsTable",
        "json",
        "csv",
        "orc",
        "jdbc",
        "insertInto",
        "avro",
        "text",
        "delta",
        "save_as_table",
    ):
        steps = _steps(function)
        if "write" in steps and _is_spark_append(function, call, method, scope, resolver):
            argument = _argument(call, 1 if method == "jdbc" else 0, "table", "tableName", "name", "path", "table_name")
            is_table = method in ("saveAsTable", "insertInto", "jdbc", "save_as_table")
            target, to = table(argument, scope, resolver)
            told = to if is_table or argument is None else f"the data at {_written(argument, scope, resolver)}"
            node = None if is_table else argument
            yield Found(target if is_table else f"path:{told}", 'write.mode("append")', told, node=node)
    elif method == "append" and "writeTo" in _steps(function):
        yield Found(UNKNOWN, "writeTo(…).append()", "the table")
    elif any(WRANGLER.match(name) for name in names):
        if given(call, scope, resolver, "dataset", None) is True and given(call, scope, resolver, "mode", None) in (
            None,
            "append",
        ):
            yield Found(UNKNOWN, f'{method}(mode="append")', "the dataset")
    elif any(WRANGLER_SQL.match(name) for name in names) or WRITERS.match(method):
        default = "append" if any(WRANGLER_SQL.match(name) for name in names) else None
        mode = given(call, scope, resolver, "mode", None)
        if (mode or default) == "append":
            target, to = table(_argument(call, 99, "table", "name", "table_name"), scope, resolver)
            yield Found(target, f'{method}(mode="append")', to if to != "a table" else "what is there")


def _is_spark_append(function: ast.expr, call: ast.Call, method: str, scope: Scope, resolver: Resolver) -> bool:
    """Whether a writer of Spark adds: by its own argument, or by the last ``mode(…)`` before it."""
    mode = given(call, scope, resolver, "mode", None)
    if mode is not None:
        return mode == "append"
    if method == "insertInto":
        overwrite = given(call, scope, resolver, "overwrite", 1)
        if overwrite not in (None, False):
            return False
    node: ast.expr = function
    while isinstance(node, ast.Attribute | ast.Call):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "mode" and node.args:
            return constant(Value(node.args[0], scope), resolver) == "append"
        node = node.func if isinstance(node, ast.Call) else node.value
    return method == "insertInto"


def _of_alchemy(node: ast.expr, scope: Scope, resolver: Resolver) -> Iterator[Found]:
    for one in followed(Value(node, scope), resolver):
        start, steps = _start(one.node)
        if SAVES & set(steps) or "from_select" in steps:
            continue
        inner = start.func if isinstance(start, ast.Call) else None
        if isinstance(start, ast.Call) and any(INSERTS.match(name) for name in resolver.names(start.func, one.scope)):
            target, to = _table_of_model(start.args[0] if start.args else None, one.scope, resolver)
            yield Found(target, "insert()", to)
        elif isinstance(inner, ast.Attribute) and inner.attr == "insert" and not start_arguments(start):
            target, to = _table_of_model(inner.value, one.scope, resolver)
            yield Found(target, "insert()", to)


def start_arguments(start: ast.expr) -> bool:
    """Say whether a call is given anything by position: ``list.insert(0, x)`` is, ``table.insert()`` is not."""
    return isinstance(start, ast.Call) and bool(start.args)


def _start(node: ast.expr) -> tuple[ast.expr, list[str]]:
    """What a chain of calls begins with, ``insert(…)`` of ``insert(…).values(…)``, and the steps behind it."""
    steps: list[str] = []
    for _ in range(MOST_DEPTH):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr == "insert":
            break
        if not isinstance(node.func.value, ast.Call):
            break
        steps.append(node.func.attr)
        node = node.func.value
    return node, steps


def _of_session(call: ast.Call, method: str, names: Names, scope: Scope, resolver: Resolver) -> Iterator[Found]:
    """``session.add(Row(…))``: of SQLAlchemy for sure, or of what is called a session."""
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    is_named = isinstance(owner, ast.Name | ast.Attribute) and ast.unparse(owner).lower().endswith("session")
    is_sure = any(SESSION.match(name) for name in names)
    if any(name.startswith("airflow.") for name in names) or not (is_sure or is_named):
        return
    made = [part for part in ast.walk(call) if isinstance(part, ast.Call) and part is not call]
    kinds = [ast.unparse(one.func) for one in made if ast.unparse(one.func)[:1].isupper()]
    to = f"the table of {kinds[0]}" if kinds else "the table"
    yield Found(UNKNOWN, f"session.{method}()", to, is_doubtful=not is_sure)


def _of_mongo(owner: ast.expr, method: str, names: Names, scope: Scope) -> Iterator[Found]:
    is_sure = any(MONGO.match(name) for name in names) or "pymongo" in scope.module.text
    known = [binding for binding in scope.module.scope.bindings if "mongo" in binding.lower()]
    yield Found(UNKNOWN, f"{method}()", f"the collection {_shown(owner)}", is_doubtful=not (is_sure or known))


def only_reads(site: Site, resolver: Resolver) -> bool:
    """Say whether what a call executes surely writes nothing: ``select(…)`` of SQLAlchemy."""
    for argument in site.call.args[:1]:
        for one in followed(Value(argument, site.scope), resolver):
            start, _ = _start(one.node)
            if isinstance(start, ast.Call) and any(READERS.match(n) for n in resolver.names(start.func, one.scope)):
                return not any(name.endswith("text") for name in resolver.names(start.func, one.scope))
    return False


def table(node: ast.expr | None, scope: Scope, resolver: Resolver) -> tuple[str, str]:
    """Return the table that an expression names: as a key, and as it is told."""
    if node is None:
        return UNKNOWN, "a table"
    text = text_of(node, scope, resolver)
    if text and PLACEHOLDER not in text and "{{" not in text:
        name = text.strip('"`[]').replace(":", ".").rpartition(".")[2].strip('"`[]').lower()
        return name, name
    return UNKNOWN, f"the table that {_shown(node) if text is None or PLACEHOLDER in text else text} names"


def _table_of_model(node: ast.expr | None, scope: Scope, resolver: Resolver) -> tuple[str, str]:
    """The table of ``Table("t", …)``, or of a model."""
    for one in followed(Value(node, scope), resolver) if node is not None else ():
        if (
            isinstance(one.node, ast.Call)
            and one.node.args
            and getattr(one.node.func, "id", getattr(one.node.func, "attr", "")) == "Table"
        ):
            return table(one.node.args[0], one.scope, resolver)
    return UNKNOWN, f"the table of {_shown(node)}" if node is not None else "a table"


def _written(node: ast.expr, scope: Scope, resolver: Resolver) -> str:
    text = text_of(node, scope, resolver)
    return text if text and PLACEHOLDER not in text else _shown(node)


def _shown(node: ast.expr) -> str:
    text = ast.unparse(node)
    return text if len(text) <= 40 else f"{text[:37]}…"


def _argument(call: ast.Call, position: int, *names: str) -> ast.expr | None:
    named = next((keyword.value for keyword in call.keywords if keyword.arg in names), None)
    return named if named is not None else (call.args[position] if position < len(call.args) else None)


def _steps(node: ast.expr) -> list[str]:
    """The attributes in a chain of calls."""
    found: list[str] = []
    while isinstance(node, ast.Attribute | ast.Call):
        if isinstance(node, ast.Attribute):
            found.append(node.attr)
        node = node.value if isinstance(node, ast.Attribute) else node.func
    return found
