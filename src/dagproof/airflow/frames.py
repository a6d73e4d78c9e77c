"""Where in the user's own files something happens: the frames of a call stack that belong to them."""

from __future__ import annotations

import linecache
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from itertools import islice
from types import FrameType, TracebackType
from typing import Any, TypedDict


class Place(TypedDict):
    """Where something is in a file; columns are counted from 1."""

    path: str
    line: int
    column: int
    end_line: int


_INSTALLED = tuple({sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")})


class UserCode:
    """Tells the user's own files from installed ones.

    Args:
        folders: absolute paths of the folders that hold them.
    """

    def __init__(self, folders: Iterable[str]) -> None:
        self._folders = sorted((folder.rstrip("/") + "/" for folder in folders), key=len, reverse=True)
        self._known: dict[str, bool] = {}

    def has(self, path: str) -> bool:
        """Say whether a file is the user's own."""
        if path not in self._known:
            folder = next((one for one in self._folders if path.startswith(one)), None)
            self._known[path] = folder is not None and not _is_installed(path, folder)
        return self._known[path]

    def chain(self, frame: FrameType | None) -> list[Place]:
        """Return the places in the user's files on the stack that ends with a frame, the outermost first."""
        found: list[Place] = []
        while frame is not None:
            if self.has(frame.f_code.co_filename):
                found.append(_place(frame, frame.f_lineno, frame.f_lasti))
            frame = frame.f_back
        return found[::-1]

    def chain_of_error(self, traceback: TracebackType | None) -> list[Place]:
        """Return the places in the user's files that an error went through, the outermost first."""
        found = []
        while traceback is not None:
            if self.has(traceback.tb_frame.f_code.co_filename):
                found.append(_place(traceback.tb_frame, traceback.tb_lineno, traceback.tb_lasti))
            traceback = traceback.tb_next
        return found

    def is_import_of_another(self, frame: FrameType | None) -> bool:
        """Say whether the user's file on top of the stack is just importing what is installed."""
        while frame is not None and not self.has(frame.f_code.co_filename):
            if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
                return True
            frame = frame.f_back
        return False


def _is_installed(path: str, folder: str) -> bool:
    """Say whether a file below a folder belongs to an environment that lies in there, too."""
    if "site-packages/" in path[len(folder) :]:
        return True
    return any(root.startswith(folder) and path.startswith(root + "/") for root in _INSTALLED)


def _place(frame: FrameType, line: int, instruction: int) -> Place:
    first, last, column = _position(frame, instruction)
    return {
        "path": frame.f_code.co_filename,
        "line": first or line,
        "column": (_indentation(frame, line) if column is None else column) + 1,
        "end_line": last or first or line,
    }


def _indentation(frame: FrameType, line: int) -> int:
    text = linecache.getline(frame.f_code.co_filename, line)
    return len(text) - len(text.lstrip())


def _position(frame: FrameType, instruction: int) -> tuple[int | None, int | None, int | None]:
    """First line, last line and column of an instruction; Python 3.10 has none of them."""
    if sys.version_info < (3, 11) or instruction < 0:
        return None, None, None
    positions: Iterator[Any] = frame.f_code.co_positions()
    first, last, column, _ = next(islice(positions, instruction // 2, None), (None, None, None, None))
    return first, last, column
