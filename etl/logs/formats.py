"""The formats that logs have: how the first line of an entry is told, and what is in it.

| format          | e.g.                                                                                          |
|-----------------|-----------------------------------------------------------------------------------------------|
| `syslog-5424`   | `<34>1 2026-01-01T10:00:00.5Z host app 42 ID47 - text`                                        |
| `syslog-3164`   | `<34>Jan  1 10:00:00 host app[42]: text`, also without `<34>`                                 |
| `syslog-iso`    | `2026-01-01T10:00:00+05:30 host app[42]: text`, as rsyslog writes files today                 |
| `apache`        | `[Thu Jan 01 10:00:00.5 2026] [core:error] [pid 42] [client ::1:80] text`, also that of 2.2   |
| `nginx`         | `2026/01/01 10:00:00 [error] 42#7: *9 text`                                                   |
| `log4j`         | `2026-01-01 10:00:00,500 ERROR [main] org.App: text`, also with ` - `, or the thread first    |
| `python`        | `2026-01-01 10:00:00,500 - app - ERROR - text`, also `ERROR:app:text`                         |
| `json`          | `{"time": "2026-01-01T10:00:00Z", "level": "error", "logger": "app", "message": "text"}`      |
"""

from __future__ import annotations

import datetime
import functools
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

LEVELS = ("debug", "info", "notice", "warning", "error", "critical")

_NAMES = {
    **{name: name for name in LEVELS},
    **dict.fromkeys(("trace", "trace1", "trace2", "trace3", "trace4", "trace5", "fine", "finer", "finest"), "debug"),
    **dict.fromkeys(("warn", "w"), "warning"),
    **dict.fromkeys(("err", "e", "severe"), "error"),
    **dict.fromkeys(("emerg", "emergency", "panic", "alert", "crit", "fatal"), "critical"),
    **dict.fromkeys(("information", "informational", "i"), "info"),
    "d": "debug",
}
_SEVERITIES = ("critical", "critical", "critical", "error", "warning", "notice", "info", "debug")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Head(NamedTuple):
    """What the first line of an entry says.

    Attributes:
        format: Its format, one of those above.
        time: When it happened, with a time zone only where the log has one; None where it has no time at all.
        level: One of `LEVELS`, or None where the log has none.
        app: The program, logger or module that wrote it, or None.
        message: Its text.
        trace: A stack trace that came in the same line.
    """

    format: str
    time: datetime.datetime | None
    level: str | None
    app: str | None
    message: str
    trace: str = ""


Reader = Callable[[str, datetime.date], "Head | None"]


def read_head(line: str, day: datetime.date) -> Head | None:
    """Return what a line says, or None if it begins no entry in any format.

    Args:
        line: The line, without its end.
        day: A day on or after which the log was fetched: it tells the year where the log does not.
    """
    try:
        head = _READERS.get(line[:1], _nothing)(line, day)
    except (ValueError, OverflowError, RecursionError):  # a thirtieth of February, text that only begins like JSON
        return None
    return head if head is None or _can_be(head.time) else None


def _can_be(time: datetime.datetime | None) -> bool:
    """Tell whether a time is one that a database takes: its line alone is in no known format where it is none."""
    if time is None or time.tzinfo is None:
        return True
    try:
        time.astimezone(datetime.timezone.utc)
    except OverflowError:  # in UTC it would be before the year 1, or after 9999
        return False
    return abs(time.utcoffset() or datetime.timedelta()) < _FARTHEST


_FARTHEST = datetime.timedelta(hours=16)
"""PostgreSQL knows no time zone that is farther from UTC, and the world none beyond 14 hours."""


def level_of(name: str | None) -> str | None:
    """Return the level that a name stands for, or None for a name that is none."""
    return _NAMES.get(name.lower()) if name else None


