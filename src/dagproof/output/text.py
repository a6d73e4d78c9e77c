"""Text of other people's, such as ids, names of tables, paths and log lines, made safe to print.

What a terminal would obey, what reorders or hides what a person reads, and what GitHub would take for a command of a
workflow is printed as an escape.
"""

from __future__ import annotations

import codecs
import contextlib
import io
import json
import os
import re
import sys
import unicodedata
from typing import IO, Any

#: What terminals obey (C0, DEL, C1), what reorders text (bidi controls), other line separators, what no encoding has.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_BREAKS = re.compile("[\n\t]")
#: A runner of GitHub skips blanks before ``::``, and finds ``##[`` anywhere in a line.
_COMMAND = re.compile(r"(?m)^(\s*):(?=:)|#(?=#\[)")
#: What ASCII and Latin-1 have instead of the signs in our own text.
_SIGNS = {"✓": "+", "✗": "x", "×": "x", "–": "-", "—": "-", "…": "...", "·": ".", "→": "->"}


def printable(text: str) -> str:
    """Return a report in which nothing but line feeds and tabs controls where it is printed."""
    text = _UNSAFE.sub(_escape, text.replace("\r\n", "\n"))
    return _COMMAND.sub(lambda found: f"{found[0]}\\", text) if ":" in text or "#" in text else text


def visible(text: str) -> str:
    """Return a name, path or message as one line: line feeds are escapes, too."""
    return _BREAKS.sub(_escape, _UNSAFE.sub(_escape, text))


def as_json(data: object, **options: Any) -> str:
    """Return data as JSON that is safe to print: the same data, with escapes for what a terminal would obey."""
    return _UNSAFE.sub(_json_escape, json.dumps(data, ensure_ascii=False, **options))


def toml_key(name: str) -> str:
    """Return a name as a key of TOML."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else toml_value(name)


def toml_value(value: str | list[str]) -> str:
    """Return a text, or a list of texts, as a value of TOML, which has JSON's strings but takes no raw DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def open_streams() -> None:
    """Let standard output and error take every character, whatever their encoding."""
    codecs.register_error("dagproof", _replaced)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="dagproof")


def say(text: str, stream: IO[str] | None = None) -> None:
    """Print a report or message; a reader who wants no more of it (``| head``) has what they wanted."""
    stream = stream or sys.stdout
    try:
        stream.write(f"{text}\n")
        stream.flush()
    except BrokenPipeError:
        # what is left in the buffer would be written, and fail, when the interpreter ends
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


def _json_escape(found: re.Match[str]) -> str:
    # between the values of indented JSON there are line feeds, which stay; json.dumps has escaped those inside
    return "".join(f"\\u{unit:04x}" for unit in _units(found[0]))


def _units(character: str) -> list[int]:
    data = character.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]


def _replaced(error: UnicodeError) -> tuple[str, int]:
    """Write what an encoding does not have in other signs, or without its accents, or as an escape."""
    assert isinstance(error, UnicodeEncodeError)
    parts = []
    for sign in error.object[error.start : error.end]:
        plain = _SIGNS.get(sign) or unicodedata.normalize("NFKD", sign).encode("ascii", "ignore").decode()
        parts.append(plain or sign.encode("unicode_escape").decode())
    return "".join(parts), error.end
