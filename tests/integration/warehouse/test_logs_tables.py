"""What is published of a day's logs is what is in them, whatever is in them."""

from __future__ import annotations

import datetime
import io
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from etl.errors import InputError
from etl.logs.land import raw_log
from etl.logs.parse import parse_log, summarise
from etl.logs.report import alert, excesses, publish
from etl.logs.settings import LogSettings
from etl.logs.stage import create_tables, drop_staged, stage_logs

pytestmark = pytest.mark.one_server

DAY = "2026-01-02"
APPS = ("a", "b")
PIECES = [
    b"2026-01-02 10:00:00,500 ERROR [main] App: it took 12 ms\n",
    b"2026-01-02 10:00:00,500 ERROR [main] App: it took 345 ms\n",
    b"2026-01-02T23:30:00-01:00 host app[1]: error: on the next day in UTC\n",
    b"[Fri Jan 02 10:00:00 2026] [notice] done\n",
    b"<34>Jan  1 10:00:00 host su[42]: on the day before\n",
    b'{"level": "fatal", "message": "half a character \\ud800, and none: \\u0000", "stack": "a\\nb"}\n',
    b"INFO:app:without a time\n",
    b"java.lang.IllegalStateException: outer\n\tat org.x.App.main(App.java:1)\n",
    b"none \0 of these\n",
    b"\xff\xfe\n",
    b"\n",
]
logs = st.lists(st.sampled_from(PIECES), max_size=25).map(b"".join)


def published(database: psycopg.Connection[Any], root: Path, first: bytes, second: bytes, source: str) -> LogSettings:
    """Stage and publish two logs."""
    found = LogSettings(str(root), source, APPS, max_errors=2)
    for app, data in zip(APPS, (first, second), strict=True):
        path = root / raw_log(app, DAY)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    drop_staged(DAY, database)
    create_tables(database)
    stage_logs(DAY, found, database)
    publish(DAY, found, database)
    return found


def one(database: psycopg.Connection[Any], query: str, app: str) -> tuple[Any, ...]:
    row = database.execute(query, {"app": app}).fetchone()
    assert row
    return tuple(row)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(first=logs, second=logs)
@example(first=b"".join(PIECES), second=b"")
def test_what_is_published_is_what_is_there(
    warehouse: psycopg.Connection[Any], tmp_path: Path, first: bytes, second: bytes
) -> None:
    """Lines, entries and levels as they are counted without a database; exceptions and unparsed lines add up."""
    found = published(warehouse, tmp_path, first, second, "generator")
    for app, data in zip(APPS, (first, second), strict=True):
        entries = list(parse_log(io.BytesIO(data), datetime.date.fromisoformat(DAY)))
        summary = summarise(entries)
        heads = [(entry.head, entry.trace) for entry in entries if entry.head]
        of_files = one(warehouse, "SELECT lines, entries, unparsed, other_days FROM log_files WHERE app = %(app)s", app)
        assert of_files == (summary.lines, len(heads), summary.unparsed, 0)
        assert summary.lines == data.count(b"\n")
        levels = dict(warehouse.execute("SELECT level, entries FROM log_counts WHERE app = %s", [app]).fetchall())
        without = len(heads) - sum(summary.levels.values())
        assert levels == {**summary.levels, **({"none": without} if without else {})}
        exceptional = sum(bool(trace) or head.level in ("error", "critical") for head, trace in heads)
        query = "SELECT coalesce(sum(entries), 0)::int FROM log_exceptions WHERE app = %(app)s"
        assert one(warehouse, query, app) == (exceptional,)
        kept = sum(entry.lines for entry in entries if entry.head is None)
        query = "SELECT coalesce(sum(lines), 0)::int FROM log_unparsed WHERE app = %(app)s"
        assert one(warehouse, query, app) == (kept,)
    bad = {excess.app: excess.errors for excess in excesses(DAY, found, warehouse)}
    assert all(app in alert(DAY, found, warehouse)[0] for app in bad)
    assert all(errors > 2 for errors in bad.values())


def test_exceptions_that_differ_in_numbers_only_are_one(warehouse: psycopg.Connection[Any], tmp_path: Path) -> None:
    """The first is shown; another text, level, logger or trace is another one."""
    other = PIECES[0].replace(b"took", b"costs") + PIECES[0].replace(b"App", b"Other") + PIECES[0] + PIECES[7]
    published(warehouse, tmp_path, PIECES[1] + PIECES[0] * 2 + other, b"", "generator")
    query = "SELECT logger, message, entries, first_line, trace <> '' FROM log_exceptions ORDER BY first_line"
    assert warehouse.execute(query).fetchall() == [
        ("App", "it took 345 ms", 3, 1, False),
        ("App", "it costs 12 ms", 1, 4, False),
        ("Other", "it took 12 ms", 1, 5, False),
        ("App", "it took 12 ms", 1, 6, True),
    ]


def test_of_a_log_that_goes_on_for_days_one_day_is_taken(warehouse: psycopg.Connection[Any], tmp_path: Path) -> None:
    """In UTC where the log has time zones; what tells no time goes with the line before. Nothing is in two days."""
    log = PIECES[4] + PIECES[8] + PIECES[0] + PIECES[6] + PIECES[8] + PIECES[2] + PIECES[9]
    published(warehouse, tmp_path, log, b"", "/logs/{app}.log")
    query = "SELECT lines, entries, unparsed, other_days FROM log_files WHERE app = 'a'"
    assert warehouse.execute(query).fetchall() == [(7, 2, 1, 4)]
    assert warehouse.execute("SELECT line, text FROM log_unparsed").fetchall() == [(5, "none ␀ of these")]


def test_days_do_not_touch_each_other(warehouse: psycopg.Connection[Any], tmp_path: Path) -> None:
    """Nor does staging again touch what is published."""
    found = published(warehouse, tmp_path, PIECES[0], b"", "generator")
    before = warehouse.execute("SELECT * FROM log_exceptions").fetchall()
    (tmp_path / "raw/logs/2026-01-02").rename(tmp_path / "raw/logs/2026-01-03")
    stage_logs("2026-01-03", found, warehouse)
    drop_staged(DAY, warehouse)
    publish("2026-01-03", found, warehouse)
    assert warehouse.execute("SELECT * FROM log_exceptions WHERE dt = %s", [DAY]).fetchall() == before
    assert warehouse.execute("SELECT count(*) FROM log_exceptions").fetchall() == [(2,)]
    with pytest.raises(InputError, match=r"raw/logs/2026-01-02/a.log has not been landed; clear download_a"):
        stage_logs(DAY, found, warehouse)
