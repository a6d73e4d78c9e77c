"""What a check found, as annotations that GitHub shows beside the code."""

from __future__ import annotations

from dagproof.check.checking import Checked
from dagproof.check.grouping import Group
from dagproof.check.text import reach
from dagproof.output.text import printable


def check_github(checked: Checked) -> str:
    """Return a workflow command for each finding and each file that could not be looked at."""
    lines = [_annotation(group) for group in checked.groups]
    lines += [f"::error file={_property(one.path)}::{_data(one.told)}" for one in checked.unreadable]
    return "\n".join(lines)


def _annotation(group: Group) -> str:
    finding = group.told
    level = "error" if finding.fails else "warning"
    title = f"{finding.code} {finding.rule}"
    place = f"file={_property(finding.path)},line={finding.line},endLine={finding.end_line},col={finding.column}"
    way = "".join(f"\nvia {step.path}:{step.line}" for step in finding.via)
    reached = f"\n{reach(group)}" if group.count > 1 else ""
    return f"::{level} {place},title={_property(title)}::{_data(finding.message + way + reached)}"


def _data(text: str) -> str:
    return printable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
