"""Reports are pages that show what they are given, and nothing that it would do."""

from __future__ import annotations

import html.parser

from hypothesis import given
from hypothesis import strategies as st

from etl import page
from etl.storage import Storage

VOID = {"meta", "rect"}
KNOWN = {"html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "pre", "svg", "text", "rect"}
KNOWN |= {"table", "thead", "tbody", "tr", "th", "td"}


class Reader(html.parser.HTMLParser):
    """Reads a page, sees whether its elements are closed, and keeps its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@given(st.text(st.characters(exclude_categories=["C"], exclude_characters="\xa0")))
def test_any_text_is_shown_as_it_is(text: str) -> None:
    """In each part of a page; none of it becomes an element."""
    parts = [
        page.heading(text),
        page.paragraph(text),
        page.verbatim(text),
        page.table([text], [[text]]),
        page.bars(text, {text: 1}),
    ]
    seen = Reader(page.page(text, parts))
    assert seen.open == []
    assert seen.tags <= KNOWN
    assert seen.text.count(text) >= 8


def test_bars_are_as_long_as_their_values() -> None:
    """Beside each other, also where all are zero."""
    chart = page.bars("Sales", {"a": 50, "b": 100.5, "c": 0})
    assert [part.split('"')[0] for part in chart.split(' width="')[2:]] == ["179.1", "360.0", "0.0"]
    assert ">100.50<" in chart
    assert 'width="0.0"' in page.bars("Sales", {"a": 0})
    assert page.bars("Sales", {}).startswith('<svg role="img" aria-label="Sales"')


def test_a_report_and_its_facts_lie_side_by_side(storage: Storage) -> None:
    """Named by its day."""
    page.write_report(storage, "reports/2026-01-31", {"b": "ü", "a": 1}, "<p>")
    assert storage.names() == ["reports/2026-01-31.html", "reports/2026-01-31.json"]
    with storage.reading("reports/2026-01-31.html") as file:
        assert file.read() == b"<p>"
    assert page.read_facts(storage, "reports/2026-01-31") == {"a": 1, "b": "ü"}
