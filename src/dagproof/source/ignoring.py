"""``.airflowignore``: which files and folders Airflow leaves out, in both syntaxes, as it reads them."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

IGNORE_FILE = ".airflowignore"
_COMMENT = re.compile(r"\s*#.*")


class Ignored:
    """What the ignore files of a folder, and of those around it, leave out.

    Args:
        folder: where a walk starts.
        syntax: ``glob`` or ``regexp``.
        top: the DAG folder, where it lies above: its ignore files hold, too.
    """

    def __init__(self, folder: Path, syntax: str, top: Path | None) -> None:
        self._rules: dict[Path, list[Callable[[Path, bool], bool | None]]] = {}
        self._make = _glob if syntax == "glob" else _regexp
        self._base = folder
        if top is not None and folder.resolve().is_relative_to(top.resolve()):
            self._base = top.resolve()
            around = [*folder.resolve().parents][::-1]
            for parent in (one for one in around if one.is_relative_to(self._base)):
                self.read(parent)

    def read(self, folder: Path) -> None:
        """Take in the ignore file of a folder, where it has one."""
        with contextlib.suppress(OSError):
            text = (folder / IGNORE_FILE).read_text(encoding="utf-8", errors="replace")
            lines = [_COMMENT.sub("", line) for line in text.splitlines()]
            rules = [rule for line in lines if line.strip() for rule in self._make(line, folder, self._base)]
            self._rules[folder.resolve()] = rules

    def has(self, path: Path, *, is_folder: bool) -> bool:
        """Say whether a file or folder is left out; in globs the last rule that speaks of it wins."""
        if not self._rules:
            return False
        real = path.parent.resolve() / path.name
        ignored = False
        for folder in [*real.parents][::-1]:
            for rule in self._rules.get(folder, ()):
                said = rule(real, is_folder)
                ignored = ignored if said is None else said
        return ignored


def _glob(pattern: str, folder: Path, base: Path) -> Iterator[Callable[[Path, bool], bool | None]]:
    if pattern.strip() == "/":
        return
    bare = pattern.lstrip("!").rstrip()
    anchored = "/" in bare.rstrip("/")
    matcher = GitIgnoreSpecPattern(pattern)
    place = folder.resolve()

    def rule(path: Path, is_folder: bool) -> bool | None:
        if matcher.include is None or (bare.endswith("/") and not is_folder):
            return None
        shown = (path.relative_to(place).as_posix() if anchored else path.name) + ("/" if is_folder else "")
        return matcher.include if matcher.match_file(shown) is not None else None

    yield rule


def _regexp(pattern: str, folder: Path, base: Path) -> Iterator[Callable[[Path, bool], bool | None]]:
    with contextlib.suppress(re.error):  # Airflow, too, leaves out a pattern that is none
        compiled = re.compile(pattern)
        root = base.resolve()

        def rule(path: Path, is_folder: bool) -> bool | None:
            inside = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
            return True if compiled.search(inside) else None

        yield rule
