"""Bring the raw users file of a date under `DATA_ROOT`, from wherever it comes."""

from __future__ import annotations

import shutil
import urllib.parse
import urllib.request
from pathlib import Path
from typing import BinaryIO

from etl.download import download
from etl.errors import SettingsError, SourceUnavailableError
from etl.files import atomic_write
from etl.generator import generate_users
from etl.paths import check_date, raw_users
from etl.settings import Settings, generated_rows


def write_users(ds: str, settings: Settings) -> Path:
    """Write the raw users file of a date and return its path.

    The bytes are the source's own, unchanged. The file appears whole or not at all.

    Raises:
        SettingsError: `USERS_SOURCE` names no known kind of source.
        SourceUnavailableError: the source does not hold the date, did not answer, or broke off.
    """
    target = settings.data_root / raw_users(ds)
    with atomic_write(target) as file:
        _fetch(ds, settings, file)
    return target


def _fetch(ds: str, settings: Settings, file: BinaryIO) -> None:
    rows = generated_rows(settings.source)
    place = settings.source.replace("{ds}", check_date(ds))
    scheme = place.partition("://")[0].lower() if "://" in place else ""
    if rows is not None:
        file.writelines(generate_users(ds, rows))
    elif scheme in ("http", "https"):
        download(place, file, timeout=settings.http_timeout, attempts=settings.http_attempts)
    elif scheme == "file":
        _copy(_path_of_url(place), ds, file)
    elif not scheme and Path(place).is_absolute():
        _copy(Path(place), ds, file)
    else:
        raise SettingsError(
            f"USERS_SOURCE={settings.source!r} must be 'generator', 'generator:N', an absolute path, "
            "or a file://, http:// or https:// URL."
        )


def _path_of_url(url: str) -> Path:
    parts = urllib.parse.urlsplit(url)
    if parts.netloc not in ("", "localhost"):
        raise SettingsError(f"USERS_SOURCE={url!r} must be written file:///path, with three slashes.")
    return Path(urllib.request.url2pathname(parts.path))


def _copy(place: Path, ds: str, file: BinaryIO) -> None:
    path = _file_of_date(place, ds)
    try:
        with path.open("rb") as source:
            shutil.copyfileobj(source, file)
    except OSError as error:
        raise SourceUnavailableError(f"The source {path} cannot be copied: {error.strerror}.") from error


def _file_of_date(place: Path, ds: str) -> Path:
    """Return the file that a source path stands for; a folder stands for the first of three names in it."""
    if not place.is_dir():
        return place
    candidates = (f"{ds}.csv", f"{ds}/users.csv", "users.csv")
    for name in candidates:
        if (place / name).is_file():
            return place / name
    raise SourceUnavailableError(f"The source folder {place} holds none of {', '.join(candidates)}.")
