"""What a rule is, and what it finds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from dagproof.source.dagfile import Chain, DagFile, Place, Task


@dataclass(frozen=True)
class Step:
    """One call on the way from a DAG file to the cause in another module."""

    path: str
    line: int


@dataclass(frozen=True)
class Finding:
    """One place that breaks a rule. One that is not `certain` is a warning, and fails nothing."""

    rule: str
    code: str
    path: str
    line: int
    column: int
    """From 1, in characters."""
    end_line: int
    message: str
    dag_id: str | None = None
    task_id: str | None = None
    via: tuple[Step, ...] = ()
    certain: bool = True

    def to_json(self) -> dict[str, Any]:
        """Return it as in the JSON that ``dagproof check`` prints."""
        return {
            "rule": self.rule,
            "code": self.code,
            "path": self.path,
            "line": self.line,
            "column": self.column,
            "end_line": self.end_line,
            "message": self.message,
            "dag_id": self.dag_id,
            "task_id": self.task_id,
            "via": [{"path": step.path, "line": step.line} for step in self.via],
            "confidence": "certain" if self.certain else "doubtful",
        }


class Rule(ABC):
    """A property of a DAG file. A rule is one file in this package: a subclass with these attributes.

    Its docstring explains it, under the headings ``What it does``, ``Why is this bad``, ``Example`` and
    ``Use instead``. It never runs what it looks at.
    """

    name: ClassVar[str]
    """The bad thing; it reads as "allow <name>"."""
    code: ClassVar[str]

    @abstractmethod
    def check(self, dagfile: DagFile) -> Iterator[Finding]:
        """Yield what breaks the rule in one file that makes DAGs."""

    def found(
        self,
        dagfile: DagFile,
        places: Chain,
        message: str,
        *,
        task: Task | None = None,
        dag_id: str | None = None,
        certain: bool = True,
    ) -> Finding:
        """Return the finding whose cause is the last of `places`, reached through those before it.

        It is told at the last of them that is in the DAG file; what comes after is the way to it.
        """
        place, beyond = outward(dagfile, places)
        return Finding(
            rule=self.name,
            code=self.code,
            path=dagfile.module.shown,
            line=place.line,
            column=_column(place),
            end_line=getattr(place.node, "end_lineno", None) or place.line,
            message=message,
            dag_id=dag_id or (task.dag_id if task else None),
            task_id=task.task_id if task else None,
            via=tuple(Step(step.module.shown, step.line) for step in beyond),
            certain=certain,
        )


def outward(dagfile: DagFile, places: Chain) -> tuple[Place, Chain]:
    """Split a chain of calls where it leaves the DAG file: the last place in it, and those beyond."""
    if places[-1].module is dagfile.module and all(place.module is dagfile.module for place in places):
        return places[-1], ()
    inside = next((n for n, place in enumerate(places) if place.module is not dagfile.module), len(places))
    return places[max(inside - 1, 0)], places[inside:]


def _column(place: Place) -> int:
    """The column as people count: in characters and from 1, where Python counts bytes from 0."""
    offset = getattr(place.node, "col_offset", 0)
    lines = place.module.lines
    if not 0 < place.line <= len(lines):
        return 1
    return len(lines[place.line - 1].encode()[:offset].decode(errors="ignore")) + 1
