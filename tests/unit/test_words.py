"""What people read of dagproof is in the field's words: texts in code, pages of rules and laws, and the HTML report."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "src" / "dagproof"
#: Words that a native engineer would stumble over, with what to write instead.
INSTEAD = {
    r"mend(s|ed|ing)?": "fix",
    r"whoever": "anyone who",
    r"but for": "except",
    r"cut off": "killed, or disconnected",
    r"hangs? on": "depends on",
    r"(the|their|its) likes": "and similar",
    r"next to nothing": "almost none",
    r"(brings?|brought) forth": "produces",
    r"anyhow": "anyway, or the reason",
    r"(is|are) said": "is declared, or is configured",
    r"tells? of": "reports",
    r"(breaks?|broke) (a|the) law": "violates",
    r"meets? an error": "hits an error",
    r"for ever": "forever",
    r"anew": "again",
}
FILES = sorted([*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.html")])


def shown_texts(file: Path) -> Iterator[tuple[int, str]]:
    """Line and text of what people may read: of Python, no docstring, unless it is the page of a rule or law."""
    text = file.read_text(encoding="utf-8")
    if file.suffix != ".py":
        yield from enumerate(text.splitlines(), 1)
        return
    tree = ast.parse(text)
    described = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and {"Law", "Rule"} & {getattr(base, "id", "") for base in node.bases}:
            yield node.lineno, ast.get_docstring(node) or ""
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in described:
            yield node.lineno, node.value


@cache
def all_shown() -> tuple[tuple[str, str], ...]:
    """Place and text, on one line, of all that people may read."""
    return tuple(
        (f"{file.relative_to(PACKAGE)}:{line}", " ".join(text.split()))
        for file in FILES
        for line, text in shown_texts(file)
        if text.strip()
    )


@pytest.mark.parametrize("word", INSTEAD)
def test_people_read_the_words_of_the_field(word: str) -> None:
    """None of the worst words is in a message, a help, a page or the report."""
    pattern = re.compile(rf"\b({word})\b", re.IGNORECASE)
    found = [f"{place}: {text[:200]}" for place, text in all_shown() if pattern.search(text)]
    assert not found, f"write: {INSTEAD[word]}"


def test_messages_and_pages_are_read_and_comments_are_not(tmp_path: Path) -> None:
    """A docstring is for developers, unless it is the page of a law."""
    code = '"""Whoever."""\nNUMBER = 1\n"""Mend."""\nprint(f"mend {NUMBER}")\nclass Own(Law):\n    """Anyhow."""\n'
    file = tmp_path / "module.py"
    file.write_text(code, encoding="utf-8")
    assert [text.strip() for _, text in shown_texts(file)] == ["Anyhow.", "mend"]
