"""Read a source file as Python would: its declared encoding, a byte order mark, any kind of line end."""

from __future__ import annotations

import ast
import gc
import io
import sys
import tokenize
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dagproof.source.newer import older

MOST_BYTES = 20_000_000
MOST_IN_CIRCLE = 12


class UnreadableError(Exception):
    """A file cannot be looked at; the message is the reason."""


@contextmanager
def without_collecting() -> Iterator[None]:
    """Keep the garbage collector from looking, again and again, at trees that are all kept: it takes half the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def read_text(path: Path) -> str:
    """Return the text of a Python file, with the line ends that Python gives.

    Raises:
        UnreadableError: it is no file, too large, or not in the encoding that it declares.
    """
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise UnreadableError(f"it has {size:,} bytes, more than the {MOST_BYTES:,} that are looked at")
        data = path.read_bytes()
    except OSError as error:
        raise UnreadableError(f"it cannot be read: {error.strerror or error}") from error
    return decode(data)


def decode(data: bytes) -> str:
    """Return the text of Python source given as bytes.

    Raises:
        UnreadableError: the declared encoding does not exist, or the bytes are not in it.
    """
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return io.TextIOWrapper(io.BytesIO(data), encoding, newline=None).read()
    except (SyntaxError, ValueError, LookupError) as error:  # each codec has errors of its own
        raise UnreadableError(f"it cannot be decoded: {error}") from error


def parse(text: str) -> ast.Module:
    """Return the syntax tree of a Python file.

    Raises:
        UnreadableError: it is not Python, or not of the version that runs this.
    """
    try:
        with warnings.catch_warnings(), without_collecting():
            warnings.simplefilter("ignore")  # an invalid escape in somebody's string is not our matter
            return _parsed(text)
    except SyntaxError as error:
        raise UnreadableError(_syntax_reason(error)) from error
    except ValueError as error:
        raise UnreadableError(f"it is not Python source: {error}") from error
    except (RecursionError, MemoryError) as error:
        raise UnreadableError("its expressions are nested too deeply to be parsed") from error


def _parsed(text: str) -> ast.Module:
    """Parse a text as this Python does, or else as a newer one would."""
    try:
        return ast.parse(text)
    except SyntaxError as error:
        with suppress(SyntaxError):
            return ast.parse(older(text))
        raise error


def _syntax_reason(error: SyntaxError) -> str:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return f"line {error.lineno or 1}: {error.msg} (read as Python {version})"


def too_deep(error: RecursionError) -> str:
    """Return why looking at a file had no end: which lines lead to each other in a circle, where that shows."""
    lines: dict[str, None] = {}
    trace = error.__traceback__
    frames = []
    while trace:
        frames.append(trace.tb_frame)
        trace = trace.tb_next
    for frame in frames[-200:]:
        node, scope = frame.f_locals.get("node"), frame.f_locals.get("scope")
        module = getattr(scope, "module", None)
        line = getattr(node, "lineno", None)
        if module is not None and line:
            lines[f"{module.shown}:{line}"] = None
    if 0 < len(lines) < MOST_IN_CIRCLE:
        return f"it cannot be looked at: its code leads back to itself, through {', '.join(lines)}; please report it"
    return "its code is nested too deeply to be looked at"
