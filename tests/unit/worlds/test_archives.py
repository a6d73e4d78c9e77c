"""Archives among a world's files: what is in them counts, and not when or in which order it was put there."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from dagproof.worlds.diff import diff
from dagproof.worlds.snapshot import take

Members = Mapping[str, bytes]
Write = Callable[[Path, Members, int], None]

ONE: Members = {"a.csv": b"1,2\n", "b/c.csv": b"3,4\n"}
TURNED: Members = dict(sorted(ONE.items(), reverse=True))


def write_zip(path: Path, members: Members, second: int, mode: Any = "w") -> None:
    """Write a zip whose members were changed at some second."""
    with zipfile.ZipFile(path, mode, zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 2 * second)), content)


def tarred(members: Members, second: int) -> bytes:
    """A tar whose members were changed at some second."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(content), second
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def write_tar(path: Path, members: Members, second: int) -> None:
    """Write a tar."""
    path.write_bytes(tarred(members, second))


def write_tar_gz(path: Path, members: Members, second: int) -> None:
    """Write a tar that gzip has compressed, which writes the time down once more."""
    path.write_bytes(gzip.compress(tarred(members, second), mtime=second))


def write_tar_bz2(path: Path, members: Members, second: int) -> None:
    """Write a tar that bzip2 has compressed."""
    path.write_bytes(bz2.compress(tarred(members, second)))


def write_tar_xz(path: Path, members: Members, second: int) -> None:
    """Write a tar that xz has compressed."""
    path.write_bytes(lzma.compress(tarred(members, second)))


def write_nested(path: Path, members: Members, second: int) -> None:
    """Write a zip that holds a compressed tar and a compressed file."""
    inner = {"all.tar.gz": gzip.compress(tarred(members, second), mtime=second)}
    write_zip(path, inner | {"a.gz": gzip.compress(members["a.csv"], mtime=second)}, second)


WAYS = [write_zip, write_tar, write_tar_gz, write_tar_bz2, write_tar_xz, write_nested]


def detail(tmp_path: Path, write: Callable[[], object], write_again: Callable[[], object]) -> str | None:
    """What is said of the file after it was written again; None where it is the same."""
    write()
    before = take(None, tmp_path)
    write_again()
    found = diff(before, take(None, tmp_path)).files
    return found[0].detail if found else None


@pytest.mark.parametrize("write", WAYS)
def test_when_and_in_which_order_an_archive_was_written_does_not_count(tmp_path: Path, write: Write) -> None:
    """Its bytes differ all the same."""
    path = tmp_path / "archive"
    assert detail(tmp_path, lambda: write(path, ONE, 1), lambda: write(path, TURNED, 9)) is None


@pytest.mark.parametrize("write", WAYS)
def test_what_a_member_holds_counts(tmp_path: Path, write: Write) -> None:
    """And so does a member more, and another name."""
    path = tmp_path / "archive"
    for other in ({**ONE, "a.csv": b"1,3\n"}, {**ONE, "d.csv": b""}, {"a.csv": b"1,2\n", "b/d.csv": b"3,4\n"}):
        assert detail(tmp_path, lambda: write(path, ONE, 1), lambda o=other: write(path, o, 1))  # type: ignore[misc]  # a lambda's default


def test_a_difference_in_an_archive_is_shown_by_its_line(tmp_path: Path) -> None:
    """Below the line with the member's name."""
    path = tmp_path / "archive"
    said = detail(tmp_path, lambda: write_zip(path, ONE, 1), lambda: write_zip(path, {**ONE, "b/c.csv": b"3,5\n"}, 1))
    assert said == "line 5: '3,4' became '3,5'"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_is_appended_once_more_counts(tmp_path: Path) -> None:
    """A zip may hold several members of one name: a rerun that appends makes it grow."""
    path = tmp_path / "archive"
    assert detail(tmp_path, lambda: write_zip(path, ONE, 1), lambda: write_zip(path, {"a.csv": b"1,2\n"}, 1, "a"))


def test_a_tar_behind_a_tar_counts(tmp_path: Path) -> None:
    """Concatenated, the second one is behind the end of the first."""
    path = tmp_path / "archive"
    more = tarred(ONE, 1) + tarred({"z": b"z"}, 1)
    assert detail(tmp_path, lambda: write_tar(path, ONE, 1), lambda: path.write_bytes(more))


@pytest.mark.parametrize("office", ["docProps/core.xml", "meta.xml"])
def test_when_a_workbook_was_saved_does_not_count(tmp_path: Path, office: str) -> None:
    """Its title does, which lies beside the time."""
    path = tmp_path / "book.xlsx"
    tag = "dcterms:modified" if office.startswith("doc") else "dc:date"

    def book(title: str, when: str) -> Members:
        return {office: f"<dc:title>{title}</dc:title><{tag} x='y'>{when}</{tag}>".encode(), "sheet.xml": b"<c>1</c>"}

    assert (
        detail(tmp_path, lambda: write_zip(path, book("a", "2026"), 1), lambda: write_zip(path, book("a", "2027"), 1))
        is None
    )
    assert detail(
        tmp_path, lambda: write_zip(path, book("a", "2026"), 1), lambda: write_zip(path, book("b", "2026"), 1)
    )


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"PK\x03\x04 is how a zip begins", id="zip"),
        pytest.param(bytes(257) + b"ustar" + bytes(999), id="tar"),
        pytest.param(gzip.compress(bytes(2000)), id="zeros"),
        pytest.param(b"BZh is how bzip2 begins", id="bzip2"),
        pytest.param(b"\xfd7zXZ\x00 is how xz begins", id="xz"),
    ],
)
def test_what_only_begins_like_an_archive_is_its_bytes(tmp_path: Path, content: bytes) -> None:
    """One byte more is another file."""
    path = tmp_path / "archive"
    assert detail(tmp_path, lambda: path.write_bytes(content), lambda: path.write_bytes(content + b"x"))


@pytest.mark.parametrize("write", [write_zip, write_tar_gz])
def test_half_an_archive_is_no_whole_one(tmp_path: Path, write: Write) -> None:
    """A writer that was killed leaves something else than one that was not, at each byte."""
    path = tmp_path / "archive"
    write(path, ONE, 1)
    whole, before = path.read_bytes(), take(None, tmp_path)
    for size in range(0, len(whole), 7):
        path.write_bytes(whole[:size])
        assert diff(before, take(None, tmp_path)), size
