"""Run the checks of `etl.quality.checks` on the raw tables, as they were at the end of a day."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pandera.errors
import pandera.pandas as pa
import psycopg
from psycopg import sql

from etl.errors import PermanentError, TransientError
from etl.paths import check_date
from etl.quality.checks import CHECKS, SCHEMAS, DataCheck

SAMPLE = 5
"""How many keys of rows that do not hold a result names."""

_BATCH_ROWS = 1 << 14
_QUERIES = Path(__file__).parents[1] / "sql" / "quality"
_KINDS = {
    "int2": "Int64",
    "int4": "Int64",
    "int8": "Int64",
    "numeric": "float64",
    "text": "string",
    "varchar": "string",
    "date": "datetime64[ns]",
    "bool": "boolean",
}


class SchemaError(PermanentError):
    """A raw table is not there, or its columns are not those that the checks need."""


class Result(NamedTuple):
    """What one check found: of `rows`, `failed` do not hold; `sample` has the keys of the first of these."""

    check: str
    rows: int
    failed: int
    sample: list[str]


def validate_schema(connection: psycopg.Connection[Any]) -> None:
    """Look whether the raw tables have the columns that the checks need.

    Raises:
        SchemaError: says what is missing or of another kind, all of it.
    """
    problems: list[str] = []
    for table, schema in SCHEMAS.items():
        with connection.transaction(), connection.cursor() as cursor:
            try:
                cursor.execute(sql.SQL("SELECT * FROM {} LIMIT 0").format(sql.Identifier(f"raw_{table}")))
            except psycopg.errors.UndefinedTable as error:
                raise SchemaError(f"There is no table raw_{table}; etl/sql/shop.sql makes it.") from error
            try:
                schema.validate(_frame(cursor, []), lazy=True)
            except pandera.errors.SchemaErrors as error:
                problems += [f"raw_{table}.{problem}" for problem in _problems(error.failure_cases, schema)]
    if problems:
        raise SchemaError(f"The raw tables are not as the checks need them: {'; '.join(problems)}.")


def run_checks(dimension: str, ds: str, connection: psycopg.Connection[Any]) -> list[Result]:
    """Run the checks of a dimension on all rows that had landed by the end of a day.

    All tables are seen at one moment. Memory stays flat: 16,384 rows are held at a time.

    Raises:
        TransientError: nothing has landed in a table yet.
    """
    results: list[Result] = []
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        for table in SCHEMAS:
            checks = [check for check in CHECKS if check.table == table and check.dimension == dimension]
            results += _run(checks, table, check_date(ds), connection) if checks else []
    return results


def _run(checks: list[DataCheck], table: str, ds: str, connection: psycopg.Connection[Any]) -> list[Result]:
    rows = 0
    failed = dict.fromkeys(checks, 0)
    samples: dict[DataCheck, list[str]] = {check: [] for check in checks}
    for frame in _frames(table, ds, connection):
        rows += len(frame)
        for check in checks:
            keys = _failing(check, frame)
            failed[check] += len(keys)
            samples[check] += keys[: SAMPLE - len(samples[check])]
    if not rows:
        raise TransientError(f"Nothing has landed in raw_{table} up to {ds} yet.")
    return [Result(check.name, rows, failed[check], samples[check]) for check in checks]


def _failing(check: DataCheck, frame: pd.DataFrame) -> list[str]:
    """Return the keys of the rows that do not hold, in the order in which they landed."""
    looked_at = frame if check.column is None else frame[check.column]
    held = check.holds(looked_at).check_output
    return frame.loc[held[~held.astype(bool)].index, "key"].tolist()  # type: ignore[no-any-return]  # a column of text


def _frames(table: str, ds: str, connection: psycopg.Connection[Any]) -> Iterator[pd.DataFrame]:
    query = (_QUERIES / f"{table}.sql").read_text(encoding="utf-8")
    with contextlib.closing(connection.cursor(name=f"quality_{table}")) as cursor:
        cursor.execute(query.encode(), {"day": datetime.date.fromisoformat(ds)})
        while rows := cursor.fetchmany(_BATCH_ROWS):
            yield _frame(cursor, rows)


def _frame(cursor: psycopg.Cursor[Any], rows: list[Any]) -> pd.DataFrame:
    """Return rows as a DataFrame whose columns are of the kinds that their types in the database say."""
    columns = cursor.description or []
    frame = pd.DataFrame(rows, columns=[column.name for column in columns], dtype="object")
    return frame.astype({column.name: _KINDS.get(column.type_display, "object") for column in columns})


def _problems(cases: pd.DataFrame, schema: pa.DataFrameSchema) -> Iterator[str]:
    """Yield what is wrong with each column, given what pandera reports."""
    for column, found, check in zip(cases["column"], cases["failure_case"], cases["check"], strict=True):
        if check == "column_in_dataframe":
            yield f"{found} is missing"
        else:
            yield f"{column} is {found} where {schema.columns[column].dtype} is needed"
