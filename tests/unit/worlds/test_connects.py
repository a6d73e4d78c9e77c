"""Connections of a run are counted, and refused where that is planned."""

from __future__ import annotations

import errno

from dagproof.worlds.connects import Connects

SHOP, API = ("127.0.0.1", 5432), ("127.0.0.1", 8080)
NAMES = {SHOP: "PostgreSQL", API: "api"}


def opened(connects: Connects, *places: tuple[str, int]) -> list[int]:
    """Return the error number of each connection."""
    return [connects.opened(*place, "") for place in places]


def test_connections_are_named_with_the_program_that_opens_them() -> None:
    """What is not of the world has no name, and is not counted."""
    connects = Connects(NAMES)
    assert connects.opened(*SHOP, "psql") == connects.opened(*API, "") == connects.opened("127.0.0.1", 1, "") == 0
    assert [seen.what for seen in connects.seen] == ["psql connects to PostgreSQL", "connect to api"]


def test_one_connection_is_refused() -> None:
    """And the next ones come about."""
    connects = Connects(NAMES, 2)
    assert opened(connects, SHOP, API, API, SHOP) == [0, errno.ECONNREFUSED, 0, 0]
    assert connects.reached


def test_a_place_that_is_down_stays_down() -> None:
    """Others do not."""
    connects = Connects(NAMES, 2, lasts=True)
    assert opened(connects, SHOP, API, API, SHOP) == [0, errno.ECONNREFUSED, errno.ECONNREFUSED, 0]
    connects.take_down(SHOP)
    assert opened(connects, SHOP) == [errno.ECONNREFUSED]


def test_a_server_may_turn_a_session_away_itself() -> None:
    """Then the connection comes about."""
    asked: list[str] = []
    connects = Connects(NAMES, 2, instead=lambda: asked.append("full"))
    assert not connects.reached
    assert opened(connects, SHOP, SHOP, SHOP) == [0, 0, 0]
    assert asked == ["full"]
