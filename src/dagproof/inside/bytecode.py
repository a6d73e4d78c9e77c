"""Modules that runs import from source are compiled once for all of them: nothing may be written beside a module.

A code object is used for the very bytes that it was compiled from, and for no others.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Any

#: How many modules are kept; a run that imports more compiles the others itself.
MOST = 2000

_kept: dict[str, tuple[bytes, CodeType]] = {}
_compiled: list[str] = []
_compile: Callable[..., Any] = SourceFileLoader.source_to_code


def install() -> None:
    """Let modules be compiled from what is kept, in this process and all that it forks."""
    setattr(SourceFileLoader, "source_to_code", _code)  # noqa: B010 - the import system asks for it by this name


def begin() -> None:
    """Forget what was compiled so far: in a process that was forked, that was another one."""
    _compiled.clear()


def compiled() -> tuple[str, ...]:
    """Return the files of the modules that this process had to compile since it began."""
    return tuple(_compiled)


def keep(files: Sequence[str]) -> None:
    """Compile the modules in these files, for the processes that are forked from now on."""
    for file in files:
        with contextlib.suppress(Exception):  # the run that imports it will see what is wrong
            source = Path(file).read_bytes()
            if len(_kept) < MOST or file in _kept:
                _kept[file] = source, _compile(SourceFileLoader("", file), source, file)


def _code(loader: SourceFileLoader, data: Any, path: Any, **options: Any) -> CodeType:
    source, code = _kept.get(path, (None, None)) if isinstance(path, str) and not options else (None, None)
    if code is not None and data == source:
        return code
    if isinstance(path, str):
        _compiled.append(path)
    return _compile(loader, data, path, **options)  # type: ignore[no-any-return]
