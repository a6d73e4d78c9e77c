"""SQL that makes a new value of the old one, ``SET n = n + 1``: done twice, it is another one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from dagproof.source.sqltext import Token
from dagproof.source.sqlwrites import UNKNOWN, Statement, is_guarded, statements
from dagproof.source.strings import PLACEHOLDER

OPERATORS = frozenset({"+", "-", "*", "||"})
MOST_PARTS = 20
"""Further ``UPDATE`` in one statement are left alone: nobody writes so many."""
_HINT = re.compile(r"\bUPDATE\b", re.IGNORECASE)
_NAME = re.compile(r"[\w$-]+")
_ENDS = frozenset({"WHERE", "FROM", "RETURNING", "WHEN", "ORDER BY", "LIMIT", "OUTPUT"})
_NO_ALIAS = frozenset(
    {"SET", "AS", "USING", "SELECT", "VALUES", "DEFAULT", "OVERRIDING", "ON", "WITH", "JOIN", "INNER"}
)
_KEEPS = frozenset({"COALESCE", "IFNULL", "NVL", "ISNULL", "CAST", "ROUND"})
"""Functions whose first argument goes into what they give."""
_CHOOSES = frozenset({"CASE", "IF", "IIF", "DECODE"})
_PARAMETERS = frozenset({":", "@", "$", "%", "::"})


class Setting(NamedTuple):
    """One ``column = expression``."""

    column: str
    operator: str
    """What joins its own old value to something; empty where nothing does so."""
    is_fresh: bool
    """Whether the old value does not go into the new one at all."""
    is_doubtful: bool = False
    """Whether ``||`` may as well merge two documents, which is the same when done twice."""


class Update(NamedTuple):
    """What one statement sets in a table's rows: ``UPDATE``, an upsert, or a ``MERGE``."""

    target: str
    settings: tuple[Setting, ...]
    conditions: frozenset[str]
    """The names that its conditions speak of."""
    names: frozenset[str]
    """All names in it."""
    is_guarded: bool
    """Whether it leaves out by itself what it has done already."""


def updates(sql: str) -> Iterator[Update]:
    """Yield what a script sets."""
    if _HINT.search(sql):
        for statement in statements(sql):
            places = [at for at, one in enumerate(statement.parts) if one.is_word and one.text.upper() == "UPDATE"]
            for at in places[:MOST_PARTS]:
                found = _Reader(sql, statement).update(at)
                if found:
                    yield found


