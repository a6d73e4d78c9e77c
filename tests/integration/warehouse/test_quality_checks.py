"""Each check of the raw data finds its fault, with the right count and keys, and nothing else."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from typing import Any

import psycopg
import psycopg.conninfo
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl.errors import SettingsError, TransientError
from etl.quality.checks import CHECKS, DIMENSIONS
from etl.quality.run import SAMPLE, Result, SchemaError, run_checks, validate_schema
from etl.quality.score import QualityError, score, store_score
from etl.shop.dirt import Row, fault_of
from etl.shop.load import load_shop
from etl.shop.rows import customers, orders, products
from etl.shop.size import scaled

pytestmark = pytest.mark.one_server

Database = psycopg.Connection[Any]

DAY = "2026-01-06"  # the last on which a row lands
# The shop that faults are planted in: orders need the first customers and products only, faults go to the others.
CLEAN = """
    TRUNCATE raw_customers, raw_products, raw_orders;
    INSERT INTO raw_customers SELECT n, 'Ada', n || '@example.org', 'IN', '2025-06-01', '2026-01-01', n
        FROM generate_series(1, 20) AS n;
    INSERT INTO raw_products SELECT n, 'Ball', 'toys', 2.5, '2026-01-01', n FROM generate_series(1, 20) AS n;
    INSERT INTO raw_orders SELECT n, 1 + n % 5, 1 + n % 5, dt, 'delivered', 2, 2.5, 1.01, 3.99, dt, n
        FROM generate_series(1, 20) AS n, LATERAL (SELECT date '2026-01-01' + n / 4 AS dt) AS day;
