"""The HTML report: what is in it, and that nothing of what it shows becomes a part of it."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagproof.errors import UsageError
from dagproof.laws import Verdict, all_laws
from dagproof.laws.verdict import FALSIFIED, PROVEN, FaultOutcome
from dagproof.proof.verdicts import Proof
from dagproof.report.html import check_writable, html_report, write_html
from dagproof.report.html_values import LONG, SHORT, shown, shown_pair
from dagproof.report.text import failure_text
from dagproof.stores.diff import Diff, Example, FileDiff, TableDiff
from tests.support.example_proofs import HOSTILE, everything
from tests.support.pages import Element, parsed

ROOT = Path(__file__).parents[3]
VALUES = st.none() | st.sampled_from(["", "NULL", "'", "''", "'NULL'", " ", HOSTILE]) | st.text(max_size=SHORT - 2)


@pytest.fixture(scope="module")
def html() -> str:
    """The page about everything."""
    return html_report(everything())


@pytest.fixture(scope="module")
def page(html: str) -> Element:
    """The same as a tree."""
    return parsed(html)


def section(page: Element, name: str) -> Element:
    """The section that a heading with this id is the title of."""
    return next(e for e in page.all("section", "article") if e.attributes.get("aria-labelledby") == name)


TWICE = next(v.history for p in everything() for v in p.verdicts if v.history)


def table_about(table: TableDiff, **more: Any) -> Element:
    """The page about one table that differs."""
    verdict = Verdict("rerun", FALSIFIED, verdict="non-idempotent", history=TWICE, diff=Diff((table,)), **more)
    return parsed(html_report([Proof("orders", 0, (), (verdict,), 0.0)]))


def test_each_verdict_stands_in_the_matrix_and_leads_to_its_section(page: Element) -> None:
    """By word and symbol, one row a DAG and one column a law."""
    matrix = page.of_class("matrix")[0]
    rows = [[cell.words for cell in row.all("th", "td")] for row in matrix.all("tr")]
    assert rows == [
        ["DAG", "effect", "deterministic", "rerun"],
        ["consumer_users_daily", "✓ proven", "✓ proven", "✓ proven"],
        ["orders_daily", "✓ proven", "✗ falsified: non-deterministic", "✗ falsified: non-idempotent"],
        ["an_export_to_elsewhere_with_quite_a_long_name", "! error", "! error", "– not applicable"],
    ]
    ids = {str(element.attributes["id"]) for element in page.all() if "id" in element.attributes}
    links = [str(link.attributes["href"]) for link in matrix.all("a")]
    assert len(links) == len(set(links)) == 12
    assert {link.removeprefix("#") for link in links} <= ids


def test_every_id_is_there_once_and_every_link_stays_on_the_page(page: Element) -> None:
    """Also what labels something."""
    ids = [element.attributes["id"] for element in page.all() if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    links = [str(link.attributes["href"]) for link in page.all("a")]
    assert {link[:1] for link in links} == {"#"}
    labels = [e.attributes["aria-labelledby"] for e in page.all() if "aria-labelledby" in e.attributes]
    assert {link[1:] for link in links} | set(labels) <= set(ids)


def test_a_failure_reads_as_in_the_terminal(page: Element) -> None:
    """Word for word, in a block to copy."""
    blocks = [block.text for block in page.all("pre")]
    for proof in everything():
        for verdict in proof.verdicts:
            if verdict.outcome == FALSIFIED:
                assert failure_text(proof.dag_id, verdict) in blocks


def test_an_error_is_told_once(page: Element) -> None:
    """And the other laws that met it lead there."""
    assert sum("no disk" in block.text for block in page.all("pre")) == 1
    assert "The same error as for effect." in section(page, "dag-3-deterministic").words


def test_one_cause_is_told_once_and_what_is_often_meant_first() -> None:
    """The other laws have their histories, and lead to the first; a line to paste is in its words."""
    rerun = Verdict("rerun", FALSIFIED, verdict="non-idempotent", history=TWICE, diff=Diff(), hint="only x:\n\n    y")
    retry = replace(rerun, law="retry", verdict="not retry-safe", same_as="rerun")
    page = parsed(html_report([Proof("orders", 0, (), (rerun, retry), 0.0)]))
    assert sum(block.text.startswith("orders is not") for block in page.all("pre")) == 1
    assert next(page.all("pre")).text.rstrip() == "only x:\n\ny"
    assert "As rerun." in section(page, "dag-1-retry").words
    assert [a.attributes["href"] for a in section(page, "dag-1-retry").all("a")] == ["#dag-1-rerun"]


def test_a_verdict_can_say_it_in_its_own_words() -> None:
    """What happened, what is compared, and who asked for what makes runs differ."""
    table = TableDiff("t", 1, 1, changed=1, columns=("b",), examples=(Example("changed", {"a": "1"}, "b", "x", "y"),))
    page = table_about(table, headline="Half of it", sides=("whole", "half"), asked=("the time, at a.py:1",))
    assert "Half of it. Depends on the time, at a.py:1" in page.words
    assert "whole: 1 row, half: 1 row" in page.words
    titles = next(page.of_class("rows")[0].all("thead"))
    assert [title.words for title in titles.all("th")] == ["change", "a", "column", "whole", "half"]


def test_the_history_is_a_list_of_steps(page: Element) -> None:
    """With the date, what is left, and where it is wrong."""
    steps = [step.words for step in section(page, "dag-2-rerun").of_class("timeline")[0].all("li")]
    assert steps == [
        "run for the date 2026-01-01 leaves 1,000 rows",
        "run for the date 2026-01-02 leaves 1,500 rows",
        "rerun for the date 2026-01-01 leaves 2,000 rows ✗ not what it should be",
    ]
    assert "3 steps, shrunk from 9" in section(page, "dag-2-rerun").words


def test_what_was_not_compared_and_not_tried_is_said(page: Element) -> None:
    """Also that there is none of it."""
    facts = [[fact.words for fact in dag.of_class("facts")[0].all("div")] for dag in page.of_class("dag")]
    assert facts[0][1] == "Not compared, as configured users_daily.loaded_at, reports/*.html"
    assert facts[1][1] == "Not compared, as configured none"
    others = [law.name for law in all_laws() if law.name not in ("effect", "deterministic", "rerun")]
    assert facts[1][2] == f"Laws not tried {', '.join(others) or 'none'}"
    noisy = section(page, "dag-1-rerun").words
    assert "Compared 1 table: users (1,000 rows); 1 file: raw/users.csv (1 byte)" in noisy
    assert (
        "Left out not compared: reports/*.html (ignore); not compared, as fresh runs differ there: users.loaded_at; "
        "publish ran in no history (skipped)"
    ) in noisy
    assert "Compared nothing Left out nothing" in section(page, "dag-1-effect").words
    short = replace(everything()[0], verdicts=everything()[0].verdicts[:1])
    words = parsed(html_report([short])).of_class("facts")[0].words
    assert f"Laws not tried {', '.join(law.name for law in all_laws() if law.name != 'effect')}" in words


def test_proven_and_not_applicable_have_their_reasons(page: Element) -> None:
    """Over how many histories, or why not."""
    assert "Proven over 6 histories of these dates: running a date again" in section(page, "dag-1-rerun").words
    assert "Not applicable: the run writes nothing, so there" in section(page, "dag-3-rerun").words


def test_what_a_law_left_out_is_told(page: Element) -> None:
    """Where it is about points of a run, with the map of those."""
    effect, deterministic = section(page, "dag-2-effect").words, section(page, "dag-2-deterministic").words
    assert "Left out the run for 2026-02-01 writes nothing" in effect
    assert "Left out: 56 of 60 CopyData messages" in deterministic
    assert ("Fault map" in effect, "Fault map" in deterministic) == (False, True)


def test_rows_that_are_left_out_are_counted(page: Element) -> None:
    """Above the rows that are there."""
    diff = section(page, "dag-2-rerun").of_class("rows")[0]
    assert "200 of 1,000 differing rows are shown, the others are left out." in next(diff.all("caption")).words
    assert len([body for body in diff.all("tbody") if "hidden" not in body.attributes]) == 200


def test_a_row_shows_all_columns_that_changed(page: Element) -> None:
    """A line each, with both values."""
    diff = section(page, "dag-2-deterministic").of_class("rows")[0]
    changed = next(body for body in diff.all("tbody") if body.attributes["data-row"] == "changed")
    lines = [[cell.text for cell in row.all("td")] for row in changed.all("tr")]
    assert lines == [["8", HOSTILE, "", "note", "NULL", "''"], ["total", "10.00", "12.50"]]


def test_the_fault_map_is_in_order_and_says_what_is_missing(page: Element) -> None:
    """Each message with what survived a crash at it, and at its reply."""
    wire, file = section(page, "dag-2-deterministic").of_class("faults")
    rows = [[cell.words for cell in row.all("th", "td")] for row in wire.all("tr")]
    assert rows == [
        ["#", "message", "crash at the message", "crash at the reply"],
        ["3", "DELETE FROM orders", "○ old rows", "○ old rows"],
        ["4", "COMMIT", "○ old rows", "◐ a part, healed 0 of 1,000 rows"],
        ["5", "COPY orders", "◐ a part, healed", "◐ a part, not healed it waits for ever"],
        ["⋮", "56 messages not tried"],
        ["62", "COMMIT", "◐ a part, healed", "● new rows"],
    ]
    assert [row.words for row in file.all("tr")][1] == "1 open orders.csv.part ○ old rows ◌ old rows, scratch"
    words = section(page, "dag-2-deterministic").words
    assert "12 points tried: 4 left the old rows, 2 left the new rows, 4 left a part of them" in words
    assert "after 1 of them the rerun did not heal it" in words
    assert "Left out: 56 of 60 CopyData messages: they are alike" in words
    assert "a rerun led to the same rows each time" in section(page, "dag-1-rerun").words


def test_errors_are_on_the_fault_map_as_kills_are() -> None:
    """Each with its name, and with what a green run has lost."""
    faults = (
        FaultOutcome("connect", 1, "error", "connect to PostgreSQL", "load", "lost", False, "", "connection refused"),
        FaultOutcome("wire", 3, "error", "DELETE FROM t", "load", "old", True, "each time", "connection lost"),
        FaultOutcome("wire", 3, "error", "DELETE FROM t", "load", "new", True, "", "deadlock"),
    )
    verdict = Verdict("outage", PROVEN, histories=3, faults=faults)
    page = parsed(html_report([Proof("orders", 0, (), (verdict,), 0.0)]))
    connect, wire = page.of_class("faults")
    assert [cell.words for cell in next(iter(connect.all("tr"))).all("th")] == ["#", "connection", "error"]
    assert list(connect.all("tr"))[1].words == (
        "1 connect to PostgreSQL connection refused ✗ green without its rows, not healed"
    )
    assert list(wire.all("tr"))[1].words == ("3 DELETE FROM t connection lost ○ old rows each time deadlock ● new rows")
    assert "1 left other rows after a green run" in page.words


def test_the_page_can_be_heard(page: Element) -> None:
    """A language, a title, headings without a gap, tables with a caption and scopes, boxes that scroll have a name."""
    (root,) = page.all("html")
    assert root.attributes["lang"] == "en"
    assert next(page.all("title")).text.startswith("dagproof: consumer_users_daily, orders_daily")
    levels = [int(heading.tag[1]) for heading in page.all("h1", "h2", "h3", "h4")]
    assert levels.count(1) == 1
    assert all(below <= above + 1 for above, below in pairwise(levels))
    for table in page.all("table"):
        assert next(table.all("caption")).words
        assert all("scope" in cell.attributes for cell in table.all("th"))
    for box in page.of_class("scroll"):
        assert (box.attributes["tabindex"], bool(box.attributes["aria-label"])) == ("0", True)


def test_the_page_needs_nothing_else(html: str, page: Element) -> None:
    """It names no other place, and its policy lets in its own style and script alone."""
    for element in page.all():
        assert not {"src", "srcset", "action", "style"} & element.attributes.keys()
        assert not [name for name in element.attributes if name.startswith("on")]
    assert "@import" not in html
    assert "url(" not in html
    policy = next(str(meta.attributes["content"]) for meta in page.all("meta") if "http-equiv" in meta.attributes)
    assert policy.startswith("default-src 'none'; ")
    for tag in ("style", "script"):
        (element,) = page.all(tag)
        digest = base64.b64encode(hashlib.sha256(element.text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_the_page_is_small(html: str) -> None:
    """What is not rows is less than 40 kB."""
    assert len(html_report(everything()[:1]).encode()) < 40_000
    assert len(html.encode()) < 150_000


def test_the_same_proofs_give_the_same_page(html: str) -> None:
    """In any process: the order of sets does not show."""
    program = (
        "import hashlib; from tests.support.example_proofs import everything;"
        "from dagproof.report.html import html_report;"
        "print(hashlib.sha256(html_report(everything()).encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in "12"
    }
    assert digests == {hashlib.sha256(html.encode()).hexdigest()}


@given(VALUES, VALUES)
def test_two_values_never_look_the_same(one: str | None, other: str | None) -> None:
    """NULL, the empty text and the text NULL are three things; so are a blank at the end and none."""
    assert (shown(one) == shown(other)) == (one == other)


@given(VALUES)
def test_a_value_is_text_and_nothing_else(value: str | None) -> None:
    """No element comes out of it, and nothing that cannot be seen or turns the direction."""
    root = parsed(shown(value))
    assert {element.tag for element in root.all()} <= {"bdi", "span"}
    assert root.text.isprintable()


@given(st.text(min_size=1, max_size=40))
def test_names_are_text_as_well(name: str) -> None:
    """Of DAGs, tables, columns and files, also where they are a part of an attribute."""
    table = TableDiff(name, 0, 1, added=1, examples=(Example("added", {name: "x"}),))
    verdict = Verdict(
        "rerun",
        FALSIFIED,
        verdict="non-idempotent",
        history=TWICE,
        diff=Diff((table,), (FileDiff(name, "added", name),)),
        ignored=(name,),
        written_by=name,
    )
    tags = [element.tag for element in parsed(html_report([Proof(name, 0, (), (verdict,), 0.0, (name,))])).all()]
    assert (tags.count("script"), tags.count("style"), tags.count("table"), tags.count("img")) == (1, 1, 3, 0)


@given(st.text("ab", min_size=1, max_size=3), st.text("ab", min_size=1, max_size=3), st.integers(0, 3 * LONG))
def test_long_values_begin_shortly_before_they_differ(one: str, other: str, same: int) -> None:
    """So that the difference is shown, wherever it is."""
    before, after = shown_pair("x" * same + one, "x" * same + other)
    assert (before == after) == (one == other)


def test_a_very_long_value_is_cut_and_says_so() -> None:
    """Its beginning at once, more on demand, and the number of what is not there."""
    table = TableDiff("t", 0, 1, added=1, examples=(Example("added", {"a": "y" * 10_000}),))
    cell = next(table_about(table).of_class("rows")[0].all("td"))
    assert next(cell.all("summary")).words == "y" * SHORT + "… 10,000 characters"
    assert cell.words.endswith("… 8,000 more characters")
    assert cell.text.count("y") == SHORT + LONG


def test_a_page_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """Over an older one, and no part of it stays behind."""
    target = tmp_path / "proof.html"
    write_html(target, [])
    write_html(target, everything())
    assert target.read_text(encoding="utf-8") == html_report(everything())
    with pytest.raises(UsageError, match="cannot be written to .* name another file"):
        write_html(tmp_path / ("x" * 300), everything())
    assert [path.name for path in tmp_path.iterdir()] == ["proof.html"]


def test_a_name_that_is_no_text_can_be_written(tmp_path: Path) -> None:
    """A file's name can be any bytes."""
    verdict = Verdict("rerun", FALSIFIED, history=TWICE, diff=Diff(files=(FileDiff("\udcff", "added"),)))
    write_html(tmp_path / "proof.html", [Proof("orders", 0, (), (verdict,), 0.0)])
    assert r"\udcff" in (tmp_path / "proof.html").read_text(encoding="utf-8")


def test_where_nothing_can_be_written_is_said_before(tmp_path: Path) -> None:
    """A folder that is not there, or a folder instead of a file."""
    with pytest.raises(UsageError, match=r"there is no folder .*/nowhere for the report proof\.html; create it"):
        check_writable(tmp_path / "nowhere" / "proof.html")
    with pytest.raises(UsageError, match=r"is a folder, not a regular file; name another .*/proof\.html"):
        check_writable(tmp_path)
    check_writable(tmp_path / "proof.html")
