"""Logs are read in each of the usual formats, traces stay together, and no line is lost."""

from __future__ import annotations

import datetime
import gzip
import io
import itertools
import subprocess
import tracemalloc
from collections import Counter
from pathlib import Path
from typing import BinaryIO, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from etl.errors import TruncatedFileError
from etl.logs.formats import LEVELS, Head, level_of, read_head
from etl.logs.parse import MAX_ENTRY_LINES, MAX_LINE_BYTES, Entry, Summary, open_log, parse_log, summarise

REAL = Path(__file__).parents[4] / "shared" / "data" / "logs"
DAY = datetime.date(2026, 1, 2)
INDIA = datetime.timezone(datetime.timedelta(hours=5, minutes=30))


def at(
    hour: int, minute: int = 0, second: int = 0, microsecond: int = 0, zone: datetime.timezone | None = None
) -> datetime.datetime:
    """A time on the first of January 2026."""
    return datetime.datetime(2026, 1, 1, hour, minute, second, microsecond, zone)


UTC = datetime.timezone.utc
LINES = {
    "<34>1 2026-01-01T10:00:00.5Z host su 42 ID47 - it failed": Head(
        "syslog-5424", at(10, 0, 0, 500_000, zone=UTC), "critical", "su", "it failed"
    ),
    r'<165>1 2026-01-01T10:00:00.000003+05:30 h app - - [a@1 x="\]"][b@1] ' + "\ufefftext": Head(
        "syslog-5424", at(10, 0, 0, 3, zone=INDIA), "notice", "app", "text"
    ),
    "<13>1 - - - - - -": Head("syslog-5424", None, "notice", None, ""),
    "<34>Jan  1 10:00:00 host su[42]: it failed": Head("syslog-3164", at(10), "critical", "su", "it failed"),
    "Jan  1 10:00:00 host sshd[42]: error: no route": Head("syslog-3164", at(10), "error", "sshd", "error: no route"),
    "Jan  1 10:00:00 host kernel: up": Head("syslog-3164", at(10), None, "kernel", "up"),
    "2026-01-01T10:00:00.25+05:30 host cron[9]: done": Head(
        "syslog-iso", at(10, 0, 0, 250_000, zone=INDIA), None, "cron", "done"
    ),
    "[Thu Jan 01 10:00:00 2026] [error] [client 10.0.0.1] no such file": Head(
        "apache", at(10), "error", None, "no such file"
    ),
    "[Thu Jan 01 10:00:00.123456 2026] [ssl:warn] [pid 4:tid 5] [client ::1:80] AH01: [x] odd": Head(
        "apache", at(10, 0, 0, 123_456), "warning", "ssl", "AH01: [x] odd"
    ),
    "[Thu Jan  1 10:00:00 2026] [:emerg] down": Head("apache", at(10), "critical", None, "down"),
    "2026/01/01 10:00:00 [crit] 42#7: *9 open() failed": Head("nginx", at(10), "critical", None, "*9 open() failed"),
    "2026-01-01 10:00:00,500 FATAL [main] org.x.App: text": Head(
        "log4j", at(10, 0, 0, 500_000), "critical", "org.x.App", "text"
    ),
    "2026-01-01 10:00:00,500 [a b] WARN  org.x.App - text": Head(
        "log4j", at(10, 0, 0, 500_000), "warning", "org.x.App", "text"
    ),
    "2026-01-01 10:00:00 [INFO] app: text": Head("log4j", at(10), "info", "app", "text"),
    "2026-01-01 10:00:00,001 - a.b - ERROR - text": Head("python", at(10, 0, 0, 1_000), "error", "a.b", "text"),
    "CRITICAL:root:a: b": Head("python", None, "critical", "root", "a: b"),
    '{"time": "2026-01-01T10:00:00Z", "level": "error", "logger": "app", "message": "text"}': Head(
        "json", at(10, zone=UTC), "error", "app", "text"
    ),
    '{"ts": 1767261600.5, "lvl": "WARN", "msg": {"b": 1}, "stack": "a\\nb"}': Head(
        "json", at(10, 0, 0, 500_000, zone=UTC), "warning", None, '{"b": 1}', "a\nb"
    ),
    '{"time": 1767261600000, "level": 50, "msg": "text", "name": "pino"}': Head(
        "json", at(10, zone=UTC), "error", "pino", "text"
    ),
    '{"time": "soon", "level": "chatty", "msg": ""}': Head("json", None, None, None, ""),
}


@pytest.mark.parametrize("line", list(LINES))
def test_a_line_of_each_format_is_read(line: str) -> None:
    """Time, level, program and text are where the format has them."""
    assert read_head(line, DAY) == LINES[line]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "some text",
        "Feb 30 10:00:00 host app: no such day",
        "Foo  1 10:00:00 host app: no such month",
        "2026-01-01 25:00:00,000 INFO [main] App: no such hour",
        "2026-01-01 10:00:00,000 Hello [main] App: no such level",
        '{"level": "info", "message": "cut',
        '{"neither": "level nor message"}',
        '{"time": 1e300, "level": "info"}',
        '{"a":' * 100_000,
        "<999",
        "[1, 2]",
    ],
    ids=lambda line: line[:20],
)
def test_what_only_looks_like_a_format_is_none(line: str) -> None:
    """It is kept, without a head."""
    assert read_head(line, DAY) is None
    assert entries(line + "\n" if line else "\n") == [Entry(1, 1, None, line, "")]


