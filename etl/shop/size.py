"""How large the shop is, and which row stands for what: plain arithmetic, so that any row can be made by itself.

Of N orders, B are somebody's first delivered one, evenly spread: order n is when ceil(n·B/N) grows there. So exactly
B customers have a delivered order, by construction and not by luck, at any size. The same spreading decides which of
the C customers those B are. The other orders go to buyers who have bought before, or, never delivered, to the rest.
"""

from __future__ import annotations

import bisect
import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field

FIRST_DAY = datetime.date(2025, 12, 15)
DAYS = 181  # the last is 2026-06-13: seven calendar months

_BUYERS_OF_10_000 = 8_893
_WEEKDAYS = (9, 8, 8, 10, 14, 17, 15)  # orders from Monday to Sunday, in relation


@dataclass(frozen=True)
class Shop:
    """The size of a shop; the default is the full one, of 60,495 records.

    Attributes:
        customers: How many there are, with ids from 1.
        products: How many there are, with ids from 1.
        orders: How many there are, with ids from 1 in the order of their days; at least one for each buyer.
        dirt: The share of rows, 0 to 1, that get a fault in the raw tables (see `etl.shop.dirt`).
    """

    customers: int = 10_000
    products: int = 495
    orders: int = 50_000
    dirt: float = 0.0
    _due: list[int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_due", _orders_due(self.orders))
        if not (self.products >= 1 and 1 <= self.buyers < self.customers and self.buyers <= self.orders):
            raise ValueError(f"{self} is too small: it needs a product, two customers, and an order for each buyer.")

    @property
    def buyers(self) -> int:
        """How many customers have a delivered order."""
        return self.customers * _BUYERS_OF_10_000 // 10_000

    def day(self, order: int) -> int:
        """Return the day of an order, from 0; orders count from 0 here."""
        return bisect.bisect_right(self._due, order)

    def buyers_before(self, order: int) -> int:
        """Return how many buyers have had their first delivered order before this one."""
        return -(-order * self.buyers // self.orders)

    def first_order(self, buyer: int) -> int:
        """Return the first delivered order of a buyer; buyers count from 0."""
        return buyer * self.orders // self.buyers

    def buyer(self, customer_id: int) -> int | None:
        """Return which buyer a customer is, or None if they have no delivered order."""
        number = customer_id * self.buyers // self.customers
        return number - 1 if number > (customer_id - 1) * self.buyers // self.customers else None

    def buyer_id(self, buyer: int) -> int:
        """Return the customer id of a buyer."""
        return -(-(buyer + 1) * self.customers // self.buyers)

    def other_id(self, other: int) -> int:
        """Return the id of a customer who is no buyer; these count from 0, too."""
        return other * self.customers // (self.customers - self.buyers) + 1


def scaled(factor: float, dirt: float = 0.0) -> Shop:
    """Return the full shop made so many times as large; 0.004 is a small one to try things on.

    Raises:
        ValueError: nothing would be left of it.
    """
    full: Mapping[str, int] = {"customers": 10_000, "products": 495, "orders": 50_000}
    return Shop(**{name: round(count * factor) for name, count in full.items()}, dirt=dirt)


def _orders_due(orders: int) -> list[int]:
    """Return how many orders there are up to each day: more at weekends, and more as time goes by."""
    weights = [_WEEKDAYS[(FIRST_DAY + datetime.timedelta(n)).weekday()] * (200 + n) for n in range(DAYS)]
    sums = [sum(weights[: n + 1]) for n in range(DAYS)]
    return [orders * upto // sums[-1] for upto in sums]
