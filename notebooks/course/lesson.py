"""The lesson that is open in this process: its home, its bench and its desk."""

from __future__ import annotations

import atexit
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .bench import Bench
from .desk import Desk
from .progress import Progress
from .sources import NOTEBOOKS, SOURCES, LessonSource, lesson_named

CONFIG = """\
[tool.dagproof]
dags = "dags"
pythonpath = ["dags"]

[tool.dagproof.world]
schema = [{schema}]
connections = {{ shop = "{{postgres}}", fs_default = "file:{{files}}" }}
env = {{ DATA_ROOT = "{{files}}", AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT = "8" }}
timeout = 20
disk = 200
"""


class Lesson:
    """An open lesson.

    Its home is ``work/NN_title`` beside the notebooks, or below the folder that ``DAGPROOF_COURSE_WORK`` names; it is
    made anew each time, so that each run of the notebook begins alike.
    """

    def __init__(self, source: LessonSource, namespace: Callable[[], dict[str, Any]]) -> None:
        self.source = source
        self.namespace = namespace
        """Gives the learner's variables."""
        self.home = work_folder() / source.name
        self.progress = Progress(work_folder() / "progress.txt")
        self._make_home()
        self.bench = Bench(self.home)
        self.desk = Desk(self.bench)
        self.unwritten: set[str] = set()
        """The DAGs whose newest cell was run without being written to its file: what lies there is older."""

    def start(self) -> None:
        """Start PostgreSQL and Airflow's worker."""
        _ = self.desk.files

    def note(self, question: str, word: str) -> None:
        """Note what a check said."""
        self.progress.note(self.source.number, question, word)

    @property
    def was_reset(self) -> bool:
        """Whether somebody has begun it anew meanwhile, from a shell."""
        return not self.home.is_dir()

    def close(self) -> None:
        """Stop everything."""
        self.bench.close()

    def _make_home(self) -> None:
        shutil.rmtree(self.home, ignore_errors=True)
        (self.home / "dags").mkdir(parents=True)
        shutil.copyfile(SOURCES / "shop.sql", self.home / "shop.sql")
        if self.source.folder.is_dir():
            shutil.copytree(self.source.folder, self.home, dirs_exist_ok=True)
        schemas = [name for name in ("shop.sql", "schema.sql") if (self.home / name).exists()]
        text = CONFIG.format(schema=", ".join(f'"{name}"' for name in schemas))
        more = self.home / "proofs.toml"
        if more.exists():
            text += "\n" + more.read_text(encoding="utf-8")
        (self.home / "pyproject.toml").write_text(text, encoding="utf-8")


RESET = (
    "This lesson has been reset. In JupyterLab choose File › Reload Notebook from Disk (or Revert, if it asks), and "
    "begin with the first cell."
)
_open: list[Lesson] = []


def work_folder() -> Path:
    """Return the folder of what a learner does."""
    return Path(os.environ.get("DAGPROOF_COURSE_WORK") or NOTEBOOKS / "work").resolve()


def open_lesson(name: str, namespace: Callable[[], dict[str, Any]]) -> Lesson:
    """Open a lesson and close the one that was open."""
    close_lesson()
    lesson = Lesson(lesson_named(name), namespace)
    _open.append(lesson)
    lesson.start()
    return lesson


def close_lesson() -> None:
    """Close the lesson that is open, if one is."""
    while _open:
        _open.pop().close()


def current() -> Lesson | None:
    """Return the lesson that is open."""
    return _open[-1] if _open else None


atexit.register(close_lesson)
