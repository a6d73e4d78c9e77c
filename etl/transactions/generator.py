"""Made-up transactions: the same bytes for a date on any machine. One row of fifty is malformed."""

from __future__ import annotations

from collections.abc import Iterator

from etl.draw import Draw
from etl.generator import COUNTRIES

HEADER = "transaction_id,customer_id,happened_at,amount,currency,channel,country,home_country\n"
_CHANNELS = ("web", "web", "web", "app", "app", "shop", "shop", "phone")
_BLOCK_ROWS = 1_000


def generate_transactions(ds: str, rows: int) -> Iterator[bytes]:
    """Yield the transactions file of a date, in pieces of at most 1,000 rows."""
    yield HEADER.encode()
    for first in range(1, rows + 1, _BLOCK_ROWS):
        yield "".join(_row(ds, number) for number in range(first, min(first + _BLOCK_ROWS, rows + 1))).encode()


def _row(ds: str, number: int) -> str:
    draw = Draw(f"transaction/{ds}/{number}")
    customer = 1 + draw.low_below(10_000)
    second = draw.below(86_400)
    moment = f"{ds}T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z"
    cents = 100 + draw.low_below(100_000)
    amount = "" if draw.below(50) == 0 else f"{cents // 100}.{cents % 100:02}"
    home = draw.pick(COUNTRIES)
    country = draw.pick(COUNTRIES) if draw.below(10) == 0 else home
    name = f"{ds.replace('-', '')}-{number:07}"
    return f"{name},{customer},{moment},{amount},EUR,{draw.pick(_CHANNELS)},{country},{home}\n"
