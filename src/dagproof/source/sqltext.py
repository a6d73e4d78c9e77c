"""SQL, token by token: which functions it calls that give another answer each time."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from dagproof.source.clocks import CLOCK_WORDS

CLOCKS = frozenset(
    [
        "now",
        "getdate",
        "getutcdate",
        "sysdate",
        "systimestamp",
        "sysdatetime",
        "sysutcdatetime",
        "sysdatetimeoffset",
        "clock_timestamp",
        "statement_timestamp",
        "transaction_timestamp",
        "timeofday",
        "curdate",
        "curtime",
        "current_date",
        "current_timestamp",
        "current_time",
        "current_datetime",
        "localtime",
        "localtimestamp",
        "utc_date",
        "utc_time",
        "utc_timestamp",
    ]
)
BARE_CLOCKS = frozenset(
    [
        "current_date",
        "current_timestamp",
        "current_time",
        "current_datetime",
        "localtime",
        "localtimestamp",
        "sysdate",
        "systimestamp",
        "utc_date",
        "utc_time",
        "utc_timestamp",
    ]
)
"""They need no parentheses."""
RANDOM_ALONE = frozenset({"rand", "random", "uuid"})
"""They draw anew only when they get no argument: ``rand(7)`` is seeded."""
RANDOM = RANDOM_ALONE | {"newid", "gen_random_uuid", "uuid_generate_v4", "uuid_generate_v1", "uuid_string"}
AGES = frozenset({"age"})
"""They reckon up to today when they get one argument; with two they reckon between those."""
_NO_CALL = frozenset({"INTO", "TABLE", "UPDATE", "ON", "EXISTS", "VIEW", "COPY", "REFERENCES"}) | {
    *("WITH", "RECURSIVE", "FUNCTION", ".", "@"),
}
_MOST_TOKENS = 300
"""Longer arguments are not read to their end."""
"""What stands behind these words is the name of a table, however many parentheses follow."""
_MOMENTS = frozenset({"DATE", "TIMESTAMP", "TIMESTAMPTZ"})
_CLOCK_HINT = re.compile(r"\b(?:" + "|".join(sorted(CLOCKS | CLOCK_WORDS | AGES)) + r")\b", re.IGNORECASE)
_RANDOM_HINT = re.compile(r"\b(?:" + "|".join(sorted(RANDOM)) + r")\s*\(", re.IGNORECASE)
_JINJA = re.compile(r"\{\{(?:(?!\{\{|\}\}).)*\}\}|\{%(?:(?!\{%|%\}).)*%\}|\{#(?:(?!\{#|#\}).)*#\}", re.DOTALL)
MOST_CHARACTERS = 500_000
"""Longer texts are left alone: they are data, and would take seconds."""


class Use(NamedTuple):
    """A function that a statement calls, where in the text, and whether it is the default of a column."""

    name: str
    offset: int
    is_default: bool
    why: str = ""
    """What its time is for, where that is not data: ``default``, ``retention``, or ``audit`` and the column."""


class Token(NamedTuple):
    """One token, where it begins, and whether it is a bare word: no string, no name in quotes."""

    text: str
    start: int
    is_word: bool


def clocks(sql: str) -> Iterator[Use]:
    """Yield the clocks that a statement reads: ``now()``, ``CURRENT_DATE``, ``'today'::date``; not in other strings."""
    if _CLOCK_HINT.search(sql):
        found = tokens(sql)
        yield from _uses(found, CLOCKS, BARE_CLOCKS, frozenset())
        yield from _ages(sql, found)
        yield from _days(sql, found)


def draws(sql: str) -> Iterator[Use]:
    """Yield the random functions that a statement calls."""
    if _RANDOM_HINT.search(sql):
        yield from _uses(tokens(sql), RANDOM, frozenset(), RANDOM_ALONE)


def blank_templates(sql: str) -> str:
    """Return SQL with each Jinja expression replaced by as many characters that mean nothing."""
    return _JINJA.sub(lambda found: re.sub(r"[^\n]", "_" if found[0].startswith("{{") else " ", found[0]), sql)


def _uses(found: list[Token], called: frozenset[str], bare: frozenset[str], alone: frozenset[str]) -> Iterator[Use]:
    for number, token in enumerate(found):
        name = token.text.lower()
        if not token.is_word or name not in called or _text(found, number - 1) in (".", "AS", "@"):
            continue
        after = _text(found, number + 1)
        opens = after == "("
        if _text(found, number + (3 if opens and _text(found, number + 2) == ")" else 1)) == "IS":
            continue  # ``now() IS NOT NULL`` is the same at any time; it keeps a result out of a cache
        if (opens and (name not in alone or _text(found, number + 2) == ")")) or (
            not opens and _stands_alone(name, bare, after)
        ):
            yield Use(token.text, token.start, "DEFAULT" in (_text(found, number - 1), _text(found, number - 2)))


def _days(sql: str, found: list[Token]) -> Iterator[Use]:
    """Yield the words in quotes that, as a date or a timestamp, PostgreSQL asks its clock for."""
    for number, token in enumerate(found):
        if token.text.strip().lower() not in CLOCK_WORDS or sql[token.start : token.start + 1] != "'":
            continue
        behind = _text(found, number + 1) in ("::", "AS") and _text(found, number + 2) in _MOMENTS
        if behind or _text(found, number - 1) in _MOMENTS:
            yield Use(f"'{token.text}'", token.start, False)


def _ages(sql: str, found: list[Token]) -> Iterator[Use]:
    """Yield each ``age(birthday)``, which asks the clock; ``age(later, earlier)`` does not."""
    for number, token in enumerate(found):
        is_called = token.is_word and token.text.lower() in AGES and _text(found, number + 1) == "("
        if is_called and _text(found, number - 1) not in _NO_CALL:
            end = _end_of_only(sql, found, number + 2)
            is_query = _text(found, end + 1) == "AS" and _text(found, end + 2) in ("(", "MATERIALIZED")
            if end > number + 2 and not is_query:
                yield Use(token.text, token.start, False)


def _end_of_only(sql: str, found: list[Token], at: int) -> int:
    """Where the parentheses close that open before a place; -1 where they don't, or hold several arguments."""
    depth = 0
    for end in range(at, min(at + _MOST_TOKENS, len(found))):
        mark = found[end].text if found[end].text == sql[found[end].start : found[end].start + 1] else ""
        depth += (mark in ("(", "[")) - (mark in (")", "]"))
        if depth < 0:
            return end
        if depth == 0 and mark == ",":
            return -1
    return -1