def test_every_name_of_a_level_is_one_of_six() -> None:
    """Whatever its case."""
    assert {level_of(name) for name in ("TRACE", "Info", "notice", "WARN", "SEVERE", "Fatal")} == set(LEVELS)
    assert level_of("loud") is None


@given(st.datetimes(datetime.datetime(2019, 3, 2), datetime.datetime(2026, 1, 3)), st.integers(0, 360))
@example(datetime.datetime(2025, 12, 31, 23, 59, 59), 1)
@example(datetime.datetime(2024, 2, 29, 12), 400)
def test_the_year_that_syslog_leaves_out_is_found(moment: datetime.datetime, later: int) -> None:
    """From the day on which the log is read, up to a year later, also across New Year and in a leap year."""
    moment = moment.replace(microsecond=0)
    line = f"{moment:%b} {moment.day:2} {moment:%H:%M:%S} host app: text"
    head = read_head(line, moment.date() + datetime.timedelta(later))
    assert head
    assert head.time == moment


def entries(text: str | bytes) -> list[Entry]:
    """Parse a log that is at hand."""
    data = text.encode() if isinstance(text, str) else text
    return list(parse_log(io.BytesIO(data), DAY))


JAVA = """\
java.lang.IllegalStateException: outer
	at org.x.App.main(App.java:1)
	... 3 more
Caused by: java.io.IOException: inner
	at org.x.Disk.read(Disk.java:2)
"""
PYTHON = """\
Traceback (most recent call last):
  File "a.py", line 1, in f
    g()
odd.Kaboom: with a name that says nothing

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "a.py", line 2, in f
ValueError: {"not": "json of its own"}
"""


@pytest.mark.parametrize("trace", [JAVA, PYTHON], ids=["java", "python"])
@pytest.mark.parametrize("line", list(LINES))
def test_a_stack_trace_stays_with_its_line(line: str, trace: str) -> None:
    """In every format, before the next line and at the end of the file; what follows it and is none is kept."""
    first, odd, last = entries(f"{line}\n{trace}no trace\n{line}\r\n{trace.rstrip()}")
    own = LINES[line].trace
    text = f"{own}\n{trace.rstrip()}" if own else trace.rstrip()
    assert (first.head, first.trace, first.lines) == (LINES[line], text, 1 + trace.count("\n"))
    assert odd == Entry(2 + trace.count("\n"), 1, None, "no trace", "")
    assert last == first._replace(line=odd.line + 1)


def test_a_trace_without_its_line_is_kept_together() -> None:
    """As where a log was rotated in the middle of it."""
    assert entries(PYTHON + "INFO:a:b\n") == [
        Entry(1, 10, None, "Traceback (most recent call last):", PYTHON.partition("\n")[2].rstrip("\n")),
        Entry(11, 1, Head("python", None, "info", "a", "b"), "b", ""),
    ]


noise = st.lists(
    st.one_of(
        st.sampled_from([line.encode() for line in LINES]),
        st.sampled_from([line.encode() for line in (JAVA + PYTHON).splitlines()]),
        st.binary(max_size=20).map(lambda data: data.replace(b"\n", b"")),
    )
)


@example(lines=[b"\r"], end=b"\n", ended=False)
@given(lines=noise, end=st.sampled_from([b"\n", b"\r\n"]), ended=st.booleans())
def test_no_line_is_lost(lines: list[bytes], end: bytes, ended: bool) -> None:
    """Of any bytes: each line is in one entry, in order, and what has no head is there as it was."""
    data = end.join(lines) + (end if ended else b"")
    found = entries(data)
    pieces = data.split(b"\n")
    if not pieces[-1]:  # behind the end of the last line, which may be a lone CR without one
        pieces.pop()
    physical = [line.decode("utf-8", "backslashreplace").rstrip("\r") for line in pieces]
    assert sum(entry.lines for entry in found) == len(physical)
    assert [entry.line for entry in found] == [1 + sum(e.lines for e in found[:n]) for n in range(len(found))]
    for entry in found:
        first, *rest = physical[entry.line - 1 : entry.line - 1 + entry.lines]
        assert entry.text == (entry.head.message if entry.head else first)
        assert entry.trace.endswith("\n".join(rest))


def test_summary_counts_what_is_there() -> None:
    """Lines, entries, those not understood, traces, levels and programs."""
    text = "ERROR:a:x\n" + JAVA + "?\nINFO:a:y\nINFO:b:z\nJan  1 10:00:00 h c: w\n"
    assert summarise(entries(text)) == Summary(
        10, 5, 1, 1, Counter({"error": 1, "info": 2}), Counter({"a": 2, "b": 1, "c": 1})
    )


