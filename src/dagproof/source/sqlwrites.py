"""What SQL does to tables: which statements append rows, and which make room for them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import NamedTuple

from dagproof.source.sqltext import Token, tokens
from dagproof.source.strings import PLACEHOLDER

HINT = re.compile(r"\b(?:INSERT|COPY|DELETE|TRUNCATE|DROP|CREATE|MERGE|REPLACE|ALTER|CALL|EXEC)\b", re.IGNORECASE)
UNKNOWN = "?"
_NAME = re.compile(r"[\w$-]+")
_TEMPORARY = frozenset({"TEMP", "TEMPORARY", "VOLATILE"})

_MOVES = frozenset({"SWITCH", "SWAP", "APPEND", "EXCHANGE", "DELETE"})
"""How ``ALTER TABLE`` of some databases moves rows, or deletes them."""


class Write(NamedTuple):
    """What one statement does: it appends to a table, or makes room in it (deletes, replaces, makes it anew)."""

    appends: bool
    target: str
    """The table's name, without its schema and in lower case; ``?`` where it can't be told."""
    offset: int
    verb: str
    transaction: int = 0
    """How many ``COMMIT`` stand before it in its script."""
    is_retention: bool = False
    """Whether it only deletes what is older than something, or what is missing elsewhere: most rows stay."""
    repeats: bool = False
    """Whether it adds only once, however often it runs: an upsert or a merge."""


class Statement:
    """One statement of a script, token by token; `words` has their texts in upper case."""

    def __init__(self, parts: list[Token]) -> None:
        self.words = [token.text.upper() for token in parts]
        self.parts = parts

    def has(self, *words: str) -> bool:
        """Whether these words follow each other somewhere."""
        return self.find(*words) >= 0

    def find(self, *words: str) -> int:
        """Where these words follow each other; -1 where they don't."""
        size = len(words)
        places = range(len(self.words) - size + 1)
        return next((at for at in places if tuple(self.words[at : at + size]) == words), -1)

    def target(self, at: int) -> str:
        """The name that stands at a place, or after the words that may stand before it."""
        while at < len(self.words) and self.words[at] in ("TABLE", "ONLY", "IF", "NOT", "EXISTS", "VIEW"):
            at += 1
        name = ""
        while at < len(self.words) and _NAME.fullmatch(self.parts[at].text):
            name = self.parts[at].text.lower()
            if at + 1 >= len(self.words) or self.words[at + 1] != ".":
                break
            at += 2
        is_known = name and PLACEHOLDER not in name and name.strip("_")
        return name if is_known else UNKNOWN


def writes(sql: str, fresh: set[str] | None = None) -> Iterator[Write]:
    """Yield what the statements of a script do, in their order.

    Args:
        sql: the script.
        fresh: the tables that only hold what is not there yet; those that the script makes are added.
    """
    fresh = set() if fresh is None else fresh
    if HINT.search(sql):
        commits = 0
        for statement in statements(sql):
            commits += statement.words[:1] == ["COMMIT"]
            fresh |= _made_of_news(statement)
            for found in _of(statement):
                is_news = found.appends and not found.repeats and _sources(statement) & fresh
                yield found._replace(transaction=commits, repeats=found.repeats or bool(is_news))


def _made_of_news(statement: Statement) -> set[str]:
    """The table that a statement makes of what is missing elsewhere: ``CREATE … AS SELECT … WHERE NOT EXISTS``."""
    words = statement.words
    if words[:1] == ["CREATE"] and "TABLE" in words and "SELECT" in words and is_guarded(statement, after="SELECT"):
        return {statement.target(words.index("TABLE") + 1)} - {UNKNOWN}
    return set()


def _sources(statement: Statement) -> set[str]:
    """The tables that a statement reads."""
    places = (at for at, word in enumerate(statement.words) if word in ("FROM", "JOIN", "USING"))
    return {statement.target(at + 1) for at in places} - {UNKNOWN}


def statements(sql: str) -> Iterator[Statement]:
    """Yield the statements of a script."""
    parts: list[Token] = []
    for token in tokens(sql):
        if token.text == ";":
            yield Statement(parts)
            parts = []
        else:
            parts.append(token)
    yield Statement(parts)


