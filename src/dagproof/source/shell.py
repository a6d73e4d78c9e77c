"""Shell: which of its commands read the clock or draw at random, and whether more than a log line comes of it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

_COMMAND = r"(?:^|[;&|\n`]|\$\(|\bdo\b|\bthen\b)[ \t]*(?:TZ=\S+\s+)?(?:/bin/|/usr/bin/)?"
_DATE = re.compile(_COMMAND + r"(date)(?=$|[\s;)`|&])([^;)`|&\n]*)")
_GIVEN = re.compile(r"(?:^|\s)(?:-d|--date|-r|--reference|-f|--file|-j|-v|-s|--set)(?:[\s=]*)(\"[^\"]*\"|'[^']*'|\S+)?")
_RELATIVE = re.compile(
    r"\b(?:now|today|tomorrow|yesterday|ago|next|last)\b|^[\s\"']*[-+]?\d+\s*(?:day|hour|week|month|min|sec)"
)
_KNOWN = re.compile(r"\$|\{|\d{4}|_p_|@")
_EPOCH = re.compile(r"\$\{?(EPOCHSECONDS|EPOCHREALTIME)\b")
_RANDOM = re.compile(
    r"\$\{?(RANDOM|SRANDOM)\b|" + _COMMAND + r"(uuidgen|shuf|mktemp -u)\b|(/dev/u?random|/proc/sys/kernel/random/uuid)"
)
_SEPARATOR = re.compile(r";|&&|\|\||\n")
_DATE_ALONE = re.compile(r"\s*(?:TZ=\S+\s+)?(?:/bin/|/usr/bin/)?date\b[^|>&`$()]*")
MOST_CHARACTERS = 2_000
_ECHO = re.compile(r"\s*(?:echo|printf)\b[^|>&;`]*$")


class Use(NamedTuple):
    """What is read, and where in the text."""

    name: str
    offset: int


def clocks(text: str) -> Iterator[Use]:
    """Yield where the current time is read and used: ``$(date)``, ``date > file``; not what is only printed."""
    if "date" in text or "EPOCH" in text:
        code = _without_comments(text)
        printed = _Printing(code)
        for found in _DATE.finditer(code):
            if not _is_given(found[2]) and not printed.has(found.start(1)):
                yield Use("date", found.start(1))
        for found in _EPOCH.finditer(code):
            if not printed.has(found.start(1)):
                yield Use(f"${found[1]}", found.start(1))


def draws(text: str) -> Iterator[Use]:
    """Yield where something random is used: ``$RANDOM``, ``uuidgen``, ``/dev/urandom``."""
    code = _without_comments(text)
    printed = _Printing(code) if _RANDOM.search(code) else None
    for found in _RANDOM.finditer(code):
        group = next(number for number in (1, 2, 3) if found[number])
        if printed and not printed.has(found.start(group)):
            yield Use(found[group], found.start(group))


def _is_given(options: str) -> bool:
    """Whether ``date`` is told which time to show, instead of asking the clock."""
    given = _GIVEN.search(options)
    if not given:
        return bool(re.search(r"\s--(?:version|help)\b|^\s*=", options))
    value = given[1] or ""
    if _KNOWN.search(value):
        return True
    return not _RELATIVE.search(value)


class _Printing:
    """Tells what is only printed: a command on a line of its own, whose output nothing takes."""

    def __init__(self, code: str) -> None:
        self._code = code
        self._ends = [0, *(found.end() for found in _SEPARATOR.finditer(code))]
        self._starts = [*(found.start() for found in _SEPARATOR.finditer(code)), len(code)]

    def has(self, offset: int) -> bool:
        """Say whether what stands at a place is only printed."""
        number = bisect_right(self._ends, offset) - 1
        statement = self._code[self._ends[number] : self._starts[number]]
        if len(statement) > MOST_CHARACTERS:
            return False
        return bool(_DATE_ALONE.fullmatch(statement) or _ECHO.fullmatch(statement))


def _without_comments(text: str) -> str:
    """Blank what follows a ``#`` that begins a word."""
    return re.sub(r"(?m)(?:(?<=\s)|^)#[^\n]*", lambda found: " " * len(found[0]), text)
