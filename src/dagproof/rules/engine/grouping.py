"""Make one of all findings that have one cause: a line of a shared module is fixed once, whatever it reaches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dagproof.rules import Finding
from dagproof.rules.base import Subject

DagsOf = Mapping[str, tuple[str, ...]]
"""The ids of the DAGs that each file makes."""


@dataclass(frozen=True)
class Group:
    """The findings of one cause, and how they are told as one."""

    told: Finding
    """Where there are several, it is told at the cause."""
    findings: tuple[Finding, ...]
    dags: tuple[str, ...]
    """The DAGs that it reaches: their ids, or the file of one whose id can't be told."""

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """Every DAG and task that it is about, once."""
        return tuple(dict.fromkeys(one for finding in self.findings for one in finding.subjects))

    @property
    def count(self) -> int:
        """How many there would be if each DAG and task were told for itself."""
        return len({(finding.path, finding.line, one) for finding in self.findings for one in finding.subjects})

    def to_json(self) -> dict[str, Any]:
        """Return it as in the JSON that ``dagproof check`` prints."""
        places = [
            {"path": one.path, "line": one.line, "dag_id": dag_id, "task_id": task_id}
            for one in self.findings
            for dag_id, task_id in one.subjects
        ]
        more = {"count": self.count, "dags": list(self.dags), "places": places}
        return {**self.told.to_json(), **more}


def grouped(findings: Iterable[Finding], dags_of: DagsOf) -> list[Group]:
    """Return findings by their cause, in the order in which they are met."""
    found: dict[object, list[Finding]] = {}
    for finding in findings:
        found.setdefault(_key(finding), []).append(finding)
    return [Group(_told(group), tuple(group), _dags(group, dags_of)) for group in found.values()]


def _key(finding: Finding) -> object:
    if finding.remedy:
        return (finding.rule, finding.remedy, finding.certain, finding.joint)
    cause = finding.cause
    return (finding.rule, cause.path, cause.line, cause.column, finding.message)


def _told(group: list[Finding]) -> Finding:
    first = next((one for one in group if one.certain), group[0])
    if len(group) == 1:
        return first
    dag_ids = {dag_id for one in group for dag_id, _ in one.subjects}
    dag_id = first.dag_id if len(dag_ids) == 1 else None
    if first.remedy:
        message = first.joint.replace("{count}", f"{len(group):,}")
        return replace(first, spot=first.remedy, message=message, dag_id=dag_id, task_id=None, via=())
    if len({(one.path, one.line) for one in group}) == 1:
        return first
    task_ids = {task_id for one in group for _, task_id in one.subjects}
    task_id = first.task_id if dag_id and len(task_ids) == 1 else None
    return replace(first, spot=first.cause, dag_id=dag_id, task_id=task_id, via=())


def _dags(group: list[Finding], dags_of: DagsOf) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for one in group:
        for dag_id, _ in one.subjects:
            found.update(dict.fromkeys([dag_id] if dag_id else dags_of.get(one.path) or [one.path]))
    return tuple(found)
