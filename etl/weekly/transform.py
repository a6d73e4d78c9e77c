"""Move what has landed to the base tables, and check that it arrived.

The base tables are always what all raw rows together say, however and in whatever order these have come: a week that
was late or corrected is right after the next run of any week. Only rows that differ are written.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from etl.errors import PermanentError
from etl.paths import check_date
from etl.weekly.files import TABLES
from etl.weekly.load import columns
from etl.weekly.settings import WeekSettings

_SQL = Path(__file__).parents[1] / "sql" / "weekly"

# An address may pass from one customer to another: it is given up first, so that it is never there twice.
_VACATE = """
    UPDATE customers SET email = customer_id || '@vacated' WHERE NOT EXISTS (
        SELECT FROM judged_customers AS j
        WHERE j.reason IS NULL AND j.customer_id = customers.customer_id AND j.email = customers.email
    )
"""
_UPSERT = """
    INSERT INTO {table} ({columns}) SELECT {columns} FROM {judged} WHERE reason IS NULL
    ON CONFLICT ({key}) DO UPDATE SET ({others}) = ROW({excluded})
    WHERE ({present}) IS DISTINCT FROM ({excluded})
"""
_DELETE = """
    DELETE FROM {table} AS t WHERE NOT EXISTS (SELECT FROM {judged} AS j WHERE j.reason IS NULL AND j.{key} = t.{key})
"""
_REJECT = """
    INSERT INTO shop_rejected (table_name, line, reason, key, dt)
    SELECT {name}, line, reason, {key}::text, dt FROM {judged} WHERE reason IS NOT NULL
"""
_CHECK = """
    SELECT
        count(*),
        count(*) FILTER (WHERE j.line IS NULL AND ({landed}) IS DISTINCT FROM ({present}))
    FROM {raw} AS r
    LEFT JOIN {table} AS t ON t.{key} = r.{key}
    LEFT JOIN shop_rejected AS j ON j.table_name = {name} AND j.dt = r.dt AND j.line = r.line
    WHERE r.dt = {day}
"""


REPLACED = "replaced on a later day"
"""The one reason that is no fault."""


class WeekError(PermanentError):
    """A week is not fit to be reported; it is in the base tables as far as it could be."""


class Arrived(NamedTuple):
    """How many rows the files of a week have, and how many of them are rejected."""

    rows: int
    rejected: int


def transform(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """Make the base tables what all raw rows say, in one transaction; two who do so take turns.

    Returns:
        How many raw rows of each table are rejected; which and why is in `shop_rejected`.
    """
    with connection.transaction():
        connection.execute("LOCK TABLE shop_rejected IN SHARE ROW EXCLUSIVE MODE")
        for table in TABLES:
            connection.execute((_SQL / f"{table}.sql").read_bytes())
        connection.execute(_VACATE)
        for table in TABLES:  # an order needs its customer and its product
            connection.execute(_filled(_UPSERT, table))
        for table in reversed(list(TABLES)):
            connection.execute(_filled(_DELETE, table))
        connection.execute("DELETE FROM shop_rejected")
        rejected = {table: connection.execute(_filled(_REJECT, table)).rowcount for table in TABLES}
        connection.execute("ANALYZE customers, products, orders, shop_rejected")
        return rejected


def check_week(ds: str, settings: WeekSettings, connection: psycopg.Connection[Any]) -> Arrived:
    """Check that each row of a week is in its base table as it landed, or is rejected; and that these are few.

    Raises:
        WeekError: rows are lost, or too many are rejected; says how many, and the most frequent reason.
    """
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        for table in TABLES:
            row = connection.execute(_filled(_CHECK, table, sql.Literal(check_date(ds)))).fetchone()
            landed, lost = row or (0, 0)
            if lost:
                raise WeekError(
                    f"{lost:,} of {landed:,} rows that landed are neither in {table} nor rejected; clear the run."
                )
        rejected, rows = _judge(ds, settings.max_bad_share, connection)
    return Arrived(rows, rejected)


def _judge(ds: str, allowed: float, connection: psycopg.Connection[Any]) -> tuple[int, int]:
    day = {"last": ds}
    files = connection.execute((_SQL / "landed.sql").read_bytes(), day).fetchall()
    rows, rejected = sum(file[1] for file in files), sum(file[2] for file in files)
    if rejected > allowed * rows:
        reasons = connection.execute((_SQL / "reasons.sql").read_bytes(), day).fetchall()
        table, reason, times = next(row for row in reasons if row[1] != REPLACED)
        raise WeekError(
            f"{rejected:,} of the {rows:,} rows of the week up to {ds} are rejected, more than the share of "
            f"{allowed:g} that SHOP_MAX_BAD_SHARE allows; most often in {table}: {reason} ({times:,}). All are in "
            "raw_rejected and shop_rejected."
        )
    return rejected, rows


def _filled(template: str, table: str, day: sql.Composable | None = None) -> sql.Composed:
    """Return SQL about a table; our templates are about any."""
    key, *others = TABLES[table]
    return sql.SQL(template).format(
        table=sql.Identifier(table),
        raw=sql.Identifier(f"raw_{table}"),
        judged=sql.Identifier(f"judged_{table}"),
        name=sql.Literal(table),
        key=sql.Identifier(key),
        columns=columns([key, *others]),
        others=columns(others),
        excluded=columns(others, "excluded"),
        landed=columns(others, "r"),
        present=columns(others, "t" if template is _CHECK else table),
        day=day,
    )
