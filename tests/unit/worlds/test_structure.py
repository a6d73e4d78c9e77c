"""Differences of structure, as data, as text and on the page."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dagproof.histories import Step
from dagproof.laws import Verdict
from dagproof.laws.verdict import FALSIFIED
from dagproof.proof.verdicts import Proof
from dagproof.report.html import html_report
from dagproof.report.text import MOST_PARTS, diff_lines, failure_text
from dagproof.stores.diff import Unstable, diff, differing_columns, unstable
from dagproof.stores.snapshot import Snapshot, Table
from dagproof.stores.structure import Part, without_names
from dagproof.stores.structurediff import StructureDiff, occurrences
from tests.support.pages import parsed

INDEX = Part("index", "(v)")
VIEW = Part("view", "", "SELECT v FROM ev WHERE v > 1;")
EV = Table("ev", ("v",), (), (b"1",))


def snapshot(**parts: tuple[Part, ...]) -> Snapshot:
    """A snapshot of a table and what is on it, or beside it."""
    return Snapshot({"ev": EV}, structure=parts)


def test_what_is_there_once_more_is_counted() -> None:
    """As data, with both numbers."""
    found = diff(snapshot(ev=(INDEX,)), snapshot(ev=(INDEX, INDEX)))
    assert found.structure == (StructureDiff("ev", "index on ev (v)", 1, 2),)
    assert found.names == {"ev"}
    assert found.to_json()["structure"] == (
        {
            "table": "ev",
            "part": "index on ev (v)",
            "before": 1,
            "after": 2,
            "detail": "",
            "definition_before": "",
            "definition_after": "",
            "change": "duplicated",
        },
    )
    assert occurrences({"ev": (INDEX, INDEX)}, found.structure[0]) == 2


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        pytest.param((INDEX,), (INDEX, INDEX), "index on ev (v)   ×1 → ×2", id="more"),
        pytest.param((INDEX, INDEX), (INDEX,), "index on ev (v)   ×2 → ×1", id="fewer"),
        pytest.param((), (INDEX,), "index on ev (v)   added", id="added"),
        pytest.param((), (INDEX, INDEX), "index on ev (v)   added ×2", id="added-twice"),
        pytest.param((INDEX,), (), "index on ev (v)   missing", id="missing"),
        pytest.param(
            (Part("column", "v", "integer"),),
            (Part("column", "v", "bigint"),),
            "column of ev v   changed: integer became bigint",
            id="changed",
        ),
        pytest.param(
            (Part("trigger", "t", "BEFORE UPDATE"),),
            (Part("trigger", "t"),),
            "trigger on ev t   changed: BEFORE UPDATE became nothing",
            id="gone",
        ),
        pytest.param(
            (Part("function", "()", "AS $$\nSELECT 1\n$$"),),
            (Part("function", "()", "AS $$\nSELECT 2\n$$"),),
            "function ev()   changed: line 2: 'SELECT 1' became 'SELECT 2'",
            id="line",
        ),
    ],
)
def test_a_difference_is_one_line(before: tuple[Part, ...], after: tuple[Part, ...], line: str) -> None:
    """With what it is on."""
    assert diff_lines(diff(snapshot(ev=before), snapshot(ev=after)), ("a", "b")) == [line]


def test_the_first_difference_of_a_long_definition_is_shown() -> None:
    """With the words before it."""
    long = ", ".join(f"column_{n}" for n in range(40))
    one, other = (Part("view", "", f"SELECT {long} FROM ev WHERE dt = '2026-01-0{n}';") for n in (1, 2))
    (line,) = diff_lines(diff(snapshot(seen=(one,)), snapshot(seen=(other,))), ("a", "b"))
    assert line == ("view seen   changed: … FROM ev WHERE dt = '2026-01-01'; became … FROM ev WHERE dt = '2026-01-02';")


def test_a_long_list_is_cut_and_says_so() -> None:
    """As with tables."""
    parts = tuple(Part("index", f"(v{n:02d})") for n in range(MOST_PARTS + 2))
    lines = diff_lines(diff(snapshot(), snapshot(ev=parts)), ("a", "b"))
    assert (len(lines), lines[-1]) == (MOST_PARTS + 1, "… and 2 more definitions")


def test_a_table_on_one_side_is_told_as_that() -> None:
    """Not once more for each of its columns."""
    found = diff(Snapshot(), snapshot(ev=(INDEX,)))
    assert [table.table for table in found.tables] == ["ev"]
    assert not found.structure


def test_fresh_runs_that_differ_there_are_named() -> None:
    """By what their structure is on; it is then not compared, and all else is."""
    found = diff(snapshot(seen=(VIEW,)), snapshot(seen=(replace(VIEW, definition="SELECT 1"),)))
    assert differing_columns(found) == frozenset({"structure of seen"})
    rough = unstable(found)
    assert rough == Unstable(structure=frozenset({"structure of seen"}))
    assert not rough.compared(snapshot(seen=(VIEW,)), snapshot())
    assert rough.compared(snapshot(seen=(VIEW,)), snapshot(ev=(INDEX,)))


@pytest.mark.parametrize(
    ("definition", "left"),
    [
        pytest.param("SELECT v FROM blue;", "SELECT v FROM …;", id="plain"),
        pytest.param("SELECT blue.v FROM blue;", "SELECT ….v FROM …;", id="column"),
        pytest.param("SELECT v FROM mart.blue;", "SELECT v FROM …;", id="schema"),
        pytest.param('SELECT v FROM "blue";', "SELECT v FROM …;", id="quoted"),
        pytest.param("SELECT v FROM bluer;", "SELECT v FROM bluer;", id="longer"),
        pytest.param("SELECT v FROM deep_blue;", "SELECT v FROM deep_blue;", id="other"),
    ],
)
def test_a_view_over_what_is_left_out_may_read_another(definition: str, left: str) -> None:
    """Its definition is compared without that name."""
    (part,) = without_names((Part("view", "", definition),), frozenset({"blue"}))
    assert part.definition == left
    assert without_names((INDEX,), frozenset({"blue"})) == (INDEX,)


def test_a_failure_shows_structure_in_the_text_and_on_the_page() -> None:
    """With how often it was there after each step."""
    found = diff(snapshot(ev=(INDEX,)), snapshot(ev=(INDEX, INDEX)))
    history = (Step("run", "2026-01-01"), Step("rerun", "2026-01-01"))
    verdict = Verdict("rerun", FALSIFIED, verdict="non-idempotent", history=history, diff=found, left=("×1", "×2"))
    text = failure_text("orders", verdict)
    assert "    index on ev (v)   ×1 → ×2\n" in text
    assert "    1  run    2026-01-01      ×1\n    2  rerun  2026-01-01      ×2  ~" in text
    page = parsed(html_report([Proof("orders", 0, (), (verdict,), 0.0)]))
    rows = [row.words for table in page.of_class("rows") for row in table.all("tbody")]
    assert rows == ["index on ev (v)×1 → ×2"]
