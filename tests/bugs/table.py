"""The table of planted bugs and the laws that they break: ``python -m tests.bugs.table`` writes it into docs/."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.bugs.catalogue import BUGS, HEALTHY, LAWS

DAGS = Path(__file__).with_name("dags")
DOCUMENT = Path(__file__).parents[2] / "docs" / "planted-bugs.md"

HEAD = f"""# The planted bugs

{len(BUGS)} DAGs with a small and plausible bug each, and {len(HEALTHY)} that look suspicious and are healthy. They are
in [tests/bugs/dags](../tests/bugs/dags); the tests check that each bug fails as this table says, with the shortest
history, and that every healthy DAG passes. `python -m tests.bugs.table` writes this page.

A number is the length of the shortest history that violates the law. A DAG that violates a law in an obvious way
depends on its history, too; `history` is counted where it takes a randomly generated history to find the bug.

"""


def what(name: str) -> str:
    """Return the sentence with which the file of a DAG begins."""
    return str(ast.get_docstring(ast.parse((DAGS / f"{name}.py").read_text(encoding="utf-8"))))


def link(name: str) -> str:
    """Return the name of a DAG as a link to its file."""
    return f"[{name}](../tests/bugs/dags/{name}.py)"


def table() -> str:
    """Return the whole page."""
    lines = [f"| bug | {' | '.join(LAWS)} | healthy twin |", f"|---|{'---|' * len(LAWS)}---|"]
    for bug in BUGS:
        cells = [f"**{len(bug.breaks[law].history)}**" if law in bug.breaks else "" for law in LAWS]
        lines.append(f"| {link(bug.name)} | {' | '.join(cells)} | {link(bug.twin)} |")
    total = [str(sum(law in bug.breaks for bug in BUGS)) for law in LAWS]
    lines.append(f"| *bugs that break it* | {' | '.join(total)} | |")
    bugs = [f"| {link(bug.name)} | {what(bug.name)} |" for bug in BUGS]
    healthy = [f"| {link(name)} | {what(name)} |" for name in HEALTHY]
    return HEAD + "\n".join(
        [
            *lines,
            "",
            "## What each bug does",
            "",
            "| bug | what it does |",
            "|---|---|",
            *bugs,
            "",
            "## Healthy, and suspicious",
            "",
            "| DAG | what it does |",
            "|---|---|",
            *healthy,
            "",
        ]
    )


if __name__ == "__main__":
    DOCUMENT.write_text(table(), encoding="utf-8")
