"""Files that were written to mislead the rules: each finding stands at its line, and there is no other.

A line ends with ``# finds: rule, rule`` where something must be found. What follows ``--- name`` is a file beside.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.unit.rules.conftest import Look

FOLDER = Path(__file__).parent / "nasty"
MARK = re.compile(r"#\s*finds:\s*([\w, -]+)$")


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.txt")))
def test_a_nasty_file_is_seen_through(look: Look, name: str) -> None:
    """All that it hides is found, and nothing that it feigns."""
    source, *others = re.split(
        r"^--- (\S+)\n", (FOLDER / f"{name}.txt").read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    files = dict(zip(others[::2], others[1::2], strict=True))
    expected = {
        (number, rule.strip())
        for number, line in enumerate(source.splitlines(), 1)
        if (mark := MARK.search(line))
        for rule in mark[1].split(",")
    }
    assert {(finding.line, finding.rule) for finding in look(source, files=files)} == expected
