"""Every check of the shop's raw data, declared with pandera.

A check is of one table and looks at one row at a time. What it needs to know of other rows (is this the first row
with its id? is the customer known?) comes as a column from `etl/sql/quality/`, so that tables of any size are gone
through in batches. A row without a value holds wherever the value is what is asked about: that it is missing is for
the check of completeness to say.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pandas as pd
import pandera.pandas as pa

COMPLETENESS, VALIDITY, CONSISTENCY = DIMENSIONS = ("completeness", "validity", "consistency")

_DATE = r"\d{4}-\d\d-\d\d"
_EMAIL = r"[^@\s]+@[^@\s]+\.[^@\s]+"
_HALF_A_CENT = 0.005


class DataCheck(NamedTuple):
    """One check.

    Attributes:
        table: The table whose rows it looks at.
        column: What it looks at, or None for the whole row.
        holds: What must hold of it, with a name.
        dimension: One of `DIMENSIONS`.
        weight: How much it counts in the score.
    """

    dimension: str
    weight: int
    table: str
    column: str | None
    holds: pa.Check

    @property
    def name(self) -> str:
        """How results call it, such as `orders.total_adds_up`; no two checks have the same."""
        return f"{self.table}.{self.holds.name}"


def _filled(column: str) -> pa.Check:
    return pa.Check(lambda values: values.notna(), ignore_na=False, name=f"{column}_is_there")


def _like(pattern: str, name: str) -> pa.Check:
    return pa.Check(lambda values: values.str.fullmatch(pattern), name=name)


def _row(holds: Callable[[pd.DataFrame], Any], name: str) -> pa.Check:
    return pa.Check(holds, ignore_na=False, name=name)


def _adds_up(rows: pd.DataFrame) -> Any:
    off = (rows["quantity"].astype("float64") * rows["unit_price"] - rows["discount"] - rows["total"]).abs()
    return off.isna() | (off < _HALF_A_CENT)


def _not_after(first: str, second: str) -> Callable[[pd.DataFrame], Any]:
    """Dates are text, which sorts as they do: pandas has no room for all that PostgreSQL calls a date."""
    return lambda rows: ~(rows[first] > rows[second]).fillna(False)


CHECKS: tuple[DataCheck, ...] = (
    *(
        DataCheck(COMPLETENESS, weight, table, column, _filled(column))
        for table, columns in {
            "customers": {"customer_id": 3, "name": 1, "email": 2, "country": 1, "signup_date": 1},
            "products": {"product_id": 3, "name": 1, "category": 1, "price": 2},
            "orders": {"order_id": 3, "customer_id": 3, "product_id": 3, "order_date": 2, "status": 2}
            | {"quantity": 2, "unit_price": 2, "discount": 1, "total": 3},
        }.items()
        for column, weight in columns.items()
    ),
    DataCheck(VALIDITY, 2, "customers", "email", _like(_EMAIL, "email_is_an_address")),
    DataCheck(VALIDITY, 1, "customers", "country", _like("[A-Z]{2}", "country_is_a_code")),
    DataCheck(VALIDITY, 1, "customers", "signup_date", _like(_DATE, "signup_date_is_a_day")),
    DataCheck(VALIDITY, 1, "customers", None, _row(_not_after("signup_date", "dt"), "signup_is_not_in_the_future")),
    DataCheck(VALIDITY, 3, "products", "price", pa.Check.ge(0, name="price_is_not_negative")),
    DataCheck(VALIDITY, 2, "orders", "order_date", _like(_DATE, "order_date_is_a_day")),
    DataCheck(VALIDITY, 2, "orders", None, _row(_not_after("order_date", "dt"), "order_is_not_in_the_future")),
    DataCheck(
        VALIDITY,
        2,
        "orders",
        "status",
        pa.Check.isin(["shipped", "delivered", "returned", "cancelled"], name="status_is_known"),
    ),
    DataCheck(VALIDITY, 2, "orders", "quantity", pa.Check.gt(0, name="quantity_is_positive")),
    DataCheck(VALIDITY, 1, "orders", "discount", pa.Check.ge(0, name="discount_is_not_negative")),
    DataCheck(CONSISTENCY, 3, "customers", "copy", pa.Check.eq(1, name="customer_is_there_once")),
    DataCheck(CONSISTENCY, 3, "products", "copy", pa.Check.eq(1, name="product_is_there_once")),
    DataCheck(CONSISTENCY, 3, "orders", "copy", pa.Check.eq(1, name="order_is_there_once")),
    DataCheck(CONSISTENCY, 3, "orders", "customer_known", pa.Check.eq(True, name="customer_is_known")),
    DataCheck(CONSISTENCY, 3, "orders", "product_known", pa.Check.eq(True, name="product_is_known")),
    DataCheck(CONSISTENCY, 3, "orders", None, _row(_adds_up, "total_adds_up")),
    DataCheck(CONSISTENCY, 1, "orders", None, _row(_not_after("signup_date", "order_date"), "signup_came_first")),
)

_INTEGER, _TEXT, _NUMBER, _DAY = "Int64", "string", "float64", "datetime64[ns]"
_LANDED = {"dt": _DAY, "line": _INTEGER}

SCHEMAS: dict[str, pa.DataFrameSchema] = {
    table: pa.DataFrameSchema({name: pa.Column(kind) for name, kind in {**columns, **_LANDED}.items()})
    for table, columns in {
        "customers": {"customer_id": _INTEGER, "name": _TEXT, "email": _TEXT, "country": _TEXT, "signup_date": _DAY},
        "products": {"product_id": _INTEGER, "name": _TEXT, "category": _TEXT, "price": _NUMBER},
        "orders": {"order_id": _INTEGER, "customer_id": _INTEGER, "product_id": _INTEGER, "order_date": _DAY}
        | {"status": _TEXT, "quantity": _INTEGER, "unit_price": _NUMBER, "discount": _NUMBER, "total": _NUMBER},
    }.items()
}
"""What columns a raw table must have, and of which kind; more are welcome."""
