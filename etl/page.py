"""A page that needs no network and no other file: tables, and bar charts in SVG. The same facts give the same bytes."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from etl.storage import Storage

_WIDTH, _ROW, _LABEL = 640, 22, 170
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;"
    "background:#fff}"
    "table{border-collapse:collapse;margin:1rem 0}th,td{padding:.25rem .75rem;border-bottom:1px solid #d0d7de;"
    "text-align:left;vertical-align:top}td.n{text-align:right;font-variant-numeric:tabular-nums}"
    "pre{white-space:pre-wrap;background:#f6f8fa;padding:.75rem;overflow-wrap:anywhere}svg text{font-size:13px}"
)


def page(title: str, parts: Iterable[str]) -> str:
    """Return a page of HTML made of parts that the functions below return."""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>\n'
        f"<body><h1>{html.escape(title)}</h1>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def heading(text: str) -> str:
    """Return a heading."""
    return f"<h2>{html.escape(text)}</h2>"


def paragraph(text: str) -> str:
    """Return a paragraph."""
    return f"<p>{html.escape(text)}</p>"


def verbatim(text: str) -> str:
    """Return text as it is, such as a stack trace."""
    return f"<pre>{html.escape(text)}</pre>"


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a table; numbers stand to the right."""
    head = "".join(f"<th>{html.escape(column)}</th>" for column in columns)
    body = "".join("<tr>" + "".join(map(_cell, row)) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def bars(title: str, values: Mapping[str, float]) -> str:
    """Return a chart with a bar for each value, none of them below zero."""
    most = max([*values.values(), 0]) or 1
    height = _ROW * len(values)
    marks = []
    for number, (label, value) in enumerate(values.items()):
        y = number * _ROW
        length = round((_WIDTH - _LABEL - 110) * value / most, 1)
        marks.append(
            f'<text x="{_LABEL - 8}" y="{y + 15}" text-anchor="end">{html.escape(label)}</text>'
            f'<rect x="{_LABEL}" y="{y + 3}" width="{length}" height="{_ROW - 6}" fill="#0969da"/>'
            f'<text x="{_LABEL + length + 6}" y="{y + 15}">{_number(value)}</text>'
        )
    return (
        f'<svg role="img" aria-label="{html.escape(title)}" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" '
        f'height="{height}">{"".join(marks)}</svg>'
    )


def write_report(storage: Storage, name: str, facts: Mapping[str, Any], text: str) -> None:
    """Write a report and its facts, `name` with `.html` and `.json` at its end; each appears whole or not at all."""
    files = {".json": json.dumps(facts, ensure_ascii=False, indent=2, sort_keys=True) + "\n", ".html": text}
    for suffix, content in files.items():
        with storage.writing(f"{name}{suffix}") as file:
            file.write(content.encode())


def read_facts(storage: Storage, name: str) -> dict[str, Any]:
    """Return the facts of a report.

    Raises:
        MissingFileError: there is no such report. StorageError: it cannot be read.
    """
    with storage.reading(f"{name}.json") as file:
        facts: dict[str, Any] = json.loads(file.read())
    return facts


def _cell(value: Any) -> str:
    if isinstance(value, int | float):
        return f'<td class="n">{_number(value)}</td>'
    return f"<td>{html.escape(str(value))}</td>"


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"
