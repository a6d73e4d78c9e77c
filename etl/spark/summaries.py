"""The shop's summaries, computed by Spark from rows that PostgreSQL gives, and given back to it.

What comes out is what the queries in `etl/sql/refresh/` make, row for row: those in `etl/sql/spark/` say the same in
Spark's words. Files stand in between, so that memory stays flat on this side.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from etl.spark.session import spark_session

_SQL = Path(__file__).parents[1] / "sql" / "spark"
_BLOCK = 1 << 20

_ORDERS = {
    "order_id": "bigint",
    "customer_id": "bigint",
    "product_id": "bigint",
    "order_date": "date",
    "status": "string",
    "quantity": "int",
    "total": "decimal(14, 2)",
}
_NEEDS: dict[str, dict[str, dict[str, str]]] = {
    "customer_summary": {"orders": _ORDERS, "customers": {"customer_id": "bigint"}},
    "product_summary": {"orders": _ORDERS, "products": {"product_id": "bigint"}},
    "daily_sales": {"orders": _ORDERS},
    "monthly_sales": {"orders": _ORDERS},
}
"""The columns that a summary is made of, by their tables, with Spark's types."""


def fill_with_spark(summary: str, cursor: psycopg.Cursor[Any]) -> int:
    """Add the rows of a summary to its empty table, in the cursor's transaction; return how many they are.

    Raises:
        SettingsError: Spark cannot be started.
        psycopg.Error: a table or a column does not exist, or the connection broke.
    """
    query = (_SQL / f"{summary}.sql").read_text(encoding="utf-8")
    with spark_session() as (session, scratch):
        for table, columns in _NEEDS[summary].items():
            path = scratch / f"{table}.csv"
            _fetch(table, list(columns), cursor, path)
            schema = ", ".join(f"{name} {kind}" for name, kind in columns.items())
            session.read.csv(str(path), schema=schema, mode="FAILFAST").createOrReplaceTempView(table)
        result, made = session.sql(query), scratch / "made"
        result.write.csv(str(made), emptyValue="", nullValue="")
        statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(
            sql.Identifier(summary), sql.SQL(", ").join(map(sql.Identifier, result.columns))
        )
        with cursor.copy(statement) as copy:
            for path in sorted(made.glob("part-*.csv")):
                with path.open("rb") as file:
                    while block := file.read(_BLOCK):
                        copy.write(block)
    return cursor.rowcount


def _fetch(table: str, names: list[str], cursor: psycopg.Cursor[Any], path: Path) -> None:
    """Write columns of a table into a file."""
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    statement = sql.SQL("COPY {} ({}) TO STDOUT (FORMAT csv)").format(sql.Identifier(table), columns)
    with path.open("wb") as file, cursor.copy(statement) as copy:
        for block in copy:
            file.write(block)
