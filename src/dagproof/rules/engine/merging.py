"""Make one list of what the source and what importing say: what is known of loaded objects wins."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from dagproof.loaded.model import LoadedFile, Spot, Spots
from dagproof.rules import Finding, Rule
from dagproof.rules.base import FINE, Verdict


@dataclass(frozen=True)
class Judged:
    """What a rule says of one loaded DAG or task."""

    dag_id: str
    task_id: str | None
    spots: Spots
    verdict: Verdict

    def is_about(self, finding: Finding) -> bool:
        """Say whether a finding in the source speaks of the same DAG or task."""
        if finding.dag_id not in (None, self.dag_id) or bool(finding.task_id) > bool(self.task_id):
            return False
        if finding.task_id and self.task_id:
            return self.task_id == finding.task_id or self.task_id.endswith(f".{finding.task_id}")
        if self.task_id is None and finding.dag_id:
            return True
        lines = range(finding.line, finding.end_line + 1)
        return any(spot.path == finding.path and spot.line in lines for spot in self.spots)


def merged(source: list[Finding], file: LoadedFile, rules: Collection[Rule]) -> list[Finding]:
    """Return the findings of one file: those of its source, corrected by what it gave, and those that it adds."""
    left = list(source)
    for rule in rules:
        if rule.looks_at_loaded():
            mine = [finding for finding in left if finding.rule == rule.name]
            others = [finding for finding in left if finding.rule != rule.name]
            left = others + _of_rule(rule, mine, file)
    return left


def _of_rule(rule: Rule, source: list[Finding], file: LoadedFile) -> list[Finding]:
    judged = list(_judgements(rule, file))
    told: set[Judged] = set()
    kept = []
    for finding in source:
        about = [one for one in judged if one.verdict is not None and one.is_about(finding)]
        bad = [one for one in about if one.verdict != FINE]
        told.update(bad)
        if bad:
            kept.append(replace(finding, dag_id=bad[0].dag_id, task_id=bad[0].task_id, certain=True))
        elif not about:
            kept.append(finding)
    left = [one for one in judged if one.verdict and one not in told]
    kept += _told_once(rule, left, file)
    return kept + [finding for finding in rule.check_loaded(file) if not _is_told(finding, kept)]


def _judgements(rule: Rule, file: LoadedFile) -> Iterator[Judged]:
    for dag in file.dags:
        yield Judged(dag.dag_id, None, dag.spots, rule.judge_dag(dag, file))
        for task in dag.tasks:
            yield Judged(dag.dag_id, task.task_id, task.spots, rule.judge_task(task, dag, file))


def _told_once(rule: Rule, judged: list[Judged], file: LoadedFile) -> Iterator[Finding]:
    """One finding for all that is made at one place: a loop, or a factory, makes the same mistake many times."""
    places: dict[object, list[Judged]] = defaultdict(list)
    for one in judged:
        places[one.spots or one].append(one)
    for found in places.values():
        first = found[0]
        more = f" (and {len(found) - 1} more made here)" if len(found) > 1 else ""
        spots = first.spots or (Spot(file.path, 1),)
        yield rule.found_at(spots, f"{first.verdict}{more}", dag_id=first.dag_id, task_id=first.task_id)


def _is_told(finding: Finding, others: list[Finding]) -> bool:
    """Whether it was said already: on the same line, or about the same line of another file."""
    for other in others:
        if finding.via or other.via:
            if finding.via and other.via and _line(finding.cause) == _line(other.cause):
                return True
        elif other.line <= finding.line <= other.end_line:
            return True
    return False


def _line(spot: Spot) -> tuple[str, int]:
    return (spot.path, spot.line)
