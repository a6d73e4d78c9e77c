"""Clocks in SQL, and what their time is for: data, the time a row was written, or telling what is too old."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dagproof.source import sqltext
from dagproof.source.sqltext import Use
from dagproof.source.sqlwrites import Statement, statements

AUDIT = re.compile(
    r"(?:^|_)(?:loaded|updated|created|inserted|modified|processed|ingested|extracted|fetched|scraped|synced|imported|"
    r"exported|generated|refreshed|checked|etl|dw|dwh|audit|ingestion|last_(?:update|updated|modified|seen))"
    r"_?(?:at|on|ts|tstamp|time|timestamp|datetime)?$|^(?:timestamp|ts)$|_timestamp$|^(?:last_)?(?:update|load|insert)_?ts$",
    re.IGNORECASE,
)
"""Names of columns and fields that tell when a row was written."""
_AGO = frozenset(("-", "INTERVAL", "DATEADD", "DATE_SUB", "DATE_ADD", "DATETIME_SUB", "TIMESTAMP_SUB", "ADD_MONTHS"))
_NAME = re.compile(r"[\w$]+")


def clocks(sql: str) -> Iterator[Use]:
    """Yield the clocks that a script reads, each with what its time is for; no defaults of tables it only makes."""
    uses = list(sqltext.clocks(sql))
    if not uses:
        return
    parts = [one for one in statements(sql) if one.parts]
    fills = any("INSERT" in one.words or "COPY" in one.words for one in parts)
    for use in uses:
        statement = next((one for one in reversed(parts) if one.parts[0].start <= use.offset), None)
        if use.is_default and statement and statement.words[0] in ("CREATE", "ALTER"):
            if fills:
                yield use._replace(why="default")
        elif statement:
            yield use._replace(why=_purpose(statement, use))
        else:
            yield use


def _purpose(statement: Statement, use: Use) -> str:
    words = statement.words
    at = next((n for n, token in enumerate(statement.parts) if token.start == use.offset), -1)
    if at < 0:
        return ""
    is_old = {"<", "<="} & set(words) and not {"=", ">", ">=", "BETWEEN", "IN"} & set(words)
    if words[0] == "DELETE" and is_old and _AGO & set(words):
        return "retention"
    column = _set_to(statement, at) or _alias(statement, at) or _inserted(statement, at)
    return f"audit {column}" if column and AUDIT.search(column) else ""


def _set_to(statement: Statement, at: int) -> str:
    """The column of ``SET column = now()``."""
    words = statement.words
    before = [word for word in words[:at] if word in ("SET", "WHERE", "ON", "AND", "OR", "WHEN")]
    is_set = words[at - 1 : at] == ["="] and before[-1:] == ["SET"]
    return statement.parts[at - 2].text if is_set and at > 1 else ""


def _alias(statement: Statement, at: int) -> str:
    """The name of ``now() AS name``, with a cast in between or not."""
    words = statement.words
    end = at + 1
    while end < len(words) and (words[end] in ("(", ")", "::") or words[end - 1] == "::"):
        end += 1
    is_alias = words[end : end + 1] == ["AS"] and end + 1 < len(words) and "SELECT" in words[:at]
    return statement.parts[end + 1].text if is_alias else ""


def _inserted(statement: Statement, at: int) -> str:
    """The column that a value of ``INSERT INTO t (columns) VALUES (…)`` or ``SELECT …`` goes into."""
    words = statement.words
    begin = next((n for n in range(at, -1, -1) if words[n] in ("VALUES", "SELECT")), -1)
    insert = statement.find("INSERT", "INTO")
    opening = next((n for n in range(insert + 2, begin) if words[n] == "("), -1) if insert >= 0 else -1
    if begin < 0 or opening < 0:
        return ""
    columns = [one.text for one in statement.parts[opening + 1 : begin] if _NAME.fullmatch(one.text)]
    depth, position = 0, 0
    for word in words[begin + 1 + (words[begin] == "VALUES") : at]:
        depth += (word == "(") - (word == ")")
        if depth == 0 and word == ",":
            position += 1
        elif word in ("FROM", "WHERE") and depth == 0:
            return ""
    return columns[position] if position < len(columns) else ""