def _of(statement: Statement) -> Iterator[Write]:
    words = statement.words
    if not words:
        return
    start = statement.parts[0].start
    for head in (("DELETE", "FROM"), ("TRUNCATE",), ("DROP", "TABLE"), ("DROP", "VIEW"), ("REPLACE", "INTO")):
        if (at := statement.find(*head)) >= 0:
            retention = head[0] == "DELETE" and (_is_retention(words) or is_guarded(statement))
            yield Write(False, statement.target(at + len(head)), start, head[0], is_retention=retention)
    if words[0] in ("CALL", "EXEC", "EXECUTE", "DO", "DELETE") and not statement.has("DELETE", "FROM"):
        yield Write(False, UNKNOWN, start, words[0])
    if words[0] == "ALTER" and _MOVES & set(words):
        yield Write(False, UNKNOWN, start, words[0])
    if words[0] == "ALTER" and statement.has("PARTITION"):
        yield Write(False, statement.target(2), start, words[0])
    if words[:2] == ["ALTER", "TABLE"] and (at := statement.find("RENAME", "TO")) >= 0:
        yield Write(False, statement.target(1), start, words[0])
        yield Write(False, statement.target(at + 2), start, "RENAME")
    if words[0] == "CREATE" and "TABLE" in words:
        is_new = not statement.has("IF", "NOT", "EXISTS") or bool(_TEMPORARY & set(words))
        if is_new:
            yield Write(False, statement.target(words.index("TABLE") + 1), start, words[0])
    yield from _appends(statement)


def _is_retention(words: list[str]) -> bool:
    """Whether a condition only has an upper limit: what is deleted is old, not what is loaded next."""
    return bool({"<", "<="} & set(words)) and not {"=", ">", ">=", "BETWEEN", "IN"} & set(words)


def _appends(statement: Statement) -> Iterator[Write]:
    words = statement.words
    if words[0] == "COPY" and words[1:2] not in (["("], ["INTO"]) and "FROM" in words and not statement.has("TO"):
        yield Write(True, statement.target(1), statement.parts[0].start, words[0])
    at = statement.find("INSERT", "INTO")
    if statement.has("INSERT", "OVERWRITE"):
        yield Write(False, statement.target(statement.find("OVERWRITE") + 1), statement.parts[0].start, "OVERWRITE")
    elif at >= 0 and words[0] in ("INSERT", "WITH") and not _is_repeatable(statement):
        yield Write(True, statement.target(at + 2), statement.parts[at].start, "INSERT")
    if words[0] in ("MERGE", "WITH") and "MERGE" in words and "INSERT" in words and at < 0:
        merge = words.index("MERGE")
        behind = merge + 1 + (words[merge + 1 : merge + 2] == ["INTO"])
        yield Write(True, statement.target(behind), statement.parts[merge].start, "MERGE", repeats=True)


def _is_repeatable(statement: Statement) -> bool:
    """Whether an insert leaves out, or replaces, what is there already."""
    is_upsert = statement.has("CONFLICT") or statement.has("DUPLICATE")
    return is_upsert or is_guarded(statement) or _is_beyond_what_is_there(statement)


def is_guarded(statement: Statement, after: str = "") -> bool:
    """Say whether a statement leaves out what is somewhere already; `after` a word, where one is given."""
    if after and after in statement.words:
        statement = Statement(statement.parts[statement.words.index(after) :])
    guards = (("NOT", "EXISTS"), ("EXCEPT",), ("NOT", "IN"), ("MINUS",), ("DO", "NOTHING"))
    return any(statement.has(*guard) for guard in guards) or (statement.has("IS", "NULL") and "JOIN" in statement.words)


def _is_beyond_what_is_there(statement: Statement) -> bool:
    """Whether only what is greater than something in the table itself is added: ``n > (SELECT max(n) FROM t)``."""
    target = statement.target(statement.find("INSERT", "INTO") + 2)
    words = statement.words
    for at in (at for at, word in enumerate(words) if word == ">"):
        rest = itertools.dropwhile(lambda n: words[n] in ("(", "COALESCE"), range(at + 1, len(words)))
        if (begin := next(rest, 0)) and words[begin] == "SELECT":
            froms = [n for n in range(begin, len(words)) if words[n] == "FROM"]
            if any(statement.target(n + 1) == target != UNKNOWN for n in froms):
                return True
    return False
