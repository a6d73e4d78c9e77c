"""Between the tasks of a run, rows that they have written get another physical order, where the machine turns rows."""

from __future__ import annotations

from collections.abc import Callable

from dagproof.worlds.turning import moment, turn_rows


def turner(conninfo: str | None, unturned: list[str]) -> Callable[[], None]:
    """Return what turns the rows of a database, if any, that were written since it was called before.

    `unturned` gets the tables that stay as they are.
    """
    if conninfo is None:
        return lambda: None
    since = ""

    def turn() -> None:
        nonlocal since
        if since:
            unturned.extend(turn_rows(conninfo, since))
        since = moment(conninfo)

    return turn
