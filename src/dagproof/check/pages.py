"""Write the pages of docs/rules: ``python -m dagproof.check.pages docs/rules``."""

from __future__ import annotations

import sys
from pathlib import Path

from dagproof.check.explaining import pages


def write(folder: Path) -> None:
    """Make a folder hold the page of each rule, and no other."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = pages()
    for path in folder.glob("*.md"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
