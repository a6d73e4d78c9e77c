"""What a model of dbt does: where it asks the clock, and whether a second run adds its rows again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from dagproof.source import sqlclocks
from dagproof.source.sqlfiles import ATHENA, SqlFile
from dagproof.source.sqltext import Token, tokens

CLOCKS = re.compile(
    r"\b(?:run_started_at|modules\.datetime\.(?:datetime|date)\.(?:now|utcnow|today)\s*\(|"
    r"(?:dbt(?:_utils|_date)?\.)(?:current_timestamp\w*|now|today|yesterday|tomorrow|n_days_ago)\s*\(|"
    r"current_timestamp\s*\()",
)
ADDS = (None, "append", "merge", "default")
"""Strategies that add all rows where no key is given."""
ENDS = (",", "FROM")
_JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_BLOCK = re.compile(r"\{%-?\s*(if|endif|for|endfor|macro|endmacro|call|endcall)\b(.*?)%\}", re.DOTALL)
_THIS = re.compile(r"\{\{-?\s*this\b")
_MAX = re.compile(r"\bmax\s*\(", re.IGNORECASE)
_LEAVES_OUT = re.compile(r"\bNOT\s+(?:IN|EXISTS)\b|\bIS\s+NULL\b|\bEXCEPT\b|\bANTI\b|\bMINUS\b", re.IGNORECASE)


class ClockUse(NamedTuple):
    """One place that reads the clock."""

    shown: str
    offset: int
    why: str
    """Why it is doubtful: ``audit`` and the column, ``branch``, ``view``, ``set``."""


class Adds(Enum):
    """Whether a second run of an incremental model adds its rows again."""

    ALL = "all"
    """Each run adds what it selects, and nothing asks what is there."""
    LAST = "last"
    """It selects what is as new as the newest row, or newer: that one again."""
    LATE = "late"
    """It selects what is newer than the newest row: nothing again, and no correction ever."""


def clocks(model: SqlFile) -> Iterator[ClockUse]:
    """Yield where a model reads the clock."""
    uses = [(f"SQL {use.name}", use.offset, use.why) for use in sqlclocks.clocks(model.code)]
    found = tokens(model.code)
    for jinja in _JINJA.finditer(model.code):
        for clock in CLOCKS.finditer(jinja[0]):
            why = "" if jinja[0].startswith("{{") else "set"
            uses.append((f"{{{{ {clock[0].rstrip('( ')} }}}}", jinja.start() + clock.start(), why))
    for shown, offset, why in sorted(uses, key=lambda use: use[1]):
        column = column_of(found, offset)
        if column and sqlclocks.AUDIT.search(column):
            why = f"audit {column}"
        yield ClockUse(shown, offset, why or _branch(model.code, offset) or ("" if model.is_stored else "view"))


def _branch(code: str, offset: int) -> str:
    """Whether a place is inside of a branch, which some runs don't take."""
    depth = 0
    for block in _BLOCK.finditer(code):
        if block.start() > offset:
            break
        depth += -1 if block[1].startswith("end") else 1
    return "branch" if depth > 0 else ""


def column_of(found: list[Token], offset: int) -> str:
    """Return the name of the column of a ``SELECT`` that an expression at a place goes into; empty for a filter."""
    at = max((n for n, token in enumerate(found) if token.start <= offset), default=-1)
    depths, depth = [], 0
    for token in found:
        depth -= token.text == ")"
        depths.append(depth)
        depth += token.text == "("
    words = [token.text.upper() for token in found]
    begin = next((n for n in range(at, -1, -1) if words[n] == "SELECT" and depths[n] <= min(depths[n : at + 1])), -1)
    if begin < 0:
        return ""
    level = depths[begin]
    if any(words[n] in ("FROM", "WHERE") and depths[n] == level for n in range(begin, at)):
        return ""
    ends = (n for n in range(at + 1, len(found)) if depths[n] < level or (depths[n] == level and words[n] in ENDS))
    end = next(ends, len(found))
    last = found[end - 1] if end - 1 > at else None
    return last.text if last and depths[end - 1] == level and words[end - 2] in ("AS", ")", "END") else ""


def adds(model: SqlFile) -> Adds | None:
    """Say whether running an incremental model again adds its rows again; None where it does not, or can't be told."""
    config = model.config
    is_known = not model.is_open and not any(config.get(key) is ... for key in config)
    if config.get("materialized") != "incremental" or not is_known:
        return None
    strategy = config.get("incremental_strategy")
    by_key = config.get("unique_key") or config.get("full_refresh") is True or any(key in config for key in ATHENA)
    if by_key or strategy not in ADDS or config.get("pre_hook") or config.get("pre-hook"):
        return None
    if not _THIS.search(model.code):
        return Adds.ALL
    if _LEAVES_OUT.search(model.code):
        return None
    if not _MAX.search(model.code):
        return Adds.LATE
    before = re.search(r"(>=|>)[^<>=]*\bmax\s*\(", model.code, re.IGNORECASE)
    return Adds.LAST if before and before[1] == ">=" else Adds.LATE
