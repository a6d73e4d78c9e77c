"""What a check found, as a person reads it: each cause with its lines of code, and counts by rule and by cause."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from dagproof.check.checking import Checked, listed
from dagproof.check.grouping import Group
from dagproof.output.text import printable, visible
from dagproof.rules import Finding
from dagproof.source.reading import UnreadableError, read_text

TAB = "    "
TWO_SCREENS = 90
"""Lines. What is longer is shortened, unless somebody wants all of it."""
MOST_OF_RULE = 3
MOST_CAUSES = 3
FEW = 3
"""Places from which on a cause is worth a line of the summary."""
MOST_UNREADABLE = 8
MANY = 10
"""Findings from which on somebody may rather begin with a baseline."""


def check_text(
    checked: Checked, base: Path, *, by_cause: bool = False, everything: bool = True, offers_baseline: bool = False
) -> str:
    """Return the whole report.

    Args:
        checked: what was found.
        base: the folder that its paths are relative to.
        by_cause: whether to list the lines that cause findings, rather than the findings.
        everything: whether to print each finding with its code, however many there are.
        offers_baseline: whether to name the baseline where there is much.
    """
    groups = checked.groups
    head = list(_head(checked))
    tail = [visible(f"{one.path}: not checked: {one.told}") for one in checked.unreadable]
    if not everything and len(tail) > MOST_UNREADABLE:
        tail[MOST_UNREADABLE:] = [f"… and {len(tail) - MOST_UNREADABLE:,} more not checked (--all prints them)"]
    tail.append("\n".join(_summary_lines(checked, groups, offers_baseline=offers_baseline)))
    if by_cause:
        return printable("\n\n".join([*head, *_causes(groups), *tail]))
    files = {path: text.split("\n") for path, text in checked.texts.items()}
    blocks = ["\n".join(_group_lines(group, _lines(base, group.told.path, files))) for group in groups]
    if not everything and _height([*head, *blocks, *tail]) > TWO_SCREENS:
        blocks = ["\n".join(_group_lines(group, [])) for group in groups]
        if _height(["\n".join([*head, *blocks]), *tail]) > TWO_SCREENS:
            blocks = list(_shortened(groups))
        blocks = ["\n".join(blocks)]
    return printable("\n\n".join([*head, *blocks, *tail]))


def finding_text(finding: Finding, code: list[str]) -> str:
    """Return one finding with its lines of code."""
    return printable("\n".join(_finding_lines(finding, code, _where(finding))))


def reach(group: Group) -> str:
    """Return which DAGs and tasks a cause reaches."""
    tasks = [task_id for _, task_id in group.subjects if task_id]
    of_dags = f"{_count(len(group.dags), 'DAG')}: {visible(listed(group.dags, 'DAG'))}" if group.dags else ""
    if len(tasks) < 2:
        return f"reaches {of_dags}"
    if len(group.dags) == 1:
        return visible(f"in {_count(len(tasks), 'task')} of DAG {group.dags[0]}: {listed(tasks, 'task')}")
    return f"reaches {_count(len(tasks), 'task')} of {of_dags}"


def _group_lines(group: Group, code: list[str]) -> Iterator[str]:
    where = f"  = {reach(group)}" if group.count > 1 else _where(group.told)
    yield from _finding_lines(group.told, code, where)
    if group.told.remedy and group.count > 1:
        first = group.findings[0]
        yield visible(f"  = for example {first.path}:{first.line}: {first.message}")


def _where(finding: Finding) -> str:
    told = [f"task {finding.task_id}"] * bool(finding.task_id) + [f"DAG {finding.dag_id}"] * bool(finding.dag_id)
    return visible(f"  = in {' of '.join(told)}") if told else ""


def _finding_lines(finding: Finding, code: list[str], where: str) -> Iterator[str]:
    yield _line(finding)
    yield from _frame(finding, code)
    if where:
        yield where
    for number, step in enumerate(finding.via, start=1):
        word = "cause at" if number == len(finding.via) else "through"
        yield visible(f"  = {word} {step.path}:{step.line}")


def _doubt(finding: Finding) -> str:
    """Why a finding fails nothing, where it doesn't."""
    if finding.certain:
        return "" if finding.fails else " (warning)"
    return " (doubtful)"


def _line(finding: Finding) -> str:
    doubt = _doubt(finding)
    place = f"{finding.path}:{finding.line}:{finding.column}"
    return visible(f"{place}: {finding.code} {finding.rule}{doubt}: {finding.message}")


def _frame(finding: Finding, code: list[str]) -> Iterator[str]:
    """The line, one above and one below, and a caret below its place."""
    if not 0 < finding.line <= len(code):
        return
    first, last = max(finding.line - 1, 1), min(finding.line + 1, len(code))
    width = len(str(last))
    yield f"{' ' * width} |"
    for number in range(first, last + 1):
        text = code[number - 1]
        yield f"{number:>{width}} | {visible(text.replace(chr(9), TAB))}".rstrip()
        if number == finding.line:
            before = visible(text[: finding.column - 1].replace("\t", TAB))
            yield f"{' ' * width} | {' ' * len(before)}^"
    yield f"{' ' * width} |"


