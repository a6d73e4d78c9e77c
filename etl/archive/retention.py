"""Keep the newest months of the archive, and drop what is older, unless it is the only good copy."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import psycopg

from etl.archive.backup import differences
from etl.archive.manifest import check_files, manifest_name, read_manifest
from etl.errors import ArchiveError, MissingFileError, SettingsError, StorageError
from etl.storage import Storage


class Retention(NamedTuple):
    """What became of the months beyond those that stay anyway."""

    dropped: list[str]
    spared: list[str]
    """Old ones that nobody else has: the database holds their rows no more, or other ones."""
    broken: dict[str, str]
    """Months whose files are not what their manifests say, with the reason; they are left for somebody to look at."""


def months(archive: Storage) -> list[str]:
    """Return the months that are in the archive, oldest first."""
    found = (re.fullmatch(r"(\d{4}-(?:0[1-9]|1[0-2]))/manifest\.json", name, re.ASCII) for name in archive.names())
    return sorted(match[1] for match in found if match)


def tidy(month: str, archive: Storage) -> list[str]:
    """Remove the files of a month that its manifest does not name, and return their names.

    Raises:
        MissingFileError, ArchiveError: there is no manifest, or a file that it names is not whole. Nothing is removed.
    """
    manifest = read_manifest(month, archive)
    check_files(manifest, archive)
    left = [name for name in archive.names(month) if name not in {*manifest.files, manifest_name(month)}]
    for name in left:
        archive.delete(name)
    return left


def retain(keep: int, archive: Storage, connection: psycopg.Connection[Any]) -> Retention:
    """Drop all good months but the newest `keep`, as long as the database has the rows of those that go.

    A month that is broken is no good copy: it does not count, and it is not touched.
    """
    result = Retention([], [], {})
    good = 0
    there = months(archive)
    if len(there) <= keep:
        return result
    for month in reversed(there):
        try:
            manifest = read_manifest(month, archive)
            check_files(manifest, archive)
        except (ArchiveError, MissingFileError, SettingsError, StorageError) as error:  # 0000-01 is none at all
            result.broken[month] = str(error)
            continue
        good += 1
        if good <= keep:
            continue
        if differences(manifest, connection):
            result.spared.append(month)
            continue
        archive.delete(manifest_name(month))  # first: from here on nobody looks for its files
        for name in archive.names(month):
            archive.delete(name)
        result.dropped.append(month)
    return result
