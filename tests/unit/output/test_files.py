"""Files that we write: whole or not at all, over nothing that is not ours, through no link."""

from __future__ import annotations

import os
import re
import socket
import stat
from pathlib import Path

import pytest

from dagproof.errors import UsageError
from dagproof.output.files import check_target, write_file


def refusal(path: Path, *, force: bool = False) -> str:
    """The sentence with which both functions refuse a path."""
    said = []
    for attempt in (
        lambda: check_target(path, "report", is_ours=lambda head: head == b"ours", force=force),
        lambda: write_file(path, b"new", "report", is_ours=lambda head: head == b"ours", force=force),
    ):
        with pytest.raises(UsageError) as caught:
            attempt()
        said.append(str(caught.value))
    assert said[0] == said[1]
    return said[0]


def test_a_device_is_never_replaced() -> None:
    """As root, a rename over ``/dev/null`` succeeds."""
    for force in (False, True):
        said = refusal(Path(os.devnull), force=force)
        assert said == "/dev/null is a device, not a regular file; name another file for the report"
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


@pytest.mark.parametrize("kind", ["pipe", "socket", "folder"])
def test_what_is_no_file_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Nothing is opened, so that nothing hangs."""
    monkeypatch.chdir(tmp_path)
    path = Path("there")
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("there")
    before = os.lstat(path)
    said = refusal(path, force=True)
    shown = "named pipe" if kind == "pipe" else kind
    like = ", such as there/proof.html" if kind == "folder" else ""
    assert said == f"there is a {shown}, not a regular file; name another file for the report{like}"
    assert os.lstat(path).st_ino == before.st_ino


@pytest.mark.parametrize("target", ["/dev/null", "a file", "nowhere"])
def test_no_link_is_followed(tmp_path: Path, target: str) -> None:
    """Wherever it leads, and whatever is forced."""
    (tmp_path / "a file").write_bytes(b"ours")
    link = tmp_path / "link"
    link.symlink_to(target if target.startswith("/") else tmp_path / target)
    place = os.path.realpath(link)
    for force in (False, True):
        said = refusal(link, force=force)
        assert said == f"{link} is a link to {place}, and the report does not follow links; name a regular file"
    assert link.is_symlink()
    assert (tmp_path / "a file").read_bytes() == b"ours"


def test_somebody_elses_file_needs_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An older one of ours does not, and an empty one is nobody's."""
    monkeypatch.chdir(tmp_path)
    path = Path("notes.txt")
    path.write_bytes(b"mine")
    assert refusal(path) == (
        "notes.txt exists, and dagproof did not write it; name another file for the report, or replace it with --force"
    )
    assert path.read_bytes() == b"mine"
    write_file(path, b"ours", "report", is_ours=lambda head: head == b"ours", force=True)
    write_file(path, b"", "report", is_ours=lambda head: head == b"ours")
    write_file(path, b"ours", "report", is_ours=lambda head: head == b"ours")
    assert path.read_bytes() == b"ours"


def test_mode_and_owner_are_kept(tmp_path: Path) -> None:
    """Also where root replaces somebody else's file."""
    path = tmp_path / "dag.py"
    path.write_bytes(b"old")
    path.chmod(0o640)
    if os.getuid() == 0:
        os.chown(path, 1234, 1234)
    before = path.stat()
    write_file(path, b"new", "fix")
    after = path.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)


def test_the_longest_name_can_be_written(tmp_path: Path) -> None:
    """The part beside it has a shorter one; a longer name is refused in a sentence."""
    write_file(tmp_path / ("x" * 255), b"new", "report")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"new"]
    with pytest.raises(UsageError, match=r"the report cannot be written to .*x \(File name too long\); name another"):
        write_file(tmp_path / ("x" * 256), b"new", "report")
    with pytest.raises(UsageError, match=r"cannot be written to .*\\x00 \(.*null (byte|character).*\); name another"):
        write_file(tmp_path / "\0", b"new", "report")


def test_names_are_shown_as_what_they_are(tmp_path: Path) -> None:
    """No terminal obeys the name of a file."""
    path = tmp_path / "\x1b[2J\n::error::x"
    path.mkdir()
    with pytest.raises(UsageError, match=re.escape(r"\x1b[2J\n::error::x is a folder, not a regular file")):
        check_target(path, "report")
