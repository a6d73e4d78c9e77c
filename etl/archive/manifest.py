"""The manifest of an archived month: which files it is made of, and how to know that they are whole."""

from __future__ import annotations

import datetime
import hashlib
import json
import re
from collections.abc import Mapping
from typing import BinaryIO, NamedTuple

from etl.errors import ArchiveError, MissingFileError, SettingsError
from etl.storage import Storage

FORMAT = 1
_PIECE = 1 << 20


class TableFile(NamedTuple):
    """A table's rows of a month: how many, the file, and its SHA-256."""

    rows: int
    file: str
    sha256: str


class Manifest(NamedTuple):
    """What there is of a month, by table; one that had no rows is not there."""

    month: str
    tables: Mapping[str, TableFile]

    @property
    def rows(self) -> int:
        """How many rows there are in all."""
        return sum(table.rows for table in self.tables.values())

    @property
    def files(self) -> dict[str, str]:
        """The checksum of each file, by its name below the archive's URL."""
        return {f"{self.month}/{table.file}": table.sha256 for table in self.tables.values()}


def manifest_name(month: str) -> str:
    """Return the name of a month's manifest.

    Raises:
        SettingsError: it is no month.
    """
    month_bounds(month)
    return f"{month}/manifest.json"


def month_bounds(month: str) -> tuple[datetime.date, datetime.date]:
    """Return the first day of a month written YYYY-MM, and that of the next.

    Raises:
        SettingsError: it is no month.
    """
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month, re.ASCII) or month.startswith(("0000", "9999")):
        raise SettingsError(f"{month!r} is not a month written YYYY-MM.")
    first = datetime.date.fromisoformat(f"{month}-01")
    return first, (first + datetime.timedelta(days=32)).replace(day=1)


def read_manifest(month: str, archive: Storage) -> Manifest:
    """Read the manifest of a month.

    Raises:
        MissingFileError: the month is not in the archive. ArchiveError: what is there is no manifest of it.
    """
    name = manifest_name(month)
    with archive.reading(name) as file:
        content = file.read()
    try:
        document = json.loads(content)
        tables = {table: TableFile(**entry) for table, entry in document["tables"].items()}
        if (document["format"], document["month"]) == (FORMAT, month):
            return Manifest(month, tables)
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise ArchiveError(f"{archive.shown(name)} is no manifest of {month}; run the month again.")


def find_manifest(month: str, archive: Storage) -> Manifest | None:
    """Return the manifest of a month; None where there is none that can be read."""
    try:
        return read_manifest(month, archive)
    except (MissingFileError, ArchiveError):
        return None


def write_manifest(manifest: Manifest, archive: Storage) -> None:
    """Make a manifest that of its month, all at once."""
    tables = {name: table._asdict() for name, table in manifest.tables.items()}
    document = {"format": FORMAT, "month": manifest.month, "tables": tables}
    with archive.writing(manifest_name(manifest.month)) as file:
        file.write(json.dumps(document, indent=1, sort_keys=True).encode() + b"\n")


def check_files(manifest: Manifest, archive: Storage) -> None:
    """Read all files of a month back and compare their checksums.

    Raises:
        ArchiveError: one is missing or has changed; says which.
    """
    for name, expected in manifest.files.items():
        try:
            with archive.reading(name) as file:
                found = digest(file)
        except MissingFileError as error:
            raise ArchiveError(f"{error} The manifest of {manifest.month} names it; run the month again.") from None
        if found != expected:
            raise ArchiveError(
                f"{archive.shown(name)} has the checksum {found[:12]}… where the manifest has {expected[:12]}…; remove "
                "it and run the month again."
            )


def digest(file: BinaryIO) -> str:
    """Return the SHA-256 of what is left of a file."""
    found = hashlib.sha256()
    while piece := file.read(_PIECE):
        found.update(piece)
    return found.hexdigest()
