"""Publish what the logs of a day hold, write the day's report, and say which apps have too many errors."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import dict_row

from etl import page
from etl.logs.formats import LEVELS
from etl.logs.settings import LogSettings
from etl.logs.stage import NO_LEVEL
from etl.paths import check_date

TABLES = ("log_files", "log_counts", "log_exceptions", "log_unparsed")

_SQL = Path(__file__).parents[1] / "sql" / "logs"
_MOST_SHOWN = 20
_LONGEST = 4_000


class Excess(NamedTuple):
    """An app with more errors than it may have."""

    app: str
    errors: int


def report_path(ds: str) -> str:
    """Return the name of a day's report, without its suffix."""
    return f"reports/monitor_errors/{check_date(ds)}"


def publish(ds: str, settings: LogSettings, connection: psycopg.Connection[Any]) -> int:
    """Make what is staged the day's result, in one transaction, and write its report.

    Returns:
        How many kinds of exceptions there are.
    """
    day = datetime.date.fromisoformat(check_date(ds))
    with connection.transaction():
        # Readers are not in the way of this lock, others who publish are.
        connection.execute("LOCK TABLE log_files IN SHARE ROW EXCLUSIVE MODE")
        for table in TABLES:
            connection.execute(f"DELETE FROM {table} WHERE dt = %s", [day])  # noqa: S608 - our own names
            connection.execute((_SQL / f"{table}.sql").read_bytes(), {"day": day})
        facts = _facts(day, connection)
    page.write_report(settings.files, report_path(ds), facts, _as_page(facts))
    return sum(app["kinds"] for app in facts["apps"])


def excesses(ds: str, settings: LogSettings, connection: psycopg.Connection[Any]) -> list[Excess]:
    """Return the apps that have more errors and worse on a day than `LOGS_MAX_ERRORS`, the worst first."""
    query = """
        SELECT app, sum(entries)::bigint AS errors FROM log_counts
        WHERE dt = %s AND level IN ('error', 'critical') GROUP BY app HAVING sum(entries) > %s ORDER BY 2 DESC, 1
    """
    rows = connection.execute(query, [check_date(ds), settings.max_errors]).fetchall()
    return [Excess(*row) for row in rows]


def alert(ds: str, settings: LogSettings, connection: psycopg.Connection[Any]) -> tuple[str, str]:
    """Return the subject of the alert about a day, and its text in HTML."""
    found = excesses(ds, settings, connection)
    worst = ", ".join(f"{app} {errors:,}" for app, errors in found)
    query = """
        SELECT app, entries, message FROM log_exceptions WHERE dt = %s AND app = ANY(%s)
        ORDER BY entries DESC, app, fingerprint LIMIT %s
    """
    rows = connection.execute(query, [check_date(ds), [excess.app for excess in found], _MOST_SHOWN]).fetchall()
    parts = [
        page.paragraph(f"More than {settings.max_errors:,} errors on {ds}: {worst}."),
        page.table(("app", "times", "what"), [(app, entries, message[:200]) for app, entries, message in rows]),
        page.paragraph(f"All of it is in {report_path(ds)}.html and in the table log_exceptions."),
    ]
    return f"monitor_errors: too many errors on {ds}: {worst}", "".join(parts)


def _facts(day: datetime.date, connection: psycopg.Connection[Any]) -> dict[str, Any]:
    """Return what the report says, ready for JSON."""
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(
            """
            SELECT
                f.app, f.lines, f.entries, f.unparsed, f.other_days,
                (SELECT count(*) FROM log_exceptions AS e WHERE e.dt = f.dt AND e.app = f.app) AS kinds,
                coalesce((SELECT jsonb_object_agg(c.level, c.entries) FROM log_counts AS c
                          WHERE c.dt = f.dt AND c.app = f.app), '{}') AS levels
            FROM log_files AS f WHERE f.dt = %s ORDER BY f.app
            """,
            [day],
        )
        apps = cursor.fetchall()
        cursor.execute(
            """
            SELECT app, level, coalesce(logger, '') AS logger, entries, message, trace FROM log_exceptions
            WHERE dt = %s ORDER BY entries DESC, app, fingerprint LIMIT %s
            """,
            [day, _MOST_SHOWN],
        )
        exceptions = [{**row, "message": row["message"][:_LONGEST], "trace": row["trace"][:_LONGEST]} for row in cursor]
    return {"day": day.isoformat(), "apps": apps, "exceptions": exceptions}


def _as_page(facts: dict[str, Any]) -> str:
    apps, levels = facts["apps"], (*LEVELS, NO_LEVEL)
    columns = ("app", "lines", *levels, "unparsed", "other days", "kinds of exceptions")
    rows = [
        (
            a["app"],
            a["lines"],
            *(a["levels"].get(level, 0) for level in levels),
            a["unparsed"],
            a["other_days"],
            a["kinds"],
        )
        for a in apps
    ]
    errors = {a["app"]: a["levels"].get("error", 0) + a["levels"].get("critical", 0) for a in apps}
    parts = [
        page.heading("Errors and worse"),
        page.bars("Errors and worse of each app", errors),
        page.heading("All logs"),
        page.table(columns, rows),
        page.heading(f"The {_MOST_SHOWN} most frequent exceptions"),
    ]
    return page.page(f"Logs of {facts['day']}", [*parts, *map(_shown, facts["exceptions"])])


def _shown(exception: dict[str, Any]) -> str:
    by = exception["logger"] or "nobody named"
    title = f"{exception['app']}, {exception['level']}, {exception['entries']:,} times, by {by}"
    return page.paragraph(title) + page.verbatim(f"{exception['message']}\n{exception['trace']}".rstrip())
