"""A folder and a bucket keep the same promises: the bucket is one of a real server."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.object_store import SECRET, ObjectStore

from etl.errors import MissingFileError, SettingsError, StorageError
from etl.storage import Credentials, Storage, copy, open_storage

ROOT = Path(__file__).parents[3]
numbers = itertools.count()
parts = st.text("abcXYZ0189-_=. é", min_size=1, max_size=8).filter(lambda part: part.strip(". ") == part)
names = st.lists(parts, min_size=1, max_size=3).map("/".join)


def write(storage: Storage, name: str, content: bytes) -> None:
    """Write a file, in two pieces."""
    with storage.writing(name) as file:
        file.write(content[: len(content) // 2])
        file.write(content[len(content) // 2 :])


def read(storage: Storage, name: str) -> bytes:
    """Return a file's bytes."""
    with storage.reading(name) as file:
        return file.read()


def test_what_was_written_is_read(storage: Storage, tmp_path: Path) -> None:
    """Under its name, beside others, also in place of what was there; deleted, it is gone."""
    assert storage.names() == []
    write(storage, "a/b.csv", b"old")
    write(storage, "a/b.csv", b"new and longer")
    write(storage, "c.csv", b"")
    assert (read(storage, "a/b.csv"), read(storage, "c.csv")) == (b"new and longer", b"")
    assert (storage.names(), storage.names("a"), storage.names("b")) == (["a/b.csv", "c.csv"], ["a/b.csv"], [])
    assert [storage.exists(name) for name in ("a/b.csv", "a", "b")] == [True, False, False]
    with (tmp_path / "here").open("w+b") as file:
        copy(storage, "a/b.csv", file)
        assert file.tell() == 14
    with storage.local("a/b.csv") as path:
        assert path.read_bytes() == b"new and longer"
    with pytest.raises(MissingFileError), storage.local("a"):
        pass
    storage.delete("a/b.csv")
    storage.delete("a/b.csv")
    assert storage.names() == ["c.csv"]


def test_a_folder_alone_is_listed_with_the_time_of_each_file(storage: Storage) -> None:
    """Those in folders below it are others'."""
    before = time.time() - 5  # a store's clock may be a rough one
    for name in ("a/b.csv", "a/c/d.csv", "e.csv"):
        write(storage, name, b"x")
    assert [file.name for file in storage.files("a")] == ["a/b.csv", "a/c/d.csv"]
    (found,) = storage.files("a", below=False)
    assert found.name == "a/b.csv"
    assert before < found.modified < time.time() + 5


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=names, content=st.binary(max_size=200))
def test_any_name_and_content_come_back(storage: Storage, name: str, content: bytes) -> None:
    """Also with blanks, dots and letters of other alphabets."""
    name = f"{next(numbers)}/{name}"  # what was a folder for one example may be a file for the next
    write(storage, name, content)
    assert read(storage, name) == content
    assert storage.names() == [name]
    storage.delete(name)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_reader_sees_the_old_file_until_the_new_one_is_whole(storage: Storage, error: type[BaseException]) -> None:
    """While it is written, and after it was broken off; nothing else is left."""
    write(storage, "users.csv", b"old")
    with pytest.raises(error), storage.writing("users.csv") as file:
        file.write(b"half" * 100_000)
        file.flush()
        assert read(storage, "users.csv") == b"old"
        raise error
    assert read(storage, "users.csv") == b"old"
    assert storage.names() == ["users.csv"]


