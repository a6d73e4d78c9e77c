"""When the clocks of a time zone change."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

#: Long enough for every zone that changes its clocks each year.
HORIZON = timedelta(days=400)


class Change(NamedTuple):
    """A change of the clocks."""

    moment: datetime
    """From when on they show another time, in UTC."""
    shift: timedelta
    """By how much they go forward or back: never negative."""


def next_change(zone: Any, after: datetime, *, forward: bool = True) -> Change | None:
    """Return the first change after a moment at which the clocks go forward (or back); None within the next year."""
    day = datetime.fromtimestamp(after.timestamp(), timezone.utc)  # a plain one, with which one can reckon
    end = day + HORIZON
    while day < end:
        following = day + timedelta(days=1)
        shift = _offset(zone, following) - _offset(zone, day)
        if shift and (shift > timedelta()) is forward:
            return Change(_between(zone, day, following), abs(shift))
        day = following
    return None


def _between(zone: Any, before: datetime, after: datetime) -> datetime:
    """Return the moment, to the second, of the one change between two moments."""
    old = _offset(zone, before)
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        if _offset(zone, middle) == old:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


def _offset(zone: Any, moment: datetime) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()
