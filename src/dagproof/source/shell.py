"""Shell: which of its commands read the clock or draw at random, and whether more than a log line comes of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_COMMAND = r"(?:^|[;&|\n`]|\$\(|\bdo\b|\bthen\b)\s*(?:TZ=\S+\s+)?(?:/bin/|/usr/bin/)?"
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
_ECHO = re.compile(r"\s*(?:echo|printf)\b[^|>&;`]*$")


class Use(NamedTuple):
    """What is read, and where in the text."""

    name: str
    offset: int


def clocks(text: str) -> Iterator[Use]:
    """Yield where the current time is read and used: ``$(date)``, ``date > file``; not what is only printed."""
    if "date" in text or "EPOCH" in text:
        code = _without_comments(text)
        for found in _DATE.finditer(code):
            if not _is_given(found[2]) and not _is_printed(code, found.start(1)):
                yield Use("date", found.start(1))
        for found in _EPOCH.finditer(code):
            if not _is_printed(code, found.start(1)):
                yield Use(f"${found[1]}", found.start(1))


def draws(text: str) -> Iterator[Use]:
    """Yield where something random is used: ``$RANDOM``, ``uuidgen``, ``/dev/urandom``."""
    code = _without_comments(text)
    for found in _RANDOM.finditer(code):
        group = next(number for number in (1, 2, 3) if found[number])
        if not _is_printed(code, found.start(group)):
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


def _is_printed(code: str, offset: int) -> bool:
    """Whether a command on a line of its own prints to the log, and nothing takes what it prints."""
    start = code.rfind("\n", 0, offset) + 1
    end = code.find("\n", offset)
    line = code[start : len(code) if end < 0 else end]
    statements = re.split(r";|&&|\|\|", line)
    position = 0
    for statement in statements:
        if start + position + len(statement) >= offset:
            alone = re.fullmatch(r"\s*(?:TZ=\S+\s+)?(?:/bin/|/usr/bin/)?date\b[^|>&`$()]*", statement)
            return bool(alone or _ECHO.fullmatch(statement))
        position += len(statement) + 2
    return False


def _without_comments(text: str) -> str:
    """Blank what follows a ``#`` that begins a word."""
    return re.sub(r"(?m)(?:(?<=\s)|^)#[^\n]*", lambda found: " " * len(found[0]), text)
