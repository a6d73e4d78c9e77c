"""The source of a lesson, ``source/NN_title.py``: its cells, and the exercises that are made of some of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

NOTEBOOKS = Path(__file__).resolve().parents[1]
SOURCES = NOTEBOOKS / "source"
ROLES = ("prompt", "given", "starter", "check", "hint", "solution", "wrong")


class SourceError(Exception):
    """A source does not say what a lesson needs."""


@dataclass(frozen=True)
class Cell:
    """A cell as the source has it."""

    kind: str
    """``markdown`` or ``code``."""
    text: str
    meta: dict[str, Any]

    @property
    def question(self) -> str:
        """The exercise that it belongs to; empty for the rest of the lesson."""
        return str(self.meta.get("q", ""))

    @property
    def role(self) -> str:
        """What it is in its exercise."""
        return str(self.meta.get("role", ""))

    @property
    def dag(self) -> str:
        """The DAG file that it writes; empty where it writes none."""
        return str(self.meta.get("dag", ""))

    @property
    def file(self) -> str:
        """The file below the lesson's home that it writes, a DAG file or another; empty where it writes none."""
        return f"dags/{self.dag}.py" if self.dag else str(self.meta.get("file", ""))

    @property
    def notebook_text(self) -> str:
        """The text as the notebook has it, with the magic word that the metadata stand for."""
        if self.dag:
            return f"%%dag {self.dag}\n{self.text}"
        if self.file:
            return f"%%put {self.file}\n{self.text}"
        return f"%%airflow\n{self.text}" if self.meta.get("airflow") else self.text


@dataclass
class Exercise:
    """The cells of one exercise."""

    name: str
    cells: list[Cell] = field(default_factory=list)

    def all(self, role: str) -> list[Cell]:
        """Return the cells in a role."""
        return [cell for cell in self.cells if cell.role == role]

    def one(self, role: str) -> Cell:
        """Return the only cell in a role."""
        found = self.all(role)
        if len(found) != 1:
            raise SourceError(f"{self.name} has {len(found)} cells with role={role!r}, and needs one")
        return found[0]


class LessonSource:
    """One lesson, read from its file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.stem
        self.number = path.stem.partition("_")[0]

    @cached_property
    def cells(self) -> list[Cell]:
        """All cells, in order."""
        import jupytext

        notebook = jupytext.reads(self.path.read_text(encoding="utf-8"), fmt="py:percent")
        return [Cell(cell.cell_type, cell.source, dict(cell.metadata)) for cell in notebook.cells]

    @cached_property
    def exercises(self) -> dict[str, Exercise]:
        """The exercises by their names, each of them complete.

        Raises:
            SourceError: one lacks something.
        """
        found: dict[str, Exercise] = {}
        for cell in self.cells:
            if cell.question:
                if cell.role not in ROLES:
                    raise SourceError(f"{self.name}: {cell.question} has a cell with role={cell.role!r}; use {ROLES}")
                found.setdefault(cell.question, Exercise(cell.question)).cells.append(cell)
        for exercise in found.values():
            for role in ("prompt", "starter", "check", "solution"):
                exercise.one(role)
            if len(exercise.all("hint")) < 2 or len(exercise.all("wrong")) < 2:
                raise SourceError(f"{self.name}: {exercise.name} needs two hints and two wrong answers")
        return found

    @property
    def title(self) -> str:
        """The lesson's title, from its first heading."""
        return self.cells[0].text.splitlines()[0].lstrip("# ")

    @property
    def folder(self) -> Path:
        """What lies ready in the lesson's home: ``schema.sql``, ``proofs.toml`` and more; there may be none."""
        return self.path.with_suffix("")


def lessons() -> Iterator[LessonSource]:
    """Yield all lessons in order."""
    for path in sorted(SOURCES.glob("[0-9]*_*.py")):
        yield LessonSource(path)


def lesson_named(name: str) -> LessonSource:
    """Return the lesson with this number (``3``, ``03``) or name.

    Raises:
        SourceError: there is none.
    """
    wanted = name.zfill(2)
    for lesson in lessons():
        if wanted in (lesson.number, lesson.name):
            return lesson
    raise SourceError(f"there is no lesson {name!r}; there is {', '.join(lesson.number for lesson in lessons())}")