def test_a_packed_log_is_read_as_it_was(tmp_path: Path) -> None:
    """By its content, whatever its name; one that is cut or damaged is refused."""
    data = "".join(f"{line}\n" for line in LINES).encode() * 500
    path = tmp_path / "app.log"
    path.write_bytes(gzip.compress(data))
    with open_log(path) as file:
        assert list(parse_log(file, DAY)) == entries(data)
    whole = path.read_bytes()
    for broken in (whole[:-20], whole[:200] + b"\0" * 50 + whole[250:]):
        path.write_bytes(broken)
        with pytest.raises(TruncatedFileError, match="app.log is cut or damaged: "), open_log(path) as file:
            list(parse_log(file, DAY))
    path.write_bytes(data)
    with open_log(path) as file:
        assert list(parse_log(file, DAY)) == entries(data)


class Repeated(io.RawIOBase):
    """A file of so many times the same bytes, made as they are read."""

    def __init__(self, block: bytes, times: int) -> None:
        self._blocks = itertools.repeat(block, times)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]  # any buffer will do
        block = next(self._blocks, b"")
        buffer[: len(block)] = block
        return len(block)


@pytest.mark.parametrize(
    ("block", "times", "most"),
    [
        pytest.param(b"INFO:a:" + b"x" * 4089, 4_096, 9 << 20, id="a line without an end"),
        pytest.param(b"\tat org.x.App.main\n" * 200, 500, 1 << 20, id="a trace without an end"),
        pytest.param(b"INFO:a:b\nodd\n" * 300, 100, 1 << 19, id="many lines"),
    ],
)
def test_memory_stays_flat(block: bytes, times: int, most: int) -> None:
    """Entries of bounded size are held one at a time, and yet every line counts."""
    file = cast("BinaryIO", io.BufferedReader(Repeated(block, times)))
    tracemalloc.start()
    summary = summarise(parse_log(file, DAY))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < most
    lines = block.count(b"\n") * times or len(block) * times // MAX_LINE_BYTES
    assert summary.lines == lines
    assert summary.entries >= summary.lines // MAX_ENTRY_LINES


@pytest.fixture
def real() -> Path:
    """The folder of real logs."""
    if not REAL.is_dir():
        pytest.skip("the real logs are not here: no ../shared/data/logs")
    return REAL


def grep(pattern: str, path: Path) -> int:
    """Count lines with the tool that people use."""
    done = subprocess.run(["grep", "-cE", pattern, str(path)], capture_output=True, text=True, check=False)
    return int(done.stdout)


WORDS = {
    "Apache_2k.log": {"notice": r"^\[[^]]+\] \[notice\]", "error": r"^\[[^]]+\] \[error\]"},
    "Hadoop_2k.log": {
        "info": r"^[0-9-]+ [0-9:,]+ INFO ",
        "warning": r"^[0-9-]+ [0-9:,]+ WARN ",
        "error": r"^[0-9-]+ [0-9:,]+ ERROR ",
        "critical": r"^[0-9-]+ [0-9:,]+ FATAL ",
    },
    "OpenSSH_2k.log": {"error": r"sshd\[[0-9]+\]: error: ", "critical": r"sshd\[[0-9]+\]: fatal: "},
}
APPS = {
    "Hadoop_2k.log": {
        "org.apache.hadoop.ipc.Client": r"\] org\.apache\.hadoop\.ipc\.Client: ",
        "org.apache.hadoop.hdfs.LeaseRenewer": r"\] org\.apache\.hadoop\.hdfs\.LeaseRenewer: ",
    },
    "OpenSSH_2k.log": {"sshd": r"^Dec [ 0-9]+ [0-9:]+ LabSZ sshd\["},
}


@pytest.mark.parametrize("name", sorted(WORDS))
def test_real_logs_count_as_grep_counts_them(real: Path, name: str) -> None:
    """By level and by program; every line has been understood."""
    with open_log(real / name) as file:
        summary = summarise(parse_log(file, DAY))
    assert summary.levels == {level: grep(pattern, real / name) for level, pattern in WORDS[name].items()}
    for app, pattern in APPS.get(name, {}).items():
        assert summary.apps[app] == grep(pattern, real / name)
    assert (summary.lines, summary.unparsed) == (grep("", real / name), 0)
    assert summary.traces == summary.lines - grep(r"^(\[|20[0-9]{2}-|Dec )", real / name) == 0


def test_the_traces_of_a_real_log_are_grouped_as_grep_counts_them(real: Path, tmp_path: Path) -> None:
    """Hadoop's first and last lines of traces have been joined by whoever collected them: they are broken up again."""
    path = tmp_path / "hadoop.log"
    data = (real / "Hadoop_2k.log").read_bytes()
    path.write_bytes(data.replace(b" at ", b"\n\tat ").replace(b"; ", b"\nCaused by: "))
    heads, traces = r"^[0-9-]{10} [0-9:,]{12} ", r"^(\s+at |Caused by: )"
    with open_log(path) as file:
        summary = summarise(parse_log(file, DAY))
    assert summary.entries == grep(heads, path) == 2_000
    assert summary.lines - summary.entries == grep(traces, path) > 100
    assert summary.unparsed == 0
