"""Between the tasks of a run, rows that they have written get another physical order, where the machine turns rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dagproof.worlds.turning import moment, turn_rows


def turner(databases: Mapping[str, str], unturned: list[str]) -> Callable[[], None]:
    """Return what turns the rows of databases, if any, that were written since it was called before.

    `databases` has their addresses, by how the names of tables there begin. `unturned` gets the tables that stay as
    they are.
    """
    since: dict[str, str] = {}

    def turn() -> None:
        for prefix, conninfo in databases.items():
            if prefix in since:
                unturned.extend(prefix + table for table in turn_rows(conninfo, since[prefix]))
            since[prefix] = moment(conninfo)

    return turn
