"""The raw file of a date is the source's own bytes, from each kind of source."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from etl.errors import SettingsError, SourceUnavailableError
from etl.generator import generate_users
from etl.settings import Settings
from etl.source import write_users

DS = "2026-01-01"


def written(tmp_path: Path, source: str) -> bytes:
    """Write the raw file of the date and return its bytes."""
    path = write_users(DS, Settings(tmp_path / "data", source))
    assert path == tmp_path / "data" / "raw" / "users" / DS / "users.csv"
    assert os.listdir(path.parent) == ["users.csv"]
    return path.read_bytes()


def test_generator_is_written(tmp_path: Path) -> None:
    """As many rows as asked for."""
    assert written(tmp_path, "generator:7") == b"".join(generate_users(DS, 7))


@pytest.mark.parametrize(
    ("file", "source"),
    [
        pytest.param(f"{DS}.csv", "{tmp}/in", id="folder of dates"),
        pytest.param(f"{DS}/users.csv", "{tmp}/in", id="folder of folders"),
        pytest.param("users.csv", "{tmp}/in", id="folder of one file"),
        pytest.param(f"{DS}/users.csv", "{tmp}/in/{ds}", id="folder of a date"),
        pytest.param(f"u-{DS}.csv", "{tmp}/in/u-{ds}.csv", id="file of a date"),
        pytest.param("any.txt", "{tmp}/in/any.txt", id="one file"),
        pytest.param("ü x.csv", "file://{tmp}/in/%C3%BC%20x.csv", id="file URL"),
        pytest.param(f"{DS}.csv", "file://localhost{tmp}/in", id="folder URL"),
    ],
)
def test_folder_and_file_are_copied(tmp_path: Path, file: str, source: str) -> None:
    """Each accepted layout, bytes unchanged."""
    path = tmp_path / "in" / file
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\xff\0any bytes")
    assert written(tmp_path, source.replace("{tmp}", str(tmp_path))) == b"\xff\0any bytes"


def test_the_file_of_the_date_comes_first(tmp_path: Path) -> None:
    """A file for all dates is only used where there is none for this one."""
    (tmp_path / "users.csv").write_bytes(b"all")
    (tmp_path / f"{DS}.csv").write_bytes(b"dated")
    assert written(tmp_path, str(tmp_path)) == b"dated"


def test_a_missing_date_is_named_and_leaves_no_file(tmp_path: Path) -> None:
    """The error lists what was looked for; the old raw file stays."""
    settings = Settings(tmp_path / "data", str(tmp_path / "in"))
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "users.csv").write_bytes(b"old")
    raw = write_users(DS, settings)
    (tmp_path / "in" / "users.csv").unlink()
    with pytest.raises(SourceUnavailableError, match=rf"holds none of {DS}.csv, {DS}/users.csv, users.csv"):
        write_users(DS, settings)
    assert raw.read_bytes() == b"old"
    assert os.listdir(raw.parent) == ["users.csv"]


def test_a_missing_path_is_named(tmp_path: Path) -> None:
    """A source that is not there may only be late."""
    with pytest.raises(SourceUnavailableError, match="/nowhere cannot be copied: No such file"):
        written(tmp_path, f"{tmp_path}/nowhere")


@pytest.mark.parametrize("source", ["generatr", "in/users", "ftp://host/x", "s3://bucket/x", "file://host/x"])
def test_an_unknown_kind_of_source_is_a_setting(tmp_path: Path, source: str) -> None:
    """Trying again would not help."""
    with pytest.raises(SettingsError, match="USERS_SOURCE"):
        written(tmp_path, source)
