"""``.airflowignore``: which files and folders Airflow leaves out, in both syntaxes, as it reads them."""

from __future__ import annotations

import contextlib
import fnmatch
import re
import signal
import stat
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType

from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

IGNORE_FILE = ".airflowignore"
_COMMENT = re.compile(r"\s*#.*")
_STARS = re.compile(r"\*+")
_QUANTIFIER = re.compile(r"[*+?}]")
MOST_BYTES = 1_000_000
MOST_STARS = 8
"""Stars of one pattern from which on matching a name may take minutes: each of them may end anywhere."""
PATIENCE = 1.0
"""Seconds that a regular expression may take for one path."""
Refusal = tuple[Path, int, str]
"""An ignore file, a line of it, and what is wrong with it."""


class Ignored:
    """What the ignore files of a folder, and of those around it, leave out.

    Args:
        folder: where a walk starts.
        syntax: ``glob`` or ``regexp``.
        top: the DAG folder, where it lies above: its ignore files hold, too.
        refused: takes what Airflow itself cannot read, or takes for ever to match.
    """

    def __init__(self, folder: Path, syntax: str, top: Path | None, refused: list[Refusal] | None = None) -> None:
        self.refused = [] if refused is None else refused
        self._rules: dict[Path, list[Callable[[Path, bool], bool | None]]] = {}
        self._make = _glob if syntax == "glob" else _regexp
        self._base = folder
        if top is not None and folder.resolve().is_relative_to(top.resolve()):
            self._base = top.resolve()
            around = [*folder.resolve().parents][::-1]
            for parent in (one for one in around if one.is_relative_to(self._base)):
                self.read(parent)

    def read(self, folder: Path) -> None:
        """Take in the ignore file of a folder, where it has one; a pipe or device of that name is none."""
        path = folder / IGNORE_FILE
        with contextlib.suppress(OSError):
            found = path.stat()
            if not stat.S_ISREG(found.st_mode):
                return
            if found.st_size > MOST_BYTES:
                self.refused.append(
                    (
                        path,
                        1,
                        f"it has {found.st_size:,} bytes, more than the {MOST_BYTES:,} that are "
                        "read; write fewer patterns",
                    )
                )
                return
            rules = []
            for number, line in enumerate(self._text(path).split("\n"), 1):
                pattern = _COMMENT.sub("", line)
                if not pattern.strip():
                    continue
                try:
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")  # what Python may make of it one day is not our matter
                        rules += list(self._make(pattern, folder, self._base, Slow(path, number, self.refused)))
                except (ValueError, re.error, RecursionError, OverflowError) as error:
                    # a position is one of the expression that the pattern is turned into
                    reason = error.msg if isinstance(error, re.error) else error
                    self.refused.append(
                        (
                            path,
                            number,
                            f"Airflow refuses this pattern ({reason}), and then finds no DAG "
                            "of the folder; fix it or remove it",
                        )
                    )
            self._rules[folder.resolve()] = rules

    def _text(self, path: Path) -> str:
        data = path.read_bytes().replace(b"\r\n", b"\n")
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            self.refused.append(
                (
                    path,
                    line,
                    f"byte 0x{data[error.start]:02x} is not UTF-8, so that Airflow cannot read "
                    "the file, and finds no DAG of the folder; save it as UTF-8",
                )
            )
            return data.decode(errors="replace")

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


class Slow:
    """Where a pattern stands that takes too long to match; it is told once."""

    def __init__(self, path: Path, line: int, refused: list[Refusal]) -> None:
        self._place = (path, line)
        self._refused = refused
        self.is_told = False

    def tell(self, why: str) -> None:
        """Write it down."""
        if not self.is_told:
            self._refused.append((*self._place, f"{why}; Airflow may need minutes for one name, so write it simpler"))
            self.is_told = True


def _glob(pattern: str, folder: Path, base: Path, slow: Slow) -> Iterator[Callable[[Path, bool], bool | None]]:
    if pattern.strip() == "/":
        return
    bare = pattern.lstrip("!").rstrip()
    anchored = "/" in bare.rstrip("/")
    stars = max(len(_STARS.findall(part)) for part in bare.split("/"))
    matcher = GitIgnoreSpecPattern(pattern)
    place = folder.resolve()
    if stars > MOST_STARS:
        slow.tell(f"this pattern has {stars} stars")

    def rule(path: Path, is_folder: bool) -> bool | None:
        if matcher.include is None or (bare.endswith("/") and not is_folder):
            return None
        shown = path.relative_to(place).as_posix() if anchored else path.name
        if stars > MOST_STARS:
            found = _matches(shown.split("/"), bare.strip("/").split("/"))
        else:
            found = matcher.match_file(shown + ("/" if is_folder else "")) is not None
        return matcher.include if found else None

    yield rule


def _matches(parts: Sequence[str], patterns: Sequence[str]) -> bool:
    """Match a path part by part, in a time that does not grow with the stars; all that is in a folder matches, too."""
    if not patterns:
        return True
    if patterns[0] == "**":
        return any(_matches(parts[at:], patterns[1:]) for at in range(len(parts)))
    # fnmatch makes expressions that never try again what a star has taken
    return bool(parts) and fnmatch.fnmatchcase(parts[0], patterns[0]) and _matches(parts[1:], patterns[1:])


def _regexp(pattern: str, folder: Path, base: Path, slow: Slow) -> Iterator[Callable[[Path, bool], bool | None]]:
    with contextlib.suppress(
        re.error, RecursionError, OverflowError
    ):  # Airflow, too, leaves out a pattern that is none
        compiled = re.compile(pattern)
        root = base.resolve()
        is_risky = len(_QUANTIFIER.findall(pattern)) > 1

        def rule(path: Path, is_folder: bool) -> bool | None:
            inside = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
            if slow.is_told:
                return None
            try:
                with _in_time() if is_risky else contextlib.nullcontext():
                    return True if compiled.search(inside) else None
            except _TooSlowError:
                slow.tell(f"this expression takes more than {PATIENCE:g} s to match {inside[:60]!r}")
                return None

        yield rule


class _TooSlowError(Exception):
    """A regular expression has not come to an end."""


@contextlib.contextmanager
def _in_time() -> Iterator[None]:
    """Break off what takes too long, where that can be done: in the main thread, unless somebody has set the alarm."""
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getitimer(signal.ITIMER_REAL)[0]:
        yield
        return

    def late(number: int, frame: FrameType | None) -> None:
        raise _TooSlowError

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
