"""The summaries are what an independent computation makes of the same orders."""

from __future__ import annotations

import datetime
import decimal
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import duckdb
import psycopg
import psycopg.conninfo
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl.aggregates import SUMMARIES, ReconciliationError, refresh, verify
from etl.errors import LoadError, TransientError
from etl.shop.load import load_shop
from etl.shop.size import Shop, scaled

pytestmark = pytest.mark.one_server

Database = psycopg.Connection[Any]

CUSTOMERS, PRODUCTS = 6, 4
EMPTY = f"""
    TRUNCATE customers, products, orders;
    INSERT INTO customers SELECT n, 'Ada', n || '@example.org', 'IN', '2025-01-01' FROM generate_series(1, {CUSTOMERS}) AS n;
    INSERT INTO products SELECT n, 'Ball', 'toys', 1 FROM generate_series(1, {PRODUCTS}) AS n;
"""  # noqa: E501 - a line a table

# The same in another dialect, another way round: one wide table, then sums over conditions.
MEASURES = """
    count(order_id), sum(if(status = 'delivered', 1, 0)), sum(if(status = 'returned', 1, 0)),
    sum(if(status = 'cancelled', 1, 0)),
    sum(if(status = 'delivered', quantity, 0)), sum(if(status = 'delivered', total, 0)),
    sum(if(status = 'returned', total, 0))
"""
EXPECTED = {
    "customer_summary": f"""
        SELECT n, {MEASURES}, min(order_date), max(order_date)
        FROM (SELECT unnest(generate_series(1, (SELECT max(customers) FROM sizes))) AS n)
        LEFT JOIN orders ON customer_id = n GROUP BY n
    """,
    "product_summary": f"""
        SELECT n, {MEASURES}, 1 + (
            SELECT count(*) FROM (
                SELECT sum(if(status = 'delivered', total, 0)) AS other
                FROM (SELECT unnest(generate_series(1, (SELECT max(products) FROM sizes))) AS k)
                LEFT JOIN orders ON product_id = k GROUP BY k
            ) WHERE other > revenue
        )
        FROM (
            SELECT n, orders.*, sum(if(status = 'delivered', total, 0)) OVER (PARTITION BY n) AS revenue
            FROM (SELECT unnest(generate_series(1, (SELECT max(products) FROM sizes))) AS n)
            LEFT JOIN orders ON product_id = n
        )
        GROUP BY n, revenue
    """,
    "daily_sales": f"""
        SELECT day, {MEASURES}, count(DISTINCT customer_id)
        FROM (SELECT DISTINCT day FROM days) LEFT JOIN orders ON order_date = day GROUP BY day
    """,
    "monthly_sales": f"""
        SELECT month, {MEASURES}, count(DISTINCT customer_id), NULL
        FROM (SELECT DISTINCT day, date_trunc('month', day)::date AS month FROM days)
        LEFT JOIN orders ON order_date = day GROUP BY month
    """,
}


def independent(database: Database, customers: int, products: int) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of each summary as DuckDB computes them from the orders."""
    with duckdb.connect() as duck:
        rows = database.execute("SELECT * FROM orders").fetchall()
        columns = [list(column) for column in zip(*rows, strict=True)]
        names = ["order_id", "customer_id", "product_id", "order_date", "status", "quantity"]
        table = pa.table(columns, names=[*names, "unit_price", "discount", "total"])
        table = table.set_column(8, "total", table["total"].cast(pa.decimal128(20, 2)))
        duck.register("orders", table)
        duck.execute(f"CREATE TABLE sizes AS SELECT {customers} AS customers, {products} AS products")
        days = sorted(row[3] for row in rows)
        span = [days[0] + datetime.timedelta(n) for n in range((days[-1] - days[0]).days + 1)]
        duck.register("days", pa.table({"day": span}))
        found = {name: sorted(duck.execute(query).fetchall()) for name, query in EXPECTED.items()}
    found["monthly_sales"] = with_growth(found["monthly_sales"])
    return found


def with_growth(months: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return the months with the growth of their revenue since the one before, in four digits."""
    grown = []
    for number, month in enumerate(months):
        before = months[number - 1][6] if number else 0
        growth = ((month[6] - before) / before).quantize(decimal.Decimal("0.0001"), "ROUND_HALF_UP") if before else None
        grown.append((*month[:-1], growth))
    return grown


