"""The rows of the shop's three tables, one at a time, each made from its number alone.

What a shop has: a few customers and products with many orders and many with few, more orders at weekends, discounts,
returned and cancelled orders, customers who never got anything. Every row here keeps every rule of `etl/sql/shop.sql`.
"""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Iterator
from typing import NamedTuple

from etl.draw import Draw
from etl.generator import COUNTRIES, FAMILY, GIVEN
from etl.shop.size import FIRST_DAY, Shop

CATEGORIES = ("books", "garden", "kitchen", "music", "office", "sports", "toys")
_KINDS = ("Plain", "Large", "Small", "Blue", "Green", "Second", "Travel")
_STATUSES = ("delivered",) * 84 + ("returned",) * 7 + ("cancelled",) * 6 + ("shipped",) * 3
_UNDELIVERED = ("returned",) * 3 + ("cancelled",) * 6 + ("shipped",)


class Customer(NamedTuple):
    """A row of `customers`; None only where dirt has been added."""

    customer_id: int | None
    name: str | None
    email: str | None
    country: str | None
    signup_date: datetime.date | None


class Product(NamedTuple):
    """A row of `products`; None only where dirt has been added."""

    product_id: int | None
    name: str | None
    category: str | None
    price: decimal.Decimal | None


class Order(NamedTuple):
    """A row of `orders`; None only where dirt has been added."""

    order_id: int | None
    customer_id: int | None
    product_id: int | None
    order_date: datetime.date | None
    status: str | None
    quantity: int | None
    unit_price: decimal.Decimal | None
    discount: decimal.Decimal | None
    total: decimal.Decimal | None


def customers(shop: Shop) -> Iterator[Customer]:
    """Yield the customers by id."""
    for customer_id in range(1, shop.customers + 1):
        draw = Draw(f"customer/{customer_id}")
        name = f"{draw.pick(GIVEN)} {draw.pick(FAMILY)}".rstrip()
        email = f"customer{customer_id}.{draw.below(10_000):04}@example.org"
        buyer = shop.buyer(customer_id)
        first = 0 if buyer is None else shop.day(shop.first_order(buyer))
        signup = FIRST_DAY + datetime.timedelta(first - draw.low_below(1_500))
        yield Customer(customer_id, name, email, draw.pick(COUNTRIES), signup)


def products(shop: Shop) -> Iterator[Product]:
    """Yield the products by id."""
    for product_id in range(1, shop.products + 1):
        draw = Draw(f"product/{product_id}")
        category = draw.pick(CATEGORIES)
        yield Product(product_id, f"{draw.pick(_KINDS)} {category} {product_id}", category, _money(_price(product_id)))


def orders(shop: Shop) -> Iterator[Order]:
    """Yield the orders by id, which is by day."""
    for number in range(shop.orders):
        draw = Draw(f"order/{number + 1}")
        customer_id, status = _customer(shop, number, draw)
        product_id = draw.low_below(shop.products) + 1
        quantity, price = draw.low_below(6) + 1, _price(product_id)
        discount = quantity * price * (5 + draw.below(26)) // 100 if draw.below(10) == 0 else 0
        day = FIRST_DAY + datetime.timedelta(shop.day(number))
        amounts = map(_money, (price, discount, quantity * price - discount))
        yield Order(number + 1, customer_id, product_id, day, status, quantity, *amounts)


def _customer(shop: Shop, order: int, draw: Draw) -> tuple[int, str]:
    """Return whose order it is, and its status."""
    buyers = shop.buyers_before(order)
    if buyers < shop.buyers and shop.first_order(buyers) == order:
        return shop.buyer_id(buyers), "delivered"
    if draw.below(25) == 0:
        return shop.other_id(draw.below(shop.customers - shop.buyers)), draw.pick(_UNDELIVERED)
    return shop.buyer_id(draw.low_below(buyers)), draw.pick(_STATUSES)


def _price(product_id: int) -> int:
    """Return the price of a product in hundredths: from 0.99, seldom above 300."""
    draw = Draw(f"price/{product_id}")
    return 99 + 100 * draw.low_below(500)


def _money(hundredths: int) -> decimal.Decimal:
    return decimal.Decimal(hundredths).scaleb(-2)
