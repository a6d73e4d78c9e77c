"""Make the shop's four summaries anew from its orders, and reconcile them with the orders.

A summary is always made of all orders, so that what it holds follows from the base tables alone: not from the date of
the run, from how often it ran, or from what the summary held before.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from etl.errors import LoadError, PermanentError, TransientError

_SQL = Path(__file__).parent / "sql"


class Summary(NamedTuple):
    """A summary's key column, and what of an order leads to it."""

    column: str
    key: str


SUMMARIES = {
    "customer_summary": Summary("customer_id", "customer_id"),
    "product_summary": Summary("product_id", "product_id"),
    "daily_sales": Summary("day", "order_date"),
    "monthly_sales": Summary("month", "date_trunc('month', order_date::timestamp)::date"),
}


class ReconciliationError(PermanentError):
    """A summary and the orders do not say the same."""


def refresh(summary: str, connection: psycopg.Connection[Any], engine: str = "pandas") -> int:
    """Replace all rows of a summary in one transaction; return how many there are now.

    The database computes them itself, from the queries in `etl/sql/refresh/`; with the engine `spark`, Spark does so
    from all of one state of the tables, and the connection must not be in a transaction.

    A reader sees the old rows or the new ones, also one whose query began before: that is why the rows are deleted and
    the table is not truncated. Two refreshes of a summary take turns.

    Raises:
        TransientError: there are no orders. The summary is as it was before.
        LoadError: a table or a column does not exist.
        SettingsError: the engine is `spark`, and Spark cannot be started.
    """
    query = (_SQL / "refresh" / f"{summary}.sql").read_bytes()
    try:
        with connection.transaction(), connection.cursor() as cursor:
            if engine == "spark":
                # It fetches one table after another: from the state that the first statement after the lock sees.
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            # Readers are not in the way of this lock, other refreshes are.
            cursor.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(sql.Identifier(summary)))
            if cursor.execute("SELECT FROM orders LIMIT 1").rowcount == 0:
                raise TransientError(f"There are no orders, so that {summary} stays as it is.")
            cursor.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(summary)))
            if engine == "spark":
                from etl.spark.summaries import fill_with_spark

                return fill_with_spark(summary, cursor)
            return cursor.execute(query).rowcount
    except psycopg.ProgrammingError as error:
        raise LoadError(f"{summary} cannot be made: {error.diag.message_primary}; see etl/sql/shop.sql.") from error


def verify(connection: psycopg.Connection[Any]) -> None:
    """Compare each row of each summary with the orders, to the cent and at one moment.

    Raises:
        ReconciliationError: says which summary differs, in how many rows, and the first of them.
    """
    differences: list[str] = []
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        for name, summary in SUMMARIES.items():
            rows = connection.execute(_verification(name, summary)).fetchall()
            if rows:
                key, says, should_say = rows[0]
                differences.append(
                    f"{name} in {len(rows):,} rows, first at {summary.column} {key}: {says} where the orders give "
                    f"{should_say}"
                )
    if differences:
        raise ReconciliationError(
            f"The summaries are not those of the orders: {'; '.join(differences)}. If orders came in between, clear "
            "the whole run."
        )


def _verification(name: str, summary: Summary) -> sql.Composed:
    template = (_SQL / "verify_summary.sql").read_text(encoding="utf-8")
    return sql.SQL(template).format(
        summary=sql.Identifier(name),
        column=sql.Identifier(summary.column),
        key=sql.SQL(summary.key),
    )
