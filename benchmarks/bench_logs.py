"""How many log lines a second one core reads, in each format, and what a whole large log takes of memory.

    python benchmarks/bench_logs.py [--lines 300000] [--megabytes 0]

CPU seconds of this process count, best of three. With --megabytes 1024 a log of
that size is written to a temporary folder and read, and the peak of this process's
memory is printed. Ends with 1 if a format is read at less than 100,000 lines a second.
"""

from __future__ import annotations

import argparse
import datetime
import io
import itertools
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from etl.logs.parse import open_log, parse_log, summarise

LEAST = 100_000
DAY = datetime.date(2026, 1, 2)
TEXT = "connection to 10.0.0.{n} was closed after {n} ms by peer"
FORMATS = {
    "syslog-5424": '<34>1 2026-01-01T10:00:{s:02}.{n:06}Z host su {n} ID47 [a@1 b="c"] ' + TEXT,
    "syslog-3164": "Jan  1 10:00:{s:02} host sshd[{n}]: " + TEXT,
    "syslog-iso": "2026-01-01T10:00:{s:02}.{n:06}+05:30 host sshd[{n}]: " + TEXT,
    "apache": "[Thu Jan 01 10:00:{s:02}.{n:06} 2026] [core:error] [pid {n}] [client ::1:80] " + TEXT,
    "nginx": "2026/01/01 10:00:{s:02} [error] {n}#7: *9 " + TEXT,
    "log4j": "2026-01-01 10:00:{s:02},{m:03} ERROR [worker {n}] org.example.App: " + TEXT,
    "python": "2026-01-01 10:00:{s:02},{m:03} - app.module - ERROR - " + TEXT,
    "json": '{{"time": "2026-01-01T10:00:{s:02}.{m:03}Z", "level": "error", "logger": "app", "message": "'
    + TEXT
    + '"}}',
    "log4j with traces": "2026-01-01 10:00:{s:02},{m:03} ERROR [a] App: x\nio.DiskError: y\n\tat a.B(B.java:{n})",
    "unknown": "no format at all, " + TEXT,
}


def made(template: str, lines: int) -> bytes:
    """Return a log of about so many lines."""
    entries = lines // (1 + template.count("\n"))
    return "".join(template.format(n=n % 1_000, m=n % 1_000, s=n // 1_000 % 60) + "\n" for n in range(entries)).encode()


def rate(data: bytes) -> float:
    """Return the lines a second of the best of three."""
    best = 0.0
    for _ in range(3):
        start = time.process_time()
        summary = summarise(parse_log(io.BytesIO(data), DAY))
        best = max(best, summary.lines / (time.process_time() - start))
    assert summary.lines == data.count(b"\n")
    return best


def large(megabytes: int) -> str:
    """Read a log of so many megabytes, of all formats in turn, and return what it took."""
    block = b"".join(made(template, 1_000) for template in FORMATS.values())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.log"
        with path.open("wb") as file:
            file.writelines(itertools.repeat(block, (megabytes << 20) // len(block) + 1))
        start, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with open_log(path) as log:
            summary = summarise(parse_log(log, DAY))
        took, after = time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return (
            f"{path.stat().st_size >> 20:,} MB, {summary.lines:,} lines in {took:.0f} s "
            f"({summary.lines / took:,.0f} lines/s); peak memory {before >> 10} MB before, {after >> 10} MB after"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=300_000)
    parser.add_argument("--megabytes", type=int, default=0)
    asked = parser.parse_args()
    if asked.megabytes:
        print(large(asked.megabytes))
    rates = {name: rate(made(template, asked.lines)) for name, template in FORMATS.items()}
    print("\n".join(f"{name:<20}{found:>12,.0f} lines/s" for name, found in rates.items()))
    sys.exit(int(min(rates.values()) < LEAST))
