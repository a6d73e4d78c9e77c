"""Spark makes the summaries that PostgreSQL makes, row for row, and puts them where those were."""

from __future__ import annotations

import datetime
import decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl.aggregates import SUMMARIES, ReconciliationError, refresh, verify
from etl.errors import LoadError, TransientError
from etl.shop.load import load_shop
from etl.shop.size import Shop

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.one_server

Database = psycopg.Connection[Any]

EMPTY = """
    TRUNCATE customers, products, orders;
    INSERT INTO customers SELECT n, 'Ada', n || '@example.org', 'IN', '2025-01-01' FROM generate_series(1, 5) AS n;
    INSERT INTO products SELECT n, 'Ball', 'toys', 1 FROM generate_series(1, 4) AS n;
"""

cents = st.integers(0, 10**8).map(lambda number: decimal.Decimal(number).scaleb(-2))
orders = st.lists(
    st.tuples(
        st.integers(1, 5),
        st.integers(1, 4),
        st.dates(datetime.date(2025, 11, 25), datetime.date(2026, 3, 5)),
        st.sampled_from(["shipped", "delivered", "returned", "cancelled"]),
        st.integers(1, 50),
        cents,
        cents,  # a discount may be larger than what it is of, so that months may have less than nothing
    ),
    min_size=1,
    max_size=40,
)


def put(database: Database, rows: list[tuple[Any, ...]]) -> None:
    """Make these the orders."""
    database.execute(EMPTY)
    with database.cursor() as cursor:
        full = [(n, *row, row[4] * row[5] - row[6]) for n, row in enumerate(rows, 1)]
        cursor.executemany("INSERT INTO orders VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)", full)


def refreshed(database: Database, engine: str) -> dict[str, list[tuple[Any, ...]]]:
    """Refresh and verify all summaries, and return their rows."""
    counts = {name: refresh(name, database, engine) for name in SUMMARIES}
    verify(database)
    found = {name: database.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall() for name in SUMMARIES}
    assert counts == {name: len(rows) for name, rows in found.items()}
    return found


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=orders)
def test_any_orders_have_the_same_summaries(
    spark: SparkSession, warehouse: Database, rows: list[tuple[Any, ...]]
) -> None:
    """To the cent and to the last digit of growth, with days and months without any."""
    put(warehouse, rows)
    assert refreshed(warehouse, "spark") == refreshed(warehouse, "pandas")


def test_the_shop_has_the_same_summaries(spark: SparkSession, warehouse: Database) -> None:
    """Thousands of orders, in a session of another time zone."""
    load_shop(warehouse, Shop(400, 60, 3_000))
    warehouse.execute("SET TIME ZONE 'America/Sao_Paulo'")
    assert refreshed(warehouse, "spark") == refreshed(warehouse, "pandas")


def test_growth_is_rounded_once(spark: SparkSession, warehouse: Database) -> None:
    """Halves go away from zero, up and down, and what is a hair less than a half does not."""
    for before, now in [(20_000, 20_003), (20_000, 19_997), (299_999_999, 300_014_998), (3, 1), (100_000, 100_005)]:
        day, later = datetime.date(2026, 1, 5), datetime.date(2026, 2, 5)
        rows = [(1, 1, day, "delivered", 1, decimal.Decimal(before).scaleb(-2), decimal.Decimal(0))]
        rows += [(1, 1, later, "delivered", 1, decimal.Decimal(now).scaleb(-2), decimal.Decimal(0))]
        put(warehouse, rows)
        refresh("monthly_sales", warehouse, "spark")
        exact = (decimal.Decimal(now - before) / before).quantize(decimal.Decimal("0.0001"), "ROUND_HALF_UP")
        assert warehouse.execute("SELECT growth FROM monthly_sales ORDER BY month").fetchall() == [(None,), (exact,)]


def test_nothing_changes_when_it_fails(
    spark: SparkSession, warehouse: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The old rows stay: without orders, without a table, and with rows that the database refuses at the end."""
    load_shop(warehouse, Shop(40, 12, 150))
    old = refreshed(warehouse, "spark")
    monkeypatch.setattr("etl.spark.summaries._SQL", tmp_path)
    query = Path(refresh.__globals__["_SQL"], "spark", "daily_sales.sql").read_text()
    (tmp_path / "daily_sales.sql").write_text(f"{query} UNION ALL ({query})")
    with pytest.raises(psycopg.errors.UniqueViolation):
        refresh("daily_sales", warehouse, "spark")
    monkeypatch.undo()
    warehouse.execute("ALTER TABLE products RENAME TO gone")
    with pytest.raises(LoadError, match='product_summary cannot be made: relation "products" does not exist'):
        refresh("product_summary", warehouse, "spark")
    warehouse.execute("ALTER TABLE gone RENAME TO products")
    warehouse.execute("TRUNCATE orders")
    with pytest.raises(TransientError, match="There are no orders"):
        refresh("daily_sales", warehouse, "spark")
    assert {name: warehouse.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall() for name in SUMMARIES} == old


def test_a_query_of_spark_that_is_wrong_is_found(
    spark: SparkSession, warehouse: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """By the same verification as any other."""
    load_shop(warehouse, Shop(40, 12, 150))
    refreshed(warehouse, "spark")
    query = Path(refresh.__globals__["_SQL"], "spark", "customer_summary.sql").read_text()
    (tmp_path / "customer_summary.sql").write_text(query.replace("'returned'), 0)", "'cancelled'), 0)"))
    monkeypatch.setattr("etl.spark.summaries._SQL", tmp_path)
    refresh("customer_summary", warehouse, "spark")
    with pytest.raises(ReconciliationError, match="customer_summary in"):
        verify(warehouse)
