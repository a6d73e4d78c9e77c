"""SQL scripts as people have them: plain ones, what ``pg_dump`` writes and ``psql`` reads, folders of migrations."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

#: How a dump in one of pg_dump's own formats begins; that of a tar file stands further in.
_CUSTOM, _TAR, _TAR_AT = b"PGDMP", b"ustar", 257
_COPY = re.compile(rb"COPY\s.*\bFROM\s+stdin\b[^;]*;\s*$", re.IGNORECASE)
_META = re.compile(rb"\\(\w+)\s*(.*?)\s*$")
#: Commands of psql that change nothing here.
_HARMLESS = {
    b"restrict", b"unrestrict", b"set", b"unset", b"echo", b"encoding", b"timing", b"pset", b"x", b"o", b"qecho",
}  # fmt: skip
_DUMPED = re.compile(rb"^-- PostgreSQL database (cluster )?dump\b", re.MULTILINE)
#: What a dump says of roles, of extensions that are there, and of settings that an older or newer server lacks.
_NOT_OURS = re.compile(
    rb"^(?:ALTER\s[^;\n]*\sOWNER\sTO\s[^;\n]*|GRANT\s[^;]*|REVOKE\s[^;]*|ALTER\sDEFAULT\sPRIVILEGES\s[^;]*"
    rb"|COMMENT\sON\sEXTENSION\s[^;]*|COMMENT\sON\sSCHEMA\spublic\s[^;]*|CREATE\sSCHEMA\spublic"
    rb"|SET\s(?:\w+_timeout|default_tablespace|row_security)\s=[^;\n]*);[ \t]*$",
    re.MULTILINE,
)
#: Where the way back begins, in files of migrations that hold both: goose's and dbmate's.
_DOWN = re.compile(rb"^--\s*(?:\+goose\s+Down|migrate:down)\b.*", re.MULTILINE | re.DOTALL | re.IGNORECASE)
#: Files of migrations that are a way back, or are no migration: flyway's U…, and what others call so.
_BACK = re.compile(r"^U\d.*__|[._-](down|undo|rollback)\.sql$", re.IGNORECASE)
_REPEATABLE = re.compile(r"^R__")
_NUMBERS = re.compile(r"(\d+)")


class ScriptError(Exception):
    """Something in a script that is psql's alone: the command, and what to do."""


@dataclass(frozen=True)
class Piece:
    """Statements, or one COPY with the data that follow it."""

    sql: bytes
    data: bytes | None = None


def is_archive(content: bytes) -> bool:
    """Tell whether a file is a dump that only ``pg_restore`` reads."""
    return content.startswith(_CUSTOM) or content[_TAR_AT : _TAR_AT + len(_TAR)] == _TAR


def unpacked(content: bytes) -> bytes:
    """Return what gzip has compressed, where it has."""
    return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content


def pieces(script: bytes, folder: Path, root: Path) -> Iterator[Piece]:
    r"""Yield what to run of a script, in order; files that it includes lie in its `folder` (``\ir``) or in `root`.

    Raises:
        ScriptError: a command of psql cannot be followed. OSError: a file that it includes is not there.
    """
    if _DUMPED.search(script[:4096]):
        script = _NOT_OURS.sub(b"", script)
    statements: list[bytes] = []
    lines = iter(script.splitlines(keepends=True))
    for line in lines:
        meta = _META.match(line)
        if meta and meta[1] in (b"i", b"ir", b"include", b"include_relative"):
            yield from _taken(statements)
            path = (root if meta[1] in (b"i", b"include") else folder) / meta[2].decode().strip("'\"")
            yield from pieces(path.read_bytes(), path.parent, root)
        elif meta and meta[1] in (b"q", b"quit"):
            break
        elif meta and meta[1] not in _HARMLESS:
            name = meta[1].decode()
            hint = "dump without --create" if name in ("connect", "c") else "write it as SQL"
            raise ScriptError(f"\\{name} is a command of psql; {hint}")
        elif _COPY.match(line):
            yield from _taken(statements)
            data = []
            for row in lines:
                if row.rstrip(b"\r\n") == b"\\.":
                    break
                data.append(row)
            yield Piece(line, b"".join(data))
        elif not meta:
            statements.append(line)
    yield from _taken(statements)


def _taken(statements: list[bytes]) -> Iterator[Piece]:
    sql = b"".join(statements)
    statements.clear()
    if sql.strip():
        yield Piece(sql)


def migrations(folder: Path) -> list[Path]:
    """Return the SQL files of a folder of migrations, also in folders within it, in the order in which they apply."""
    files = [path for path in folder.rglob("*.sql") if path.is_file() and not _BACK.search(path.name)]
    return sorted(files, key=lambda path: (bool(_REPEATABLE.match(path.name)), _natural(path.relative_to(folder))))


def forward(script: bytes) -> bytes:
    """Return what a migration does, without its way back."""
    return _DOWN.sub(b"", script)


def _natural(path: Path) -> list[tuple[int, str]]:
    """Return a key by which 10 comes after 9."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in _NUMBERS.split(path.as_posix())]
