"""The shop as CSV, and in the tables of `etl/sql/shop.sql`."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import psycopg
from psycopg import sql

from etl.shop.dirt import Row, landed
from etl.shop.rows import customers, orders, products
from etl.shop.size import Shop

_BLOCK_ROWS = 1_000


def as_csv(rows: Iterable[tuple[Any, ...]]) -> Iterator[bytes]:
    """Yield rows as CSV of UTF-8 without a header, in pieces of at most 1,000 rows; None is an empty field."""
    left = iter(rows)
    while block := list(itertools.islice(left, _BLOCK_ROWS)):
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows(block)
        yield text.getvalue().encode()


def raw_tables(shop: Shop) -> dict[str, Iterator[tuple[Any, ...]]]:
    """Return the rows of each raw table, dirt included, to be gone through once."""
    kinds: dict[str, Iterator[Row]] = {
        "raw_customers": customers(shop),
        "raw_products": products(shop),
        "raw_orders": orders(shop),
    }
    return {name: ((*row.values, row.dt, row.line) for row in landed(rows, shop.dirt)) for name, rows in kinds.items()}


def base_tables(shop: Shop) -> dict[str, Iterator[tuple[Any, ...]]]:
    """Return the rows of each base table, to be gone through once; there is no dirt in them."""
    return {"customers": customers(shop), "products": products(shop), "orders": orders(shop)}


def as_inserts(shop: Shop) -> Iterator[str]:
    """Yield SQL that fills the empty tables of `etl/sql/shop.sql`, for where no program of ours can."""
    yield f"-- {shop}, written by etl.shop.load.as_inserts: a small one, for proofs to run on.\n"
    for table, rows in {**raw_tables(shop), **base_tables(shop)}.items():
        yield f"\nINSERT INTO {table} VALUES\n" + ",\n".join(map(_literals, rows)) + ";\n"


def _literals(row: tuple[Any, ...]) -> str:
    """Return a row as SQL; PostgreSQL reads any quoted literal as the column's type."""
    return "(" + ", ".join("NULL" if v is None else "'" + str(v).replace("'", "''") + "'" for v in row) + ")"


def load_shop(connection: psycopg.Connection[Any], shop: Shop) -> int:
    """Make the shop the content of all base and raw tables, in one transaction. Memory stays flat.

    Returns:
        The number of rows in the base tables.
    """
    with connection.transaction(), connection.cursor() as cursor:
        for table in ("orders", "products", "customers", *raw_tables(shop)):
            cursor.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
        _copy(cursor, raw_tables(shop))
        return _copy(cursor, base_tables(shop))


def _copy(cursor: psycopg.Cursor[Any], tables: dict[str, Iterator[tuple[Any, ...]]]) -> int:
    copied = 0
    for table, rows in tables.items():
        with cursor.copy(sql.SQL("COPY {} FROM STDIN (FORMAT csv)").format(sql.Identifier(table))) as copy:
            for piece in as_csv(rows):
                copy.write(piece)
        copied += cursor.rowcount
    return copied