def summaries(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Return what a reader sees."""
    return {name: database.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall() for name in SUMMARIES}


def refresh_all(database: Database) -> None:
    """Do what the DAG does."""
    for name in SUMMARIES:
        refresh(name, database)
    verify(database)


cents = st.integers(0, 10**6).map(lambda number: decimal.Decimal(number).scaleb(-2))
drawn_orders = st.lists(
    st.tuples(
        st.integers(1, CUSTOMERS),
        st.integers(1, PRODUCTS),
        st.dates(datetime.date(2025, 11, 25), datetime.date(2026, 3, 5)),
        st.sampled_from(["shipped", "delivered", "returned", "cancelled"]),
        st.integers(1, 50),
        cents,
        cents,
    ),
    min_size=1,
    max_size=60,
)


def put(database: Database, rows: list[tuple[Any, ...]]) -> None:
    """Make these the orders."""
    database.execute(EMPTY)
    statement = "INSERT INTO orders VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
    with database.cursor() as cursor:
        full = [(n, *row, row[4] * row[5] - row[6]) for n, row in enumerate(rows, 1)]
        cursor.executemany(statement, full)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(rows=drawn_orders)
def test_summaries_of_any_orders_are_those_of_another_program(warehouse: Database, rows: list[tuple[Any, ...]]) -> None:
    """Few or many, with days and months without any, on the same warehouse one after another."""
    put(warehouse, rows)
    refresh_all(warehouse)
    assert summaries(warehouse) == independent(warehouse, CUSTOMERS, PRODUCTS)


@pytest.mark.parametrize("factor", [0.01, 0.1, 1])
def test_summaries_of_the_shop_are_those_of_another_program(warehouse: Database, factor: float) -> None:
    """At several sizes, the full one with its 8,893 customers with a delivered order."""
    shop = scaled(factor)
    load_shop(warehouse, shop)
    refresh_all(warehouse)
    found = summaries(warehouse)
    assert found == independent(warehouse, shop.customers, shop.products)
    assert sum(row[2] > 0 for row in found["customer_summary"]) == shop.buyers
    assert (len(found["daily_sales"]), len(found["monthly_sales"])) == (181, 7)


def test_the_same_orders_give_the_same_rows_whatever_was_there(warehouse: Database) -> None:
    """Also after other orders, in another session's time zone, and once more."""
    load_shop(warehouse, Shop(40, 12, 150))
    refresh_all(warehouse)
    rows = summaries(warehouse)
    warehouse.execute("DELETE FROM orders WHERE order_id > 100")
    refresh_all(warehouse)
    assert summaries(warehouse) != rows
    load_shop(warehouse, Shop(40, 12, 150))
    for zone in ("Pacific/Kiritimati", "America/Sao_Paulo"):
        warehouse.execute(f"SET TIME ZONE '{zone}'")
        refresh_all(warehouse)
        assert summaries(warehouse) == rows


SPOILED = {
    "customer_summary": "revenue = revenue + 0.01 WHERE customer_id = 7",
    "product_summary": "units = units - 1 WHERE product_id = 3",
    "daily_sales": "cancelled = cancelled + 1 WHERE day = '2026-01-03'",
    "monthly_sales": "refunds = refunds - 0.01 WHERE month = '2026-02-01'",
}


@pytest.mark.parametrize("name", list(SUMMARIES))
def test_any_difference_is_found_and_named(warehouse: Database, name: str) -> None:
    """A cent, an order; also a row that is missing, and one that is too many."""
    load_shop(warehouse, Shop(40, 12, 150))
    refresh_all(warehouse)
    warehouse.execute(f"UPDATE {name} SET {SPOILED[name]}")
    with pytest.raises(ReconciliationError, match=f"{name} in 1 rows, first at {SUMMARIES[name].column} [0-9-]+: "):
        verify(warehouse)
    warehouse.execute(f"DELETE FROM {name} WHERE orders > 0")
    with pytest.raises(ReconciliationError, match=f"those of the orders: {name} in [0-9]+ rows"):
        verify(warehouse)
    refresh(name, warehouse)
    verify(warehouse)


def test_orders_that_came_after_the_refresh_are_noticed(warehouse: Database) -> None:
    """By all four."""
    load_shop(warehouse, Shop(40, 12, 150))
    refresh_all(warehouse)
    warehouse.execute("DELETE FROM orders WHERE status = 'delivered' AND order_id = 3")
    with pytest.raises(ReconciliationError) as caught:
        verify(warehouse)
    assert all(f"{name} in 1 rows" in str(caught.value) for name in SUMMARIES)


def test_without_orders_the_old_rows_stay(warehouse: Database) -> None:
    """An empty base table is somebody's mistake, and no reason to show readers nothing."""
    load_shop(warehouse, Shop(40, 12, 150))
    refresh_all(warehouse)
    rows = summaries(warehouse)
    warehouse.execute("TRUNCATE orders")
    for name in SUMMARIES:
        with pytest.raises(TransientError, match=f"There are no orders, so that {name} stays as it is"):
            refresh(name, warehouse)
    assert summaries(warehouse) == rows


def test_a_missing_table_is_named(warehouse: Database) -> None:
    """With the file that makes it."""
    load_shop(warehouse, Shop(40, 12, 150))
    warehouse.execute("DROP TABLE daily_sales")
    with pytest.raises(LoadError, match='relation "daily_sales" does not exist; see etl/sql/shop.sql'):
        refresh("daily_sales", warehouse)


def test_a_reader_sees_the_old_rows_or_the_new_ones(warehouse: Database) -> None:
    """Never none and never a mix, while four writers take turns; a transaction that began before sees its own."""
    load_shop(warehouse, Shop(40, 12, 150))
    refresh_all(warehouse)
    dsn = psycopg.conninfo.make_conninfo(warehouse.info.dsn, password=warehouse.info.password)
    query = "SELECT count(*), sum(orders) FROM customer_summary"
    done, seen = threading.Event(), set()

    def look() -> None:
        with psycopg.connect(dsn, autocommit=True) as reader:
            while not done.is_set():
                seen.add(reader.execute(query).fetchone())

    def work(_: int) -> None:
        with psycopg.connect(dsn, autocommit=True) as writer:
            refresh("customer_summary", writer)

    with psycopg.connect(dsn) as early, ThreadPoolExecutor(5) as threads:
        early.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        first = early.execute(query).fetchone()
        looking = threads.submit(look)
        warehouse.execute("DELETE FROM orders WHERE order_id > 100")
        list(threads.map(work, range(12)))
        assert early.execute(query).fetchone() == first
        done.set()
        looking.result()
    assert seen <= {(40, 150), (40, 100)}
    assert warehouse.execute(query).fetchone() == (40, 100)
