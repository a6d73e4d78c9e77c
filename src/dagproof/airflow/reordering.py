"""Between the tasks of a run, rows that they have written get another physical order, where the machine turns rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dagproof.worlds.turning import moment, turn_rows


def turner(request: dict[str, Any], unturned: list[str]) -> Callable[[], None]:
    """Return what turns the rows that were written since it was called before; `unturned` gets those that stay."""
    conninfo = request.get("turn")
    if not conninfo:
        return lambda: None
    since = ""

    def turn() -> None:
        nonlocal since
        if since:
            unturned.extend(turn_rows(conninfo, since))
        since = moment(conninfo)

    return turn
