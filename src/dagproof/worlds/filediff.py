"""How a file differs from another, and where the first difference is."""

from __future__ import annotations

from dataclasses import dataclass

from dagproof.worlds.snapshot import CHUNK_BYTES, File


@dataclass(frozen=True)
class FileDiff:
    """How a file differs: ``added``, ``missing`` or ``changed``, and where the first difference is."""

    path: str
    change: str
    detail: str = ""


def diff_files(path: str, before: File | None, after: File | None) -> FileDiff | None:
    """Return how the file `path` differs; None where it does not."""
    if before is None and after is not None:
        return FileDiff(path, "added", f"{after.size:,} bytes")
    if after is None and before is not None:
        return FileDiff(path, "missing", f"{before.size:,} bytes")
    assert before is not None
    assert after is not None
    if before.chunks == after.chunks and before.size == after.size:
        return None
    return FileDiff(path, "changed", _first_difference(before, after))


def _first_difference(before: File, after: File) -> str:
    if before.content is not None and after.content is not None:
        return first_difference_of_texts(before.content, after.content)
    chunk = next(
        (i for i, (old, new) in enumerate(zip(before.chunks, after.chunks, strict=False)) if old != new),
        min(len(before.chunks), len(after.chunks)),
    )
    return f"{before.size:,} bytes, then {after.size:,}; the first difference is behind byte {chunk * CHUNK_BYTES:,}"


def first_difference_of_texts(before: bytes, after: bytes) -> str:
    """Return the first line that differs, or the byte where they are not texts."""
    if b"\0" in before[:8192] or b"\0" in after[:8192]:
        at = next((i for i, (old, new) in enumerate(zip(before, after, strict=False)) if old != new), -1)
        at = at if at >= 0 else min(len(before), len(after))
        return f"byte {at:,} of {len(before):,}"
    old_lines, new_lines = before.splitlines(), after.splitlines()
    for number, (old, new) in enumerate(zip(old_lines, new_lines, strict=False), start=1):
        if old != new:
            return f"line {number}: {_shown(old)} became {_shown(new)}"
    if len(old_lines) == len(new_lines):
        return "the line ends differ"
    lines = "line" if len(old_lines) == 1 else "lines"
    return f"{len(old_lines):,} {lines}, then {len(new_lines):,}"


def _shown(line: bytes, most: int = 60) -> str:
    text = line.decode("utf-8", "replace")
    return repr(text if len(text) <= most else text[: most - 1] + "…")
