"""Notebooks: the Python code of their cells, each line at the line of the file that it is written in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

SUFFIX = ".ipynb"
PYTHON_CELLS = ("%%time", "%%capture", "%%spark", "%%pyspark", "%%timeit")
"""Magics below which a cell is still Python."""


def python_of(text: str) -> str:
    """Return the code of a notebook's cells; nothing where it is no notebook, or not one in Python."""
    try:
        notebook = json.loads(text)
        cells = notebook["cells"]
        language = notebook.get("metadata", {}).get("language_info", {}).get("name", "python")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ""
    if language != "python" or not isinstance(cells, list):
        return ""
    written = text.split("\n")
    lines: list[str] = []
    at = 0
    for cell in cells:
        for line in _code(cell):
            if line.strip():
                at = max(_find(line, written, at), len(lines))
                lines += [""] * (at - len(lines))
                lines.append(_without_magic(line))
                at += 1
    return "\n".join(lines) + "\n"


def _find(line: str, written: list[str], start: int) -> int:
    """The number, from 0, of the line of the file in which a line of code is; `start` where that can't be told."""
    inside = json.dumps(line)[1:-1]
    plain = json.dumps(line, ensure_ascii=False)[1:-1]
    for number in range(start, len(written)):
        if inside in written[number] or plain in written[number]:
            return number
    return start


def _code(cell: Any) -> Iterator[str]:
    """The lines of a cell that are Python."""
    if not isinstance(cell, dict) or cell.get("cell_type") != "code":
        return
    source = cell.get("source", [])
    lines = source.splitlines(keepends=True) if isinstance(source, str) else [str(line) for line in source]
    if lines and lines[0].startswith("%%"):
        if not lines[0].startswith(PYTHON_CELLS):
            return
        lines = lines[1:]
    yield from lines


def _without_magic(line: str) -> str:
    """A line of code; one that only notebooks understand does nothing."""
    indent = line[: len(line) - len(line.lstrip())]
    is_magic = line.lstrip().startswith(("%", "!", "?")) or line.rstrip().endswith("?")
    return f"{indent}pass" if is_magic else line.rstrip("\n")
