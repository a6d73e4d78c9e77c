"""The base tables are what all that has landed says, in whatever order it came: compared with plain Python."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl.weekly.files import TABLES
from etl.weekly.load import NEEDED, ingest_week, validate_week
from etl.weekly.settings import WeekSettings
from etl.weekly.transform import WeekError, check_week, transform

pytestmark = pytest.mark.one_server

WEEKS = ("2026-01-10", "2026-01-17", "2026-01-24")


def customer(draw: random.Random, week: str) -> list[str]:
    email = draw.choice(["a@x.org", "b@x.org", "c@x.org", "no address", ""])
    return [draw.choice("1234") if draw.random() < 0.9 else "", "Ada", email, draw.choice(["DE", "IN", "de"]), week]


def product(draw: random.Random, week: str) -> list[str]:
    return [draw.choice("123"), "Lamp", "garden", draw.choice(["1.00", "2.5", "-1", "0.001", ""])]


def order(draw: random.Random, week: str) -> list[str]:
    status = draw.choice(["delivered", "returned", "lost"])
    total = draw.choice(["2.00", "2", "3.00", ""])
    day = draw.choice([week, WEEKS[0], "2026-02-01"])
    return [draw.choice("12345678"), draw.choice("12345"), draw.choice("1234"), day, status, "2", "1.00", "0", total]


def believed(landed: dict[str, dict[str, list[list[str]]]]) -> dict[str, dict[str, list[str]]]:
    """Return the base tables that the rows of all weeks give, row by row: the latest that holds."""
    base: dict[str, dict[str, list[str]]] = {table: {} for table in TABLES}
    for week in WEEKS:
        for row in landed.get(week, {}).get("customers", []):
            if row[0] and "@" in row[2] and row[3].isupper() and row[4] <= week:
                base["customers"][row[0]] = row
        for row in landed.get(week, {}).get("products", []):
            if row[3] and Decimal(row[3]) >= 0 and Decimal(row[3]) == round(Decimal(row[3]), 2):
                base["products"][row[0]] = row
    taken: set[str] = set()
    for key in sorted(base["customers"]):
        if base["customers"][key][2] in taken:
            del base["customers"][key]
        else:
            taken.add(base["customers"][key][2])
    for week in WEEKS:
        for row in landed.get(week, {}).get("orders", []):
            known = row[1] in base["customers"] and row[2] in base["products"]
            if known and row[3] <= week and row[4] != "lost" and row[8] and Decimal(row[8]) == 2:
                base["orders"][row[0]] = row
    return base


def rows(connection: psycopg.Connection[Any], table: str) -> Iterator[tuple[str, ...]]:
    """Yield a base table's rows as text, numbers without needless zeros."""
    for row in connection.execute(f"SELECT * FROM {table} ORDER BY 1"):
        yield tuple(str(value.normalize()) if isinstance(value, Decimal) else str(value) for value in row)


def plain(kinds: list[str], row: list[str]) -> tuple[str, ...]:
    return tuple(str(Decimal(v).normalize()) if kind == "amount" else v for kind, v in zip(kinds, row, strict=True))


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(seed=st.integers(0, 10**9), order_of_weeks=st.permutations([*WEEKS, WEEKS[0]]))
def test_the_base_tables_are_what_has_landed(
    warehouse: psycopg.Connection[Any], tmp_path: Path, seed: int, order_of_weeks: list[str]
) -> None:
    """After each of the weeks, in any order, one of them twice with other rows; no row is lost or counted twice."""
    draw = random.Random(seed)
    source = WeekSettings(str(tmp_path), f"{tmp_path}/{{table}}-{{ds}}.csv", max_bad_share=1)
    warehouse.execute("TRUNCATE " + ", ".join(NEEDED))
    landed: dict[str, dict[str, list[list[str]]]] = {}
    for week in order_of_weeks:
        landed[week] = {}
        for table, make, most in (("customers", customer, 6), ("products", product, 4), ("orders", order, 12)):
            landed[week][table] = [make(draw, week) for _ in range(draw.randint(0, most))]
            lines = [",".join(row) for row in [list(TABLES[table]), *landed[week][table]]]
            (tmp_path / f"{table}-{week}.csv").write_text("\n".join(lines) + "\n")
        assert sum(validate_week(week, source, warehouse).values()) == sum(map(len, landed[week].values()))
        ingest_week(week, source, warehouse)
        transform(warehouse)
        expected = believed(landed)
        for table, columns in TABLES.items():
            wanted = [plain(list(columns.values()), row) for _, row in sorted(expected[table].items())]
            assert list(rows(warehouse, table)) == wanted
            ((all_rows, rejected),) = warehouse.execute(
                f"SELECT (SELECT count(*) FROM raw_{table}), count(*) FROM shop_rejected WHERE table_name = %s", [table]
            ).fetchall()
            assert all_rows == sum(len(there[table]) for there in landed.values())
            assert all_rows == rejected + len(wanted)
        assert check_week(week, source, warehouse).rows == sum(map(len, landed[week].values()))


def test_an_address_passes_from_one_customer_to_another(warehouse: psycopg.Connection[Any]) -> None:
    """Also back and forth in one week, where each of the two is unique all the time."""
    for dt, (first, second) in enumerate(itertools.permutations(("a@x.org", "b@x.org")), 1):
        warehouse.execute(
            "INSERT INTO raw_customers VALUES (1, 'Ada', %s, 'DE', '2026-01-01', '2026-01-01'::date + %s, 1), "
            "(2, 'Bo', %s, 'DE', '2026-01-01', '2026-01-01'::date + %s, 2)",
            [first, dt, second, dt],
        )
        transform(warehouse)
        assert [row[2] for row in rows(warehouse, "customers")] == [first, second]


def test_a_row_that_is_nowhere_is_noticed(warehouse: psycopg.Connection[Any], tmp_path: Path) -> None:
    """Because somebody changed it in the base table, say."""
    warehouse.execute("INSERT INTO raw_products VALUES (1, 'Lamp', 'garden', 1, '2026-01-10', 2)")
    transform(warehouse)
    assert check_week("2026-01-10", WeekSettings(str(tmp_path)), warehouse) == (1, 0)
    warehouse.execute("UPDATE products SET price = 2")
    with pytest.raises(WeekError, match="1 of 1 rows that landed are neither in products nor rejected"):
        check_week("2026-01-10", WeekSettings(str(tmp_path)), warehouse)


def test_rows_that_stay_the_same_are_not_written_again(warehouse: psycopg.Connection[Any]) -> None:
    """A transformation without news leaves each row where it lies."""
    warehouse.execute("INSERT INTO raw_products VALUES (1, 'Lamp', 'garden', 1, '2026-01-10', 2)")
    transform(warehouse)
    before = warehouse.execute("SELECT ctid, xmin, * FROM products").fetchall()
    transform(warehouse)
    assert warehouse.execute("SELECT ctid, xmin, * FROM products").fetchall() == before
