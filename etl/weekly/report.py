"""The report of a week, as a page and as JSON, made of the base tables."""

from __future__ import annotations

import datetime
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from etl import page
from etl.paths import check_date
from etl.weekly.settings import WeekSettings

_SQL = Path(__file__).parents[1] / "sql" / "weekly"
_FOLDER = "reports/weekly"


def report_path(run_day: str) -> str:
    """Return the name of the report of the run on a day, without its suffix."""
    return f"{_FOLDER}/{check_date(run_day)}"


def write_reports(run_day: str, settings: WeekSettings, connection: psycopg.Connection[Any]) -> dict[str, Any]:
    """Write the report of the week before a day, and anew each older or later one that is no longer what it says.

    Rows that were late, or corrected, may be about another week: its report must not be left behind. Who writes waits
    for whoever else does.

    Returns:
        What the report says.
    """
    files = settings.files
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('etl.weekly.report', 0))")
        facts = _facts(run_day, connection)
        page.write_report(files, report_path(run_day), facts, _as_page(facts))
        for day in _reported(files.names(_FOLDER)):
            name = report_path(day)
            if day != run_day and page.read_facts(files, name) != (other := _facts(day, connection)):
                page.write_report(files, name, other, _as_page(other))
    return facts


def summary(run_day: str, settings: WeekSettings) -> tuple[str, str]:
    """Return the subject of the e-mail about a week's report, and its text in HTML."""
    facts = page.read_facts(settings.files, report_path(run_day))
    text = f"{facts['orders']:,} orders from {facts['first']} to {facts['last']}; revenue {_money(facts['revenue'])}."
    parts = [
        page.paragraph(text),
        page.table(("file", "rows", "rejected"), [tuple(file.values()) for file in facts["landed"]]),
        page.paragraph(f"The whole report is {report_path(run_day)}.html."),
    ]
    return f"The shop's week up to {facts['last']}: {_money(facts['revenue'])}", "".join(parts)


def _reported(names: list[str]) -> list[str]:
    """Return the days of which there is a report."""
    matches = (re.fullmatch(rf"{_FOLDER}/(\d{{4}}-\d\d-\d\d)\.json", name) for name in names)
    return [match[1] for match in matches if match]


def _facts(run_day: str, connection: psycopg.Connection[Any]) -> dict[str, Any]:
    """Return what the report of a run says, ready for JSON; amounts are texts, to the cent."""
    last = datetime.date.fromisoformat(check_date(run_day)) - datetime.timedelta(days=1)
    first = last - datetime.timedelta(days=6)
    parts: dict[str, list[dict[str, Any]]] = {}
    with connection.cursor(row_factory=dict_row) as cursor:
        for part in ("days", "categories", "best", "landed", "reasons"):
            cursor.execute((_SQL / f"{part}.sql").read_bytes(), {"first": first, "last": last})
            parts[part] = cursor.fetchall()
    return {
        "first": first.isoformat(),
        "last": last.isoformat(),
        "orders": sum(day["orders"] for day in parts["days"]),
        "revenue": str(sum((Decimal(day["revenue"]) for day in parts["days"]), Decimal())),
        **parts,
    }


def _as_page(facts: dict[str, Any]) -> str:
    days, categories = facts["days"], facts["categories"]
    return page.page(
        f"The shop's week from {facts['first']} to {facts['last']}",
        [
            page.paragraph(f"{facts['orders']:,} orders; those delivered came to {_money(facts['revenue'])}."),
            page.heading("Revenue of each day"),
            page.bars("Revenue of each day", {day["day"]: float(day["revenue"]) for day in days}),
            _table(days),
            page.heading("Revenue of each category"),
            page.bars("Revenue of each category", {row["category"]: float(row["revenue"]) for row in categories}),
            page.heading("What sold best"),
            _table(facts["best"]),
            page.heading("What came, and what was rejected"),
            _table(facts["landed"]),
            _table(facts["reasons"]),
        ],
    )


def _table(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return page.paragraph("Nothing.")
    return page.table(
        list(rows[0]), [[float(v) if name == "revenue" else v for name, v in row.items()] for row in rows]
    )


def _money(amount: str) -> str:
    return f"{Decimal(amount):,.2f}"
