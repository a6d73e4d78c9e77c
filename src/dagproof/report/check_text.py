"""What a check found, as a person reads it: each finding with its lines of code, and a count by rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from dagproof.rules import Finding
from dagproof.rules.engine.checking import Checked
from dagproof.source.reading import UnreadableError, read_text

TAB = "    "


def check_text(checked: Checked, base: Path) -> str:
    """Return the whole report; `base` is the folder that its paths are relative to."""
    files = {path: text.split("\n") for path, text in checked.texts.items()}
    blocks = ["\n".join(_finding_lines(finding, _lines(base, finding.path, files))) for finding in checked.findings]
    blocks += [f"{one.path}: not looked at: {one.reason}" for one in checked.unreadable]
    return "\n\n".join([*blocks, "\n".join(_summary_lines(checked))])


def finding_text(finding: Finding, code: list[str]) -> str:
    """Return one finding with its lines of code."""
    return "\n".join(_finding_lines(finding, code))


def _finding_lines(finding: Finding, code: list[str]) -> Iterator[str]:
    doubt = "" if finding.certain else " (doubtful)"
    yield f"{finding.path}:{finding.line}:{finding.column}: {finding.code} {finding.rule}{doubt}: {finding.message}"
    yield from _frame(finding, code)
    where = [f"task {finding.task_id}"] * bool(finding.task_id) + [f"DAG {finding.dag_id}"] * bool(finding.dag_id)
    if where:
        yield f"  = in {' of '.join(where)}"
    for number, step in enumerate(finding.via, start=1):
        word = "read at" if number == len(finding.via) else "through"
        yield f"  = {word} {step.path}:{step.line}"


def _frame(finding: Finding, code: list[str]) -> Iterator[str]:
    """The line, one above and one below, and a caret below its place."""
    if not 0 < finding.line <= len(code):
        return
    first, last = max(finding.line - 1, 1), min(finding.line + 1, len(code))
    width = len(str(last))
    yield f"{' ' * width} |"
    for number in range(first, last + 1):
        text = code[number - 1]
        yield f"{number:>{width}} | {text.replace(chr(9), TAB)}".rstrip()
        if number == finding.line:
            before = text[: finding.column - 1].replace("\t", TAB)
            yield f"{' ' * width} | {' ' * len(before)}^"
    yield f"{' ' * width} |"


def _lines(base: Path, path: str, known: dict[str, list[str]]) -> list[str]:
    if path not in known:
        try:
            known[path] = read_text(base / path).split("\n")
        except UnreadableError:
            known[path] = []
    return known[path]


def _summary_lines(checked: Checked) -> Iterator[str]:
    counts = Counter((finding.code, finding.rule, finding.certain) for finding in checked.findings)
    width = max((len(str(count)) for count in counts.values()), default=0)
    for (code, rule, is_certain), count in sorted(counts.items()):
        yield f"{count:>{width}}  {code}  {rule}{'' if is_certain else ' (doubtful)'}"
    if counts:
        yield ""
    certain = sum(finding.certain for finding in checked.findings)
    doubtful = len(checked.findings) - certain
    found = _count(certain, "finding") + (f" and {_count(doubtful, 'doubtful one')}" if doubtful else "")
    unread = f"; {_count(len(checked.unreadable), 'file')} could not be looked at" if checked.unreadable else ""
    known = f"; {_count(checked.known, 'finding')} more in the baseline" if checked.known else ""
    yield f"{found} in {_count(checked.files, 'file')}{unread}{known}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
