"""The course from a shell: ``python -m notebooks start``, ``status``, ``reset 03``, ``verify 03``, ``build 03``."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from notebooks.course.lesson import work_folder
from notebooks.course.progress import Progress
from notebooks.course.sources import NOTEBOOKS, LessonSource, SourceError, lesson_named, lessons

OK, NOT_DONE, CANNOT_TELL = 0, 1, 2
#: What to do with a notebook that is still open; JupyterLab does not look at its file by itself.
OPEN = "Is it open? Reload it (File, Reload Notebook from Disk), and restart its kernel."
#: JupyterLab asks newcomers whether they want its news, and looks for newer versions. Here it does neither.
WITHOUT_NEWS = f"--LabApp.app_settings_dir={NOTEBOOKS / 'course' / 'lab'}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status: 0, or 1 where not all is correct, or 2 where it could not tell."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except SourceError as error:
        print(error, file=sys.stderr)
        return CANNOT_TELL


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m notebooks", description="The course, lesson by lesson.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for run, several in ((start, "?"), (status, None), (reset, 1), (verify, "*"), (build, "*")):
        command = commands.add_parser(run.__name__, help=str(run.__doc__).splitlines()[0])
        if several is not None:
            command.add_argument("lessons", nargs=several, metavar="NN", help="a lesson's number")
        command.set_defaults(run=run)
    return parser


def start(options: argparse.Namespace) -> int:
    """Open JupyterLab, on a lesson where one is named."""
    lesson = [f"{lesson_named(options.lessons).name}.ipynb"] if options.lessons else []
    _trust()
    return subprocess.call([sys.executable, "-m", "jupyterlab", WITHOUT_NEWS, *lesson], cwd=NOTEBOOKS)


def status(options: argparse.Namespace) -> int:
    """Say how far you have come, and what is next."""
    print(_progress().text())
    return OK


def reset(options: argparse.Namespace) -> int:
    """Begin a lesson anew: its notebook as it was, nothing noted about it. Yours is kept beside."""
    from notebooks.course.making import unexecuted, write

    for lesson in _named(options):
        path = _notebook(lesson)
        if path.exists():
            work_folder().mkdir(parents=True, exist_ok=True)
            kept = work_folder() / f"{lesson.name}_before_reset.ipynb"
            shutil.copyfile(path, kept)
            print(f"Your notebook is kept as {kept}.")
        write(path, unexecuted(lesson))
        shutil.rmtree(work_folder() / lesson.name, ignore_errors=True)
        _progress().forget(lesson.number)
        print(f"{lesson.name}.ipynb is as it was at first. {OPEN}")
    return OK


def verify(options: argparse.Namespace) -> int:
    """Run your notebooks from their first cell to their last, and say what the checks find."""
    import nbformat

    from notebooks.course.making import execute

    wrong = 0
    for lesson in _named(options):
        notebook = nbformat.read(_notebook(lesson), as_version=4)
        with tempfile.TemporaryDirectory(prefix="course-") as work:
            execute(notebook, NOTEBOOKS, Path(work), allow_errors=True)
            words = Progress(Path(work) / "progress.txt").read()
        for name in lesson.exercises:
            word = words.get((lesson.number, name), "not checked")
            wrong += word != "correct"
            print(f"{lesson.number} {name} {word}")
    return NOT_DONE if wrong else OK


def build(options: argparse.Namespace) -> int:
    """Make notebooks and pages of solutions from their sources (for who changes the course)."""
    from notebooks.course.making import make

    for lesson in _named(options):
        made = make(lesson)
        _notebook(lesson).write_text(made.notebook, encoding="utf-8")
        page = NOTEBOOKS / "solutions" / f"{lesson.name}.md"
        page.parent.mkdir(exist_ok=True)
        page.write_text(made.solutions, encoding="utf-8")
        print(f"{lesson.name}: made")
    return OK


def _named(options: argparse.Namespace) -> list[LessonSource]:
    return [lesson_named(name) for name in options.lessons] or list(lessons())


def _trust() -> None:
    """Let JupyterLab show the lessons' pictures before they are run; of notebooks from elsewhere it shows none."""
    import nbformat
    from nbformat.sign import NotebookNotary

    notary = NotebookNotary()
    for lesson in lessons():
        if _notebook(lesson).exists():
            notary.sign(nbformat.read(_notebook(lesson), as_version=4))


def _notebook(lesson: LessonSource) -> Path:
    return NOTEBOOKS / f"{lesson.name}.ipynb"


def _progress() -> Progress:
    return Progress(work_folder() / "progress.txt")


if __name__ == "__main__":
    sys.exit(main())
