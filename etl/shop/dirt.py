"""The faults that raw data has: each row may get one, drawn from its number alone."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

from etl.draw import Draw
from etl.shop.rows import Customer, Order, Product
from etl.shop.size import FIRST_DAY

Row: TypeAlias = "Customer | Product | Order"
Fault: TypeAlias = Callable[[Any], "list[Any]"]

# Ids that no shop of ours reaches.
_NOBODY = 10**12


class Landed(NamedTuple):
    """A row as it lands: `values` are those of its table, `dt` the day, `line` the place in its file, from 1."""

    values: tuple[Any, ...]
    dt: datetime.date
    line: int


def landed(rows: Iterable[Row], dirt: float) -> Iterator[Landed]:
    """Yield rows as they land, a share `dirt` of them with one of the faults of their kind."""
    line = 0
    for row in rows:
        for made in _with_fault(row, dirt):
            line += 1
            yield Landed(tuple(made), _landing_day(row), line)


def fault_of(row: Row, dirt: float) -> str | None:
    """Return the name of the fault that a row gets, or None."""
    draw = Draw(f"dirt/{type(row).__name__}/{row[0]}")
    return draw.pick(tuple(FAULTS[type(row)])) if draw.happens(dirt) else None


def _with_fault(row: Row, dirt: float) -> list[Row]:
    fault = fault_of(row, dirt)
    return [row] if fault is None else FAULTS[type(row)][fault](row)


def _landing_day(row: Row) -> datetime.date:
    """Return the day: those who were there before the shop's first day land on it."""
    if isinstance(row, Product):
        return FIRST_DAY
    day = row.order_date if isinstance(row, Order) else row.signup_date
    assert day is not None  # only a fault takes it away
    return max(day, FIRST_DAY)


def _changed(**values: Any) -> Fault:
    return lambda row: [row._replace(**values)]


def _twice(row: Row) -> list[Row]:
    return [row, row]


FAULTS: Mapping[type, Mapping[str, Fault]] = {
    Customer: {
        "no name": _changed(name=None),
        "no email": _changed(email=None),
        "bad email": lambda row: [row._replace(email=row.email.replace("@", " at "))],
        "bad country": _changed(country="Atlantis"),
        "twice": _twice,
    },
    Product: {
        "no name": _changed(name=None),
        "no price": _changed(price=None),
        "negative price": lambda row: [row._replace(price=-row.price)],
        "twice": _twice,
    },
    Order: {
        "no customer": _changed(customer_id=None),
        "no date": _changed(order_date=None),
        "unknown customer": lambda row: [row._replace(customer_id=row.customer_id + _NOBODY)],
        "unknown product": lambda row: [row._replace(product_id=row.product_id + _NOBODY)],
        "unknown status": _changed(status="lost"),
        "wrong total": lambda row: [row._replace(total=row.total + decimal.Decimal("0.01"))],
        "future date": lambda row: [row._replace(order_date=row.order_date + datetime.timedelta(400))],
        "twice": _twice,
    },
}
