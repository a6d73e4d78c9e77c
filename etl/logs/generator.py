"""Made-up logs: the same bytes for a day on any machine, in any year, with any Python; each app has its own format."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterator, Mapping

from etl.draw import Draw
from etl.logs.formats import LEVELS

_BLOCK_ENTRIES = 1_000
_DAY_SECONDS = 24 * 60 * 60
_LEVELS = ("info",) * 20 + ("notice",) * 3 + ("debug",) * 6 + ("warning",) * 6 + ("error",) * 4 + ("critical",)
_TEXTS = (
    "request {n} took {n} ms",
    "connection to 10.0.0.{n} was closed by peer",
    "session of user {n} began",
    "queue holds {n} messages",
    "cannot write block {n}",
)
_JAVA = (
    "java.io.IOException: block {n}\n\tat org.example.Disk.write(Disk.java:41)\n\tat org.example.App.main(App.java:7)"
)
_PYTHON = 'Traceback (most recent call last):\n  File "app.py", line 12, in run\n    work()\nValueError: block {n}'
_ODD = "~~ {n} bytes of something else ~~"

_Format = Callable[[datetime.datetime, str, str], str]


def generate_log(app: str, ds: str, entries: int) -> Iterator[bytes]:
    """Yield the log of an app on a day, in pieces; a few of its lines are in no format, some have a stack trace."""
    midnight = datetime.datetime.fromisoformat(ds)
    for first in range(0, entries, _BLOCK_ENTRIES):
        numbers = range(first, min(first + _BLOCK_ENTRIES, entries))
        moments = (midnight + datetime.timedelta(seconds=number * _DAY_SECONDS // entries) for number in numbers)
        draws = (Draw(f"{app}/{ds}/{number}") for number in numbers)
        yield "".join(_entry(app, *drawn) for drawn in zip(moments, draws, strict=True)).encode()


def _entry(app: str, moment: datetime.datetime, draw: Draw) -> str:
    number, level, text = draw.below(1_000), draw.pick(_LEVELS), draw.pick(_TEXTS)
    if draw.below(100) == 0:
        return _ODD.format(n=number) + "\n"
    trace = ""
    if level in LEVELS[-2:] and draw.below(2) == 0:
        trace = draw.pick((_JAVA, _PYTHON)).format(n=number) + "\n"
    return _FORMATS.get(app, _syslog)(moment, level, text.format(n=number)) + "\n" + trace


def _syslog(moment: datetime.datetime, level: str, text: str) -> str:
    return f"{moment:%b} {moment.day:2} {moment:%H:%M:%S} host app[7]: {level}: {text}"


def _syslog_5424(moment: datetime.datetime, level: str, text: str) -> str:
    severity = {"debug": 7, "info": 6, "notice": 5, "warning": 4, "error": 3, "critical": 2}[level]
    return f"<{8 + severity}>1 {moment.isoformat()}Z host daemon 7 - - {text}"


def _syslog_iso(moment: datetime.datetime, level: str, text: str) -> str:
    return f"{moment.isoformat()}+00:00 host message[7]: {level}: {text}"


def _apache(moment: datetime.datetime, level: str, text: str) -> str:
    return f"[{moment:%a %b %d %H:%M:%S}.000001 {moment:%Y}] [core:{_SERVER.get(level, level)}] [pid 7] {text}"


def _nginx(moment: datetime.datetime, level: str, text: str) -> str:
    return f"{moment:%Y/%m/%d %H:%M:%S} [{_SERVER.get(level, level)}] 7#7: {text}"


def _log4j(moment: datetime.datetime, level: str, text: str) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S},000 {_SHORT.get(level, level).upper()} [main] org.example.App: {text}"


def _python(moment: datetime.datetime, level: str, text: str) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S},000 - app.clock - {_SHORT.get(level, level).upper()} - {text}"


def _json(moment: datetime.datetime, level: str, text: str) -> str:
    return json.dumps({"time": f"{moment.isoformat()}Z", "level": level, "logger": "token", "message": text})


_SERVER = {"critical": "crit", "warning": "warn"}
_SHORT = {"notice": "info", "critical": "fatal"}
_FORMATS: Mapping[str, _Format] = {
    "mainApp": _log4j,
    "extApp": _nginx,
    "timeApp": _python,
    "tokenApp": _json,
    "bridgeApp": _apache,
    "daemonApp": _syslog_5424,
    "notificationApp": _log4j,
    "messageApp": _syslog_iso,
}
