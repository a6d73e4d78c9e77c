"""Text that is printed: what others wrote is shown, and neither a terminal nor GitHub obeys it."""

from __future__ import annotations

import io
import json
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagproof.output.text import as_json, open_streams, printable, say, visible

HARMFUL = [
    pytest.param("\x1b[2J", r"\x1b[2J", id="escape"),
    pytest.param("\x9b2J", r"\x9b2J", id="C1"),
    pytest.param("a\rb", r"a\rb", id="carriage-return"),
    pytest.param("\u202etxt.exe", r"\u202etxt.exe", id="bidi-override"),
    pytest.param("\u2066x\u2069", r"\u2066x\u2069", id="bidi-isolate"),
    pytest.param("a\u2028b", r"a\u2028b", id="line-separator"),
    pytest.param("a\x7f\x08b", r"a\x7f\x08b", id="delete"),
    pytest.param("\udcff", r"\udcff", id="no-UTF-8"),
    pytest.param("a\u200bb", r"a\u200bb", id="zero-width"),
]
harm = st.text(alphabet=st.sampled_from("\x1b\x9b\r\n\t:#[ a\u202e\u2066\u2028\x85\x00\udcff\u200f\ufeff"), max_size=30)


@pytest.mark.parametrize(("text", "shown"), HARMFUL)
def test_what_a_terminal_obeys_is_an_escape(text: str, shown: str) -> None:
    """In names, reports and JSON."""
    assert visible(text) == shown
    assert printable(text) == shown
    assert json.loads(as_json({"name": text})) == {"name": text}
    assert as_json(text).isprintable()


def test_a_name_is_one_line() -> None:
    """And a report has as many as it wants."""
    assert visible("a\nb\tc") == r"a\nb\tc"
    assert printable("a\nb\tc") == "a\nb\tc"
    assert visible("Ωμέγα ✓ 日本") == "Ωμέγα ✓ 日本"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        pytest.param("::error::no", r":\:error::no", id="command"),
        pytest.param("  ::add-mask::x", r"  :\:add-mask::x", id="after-blanks"),
        pytest.param("x ##[error]no", r"x #\#[error]no", id="old-command"),
        pytest.param("a::b", "a::b", id="none"),
    ],
)
def test_no_line_is_a_command_of_github(line: str, shown: str) -> None:
    """Its runner skips blanks before it looks."""
    assert printable(f"first\n{line}") == f"first\n{shown}"


@given(text=harm)
def test_nothing_harmful_is_left(text: str) -> None:
    """Whatever stands next to what."""
    report = printable(text)
    assert all(character.isprintable() or character in "\n\t" for character in report)
    assert not any(line.strip().startswith("::") or "##[" in line for line in report.split("\n"))
    assert visible(text).isprintable()
    assert "\n" not in visible(text)


@given(data=st.recursive(st.text() | harm, lambda inner: st.lists(inner) | st.dictionaries(harm, inner), max_leaves=8))
def test_json_says_the_same(data: Any) -> None:
    """Escapes change nothing."""
    assert json.loads(as_json(data, indent=2)) == data
    for line in as_json(data, indent=2).split("\n"):
        assert visible(line) == line


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        pytest.param("ascii", "+ cafe \\u65e5 x2 ...\n", id="ASCII"),
        pytest.param("latin-1", "+ café \\u65e5 ×2 ...\n", id="Latin-1"),
        pytest.param("utf-8", "✓ café 日 ×2 …\n", id="UTF-8"),
    ],
)
def test_each_encoding_can_print_a_report(monkeypatch: pytest.MonkeyPatch, encoding: str, shown: str) -> None:
    """With the nearest signs that it has."""
    out = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out, encoding))
    open_streams()
    say("✓ café 日 ×2 …")
    assert out.getvalue().decode(encoding) == shown
