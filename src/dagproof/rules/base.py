"""What a rule is, and what it finds."""

from __future__ import annotations

import copy
from abc import ABC
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

from dagproof.loaded.model import LoadedDag, LoadedFile, LoadedFolder, LoadedTask, Spot, Spots
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


@dataclass(frozen=True)
class SourceFile:
    """What one file's source tells of it that matters for the others."""

    path: str
    dags: tuple[tuple[str, Spot], ...] = ()
    """The ids of the DAGs that it surely makes, and where."""
    dormant: tuple[tuple[str, Spot], ...] = ()
    """The functions at its top level that make DAGs, and that nothing in it speaks of."""
    imported: bool = False
    """Whether another file imports something of its name."""
    skipped: bool = False
    """Whether Airflow skips it, since it does not speak of both Airflow and DAGs."""


Verdict: TypeAlias = str | None
"""What a rule says of a loaded DAG or task: what is wrong, nothing (``FINE``), or None where it can't tell."""
FINE = ""


class Rule(ABC):
    """A property of a DAG file. A rule is one file in this package: a subclass with these attributes.

    Its docstring explains it, under the headings ``What it does``, ``Why is this bad``, ``Example`` and
    ``Use instead``. It never runs what it looks at. It may look at the source, at what importing the file gave, or
    at both; what it can tell of a loaded DAG or task takes the place of what its source seems to say.
    """

    name: ClassVar[str]
    """The bad thing; it reads as "allow <name>"."""
    code: ClassVar[str]
    needs_import: ClassVar[bool] = False
    """Whether it sees nothing in the source alone."""
    options: ClassVar[Mapping[str, Any]] = {}
    """What can be set in ``[tool.dagproof.rules.<name>]``, with the defaults."""

    def __init__(self) -> None:
        self.chosen: Mapping[str, Any] = {}

    def with_options(self, chosen: Mapping[str, Any]) -> Rule:
        """Return the same rule with other options."""
        twin = copy.copy(self)
        twin.chosen = chosen
        return twin

    def option(self, name: str) -> Any:
        """Return what an option is worth."""
        return self.chosen.get(name, self.options[name])

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    @classmethod
    def looks_at_loaded(cls) -> bool:
        """Say whether it looks at what importing gave, too."""
        hooks = ("judge_dag", "judge_task", "check_loaded", "check_folder")
        return any(getattr(cls, hook) is not getattr(Rule, hook) for hook in hooks)

    def check(self, dagfile: DagFile) -> Iterator[Finding]:
        """Yield what breaks the rule in the source of one file that makes DAGs."""
        yield from ()

    def check_sources(self, sources: Sequence[SourceFile]) -> Iterator[Finding]:
        """Yield what breaks the rule in all files together, as far as their source tells."""
        yield from ()

    def judge_dag(self, dag: LoadedDag, file: LoadedFile) -> Verdict:
        """Say what is wrong with a loaded DAG."""
        return None

    def judge_task(self, task: LoadedTask, dag: LoadedDag, file: LoadedFile) -> Verdict:
        """Say what is wrong with a loaded task."""
        return None

    def check_loaded(self, file: LoadedFile) -> Iterator[Finding]:
        """Yield what else importing one file shows."""
        yield from ()

    def check_folder(self, folder: LoadedFolder, sources: Sequence[SourceFile]) -> Iterator[Finding]:
        """Yield what importing all files shows of them together."""
        yield from ()

    def found_at(
        self,
        spots: Spots,
        message: str,
        *,
        dag_id: str | None = None,
        task_id: str | None = None,
        certain: bool = True,
    ) -> Finding:
        """Return a finding in a loaded file: told at the last of `spots` in the file of the first one."""
        first = spots[0]
        inside = next((n for n, spot in enumerate(spots) if spot.path != first.path), len(spots))
        spot = spots[inside - 1]
        via = tuple(Step(step.path, step.line) for step in spots[inside:])
        end = max(spot.end_line, spot.line)
        return Finding(
            self.name, self.code, spot.path, spot.line, spot.column, end, message, dag_id, task_id, via, certain
        )

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
            column=column_of(place),
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


def column_of(place: Place) -> int:
    """The column as people count: in characters and from 1, where Python counts bytes from 0."""
    offset = getattr(place.node, "col_offset", 0)
    lines = place.module.lines
    if not 0 < place.line <= len(lines):
        return 1
    return len(lines[place.line - 1].encode()[:offset].decode(errors="ignore")) + 1
