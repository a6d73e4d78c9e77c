"""The made-up shop has the size that it says, keeps its rules, and is the same everywhere."""

from __future__ import annotations

import hashlib
import itertools
import os
import subprocess
import sys
import tracemalloc
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.shop.dirt import FAULTS, fault_of, landed
from etl.shop.load import as_csv, as_inserts, base_tables, raw_tables
from etl.shop.rows import Customer, Order, customers, orders, products
from etl.shop.size import FIRST_DAY, Shop, scaled

ROOT = Path(__file__).parents[3]
DIGEST = "import hashlib; from etl.shop.load import as_csv, raw_tables; from etl.shop.size import scaled; "
DIGEST += (
    "print(*[hashlib.sha256(b''.join(as_csv(r))).hexdigest()[:12] for r in raw_tables(scaled(0.01, 0.2)).values()])"
)


PEAKS = """
import resource
from etl.shop.load import as_csv, base_tables
from etl.shop.size import scaled

for factor in (1, 100):
    size = sum(piece.count(b"\\n") for rows in base_tables(scaled(factor)).values() for piece in as_csv(rows))
    print(size, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.fixture(scope="module")
def full() -> tuple[list[Customer], list[Order]]:
    """The customers and orders of the full shop."""
    return list(customers(Shop())), list(orders(Shop()))


def test_the_full_shop_has_the_size_that_it_says(full: tuple[list[Customer], list[Order]]) -> None:
    """60,495 records, 8,893 customers with a delivered order, 181 days in seven months."""
    people, bought = full
    assert len(people) + len(list(products(Shop()))) + len(bought) == 60_495
    assert (len(people), len(bought)) == (10_000, 50_000)
    assert len({order.customer_id for order in bought if order.status == "delivered"}) == 8_893
    days = {order.order_date for order in bought if order.order_date}
    assert len(days) == 181
    assert len({(day.year, day.month) for day in days}) == 7


def test_the_full_shop_is_as_uneven_as_a_real_one(full: tuple[list[Customer], list[Order]]) -> None:
    """A tenth of the customers has a third of the orders; some come back, some are cancelled, weekends differ."""
    counts = sorted(Counter(order.customer_id for order in full[1]).values(), reverse=True)
    assert sum(counts[:1000]) > 50_000 / 3
    statuses = Counter(order.status for order in full[1])
    assert all(statuses[status] > 1_000 for status in ("returned", "cancelled", "shipped"))
    weekdays = Counter(order.order_date.weekday() for order in full[1] if order.order_date)
    assert weekdays[5] > 1.5 * weekdays[1]
    assert any(order.discount for order in full[1])


@given(
    customers_=st.integers(2, 60),
    products_=st.integers(1, 9),
    spare=st.integers(0, 100),
    dirt=st.sampled_from([0, 0.5]),
)
def test_a_shop_of_any_size_keeps_its_rules(customers_: int, products_: int, spare: int, dirt: float) -> None:
    """Ids without gaps, the buyers that are promised, nobody orders before having signed up, days in order."""
    shop = Shop(customers_, products_, customers_ + spare)
    signup = {customer.customer_id: customer.signup_date for customer in customers(shop)}
    bought = list(orders(shop))
    assert list(signup) == [*range(1, customers_ + 1)]
    assert [order.order_id for order in bought] == [*range(1, shop.orders + 1)]
    assert len({order.customer_id for order in bought if order.status == "delivered"}) == shop.buyers
    assert all(signup[order.customer_id] <= order.order_date for order in bought)  # type: ignore[operator]  # no dirt
    days = [order.order_date for order in bought]
    assert days == sorted(days, key=str)
    assert {order.product_id for order in bought} <= {*range(1, products_ + 1)}


def test_a_shop_that_cannot_be_is_refused() -> None:
    """With what it needs."""
    with pytest.raises(ValueError, match="it needs a product, two customers, and an order for each buyer"):
        scaled(0.0001)


def test_the_bytes_are_the_same_everywhere() -> None:
    """Pinned, in another time zone and with another hash seed: a change of the generator must be meant."""
    env = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Pacific/Kiritimati", "PYTHONPATH": str(ROOT), "LC_ALL": "C"}
    assert subprocess.check_output([sys.executable, "-c", DIGEST], env=env, text=True).split() == PINNED
    full = hashlib.sha256()
    for rows in base_tables(Shop()).values():
        full.update(b"".join(as_csv(rows)))
    assert full.hexdigest()[:12] == PINNED_FULL


@pytest.mark.parametrize("kind", list(FAULTS), ids=lambda kind: kind.__name__)
def test_dirt_touches_its_share_of_the_rows_and_no_other(kind: type) -> None:
    """Each fault of its kind is there; the other rows are as they were."""
    shop = Shop(1_000, 1_000, 1_000)
    rows = [row for made in (customers(shop), products(shop), orders(shop)) for row in made if isinstance(row, kind)]
    dirty = {row[0] for row in rows if fault_of(row, 0.3)}
    assert {fault_of(row, 0.3) for row in rows} == {None, *FAULTS[kind]}
    assert 250 < len(dirty) < 350
    clean = [tuple(row) for row in rows if row[0] not in dirty]
    assert [row.values for row in landed(rows, 0.3) if row.values[0] not in dirty] == clean
    assert [row.values for row in landed(rows, 0)] == [tuple(row) for row in rows]


def test_rows_land_on_a_day_of_the_shop_under_a_line_of_their_own() -> None:
    """Nobody before the first day, and nobody after the orders that need them."""
    shop = scaled(0.01)
    people = {row.values[0]: row.dt for row in landed(customers(shop), 0)}
    assert min(people.values()) == FIRST_DAY
    assert all(people[row.values[1]] <= row.dt == row.values[3] for row in landed(orders(shop), 0))
    lines = [row[-1] for row in raw_tables(scaled(0.01, 0.5))["raw_orders"]]
    assert lines == [*range(1, len(lines) + 1)]


def test_the_small_shop_is_the_generators() -> None:
    """The file that proofs run on is what the generator makes of the shop that its first line names."""
    text = (ROOT / "etl" / "sql" / "small_shop.sql").read_text(encoding="utf-8")
    assert text == "".join(as_inserts(Shop(40, 12, 150, dirt=0.05)))


def peak(shop: Shop, rows: int) -> int:
    """The bytes that making so many rows of each raw table takes at most."""
    tracemalloc.start()
    for table in raw_tables(shop).values():
        for _ in as_csv(itertools.islice(table, rows)):
            pass
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found


def test_a_hundred_times_the_shop_takes_no_more_memory() -> None:
    """Rows are made one at a time, whatever the size of the shop."""
    large, small = (scaled(factor, 0.1) for factor in (100, 1))
    peak(large, 3_000)  # fills what Python keeps for later
    assert peak(large, 3_000) < 1.2 * peak(small, 3_000)


@pytest.mark.deep
def test_a_hundred_times_the_shop_is_made_in_flat_memory() -> None:
    """All 6,049,500 rows."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.check_output([sys.executable, "-c", PEAKS], env=env, text=True)
    small, small_peak, large, large_peak = map(int, done.split())
    assert (small, large) == (60_495, 6_049_500)
    assert large_peak < 1.05 * small_peak


PINNED = ["7df0a6630b8a", "27b45a07619e", "17bcd819ceee"]
PINNED_FULL = "de30ec2490be"