def _stands_alone(name: str, bare: frozenset[str], after: str) -> bool:
    return name in bare and after not in (".", "=")


def _text(tokens: list[Token], number: int) -> str:
    return tokens[number].text.upper() if 0 <= number < len(tokens) else ""


def tokens(sql: str) -> list[Token]:
    """Return the tokens of SQL of any kind, templates blanked; none where no dialect can read it."""
    from sqlglot.errors import SqlglotError

    if len(sql) > MOST_CHARACTERS:
        return []
    sql = blank_templates(sql)
    tokenizers = _tokenizers()
    dollars = [tokenizers[-1]] if "$$" in sql else []
    for tokenizer in [*dollars, *(reversed(tokenizers[:-1]) if "`" in sql else tokenizers[:-1])]:
        try:
            found = tokenizer.tokenize(sql)
        except SqlglotError:
            continue
        return [Token(one.text, one.start, _is_word(sql, one.start)) for one in found]
    return []


@cache
def _tokenizers() -> list[object]:
    from sqlglot.dialects.dialect import Dialect

    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    return [Dialect.get_or_raise(name).tokenizer_class() for name in ("", "bigquery", "mysql", "postgres")]


def _is_word(sql: str, start: int) -> bool:
    """Whether a token is a bare word: no string, and no identifier in quotes."""
    return start < len(sql) and (sql[start].isalpha() or sql[start] == "_")