"""
FIRST_TO_SPOIL = {"customers": 6, "products": 6, "orders": 1}

# How to spoil a row for a check, and which other checks see the same fault.
PLANTED: Mapping[str, tuple[str, set[str]]] = {
    **{name: (f"SET {name.split('.')[1].removesuffix('_is_there')} = NULL", set()) for name in
       (check.name for check in CHECKS if check.name.endswith("_is_there"))},
    "customers.email_is_an_address": ("SET email = 'ada at example.org'", set()),
    "customers.country_is_a_code": ("SET country = 'Atlantis'", set()),
    "customers.signup_date_is_a_day": ("SET signup_date = 'infinity'", {"customers.signup_is_not_in_the_future"}),
    "customers.signup_is_not_in_the_future": ("SET signup_date = dt + 1", set()),
    "products.price_is_not_negative": ("SET price = -0.01", set()),
    "orders.order_date_is_a_day": ("SET order_date = 'infinity'", {"orders.order_is_not_in_the_future"}),
    "orders.order_is_not_in_the_future": ("SET order_date = dt + 1", set()),
    "orders.status_is_known": ("SET status = 'Delivered'", set()),
    "orders.quantity_is_positive": ("SET quantity = 0, total = -1.01", set()),
    "orders.discount_is_not_negative": ("SET discount = -0.01, total = 5.01", set()),
    "customers.customer_is_there_once": ("twice", set()),
    "products.product_is_there_once": ("twice", set()),
    "orders.order_is_there_once": ("twice", set()),
    "orders.customer_is_known": ("SET customer_id = 21", set()),
    "orders.product_is_known": ("SET product_id = 21", set()),
    "orders.total_adds_up": ("SET total = total + 0.01", set()),
    "orders.signup_came_first": ("SET order_date = '2025-05-31'", set()),
}  # fmt: skip


def plant(database: Database, check: str, line: int) -> None:
    """Spoil the row of a line for a check."""
    table = f"raw_{check.split('.')[0]}"
    how = PLANTED[check][0]
    if how == "twice":  # it lands again, on the same day
        database.execute(f"CREATE TEMP TABLE again AS SELECT * FROM {table} WHERE line = {line}")
        database.execute(f"UPDATE again SET line = line + 100; INSERT INTO {table} TABLE again; DROP TABLE again")
    else:
        database.execute(f"UPDATE {table} {how} WHERE line = {line}")


def found(database: Database, ds: str = DAY) -> dict[str, Result]:
    """Run all checks."""
    return {result.check: result for name in DIMENSIONS for result in run_checks(name, ds, database)}


def expected_keys(database: Database, faults: Mapping[str, list[int]]) -> dict[str, list[str]]:
    """Return the keys of the planted faults by check, in the order in which their rows landed."""
    keys: dict[str, list[str]] = {check.name: [] for check in CHECKS}
    for check, lines in faults.items():
        table, column = check.split(".")[0], f"{check.split('.')[0].removesuffix('s')}_id"
        for line in lines:
            where = line + 100 if PLANTED[check][0] == "twice" else line
            query = f"SELECT dt::text, line, coalesce({column}::text, dt || ':' || line) FROM raw_{table} "
            row = database.execute(query + f"WHERE line = {where}").fetchone()
            assert row
            for name in {check, *PLANTED[check][1]}:
                keys[name].append(f"{row[0]} {row[1]:05} {row[2]}")
    return {name: [key.split()[2] for key in sorted(found)] for name, found in keys.items()}


def test_every_check_has_a_planted_fault() -> None:
    """And there is nothing planted that no check is for."""
    assert set(PLANTED) == {check.name for check in CHECKS}
    assert len(CHECKS) == len(PLANTED)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_planted_faults_are_found_with_their_count_and_keys(warehouse: Database, data: st.DataObject) -> None:
    """Any number of faults, each in a row of its own: so many fail, these are the first, and nothing else does."""
    warehouse.execute(CLEAN)
    faults: dict[str, list[int]] = {}
    for table, first in FIRST_TO_SPOIL.items():
        names = [check.name for check in CHECKS if check.table == table]
        chosen = data.draw(st.dictionaries(st.integers(first, 20), st.sampled_from(names)), label=table)
        for line, check in chosen.items():
            faults.setdefault(check, []).append(line)
            plant(warehouse, check, line)
    results = found(warehouse)
    for name, keys in expected_keys(warehouse, faults).items():
        assert (results[name].failed, results[name].sample) == (len(keys), keys[:SAMPLE]), name
    twice = {table: len(faults.get(f"{table}.{table[:-1]}_is_there_once", [])) for table in FIRST_TO_SPOIL}
    assert all(result.rows == 20 + twice[result.check.split(".")[0]] for result in results.values())


def test_each_check_finds_its_fault_and_only_what_must_see_it_too(warehouse: Database) -> None:
    """One row of twenty; without it, everything holds."""
    for name, (_, also) in PLANTED.items():
        warehouse.execute(CLEAN)
        assert {result.failed for result in found(warehouse).values()} == {0}
        plant(warehouse, name, 7)
        assert {check for check, result in found(warehouse).items() if result.failed} == {name, *also}


def test_the_generators_dirt_is_found(warehouse: Database) -> None:
    """All of it, by an independent count of the faults that it says it made."""
    shop = scaled(0.1, dirt=0.1)
    load_shop(warehouse, shop)
    results = found(warehouse, "2026-06-13")
    made: dict[str, int] = {}
    rows: Iterator[Row] = itertools.chain(customers(shop), products(shop), orders(shop))
    for row in rows:
        if fault := fault_of(row, shop.dirt):
            key = f"{type(row).__name__.lower()} {fault}"
            made[key] = made.get(key, 0) + 1
    assert made
    for fault, number in made.items():
        assert results[SEEN_BY[fault]].failed == number, fault
    assert {name for name, result in results.items() if result.failed} == set(SEEN_BY.values())
    # What the DAG's tasks hand on, all three together, whatever the size of the tables.
    assert len(json.dumps([result._asdict() for result in results.values()])) < 5_000


SEEN_BY = {
    "customer no name": "customers.name_is_there",
    "customer no email": "customers.email_is_there",
    "customer bad email": "customers.email_is_an_address",
    "customer bad country": "customers.country_is_a_code",
    "customer twice": "customers.customer_is_there_once",
    "product no name": "products.name_is_there",
    "product no price": "products.price_is_there",
    "product negative price": "products.price_is_not_negative",
    "product twice": "products.product_is_there_once",
    "order no customer": "orders.customer_id_is_there",
    "order no date": "orders.order_date_is_there",
    "order unknown customer": "orders.customer_is_known",
    "order unknown product": "orders.product_is_known",
    "order unknown status": "orders.status_is_known",
    "order wrong total": "orders.total_adds_up",
    "order future date": "orders.order_is_not_in_the_future",
    "order twice": "orders.order_is_there_once",
}


def test_a_day_is_judged_by_what_had_landed_by_then(warehouse: Database) -> None:
    """What lands later, good or bad, changes nothing about it."""
    warehouse.execute(CLEAN)
    plant(warehouse, "orders.total_adds_up", 3)
    before = found(warehouse, "2026-01-02")
    assert before["orders.total_adds_up"] == Result("orders.total_adds_up", 7, 1, ["3"])
    warehouse.execute("UPDATE raw_orders SET total = 0 WHERE dt > '2026-01-02'")
    warehouse.execute("INSERT INTO raw_customers (customer_id, dt, line) VALUES (1, '2026-01-03', 1)")
    assert found(warehouse, "2026-01-02") == before
    assert found(warehouse, "2026-01-03") != before


def test_the_score_is_in_proportion_to_the_rows_that_hold() -> None:
    """Each check by its weight, exactly; the grade follows."""
    good = [Result(check.name, 200, 0, []) for check in CHECKS]
    assert str(score(good)) == "100.00 (A+)"
    weights = sum(check.weight for check in CHECKS)
    for number, check in enumerate(CHECKS):
        part = [*good]
        part[number] = Result(check.name, 200, 50, [])
        assert score(part).value == 100 - Fraction(25 * check.weight, weights)
    assert str(score([Result(check.name, 1, 1, []) for check in CHECKS])) == "0.00 (F)"
    assert [str(score([result._replace(failed=n) for result in good])) for n in (1, 2, 10, 20, 40, 41, 61)] == [
        "99.50 (A+)", "99.00 (A+)", "95.00 (A)", "90.00 (B)", "80.00 (C)", "79.50 (D)", "69.50 (F)"
    ]  # fmt: skip
    with pytest.raises(ValueError, match="not those of all checks"):
        score(good[1:])


def test_a_low_score_is_stored_and_then_refused(warehouse: Database) -> None:
    """With the worst check and its keys; storing again changes nothing, other days stay."""
    warehouse.execute(CLEAN)
    results = list(found(warehouse).values())
    store_score("2026-01-04", results, 100, warehouse)
    other = stored(warehouse, "2026-01-04")
    for line in range(1, 21):
        plant(warehouse, "orders.status_is_known", line)
    results = list(found(warehouse).values())
    with pytest.raises(QualityError, match=r"2026-01-06 scores 97\.\d\d \(A\), less than the 98 of QUALITY_MIN_SCORE"):
        store_score(DAY, results, 98, warehouse)
    once = stored(warehouse, DAY)
    assert {row[-2] for row in once if row[0] == "orders.status_is_known"} == {"1 2 3 4 5"}
    with pytest.raises(QualityError, match="worst is orders.status_is_known: 20 of 20 rows, e.g. 1, 2, 3"):
        store_score(DAY, results[::-1], 98, warehouse)
    assert stored(warehouse, DAY) == once
    assert stored(warehouse, "2026-01-04") == other


def test_two_runs_of_a_day_at_once_take_turns(warehouse: Database) -> None:
    """Both succeed, and one set of rows is left."""
    warehouse.execute(CLEAN)
    results = list(found(warehouse).values())
    dsn = psycopg.conninfo.make_conninfo(warehouse.info.dsn, password=warehouse.info.password)

    def store(_: int) -> str:
        with psycopg.connect(dsn) as connection:
            return str(store_score(DAY, results, 95, connection))

    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(store, range(8))) == {"100.00 (A+)"}
    assert len(stored(warehouse, DAY)) == len(CHECKS)


def stored(database: Database, ds: str) -> list[tuple[Any, ...]]:
    """Return what is stored of a day."""
    keys = "(SELECT string_agg(key, ' ') FROM jsonb_array_elements_text(sample) AS key)"
    query = f"SELECT check_name, weight, rows, failed, r.score, s.score, s.grade, {keys}, dt FROM quality_results AS r "
    return database.execute(query + "JOIN quality_scores AS s USING (dt) WHERE dt = %s ORDER BY 1", [ds]).fetchall()


def test_tables_that_are_not_as_needed_are_named(warehouse: Database) -> None:
    """All that is missing or of another type, in one sentence; further columns are welcome."""
    warehouse.execute("ALTER TABLE raw_orders ADD COLUMN note text")
    validate_schema(warehouse)
    warehouse.execute("ALTER TABLE raw_orders DROP COLUMN total, ALTER COLUMN status TYPE integer USING 1")
    named = "raw_orders.total is missing; raw_orders.status is Int64 where string.* is needed"
    with pytest.raises(SchemaError, match=named):
        validate_schema(warehouse)
    warehouse.execute("DROP TABLE raw_products")
    with pytest.raises(SchemaError, match="There is no table raw_products; etl/sql/shop.sql makes it"):
        validate_schema(warehouse)


def test_a_table_in_which_nothing_has_landed_is_waited_for(warehouse: Database) -> None:
    """No rows is no perfect score."""
    warehouse.execute(CLEAN)
    with pytest.raises(TransientError, match="Nothing has landed in raw_customers up to 2025-12-31 yet"):
        run_checks("validity", "2025-12-31", warehouse)
    with pytest.raises(SettingsError, match="not a date"):
        run_checks("validity", "yesterday", warehouse)