def _lines(base: Path, path: str, known: dict[str, list[str]]) -> list[str]:
    if path not in known:
        try:
            known[path] = read_text(base / path).split("\n")
        except UnreadableError:
            known[path] = []
    return known[path]


def _height(blocks: Sequence[str]) -> int:
    return sum(block.count("\n") + 2 for block in blocks)


def _shortened(groups: Sequence[Group]) -> Iterator[str]:
    """The first findings of each rule, those that reach most first, and how many there are beside."""
    by_rule: dict[str, list[Group]] = defaultdict(list)
    for group in sorted(groups, key=lambda group: (not group.told.certain, -group.count)):
        by_rule[group.told.rule].append(group)
    for rule in sorted(by_rule, key=lambda rule: by_rule[rule][0].told.code):
        of_rule = by_rule[rule]
        for group in of_rule[:MOST_OF_RULE]:
            yield _line(group.told) + (f" ({reach(group)})" if group.count > 1 else "")
        if of_rule[MOST_OF_RULE:]:
            files = _count(len({group.told.path for group in of_rule[MOST_OF_RULE:]}), "file")
            yield f"  … and {len(of_rule) - MOST_OF_RULE:,} more of {rule} in {files} (--all prints them)"


def _causes(groups: Sequence[Group]) -> Iterator[str]:
    """Each line that causes findings, the one that causes most first."""
    by_line: dict[tuple[str, int], list[Group]] = defaultdict(list)
    for group in groups:
        by_line[group.told.cause.path, group.told.cause.line].append(group)
    for (path, line), caused in sorted(by_line.items(), key=lambda one: (-_sum(one[1]), one[0])):
        dags = list(dict.fromkeys(dag for group in caused for dag in group.dags))
        reached = f"{_count(len(dags), 'DAG')}: {visible(listed(dags, 'DAG'))}"
        lines = [f"{visible(path)}:{line}: {_count(_sum(caused), 'finding')} in {reached}"]
        lines += [f"  {_plain(group.told)}" for group in caused]
        yield "\n".join(lines)


def _plain(finding: Finding) -> str:
    doubt = _doubt(finding)
    return visible(f"{finding.code} {finding.rule}{doubt}: {finding.message}")


def _sum(groups: Sequence[Group]) -> int:
    return sum(group.count for group in groups)


def _head(checked: Checked) -> Iterator[str]:
    """Where imports were followed from, where that is not just the DAG folder, and what was not followed."""
    lines = []
    if checked.roots:
        lines.append(f"imports are followed from {', '.join(checked.roots)}")
    if checked.unfollowed:
        modules = list(dict.fromkeys(name for _, _, name in checked.unfollowed))
        path, line, _ = checked.unfollowed[0]
        count = _count(len(checked.unfollowed), "import")
        lines.append(
            f"{count} of the project's own modules could not be followed: {listed(modules, 'module')}, "
            f"first at {path}:{line}; name the folder that holds them in [tool.dagproof] pythonpath"
        )
    if checked.beside.shown:
        lines.append(f"beside DAG files, these were read: {checked.beside.shown} (--dags-only leaves them out)")
    if lines:
        yield "\n".join(lines)


def _summary_lines(checked: Checked, groups: Sequence[Group], *, offers_baseline: bool) -> Iterator[str]:
    counts = Counter((group.told.code, group.told.rule, group.told.certain) for group in groups)
    width = max((len(str(count)) for count in counts.values()), default=0)
    for (code, rule, is_certain), count in sorted(counts.items()):
        yield f"{count:>{width}}  {code}  {rule}{'' if is_certain else ' (doubtful)'}"
    if counts:
        yield ""
    shared = [group for group in groups if group.count >= FEW]
    if shared:
        for group in sorted(shared, key=lambda group: -group.count)[:MOST_CAUSES]:
            cause = group.told.cause
            places = f"{_count(group.count, 'place')} in {_count(len(group.dags), 'DAG')}"
            yield f"{visible(cause.path)}:{cause.line} causes {group.told.rule} at {places}"
        yield ""
    certain = sum(group.told.certain for group in groups)
    doubtful = len(groups) - certain
    found = _count(certain, "finding") + (f" and {_count(doubtful, 'doubtful finding')}" if doubtful else "")
    unread = f"; {_count(len(checked.unreadable), 'file')} could not be checked" if checked.unreadable else ""
    known = f"; {_count(checked.known, 'known finding')} in the baseline" if checked.known else ""
    yield f"{found} in {_count(checked.files, 'file')}{unread}{known}"
    if offers_baseline and len(groups) >= MANY:
        yield (
            "first run? `dagproof check --baseline dagproof-baseline.json --update-baseline` silences the known "
            "findings, so that only new ones fail; --group-by cause lists what to fix first"
        )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
