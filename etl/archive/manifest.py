"""The manifest of an archived month: which files it is made of, and how to know that they are whole."""

from __future__ import annotations

import datetime
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Annotated, BinaryIO, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from etl.errors import ArchiveError, MissingFileError, SettingsError
from etl.storage import Storage

FORMAT = 1
TABLES = (
    "raw_customers",
    "raw_products",
    "raw_orders",
    "raw_rejected",
    "users_daily",
    "users_rejected",
    "quality_results",
    "quality_scores",
    "transactions",
    "predictions",
    "transactions_rejected",
)
"""What is archived: each table whose rows belong to the day in their column `dt`."""
_PIECE = 1 << 20
_MOST_BYTES = 1 << 20
"""Bytes of a manifest: one has a few thousand."""


class _Entry(BaseModel):
    """A table in a manifest, as it is written."""

    model_config = ConfigDict(strict=True, extra="forbid")
    rows: Annotated[int, Field(ge=1, lt=2**63)]
    file: Annotated[str, Field(pattern=r"^[a-z_]+-[0-9a-f]{12}\.parquet$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Document(BaseModel):
    """A manifest, as it is written."""

    model_config = ConfigDict(strict=True, extra="forbid")
    format: Literal[1]
    month: str
    tables: dict[str, _Entry]


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
        content = file.read(_MOST_BYTES + 1)
    reason = f"it has more than {_MOST_BYTES:,} bytes" if len(content) > _MOST_BYTES else ""
    if not reason:
        try:
            document = _Document.model_validate_json(content)
            reason = _contradiction(document, month)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            reason = f"{'.'.join(map(str, first['loc'])) or 'it'}: {first['msg']}"
    if reason:
        raise ArchiveError(f"{archive.shown(name)} is no manifest of {month} ({reason}); run the month again.")
    return Manifest(month, {table: TableFile(**entry.model_dump()) for table, entry in document.tables.items()})


def _contradiction(document: _Document, month: str) -> str:
    """Return what in a manifest cannot be; nothing where all of it can."""
    if document.month != month:
        return f"it is about {document.month[:40]!r}"
    for table, entry in document.tables.items():
        if table not in TABLES:
            return f"no table {table[:40]!r} is archived"
        if entry.file != f"{table}-{entry.sha256[:12]}.parquet":
            return f"the file of {table} is not named after its table and checksum"
    return ""


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
