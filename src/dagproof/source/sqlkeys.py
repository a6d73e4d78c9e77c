"""Upserts in SQL: which value each column gets, and which columns tell that a row is there already."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dagproof.source.sqltext import Token, blank_templates, tokens

_HINT = re.compile(r"\bON\s+CONFLICT\s*\(", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"%\((\w+)\)s|(?<![:\w]):(\w+)|(%s|\?|\$\d+)")


@dataclass(frozen=True)
class Upsert:
    """One ``INSERT … ON CONFLICT (keys)``: its columns (none where they are not named), and a value for each."""

    keys: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[str, ...]

    def key_values(self) -> Iterator[tuple[str, str]]:
        """Yield each key with what it gets, where the columns are named."""
        for column, value in zip(self.columns, self.values, strict=False):
            if column in self.keys:
                yield column, value

    def parameter(self, value: str) -> str | int | None:
        """Return the name or position of the parameter that is a value; None where it is none."""
        position = 0
        for one in self.values:
            for found in _PLACEHOLDER.finditer(one):
                if one is value and found[0] == value.strip():
                    return found[1] or found[2] or position
                position += bool(found[3])
        return None


def upserts(sql: str) -> Iterator[Upsert]:
    """Yield the upserts of a script."""
    if _HINT.search(sql):
        sql = blank_templates(sql)
        statement: list[Token] = []
        for token in [*tokens(sql), Token(";", len(sql), False)]:
            if token.text == ";":
                found = _upsert(sql, statement)
                if found:
                    yield found
                statement = []
            else:
                statement.append(token)


def _upsert(sql: str, statement: list[Token]) -> Upsert | None:
    words = [token.text.upper() for token in statement]
    if "INSERT" not in words or "CONFLICT" not in words:
        return None
    conflict = words.index("CONFLICT")
    if words[conflict + 1 : conflict + 2] != ["("]:
        return None
    keys = [part.strip(' "').lower() for part in _parts(sql, statement, conflict + 2)]
    start = next((at for at, word in enumerate(words) if word in ("VALUES", "SELECT")), None)
    if start is None:
        return None
    opening = next((at for at in range(start) if words[at] == "("), None)
    columns = [part.strip(' "').lower() for part in _parts(sql, statement, opening + 1)] if opening else []
    values = _parts(sql, statement, start + 2 if words[start] == "VALUES" else start + 1)
    return Upsert(tuple(keys), tuple(columns), tuple(values))


def _parts(sql: str, statement: list[Token], at: int) -> list[str]:
    """The texts between commas, from a place up to the closing parenthesis or the word that ends a list."""
    parts: list[str] = []
    depth, begin, end = 0, None, len(sql)
    for token in statement[at:]:
        if begin is None:
            begin = token.start
        depth += (token.text == "(") - (token.text == ")")
        if depth < 0 or (depth == 0 and token.text.upper() in ("FROM", "ON", "WHERE")):
            end = token.start
            break
        if depth == 0 and token.text == ",":
            parts.append(sql[begin : token.start])
            begin = token.start + 1
    return [*parts, sql[begin:end]] if begin is not None else []
