"""Write the pages of rules and laws: ``python -m dagproof.explain.pages docs``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from dagproof.explain.text import law_pages, rule_pages


def write(folder: Path) -> None:
    """Make ``rules`` and ``laws`` in a folder hold the page of each rule and law, and no other."""
    _write(folder / "rules", rule_pages())
    _write(folder / "laws", law_pages())


def _write(folder: Path, pages: Mapping[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.md"):
        if path.name not in pages:
            path.unlink()
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