def test_a_killed_writer_leaves_the_old_file(storage: Storage, request: pytest.FixtureRequest) -> None:
    """And nothing that a reader sees."""
    write(storage, "users.csv", b"old")
    endpoint = request.getfixturevalue("server").endpoint if storage.url.startswith("s3") else ""
    code = (
        "import os, sys, signal; from etl.storage import Credentials, open_storage\n"
        "url, endpoint, secret = sys.argv[1:]\n"
        "storage = open_storage(url, Credentials('shopkeeper', secret, endpoint))\n"
        "with storage.writing('users.csv') as file:\n"
        "    file.write(b'half' * 1000); file.flush(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    arguments = [storage.url, endpoint, SECRET]
    assert subprocess.run([sys.executable, "-c", code, *arguments], env=env, check=False).returncode == -signal.SIGKILL
    assert read(storage, "users.csv") == b"old"
    assert storage.names() == ["users.csv"]


def test_a_file_that_is_not_there_is_named(storage: Storage) -> None:
    """With its whole address, to be looked for again."""
    with pytest.raises(MissingFileError) as raised:
        read(storage, "no/such.csv")
    assert str(raised.value) == f"{storage.url}/no/such.csv is not there."


@pytest.mark.parametrize(("taken", "name"), [("a/b.csv", "a"), ("a", "a/b.csv")])
def test_a_name_is_that_of_a_file_or_of_a_folder(tmp_path: Path, taken: str, name: str) -> None:
    """On a disk: the refusal says so, and what is there stays."""
    storage = open_storage(str(tmp_path))
    write(storage, taken, b"old")
    with pytest.raises(StorageError, match=r"cannot be written: (Is a directory|Not a directory|File exists)\.$"):
        write(storage, name, b"new")
    assert storage.names() == [taken]


@pytest.mark.parametrize("name", ["../up", "/root", "a/../../up"])
def test_a_name_cannot_lead_out(storage: Storage, name: str) -> None:
    """Neither for reading nor for writing."""
    for act in (storage.reading, storage.writing):
        with pytest.raises(ValueError, match="no name below"), act(name):
            pass


def test_a_full_disk_is_told(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one sentence; the old file stays."""
    write(storage, "users.csv", b"old")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("etl.files.os.fsync", full)
    monkeypatch.setattr("etl.bucket.fs.copy_files", full)
    with pytest.raises(StorageError) as raised:
        write(storage, "users.csv", b"new")
    assert str(raised.value) == f"{storage.url}/users.csv cannot be written: No space left on device."
    assert read(storage, "users.csv") == b"old"


def test_a_store_that_is_away_is_told_without_its_secrets() -> None:
    """So that a later attempt may find it."""
    storage = open_storage("s3://shop/raw", Credentials("key", SECRET, "http://127.0.0.1:9"))
    for act in (lambda: storage.names(), lambda: storage.exists("a"), lambda: write(storage, "a", b"x")):
        with pytest.raises(
            StorageError, match=r"^s3://shop/raw/.* cannot be (listed|looked for|written): .*\.$"
        ) as raised:
            act()
        assert SECRET not in str(raised.value)
        assert SECRET not in repr(storage.__dict__)


def test_a_bucket_that_does_not_exist_is_no_matter_of_time(server: ObjectStore) -> None:
    """Somebody has to make it."""
    with pytest.raises(SettingsError, match=r"^s3://nowhere/a cannot be written: .*NO_SUCH_BUCKET"):
        write(open_storage("s3://nowhere", server.credentials), "a", b"x" * 10)


@pytest.mark.parametrize("url", ["data", "ftp://host/x", "file://host/x", "", "s3://"])
def test_an_address_of_no_kind_is_refused(url: str) -> None:
    """With the kinds that there are."""
    with pytest.raises(SettingsError, match="must be an absolute path, a file:// URL or an s3://bucket/prefix URL"):
        open_storage(url)


def test_credentials_come_from_a_connection_and_are_not_shown() -> None:
    """Login, password, and the endpoint and region of the extra."""
    extra = {"endpoint_url": "http://127.0.0.1:9000", "region_name": "eu-north-1"}
    credentials = Credentials.of_connection("key", SECRET, extra)
    assert credentials == Credentials("key", SECRET, "http://127.0.0.1:9000", "eu-north-1")
    assert SECRET not in repr(credentials)
    with pytest.raises(SettingsError, match="needs credentials"):
        open_storage("s3://shop")
    with pytest.raises(SettingsError, match="access key as login"):
        Credentials.of_connection("key", None, {})