class _Reader:
    def __init__(self, sql: str, statement: Statement) -> None:
        self.sql = sql
        self.statement = statement
        self.words = statement.words
        self.is_upsert = False
        self.owners: set[str] = set()
        """What a column of the target may be qualified with."""

    def word(self, at: int) -> str:
        return self.words[at] if 0 <= at < len(self.words) else ""

    def update(self, at: int) -> Update | None:
        before = self.word(at - 1)
        if self.word(at + 1) == "SET" and before in ("DO", "THEN"):
            verb = "INSERT" if before == "DO" else "MERGE"
            head, start = self._last(verb, at), at + 2
            self.is_upsert = before == "DO"
        elif before == "KEY":
            head, start = self._last("INSERT", at), at + 1
        elif at == 0 or before == ")":
            head, start = at, self._last("SET", min(at + 30, len(self.words)), at) + 1
        else:
            return None
        if head < 0 or start <= at:
            return None
        target = self._target(head + 1)
        settings, end = self._settings(start)
        conditions = self._conditions(at, end)
        guarded = is_guarded(self.statement) or bool({"DELETE", "RETURNING"} & set(self.words[:head]))
        guarded = guarded or self._is_asked(settings, conditions)
        names = frozenset(token.text.lower() for token in self.statement.parts)
        return Update(target, settings, self._named(conditions), names, guarded)

    def _last(self, word: str, before: int, after: int = 0) -> int:
        """The last place of a word in a range; -1 where it is not there. For ``SET``, the first one."""
        places = [at for at in range(after, before) if self.words[at] == word]
        return (places[0] if word == "SET" else places[-1]) if places else -1

    def _target(self, at: int) -> str:
        """The target; what its columns may be qualified with is noted."""
        at += self.word(at) == "INTO"
        target = self.statement.target(at)
        while self.word(at) in ("TABLE", "ONLY"):
            at += 1
        while self.word(at + 1) == ".":
            at += 2
        alias = at + 1 + (self.word(at + 1) == "AS")
        self.owners = {target} - {UNKNOWN}
        if _NAME.fullmatch(self.word(alias)) and self.word(alias) not in _NO_ALIAS:
            self.owners.add(self.word(alias).lower())
        return target

    def _settings(self, at: int) -> tuple[tuple[Setting, ...], int]:
        """What is set, and where that ends."""
        ranges: list[tuple[int, int]] = []
        depth, begin, end = 0, at, at
        while end < len(self.words):
            word = self.words[end]
            depth += (word == "(") - (word == ")")
            if depth < 0 or (depth == 0 and word in _ENDS):
                break
            if depth == 0 and word == ",":
                ranges.append((begin, end))
                begin = end + 1
            end += 1
        parts = [part for one in [*ranges, (begin, end)] if (part := self._sides(*one))]
        columns = {column for column, *_ in parts}
        return tuple(self._setting(*part, columns) for part in parts), end

    def _sides(self, begin: int, end: int) -> tuple[str, int, int, str] | None:
        """The column, the range of what it gets, and the operator of ``+=``."""
        middle = next((at for at in range(begin, end) if self.words[at] == "="), begin)
        operator = self.words[middle - 1] if middle > begin and self.words[middle - 1] in OPERATORS else ""
        last = middle - 1 - bool(operator)
        column = self.statement.parts[last].text.lower() if last >= begin else ""
        if not _NAME.fullmatch(column) or PLACEHOLDER in column or not column.strip("_"):
            return None
        if self.word(last - 1) == "." and last - 2 >= begin:
            self.owners.add(self.statement.parts[last - 2].text.lower())
        return column, middle + 1, end, operator

    def _setting(self, column: str, begin: int, end: int, operator: str, columns: set[str]) -> Setting:
        own = list(self._own(column, begin, end))
        words = set(self.words[begin:end])
        others = any(any(self._own(other, begin, end)) for other in columns - {column})
        if words & _CHOOSES or others or any("JSON" in word for word in words):
            return Setting(column, "", False)
        found = [joined for first, last in own if (joined := self._joined(first, last, begin, end))]
        operator = operator or (found[0] if found else "")
        is_text = any(self._is_text(at) for at in range(begin, end))
        return Setting(column, operator, not own and not operator, operator == "||" and not is_text)

    def _own(self, column: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
        """Where an expression speaks of a column of the target: from, to."""
        inside = 0  # of how many parentheses of a query
        for at in range(begin, end):
            if inside or (self.words[at] == "(" and self.word(at + 1) in ("SELECT", "WITH")):
                inside += (self.words[at] == "(") - (self.words[at] == ")")
            elif self._is_name(at, column) and self.word(at + 1) not in ("(", "."):
                first = at
                while self.word(first - 1) == "." and first - 2 >= begin:
                    first -= 2
                owner = self.statement.parts[at - 2].text.lower() if first < at else ""
                before = self.word(first - 1)
                is_given = before in _PARAMETERS or (before == "(" and self.word(first - 2) in ("%", "VALUES"))
                is_owner = owner in self.owners or (self.is_upsert and owner != "excluded")
                if not is_given and (not owner or is_owner):
                    yield first, at

    def _is_name(self, at: int, column: str) -> bool:
        token: Token = self.statement.parts[at]
        return token.text.lower() == column and self.sql[token.start : token.start + 1] != "'"

    def _is_text(self, at: int) -> bool:
        token = self.statement.parts[at]
        return self.sql[token.start : token.start + 1] == "'" and not token.text.lstrip().startswith(("{", "["))

    def _joined(self, first: int, last: int, begin: int, end: int) -> str:
        """The operator beside an operand, or beside the parentheses around it."""
        while first >= begin and last < end:
            while self.word(last + 1) == "::":
                last += 2
            if last + 1 < end and self.word(last + 1) in OPERATORS:
                return self.word(last + 1)
            before = self.word(first - 1)
            if first - 2 >= begin and before in OPERATORS and self.word(first - 2) not in OPERATORS | {"(", ","}:
                return before
            called = self.word(first - 2) in _KEEPS
            is_function = bool(_NAME.fullmatch(self.word(first - 2))) and first - 2 >= begin
            closes = self.word(last + 1) == ")" or (called and self.word(last + 1) in (",", "AS"))
            if before != "(" or first - 1 < begin or not closes or (is_function and not called):
                return ""
            first -= 1 + called
            last = self._closing(last + 1, end)
        return ""

    def _closing(self, at: int, end: int) -> int:
        depth = 0
        while at < end:
            depth += (self.words[at] == "(") - (self.words[at] == ")")
            if depth < 0:
                return at
            at += 1
        return end

    def _conditions(self, at: int, end: int) -> range:
        """Where a statement says which rows it means: behind ``WHERE``, or before ``THEN``."""
        if self.word(at - 1) == "THEN":
            return range(max(self._last("WHEN", at), 0), at)
        where = next((n for n in range(end, len(self.words)) if self.words[n] == "WHERE"), len(self.words))
        return range(where, len(self.words))

    def _named(self, places: range) -> frozenset[str]:
        return frozenset(self.statement.parts[at].text.lower() for at in places if self.word(at + 1) not in ("(", "."))

    def _is_asked(self, settings: tuple[Setting, ...], conditions: range) -> bool:
        """Whether the conditions ask for another column that is set, or for one exact value of the same one."""
        columns = {one.column for one in settings}
        for at in conditions:
            column = self.statement.parts[at].text.lower()
            sides = {self.word(at + 1), self.word(at - 1)}
            if column in columns and (any(one.column == column and not one.operator for one in settings)):
                return True
            if column in columns and {"=", "IS"} & sides:
                return True
        return False
