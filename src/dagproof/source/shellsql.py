"""SQL that a shell command hands to a database's client: ``psql -c "…"``, ``mysql -e '…'``, a here-document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_CLIENTS = (
    "psql|mysql|mariadb|snowsql|sqlcmd|sqlite3|duckdb|clickhouse(?:-client)?|beeline|hive|spark-sql|trino|bq|vsql"
)
_CLIENT = re.compile(rf"(?:^|[\s;&|(`/])(?:{_CLIENTS})(?=\s|$)")
_QUOTED = r"(?:\"(?P<double>(?:\\.|[^\"\\])*)\"|'(?P<single>[^']*)')"
_GIVEN = re.compile(
    rf"(?<=\s)(?:-c|-e|-q|-Q|-s|--command|--execute|--query|--sql|--statement)(?:\s*=\s*|\s*){_QUOTED}", re.DOTALL
)
_LAST = re.compile(rf"\s{_QUOTED}", re.DOTALL)
_HERE = re.compile(r"<<-?\s*(['\"]?)(?P<mark>\w+)\1[^\n]*\n(?P<text>.*?)\n\s*(?P=mark)\b", re.DOTALL)
_FED = re.compile(rf"(?:echo|printf)\s+{_QUOTED}\s*\|\s*$", re.DOTALL)
_KEEPS = re.compile(r"(?:^|\s)(?:-o|--output|-L)(?:[\s=]|$)|[|>]")
_VERB = re.compile(
    r"\s*\\?(?:SELECT|INSERT|UPDATE|DELETE|MERGE|COPY|TRUNCATE|CREATE|DROP|REPLACE|WITH|ALTER|CALL|BEGIN)\b",
    re.IGNORECASE,
)
MOST_CHARACTERS = 20_000


class Sql(NamedTuple):
    """SQL in a command, where in it, and whether anything takes what it prints."""

    text: str
    offset: int
    is_kept: bool


def sql_in(command: str) -> Iterator[Sql]:
    """Yield the SQL that a command hands to clients of databases."""
    clients = list(_CLIENT.finditer(command)) if len(command) <= MOST_CHARACTERS else []
    ends = [*(found.start() for found in clients[1:]), len(command)]
    for client, end in zip(clients, ends, strict=False):
        rest = command[client.end() : end]
        found = [*_GIVEN.finditer(rest)] or [one for one in _LAST.finditer(rest) if _VERB.match(_text(one))]
        for one in found:
            behind = rest[one.end() :].split("\n")[0]
            before = rest[: one.start()]
            yield Sql(_text(one), client.end() + one.start(), bool(_KEEPS.search(before) or _KEEPS.search(behind)))
        if here := _HERE.search(rest):
            yield Sql(_without_slash(here["text"]), client.end() + here.start("text"), True)
        if fed := _FED.search(command[: client.start() + 1]):
            yield Sql(_text(fed), fed.start(), True)


def _text(found: re.Match[str]) -> str:
    given = found["single"]
    return _without_slash(
        given if given is not None else re.sub(r"\\(.)", _unescaped, found["double"], flags=re.DOTALL)
    )


def _unescaped(found: re.Match[str]) -> str:
    """What the shell makes of a backslash between double quotes."""
    return found[1] if found[1] in '"$`\\' else found[0]


def _without_slash(sql: str) -> str:
    r"""Psql's own ``\copy`` is a COPY, too."""
    return re.sub(r"(?im)^(\s*)\\(copy\b)", r"\1\2", sql)