_CLOCK = r"\d\d:\d\d:\d\d"
_ISO = rf"\d{{4}}-\d\d-\d\d[ T]{_CLOCK}(?:[.,]\d+)?(?:[Zz]|[+-]\d\d:?\d\d)?"
_TAG = r"([^\s:\[]+)(?:\[[^\]]*\])?: ?(.*)"
_SYSLOG_5424 = re.compile(
    rf"<(\d{{1,3}})>1 (-|{_ISO}) \S+ (\S+) \S+ \S+ (?:-|(?:\[(?:[^\]\\]|\\.)*\])+)(?: \ufeff?(.*))?", re.DOTALL
)
_SYSLOG_3164 = re.compile(rf"(?:<(\d{{1,3}})>)?([A-Z][a-z]{{2}} [ \d]\d {_CLOCK}) \S+ {_TAG}", re.DOTALL)
_SYSLOG_ISO = re.compile(rf"({_ISO}) \S+ {_TAG}", re.DOTALL)
_APACHE = re.compile(
    rf"\[[A-Z][a-z]{{2}} ([A-Z][a-z]{{2}} [ \d]\d {_CLOCK})(?:\.(\d+))? (\d{{4}})\] \[(?:(\w*):)?(\w+)\] "
    r"(?:\[(?:pid|client|remote) [^\]]*\] )*(.*)",
    re.DOTALL,
)
_NGINX = re.compile(rf"(\d{{4}})/(\d\d)/(\d\d) ({_CLOCK}) \[(\w+)\] \d+#\d+: (.*)", re.DOTALL)
_LOG4J = re.compile(rf"({_ISO}) +(?:\[[^\]]*\] +)?\[?([A-Z]+)\]? +(?:\[[^\]]*\] +)?([^\s:]+)(?::| -) ?(.*)", re.DOTALL)
_PYTHON = re.compile(rf"({_ISO}) - (\S+) - ([A-Z]+) - (.*)", re.DOTALL)
_PYTHON_BASIC = re.compile(r"(DEBUG|INFO|WARNING|ERROR|CRITICAL):([^:]*):(.*)", re.DOTALL)
_ONLY_ISO = re.compile(_ISO)
_ONLY_EPOCH = re.compile(r"\d{9,19}(?:\.\d{1,9})?", re.ASCII)
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_SAYS_LEVEL = re.compile(r"(\w+): ")


def _syslog_5424(line: str, day: datetime.date) -> Head | None:
    found = _SYSLOG_5424.fullmatch(line)
    if not found:
        return _syslog_3164(line, day)
    priority, time, app, message = found.groups()
    moment = None if time == "-" else _moment(time)
    return Head("syslog-5424", moment, _severity(priority), None if app == "-" else app, message or "")


def _syslog_3164(line: str, day: datetime.date) -> Head | None:
    found = _SYSLOG_3164.fullmatch(line)
    if not found:
        return None
    priority, time, app, message = found.groups()
    level = _severity(priority) if priority else _said_level(message)
    return Head("syslog-3164", _time_without_year(time, day), level, app, message)


def _syslog_iso(line: str) -> Head | None:
    found = _SYSLOG_ISO.fullmatch(line)
    if not found:
        return None
    time, app, message = found.groups()
    return Head("syslog-iso", _moment(time), _said_level(message), app, message)


def _apache(line: str, _: datetime.date) -> Head | None:
    found = _APACHE.fullmatch(line)
    if not found:
        return None
    time, fraction, year, module, level, message = found.groups()
    moment = _time_of_year(time, int(year))
    if fraction:
        moment = moment.replace(microsecond=int(fraction[:6].ljust(6, "0")))
    return Head("apache", moment, level_of(level), module or None, message)


def _numeric(line: str, _: datetime.date) -> Head | None:
    """Read a line that begins with a date in digits."""
    if line[4:5] == "/":
        return _nginx(line)
    if found := _PYTHON.fullmatch(line):
        time, app, level, message = found.groups()
        return Head("python", _moment(time), level_of(level), app, message)
    found = _LOG4J.fullmatch(line)
    if found and (level_name := level_of(found[2])):
        return Head("log4j", _moment(found[1]), level_name, found[3], found[4])
    return _syslog_iso(line)


def _nginx(line: str) -> Head | None:
    found = _NGINX.fullmatch(line)
    if not found:
        return None
    year, month, day, time, level, message = found.groups()
    return Head("nginx", _second(f"{year}-{month}-{day} {time}"), level_of(level), None, message)


def _lettered(line: str, day: datetime.date) -> Head | None:
    """Read a line that begins with a letter: a month, or a level."""
    if found := _PYTHON_BASIC.fullmatch(line):
        return Head("python", None, level_of(found[1]), found[2], found[3])
    return _syslog_3164(line, day)


