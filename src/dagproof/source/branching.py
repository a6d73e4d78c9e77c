"""What is left out below a branch: which tasks are skipped for each way that it may choose."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from dagproof.source.dagfile import DagFile, Task
from dagproof.source.order import successors
from dagproof.source.settings import Settings
from dagproof.source.values import followed

BRANCH = re.compile(r"airflow\..*(?:\.task\.branch\w*(?:\(\))?|\.(?:\w*Branch\w*Operator|BaseBranchOperator))$")
MOST_WAYS = 20


class Skipped(NamedTuple):
    """A task that is skipped whichever way a branch goes, or even where the branch chooses it."""

    branch: Task
    join: Task
    by: Task
    """One of the tasks right before it that are skipped."""
    is_sure: bool
    """Whether it is known that the branch chooses one way at a time."""


def skipped_joins(dagfile: DagFile) -> Iterator[Skipped]:
    """Yield each task below a branch that never runs, since it needs all of its ways."""
    branches = [task for task in dagfile.tasks if any(BRANCH.match(name) for name in task.names)]
    if not branches:
        return
    after = successors(dagfile)
    before: dict[Task, set[Task]] = {task: set() for task in dagfile.tasks}
    for task, followers in after.items():
        for one in followers:
            before[one].add(task)
    for branch in branches:
        yield from _below(branch, after, before, dagfile)


def _below(
    branch: Task, after: Mapping[Task, set[Task]], before: Mapping[Task, set[Task]], dagfile: DagFile
) -> Iterator[Skipped]:
    options = [task for task in dagfile.tasks if task in after[branch]]
    ways, is_sure = _ways(branch, options, dagfile)
    if len(options) < 2 or not ways or len(ways) > MOST_WAYS:
        return
    needs_all = {task for task in dagfile.tasks if _needs_all(task, dagfile)}
    skipped = [_skipped(way, options, after, needs_all) for way in ways]
    in_vain = [
        task
        for task in dagfile.tasks
        if (task not in options and all(task in one for one in skipped))
        or any(task in way and task in one for way, one in zip(ways, skipped, strict=True))
    ]
    for join in in_vain:
        causes = [task for task in before[join] if any(task in one for one in skipped)]
        if len(before[join]) > 1 and causes and not any(task in in_vain for task in before[join]):
            first = min(causes, key=dagfile.tasks.index)
            yield Skipped(branch, join, first, is_sure)


def _skipped(
    way: frozenset[Task], options: list[Task], after: Mapping[Task, set[Task]], needs_all: set[Task]
) -> set[Task]:
    """What is skipped where a branch goes one way: what it does not choose, and what needs that to succeed."""
    kept = set(way)
    waiting = list(way)
    while waiting:
        fresh = after[waiting.pop()] - kept
        kept |= fresh
        waiting += fresh
    found = {task for task in options if task not in kept}
    waiting = list(found)
    while waiting:
        fresh = {task for task in after[waiting.pop()] if task in needs_all} - found
        found |= fresh
        waiting += fresh
    return found


def _ways(branch: Task, options: list[Task], dagfile: DagFile) -> tuple[list[frozenset[Task]], bool]:
    """The sets of tasks that a branch may choose, and whether it is known that these are all."""
    by_id = {task.task_id: task for task in options if task.task_id}
    found: list[frozenset[Task]] = []
    for entry, _ in branch.entries:
        for result in entry.returns:
            for node in _results(result):
                nodes = node.elts if isinstance(node, ast.List | ast.Tuple) else [node]
                ids = [text for one in nodes if (text := _id(one))]
                named = frozenset(by_id[one.rpartition(".")[2]] for one in ids if one.rpartition(".")[2] in by_id)
                if named and len(ids) == len(named):
                    found.append(named)
                elif not (isinstance(node, ast.Constant) and node.value is None):
                    return [frozenset({task}) for task in options], False
    if not found:
        return [frozenset({task}) for task in options], bool(not branch.entries)
    missing = [frozenset({task}) for task in options if not any(task in way for way in found)]
    return [*found, *missing], True


def _id(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _results(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.IfExp):
        yield from (*_results(node.body), *_results(node.orelse))
    else:
        yield node


def _needs_all(task: Task, dagfile: DagFile) -> bool:
    """Whether a task surely only runs where all before it have succeeded, as it does unless another rule is given."""
    settings = Settings(task, dagfile)
    given = settings.given("trigger_rule")
    if given is None:
        return settings.has("trigger_rule") is False
    nodes = [one.node for one in followed(given, dagfile.resolver)]
    told = [
        getattr(node, "value", None) if isinstance(node, ast.Constant) else getattr(node, "attr", "") for node in nodes
    ]
    return all(str(one).lower() in ("all_success", "none_skipped") for one in told)
