"""What a rule is, and what it finds."""

from __future__ import annotations

import copy
from abc import ABC
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

from dagproof.loaded.model import LoadedDag, LoadedFile, LoadedFolder, LoadedTask, Spot, Spots
from dagproof.source.dagfile import Chain, DagFile, Place, Task
from dagproof.source.readings import Reading
from dagproof.source.sqlfiles import SqlFile

Subject: TypeAlias = tuple[str | None, str | None]
"""The ids of a DAG and of a task in it, as far as they are known."""


@dataclass(frozen=True)
class Finding:
    """One place that breaks a rule. One that is not `certain` is a warning, and fails nothing."""

    rule: str
    code: str
    spot: Spot
    """Path, line and column belong together: none of them is given without the others."""
    message: str
    dag_id: str | None = None
    task_id: str | None = None
    via: tuple[Spot, ...] = ()
    """The way from there to the cause, where that lies in another file."""
    certain: bool = True
    remedy: Spot | None = None
    """Where one change helps all tasks that this is found of, such as the `default_args` of their DAG."""
    joint: str = ""
    """What is said of several of them at once; ``{count}`` is their number."""
    others: tuple[Subject, ...] = ()
    """The other DAGs and tasks of which the same is found at the same place."""
    severity: str = "error"
    """``error`` or ``warning``, as the configuration has it for its rule."""

    @property
    def fails(self) -> bool:
        """Whether it fails a check: it is certain, and no mere warning."""
        return self.certain and self.severity == "error"

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """The DAGs and tasks that it is about."""
        return ((self.dag_id, self.task_id), *self.others)

    @property
    def path(self) -> str:
        """The file that it is in."""
        return self.spot.path

    @property
    def line(self) -> int:
        """Its first line."""
        return self.spot.line

    @property
    def column(self) -> int:
        """From 1, in characters."""
        return self.spot.column

    @property
    def end_line(self) -> int:
        """Its last line."""
        return max(self.spot.end_line, self.spot.line)

    @property
    def cause(self) -> Spot:
        """Where what is wrong stands."""
        return self.via[-1] if self.via else self.spot

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
            "severity": "error" if self.fails else "warning",
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

    def check_script(self, script: DagFile) -> Iterator[Finding]:
        """Yield what surely breaks the rule in a script or notebook of Spark that is no DAG file."""
        yield from ()

    def check_sql(self, sql: SqlFile) -> Iterator[Finding]:
        """Yield what breaks the rule in a file of SQL that no DAG file names, such as a model of dbt."""
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
        return Finding(
            self.name, self.code, spots[inside - 1], message, dag_id, task_id, _once(spots[inside:]), certain
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
        further: Spots = (),
        remedy: Place | None = None,
        joint: str = "",
    ) -> Finding:
        """Return the finding whose cause is the last of `places`, reached through those before it.

        It is told at the last of them that is in the DAG file; what comes after is the way to it. Where none is, it is
        told where the DAG file speaks of what leads there.

        Args:
            dagfile: the DAG file.
            places: the way to the cause.
            message: what is wrong, and each way out.
            task: the task that it is about.
            dag_id: the DAG that it is about, where it is about no task.
            certain: whether it is.
            further: the rest of the way, in files that are not Python.
            remedy: where one change helps all tasks of which the same is found.
            joint: what is said of these at once.
        """
        place, beyond = outward(dagfile, rooted(dagfile, places, task, dag_id))
        return Finding(
            rule=self.name,
            code=self.code,
            spot=place.spot,
            message=message,
            dag_id=dag_id or (task.dag_id if task else None),
            task_id=task.task_id if task else None,
            via=_once((*(step.spot for step in beyond), *further)),
            certain=certain,
            remedy=remedy.spot if remedy else None,
            joint=joint,
        )

    def found_of_task(
        self,
        dagfile: DagFile,
        task: Task,
        way: Chain,
        message: str,
        remedy: Place | None,
        joint: str,
        *,
        certain: bool = True,
    ) -> Finding:
        """Return the finding that a task lacks a setting: told at the task, with the way to what it needs that for."""
        beyond = next((n for n, place in enumerate(way) if place.module is not dagfile.module), len(way))
        return self.found(
            dagfile,
            (*task.chain, task.place),
            message,
            task=task,
            certain=certain,
            further=tuple(place.spot for place in way[beyond:]),
            remedy=remedy,
            joint=joint,
        )

    def found_in_sql(self, sql: SqlFile, offset: int, message: str, *, certain: bool = True) -> Finding:
        """Return a finding at a place of a file of SQL."""
        line = sql.text.count("\n", 0, offset) + 1
        column = offset - sql.text.rfind("\n", 0, offset)
        return Finding(self.name, self.code, Spot(sql.shown, line, column, line), message, certain=certain)

    def found_reading(self, dagfile: DagFile, reading: Reading, message: str) -> Finding:
        """Return the finding of a place that reads something that differs each time."""
        place, further = reading.place, tuple[Spot, ...]()
        if reading.file:
            further = (Spot(dagfile.resolver.project.show(reading.file.resolve()), reading.line),)
        elif reading.line:
            place = place._replace(inside=reading.line)
        places = (*reading.chain, place)
        return self.found(dagfile, places, message, task=reading.task, certain=reading.certain, further=further)


def _once(spots: Spots) -> Spots:
    """Leave out what is the same line again: it is no step on a way."""
    return tuple(
        spot
        for n, spot in enumerate(spots)
        if not n or (spot.path, spot.line) != (spots[n - 1].path, spots[n - 1].line)
    )


def rooted(dagfile: DagFile, places: Chain, task: Task | None, dag_id: str | None) -> Chain:
    """Let a way begin in the DAG file, where it leads through no place in it."""
    for number, place in enumerate(places):
        if place.module is dagfile.module:
            return places[number:]
    known = [dag for dag in dagfile.dags if dag.dag_id == dag_id or len(dagfile.dags) == 1]
    anchors: list[Place] = []
    if task:
        anchors += [*task.chain, task.place, *(Place(scope.module, call) for call, scope in task.calls)]
    for dag in known:
        given = dag.arguments.known.get("default_args")
        anchors += [Place(given.scope.module, given.node)] if given else []
        anchors += [*dag.chain, dag.place]
    anchors += [Place(dagfile.module, statement) for statement in dagfile.imports_of(places[0].module)]
    inside = [place for place in anchors if place.module is dagfile.module]
    return (inside[0] if inside else Place(dagfile.module, dagfile.module.tree), *places)


def outward(dagfile: DagFile, places: Chain) -> tuple[Place, Chain]:
    """Split a way that begins in the DAG file where it leaves it: the last place in it, and those beyond."""
    beyond = next((n for n, place in enumerate(places) if place.module is not dagfile.module), len(places))
    return places[beyond - 1], places[beyond:]
