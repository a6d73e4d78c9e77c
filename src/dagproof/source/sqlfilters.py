"""SQL that asks for what lies between the two ends of a run's interval."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from dagproof.source.moments import WORDS, Moment
from dagproof.source.sqltext import Token, tokens

_LOWER, _UPPER = (">=", ">"), ("<=", "<")
_TURNED = {">=": "<=", ">": "<", "<=": ">=", "<": ">"}
_CASTS = frozenset(
    ("(", "CAST", "TRY_CAST", "SAFE_CAST", "TIMESTAMP", "TIMESTAMPTZ", "DATE", "DATETIME", "TO_TIMESTAMP", "TO_DATE")
) | frozenset(("TO_TIMESTAMP_TZ", "TO_TIMESTAMP_NTZ", "STR_TO_DATE", "PARSE_DATETIME", "PARSE_TIMESTAMP"))
_STOPS = frozenset(
    ["WHERE", "AND", "OR", "ON", "HAVING", "WHEN", "THEN", "ELSE", "NOT", "GROUP", "ORDER", "LIMIT", "UNION", ";", ","]
)
_MOVES = frozenset({"+", "-", "*", "INTERVAL"})
_PLACEHOLDER = re.compile(r"%\((\w+)\)s|(?<![:\w]):(\w+)|@(\w+)\b|(%s|\?)")
_FIELD = re.compile(r"(?<!\{)\{(\w*)[^{}]*\}(?!\})")
MOST_TOKENS = 8


class Bound(NamedTuple):
    """``column >= moment``, and where in the text."""

    column: str
    operator: str
    moment: Moment
    offset: int


class Between(NamedTuple):
    """A filter that asks for what lies between the start and the end: where, and whether it takes both of them.

    Days with both of them are a day, and no such filter.
    """

    offset: int
    takes_both: bool


def with_parameters(sql: str, by_name: Mapping[str, Moment], by_position: Mapping[int, Moment]) -> str:
    """Return SQL with a word for each parameter that is a moment."""
    position = -1

    def word(found: re.Match[str]) -> str:
        nonlocal position
        position += bool(found[4])
        moment = by_position.get(position) if found[4] else by_name.get(found[1] or found[2] or found[3])
        return moment.word if moment else found[0]

    return _PLACEHOLDER.sub(word, sql) if by_name or by_position else sql


def with_fields(text: str, by_name: Mapping[str, str | None], by_position: Sequence[str | None]) -> str:
    """Return a text with a word for each ``{field}`` that has one."""
    position = -1

    def word(found: re.Match[str]) -> str:
        nonlocal position
        name = found[1]
        if not name or name.isdigit():
            position = int(name) if name else position + 1
            return (by_position[position] if position < len(by_position) else None) or found[0]
        return by_name.get(name) or found[0]

    return _FIELD.sub(word, text)


def betweens(sql: str) -> Iterator[Between]:
    """Yield each filter between the start and the end of the run's interval; `sql` has words for them."""
    if "dagproof_end_" not in sql or "dagproof_start_" not in sql:
        return
    statement: list[Token] = []
    for token in [*tokens(sql), Token(";", len(sql), False)]:
        if token.text == ";":
            yield from pairs([bound for at in range(len(statement)) for bound in _bounds(statement, at)])
            statement = []
        else:
            statement.append(token)


def pairs(bounds: list[Bound]) -> Iterator[Between]:
    """Yield each pair of a lower bound at the start and an upper bound at the end, of the same column."""
    for lower in bounds:
        if lower.operator in _LOWER and not lower.moment.is_end:
            for upper in bounds:
                same = upper.column == lower.column and upper.moment.is_day == lower.moment.is_day
                both = (lower.operator, upper.operator) == (">=", "<=")
                if same and upper.operator in _UPPER and upper.moment.is_end and not (both and upper.moment.is_day):
                    yield Between(lower.offset, both)
                    break


def _bounds(statement: list[Token], at: int) -> Iterator[Bound]:
    moment = WORDS.get(statement[at].text)
    if moment is None or _is_moved(statement, at):
        return
    before = at - 1
    while before >= 0 and statement[before].text.upper() in _CASTS and at - before < MOST_TOKENS:
        before -= 1
    operator = _text(statement, before)
    offset = statement[at].start
    if operator in _TURNED:
        yield Bound(_column_before(statement, before), operator, moment, offset)
    elif operator == "BETWEEN":
        yield Bound(_column_before(statement, before), ">=", moment, offset)
    elif operator == "AND" and (between := _between_before(statement, before)) is not None:
        yield Bound(_column_before(statement, between), "<=", moment, offset)
    after = at + 1
    while _text(statement, after) == ")":
        after += 1
    if _text(statement, after) in _TURNED:
        yield Bound(_column_after(statement, after), _TURNED[_text(statement, after)], moment, offset)


def _is_moved(statement: list[Token], at: int) -> bool:
    """Whether something is added to a moment, or taken from it."""
    depth = 0
    for token in statement[at + 1 : at + 1 + MOST_TOKENS]:
        word = token.text.upper()
        depth += (word == "(") - (word == ")")
        if word in _STOPS or word in _TURNED or depth < -2:
            return False
        if word in _MOVES:
            return True
    return False


def _column_before(statement: list[Token], at: int) -> str:
    parts: list[str] = []
    depth = 0
    for token in reversed(statement[max(at - MOST_TOKENS, 0) : at]):
        word = token.text.upper()
        depth += (word == ")") - (word == "(")
        if depth < 0 or (depth == 0 and word in _STOPS):
            break
        parts.append(word)
    return " ".join(reversed(parts))


def _column_after(statement: list[Token], at: int) -> str:
    parts: list[str] = []
    depth = 0
    for token in statement[at + 1 : at + 1 + MOST_TOKENS]:
        word = token.text.upper()
        depth += (word == "(") - (word == ")")
        if depth < 0 or (depth == 0 and (word in _STOPS or word in _TURNED)):
            break
        parts.append(word)
    return " ".join(parts)


def _between_before(statement: list[Token], at: int) -> int | None:
    for back in range(at - 1, max(at - MOST_TOKENS, -1), -1):
        word = statement[back].text.upper()
        if word == "BETWEEN":
            return back
        if word in _STOPS:
            return None
    return None


def _text(statement: list[Token], at: int) -> str:
    return statement[at].text.upper() if 0 <= at < len(statement) else ""