def _json(line: str, _: datetime.date) -> Head | None:
    fields = json.loads(line)
    message = _first(fields, "message", "msg", "event", "text")
    level = _first(fields, "level", "levelname", "severity", "lvl", "log.level")
    if message is None and level is None:
        return None
    time = _first(fields, "time", "timestamp", "@timestamp", "ts", "asctime")
    app = _first(fields, "logger", "app", "name", "logger_name", "service")
    trace = _first(fields, "exc_info", "stack_trace", "stack", "exception", "traceback")
    return Head("json", _json_time(time), _json_level(level), _text(app) or None, _text(message), _text(trace))


def _nothing(line: str, day: datetime.date) -> Head | None:
    return None


_READERS: Mapping[str, Reader] = {
    "<": _syslog_5424,
    "[": _apache,
    "{": _json,
    **dict.fromkeys("0123456789", _numeric),
    **dict.fromkeys("ACDEFIJMNOSW", _lettered),  # what months and levels begin with
}


def _first(fields: Mapping[str, Any], *names: str) -> Any:
    """Return the first of some fields that is there."""
    for name in names:
        value = fields.get(name)
        if value is not None:
            return value
    return None


def _text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _json_time(value: Any) -> datetime.datetime | None:
    if isinstance(value, str):
        if _ONLY_ISO.fullmatch(value):
            return _moment(value)
        return _epoch(float(value) if "." in value else int(value)) if _ONLY_EPOCH.fullmatch(value) else None
    return _epoch(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _epoch(value: float) -> datetime.datetime:
    """Return a time in seconds, milliseconds, microseconds or nanoseconds since 1970: its size tells which."""
    # nobody counts seconds in twelve digits yet; that holds for each of the others, too
    per_second = next((unit for unit in (1, 10**3, 10**6) if value <= unit * 10**11), 10**9)
    whole, rest = divmod(value, per_second)
    return _EPOCH + datetime.timedelta(seconds=whole, microseconds=int(rest * 10**6 // per_second))


def _json_level(value: Any) -> str | None:
    """Return the level; pino and bunyan count in tens, as Python does from another start."""
    if isinstance(value, int):
        return {10: "debug", 20: "debug", 30: "info", 40: "warning", 50: "error", 60: "critical"}.get(value)
    return level_of(value) if isinstance(value, str) else None


def _severity(priority: str) -> str | None:
    return _SEVERITIES[int(priority) % 8] if int(priority) < 192 else None


def _said_level(message: str) -> str | None:
    """Return the level that a message begins with, as in `error: no route`."""
    found = _SAYS_LEVEL.match(message)
    return level_of(found[1]) if found else None


@functools.lru_cache(maxsize=4096)  # lines of one second come together
def _second(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)


def _moment(text: str) -> datetime.datetime:
    """Return a time written as ISO 8601 or RFC 3339 have it, with any number of digits after the second."""
    moment = _second(text[:19])
    rest = text[19:]
    if rest.startswith((".", ",")):
        zone = rest.lstrip(".,0123456789")
        digits = rest[1 : len(rest) - len(zone)]
        moment, rest = moment.replace(microsecond=int(digits[:6].ljust(6, "0"))), zone
    return moment.replace(tzinfo=_zone(rest)) if rest else moment


@functools.lru_cache(maxsize=64)
def _zone(text: str) -> datetime.timezone:
    if text in ("Z", "z"):
        return datetime.timezone.utc
    offset = datetime.timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return datetime.timezone(-offset if text[0] == "-" else offset)


@functools.lru_cache(maxsize=4096)
def _time_of_year(text: str, year: int) -> datetime.datetime:
    """Return a time written `Jan  1 10:00:00` in a year."""
    if text[:3] not in _MONTHS:
        raise ValueError(text)
    month = _MONTHS.index(text[:3]) + 1
    return datetime.datetime.fromisoformat(f"{year:04}-{month:02}-{int(text[4:6]):02} {text[7:]}")


@functools.lru_cache(maxsize=4096)
def _time_without_year(text: str, day: datetime.date) -> datetime.datetime:
    """Return the last time of this name that is no later than a day after `day`: clocks and zones differ a little."""
    latest = day + datetime.timedelta(days=2)
    for year in range(latest.year, latest.year - 8, -1):
        try:
            moment = _time_of_year(text, year)
        except ValueError:
            if text[:6] != "Feb 29":
                raise
            continue  # the last leap year
        if moment.date() < latest:
            return moment
    raise ValueError(text)
