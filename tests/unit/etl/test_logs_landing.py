"""Logs are landed from a folder, an SFTP server or an HTTP address: whole, unpacked, and each line once."""

from __future__ import annotations

import datetime
import functools
import gzip
import http.server
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.object_store import ObjectStore
from tests.support.sftp_server import PASSWORD, USER, SftpFolder, sftp_folder

from etl.errors import SettingsError, SourceUnavailableError
from etl.logs.generator import generate_log
from etl.logs.land import land_log, raw_log
from etl.logs.parse import open_log, parse_log, summarise
from etl.logs.places import SftpServer, ThisMachine
from etl.logs.settings import ALL_APPS, LogSettings, read_log_settings
from etl.storage import Storage, open_storage

DS = "2026-01-02"
BEFORE, DURING = 1_767_000_000, 1_767_350_000  # seconds since 1970: 2025-12-29 and 2026-01-02


def landed(root: Path, source: str, server: SftpServer | None = None, app: str = "mainApp") -> bytes:
    """Land a log and return it."""
    settings = read_log_settings({"DATA_ROOT": str(root), "LOGS_SOURCE": source})
    size = land_log(app, DS, settings, server)
    data = (root / raw_log(app, DS)).read_bytes()
    assert size == len(data)
    assert [path.name for path in (root / raw_log(app, DS)).parent.iterdir()] == [f"{app}.log"]
    return data


def test_logs_go_from_a_storage_to_a_storage(storage: Storage, server: ObjectStore) -> None:
    """A rotated one first, unpacked, and one that is not there is tried again; the inbox goes before the source."""
    who = server.credentials if storage.url.startswith("s3:") else None
    environ = {"LOGS_STORAGE": storage.url, "LOGS_SOURCE": f"{storage.url}/apps/{{app}}.log"}
    settings = read_log_settings(environ, lambda url: open_storage(url, who))

    def land() -> bytes:
        size = land_log("mainApp", DS, settings)
        with storage.reading(raw_log("mainApp", DS)) as file:
            data = file.read()
        assert size == len(data)
        return data

    def put(name: str, data: bytes) -> None:
        with storage.writing(name) as file:
            file.write(data)

    put("apps/old/mainApp.log", b"somebody else's\n")
    with pytest.raises(SourceUnavailableError, match=r"There is no \S*apps/mainApp.log yet, nor a rotated one"):
        land()
    assert not storage.exists(raw_log("mainApp", DS))
    put("apps/mainApp.log", b"2\n")
    put("apps/mainApp.log.1.gz", gzip.compress(b"1"))
    assert land() == b"1\n2\n"
    put(f"inbox/logs/{DS}/mainApp.log", gzip.compress(b"right\n"))
    assert land() == b"right\n"


def put(path: Path, data: bytes, modified: float = DURING) -> Path:
    """Write a file that was last changed at some time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (modified, modified))
    return path


@pytest.fixture
def sftp(tmp_path: Path) -> Iterator[SftpFolder]:
    """A real SFTP server."""
    (tmp_path / "logs").mkdir()
    with sftp_folder(tmp_path / "logs") as folder:
        yield folder


def of(sftp: SftpFolder, **changes: Any) -> SftpServer:
    """How to log in there."""
    known: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": sftp.port,
        "user": USER,
        "password": PASSWORD,
        "host_key": sftp.host_key,
    }
    return SftpServer(**(known | changes))


@pytest.mark.parametrize("by", ["folder", "sftp with a password", "sftp with a key"])
def test_a_log_comes_after_the_rotated_ones_beside_it(tmp_path: Path, sftp: SftpFolder, by: str) -> None:
    """The oldest first, unpacked, without those that ended before the day; a line that was cut off keeps to itself."""
    folder = tmp_path / "logs"
    put(folder / "mainApp.log", b"6\n")
    put(folder / "mainApp.log.1", b"5")
    put(folder / "mainApp.log.2.gz", gzip.compress(b"4\n"))
    put(folder / "mainApp.log.10", b"3\n")
    put(folder / "mainApp.log.11", b"long ago\n", BEFORE)
    put(folder / "mainApp.log.12.bak", b"something else\n")
    put(folder / "extApp.log-20260102", b"2\n")
    put(folder / "extApp.log-20260101.gz", gzip.compress(b"1\n"))
    login: dict[str, Any] = {"password": "", "private_key": sftp.private_key} if "key" in by else {}
    place = str(folder) if by == "folder" else "sftp://"
    machine = None if by == "folder" else of(sftp, **login)
    assert landed(tmp_path, f"{place}/{{app}}.log", machine) == b"3\n4\n5\n6\n"
    assert landed(tmp_path / "other", f"{place}/{{app}}.log", machine, "extApp") == b"1\n2\n"


def test_a_log_that_grew_or_was_rotated_between_two_attempts_counts_once(tmp_path: Path) -> None:
    """The later attempt takes the place of the earlier one."""
    folder = tmp_path / "logs"
    put(folder / "mainApp.log", b"1\n2\n")
    assert landed(tmp_path, f"{folder}/{{app}}.log") == b"1\n2\n"
    put(folder / "mainApp.log", b"1\n2\n3\n")
    (folder / "mainApp.log").rename(folder / "mainApp.log.1")
    put(folder / "mainApp.log", b"4\n")
    assert landed(tmp_path, f"{folder}/{{app}}.log") == b"1\n2\n3\n4\n"


def test_a_log_that_is_rotated_while_it_is_read_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One could be missed, or met twice; what was landed before stays."""
    folder = tmp_path / "logs"
    put(folder / "mainApp.log", b"1\n")
    landed(tmp_path, f"{folder}/{{app}}.log")
    copy = ThisMachine.copy

    def copy_and_rotate(self: ThisMachine, path: str, target: Any) -> None:
        copy(self, path, target)
        (folder / "mainApp.log").rename(folder / "mainApp.log.1")

    monkeypatch.setattr(ThisMachine, "copy", copy_and_rotate)
    with pytest.raises(SourceUnavailableError, match="mainApp.log was rotated while it was read"):
        landed(tmp_path, f"{folder}/{{app}}.log")
    assert (tmp_path / raw_log("mainApp", DS)).read_bytes() == b"1\n"
    monkeypatch.setattr(ThisMachine, "copy", copy)
    assert landed(tmp_path, f"{folder}/{{app}}.log") == b"1\n"


def test_a_log_of_the_day_may_be_of_any_age(tmp_path: Path) -> None:
    """Its name says which day it is about."""
    put(tmp_path / "logs" / DS / "mainApp.log", b"1\n", BEFORE)
    assert landed(tmp_path, f"file://{tmp_path}/logs/{{ds}}/{{app}}.log") == b"1\n"


def test_a_log_in_the_inbox_goes_before_the_source(tmp_path: Path) -> None:
    """That is how a day is put right by hand."""
    put(tmp_path / "inbox" / "logs" / DS / "mainApp.log", gzip.compress(b"right\n"))
    assert landed(tmp_path, "generator") == b"right\n"


@pytest.mark.parametrize("data", [gzip.compress(b"1\n" * 999)[:-9], b"\x1f\x8bno gzip"], ids=["cut", "damaged"])
def test_a_packed_log_that_is_not_whole_is_tried_again(tmp_path: Path, data: bytes) -> None:
    """Nothing of it is landed: who writes it may not be done."""
    put(tmp_path / "logs" / "mainApp.log", data)
    with pytest.raises(SourceUnavailableError, match="mainApp.log is not whole yet: it is cut or damaged: "):
        landed(tmp_path, f"{tmp_path}/logs/{{app}}.log")
    assert not list((tmp_path / "raw").rglob("*.log"))


def test_a_log_that_is_not_there_is_tried_again(tmp_path: Path, sftp: SftpFolder) -> None:
    """Neither the file nor the folder; on both kinds of machines."""
    for place, machine in ((tmp_path / "logs", None), ("sftp://", of(sftp))):
        with pytest.raises(SourceUnavailableError, match=r"There is no \S*/mainApp.log yet, nor a rotated one"):
            landed(tmp_path, f"{place}/{{app}}.log", machine)
        with pytest.raises(SourceUnavailableError, match="nowhere/mainApp.log cannot be read: No such file"):
            landed(tmp_path, f"{place}/nowhere/{{app}}.log", machine)


def test_a_server_that_is_another_one_or_refuses_is_named(tmp_path: Path, sftp: SftpFolder) -> None:
    """And without a host key, nobody logs in anywhere."""
    other = SftpFolder(tmp_path)
    other.close()
    for changes in ({"password": "wrong"}, {"host_key": other.host_key}, {"port": other.port}):
        with pytest.raises(SourceUnavailableError, match=r"The SFTP server 127.0.0.1:\d+ cannot be used: "):
            landed(tmp_path, "sftp:///{app}.log", of(sftp, **changes))
    with pytest.raises(SettingsError, match="needs the server's public key"):
        landed(tmp_path, "sftp:///{app}.log", of(sftp, host_key=""))
    with pytest.raises(SettingsError, match="private key of the connection logs_sftp is no"):
        landed(tmp_path, "sftp:///{app}.log", of(sftp, private_key="none"))
    with pytest.raises(SettingsError, match="needs the Airflow connection logs_sftp"):
        landed(tmp_path, "sftp:///{app}.log")
    assert PASSWORD not in repr(of(sftp))


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves a folder and says nothing about it."""

    def log_message(self, *args: Any) -> None:
        pass


def test_a_log_comes_over_http(tmp_path: Path) -> None:
    """Packed or not; one that is not there is tried again."""
    put(tmp_path / "logs" / "mainApp.log", gzip.compress(b"1\n2"))
    handler = functools.partial(Quiet, directory=str(tmp_path / "logs"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as web:
        thread = threading.Thread(target=web.serve_forever)
        thread.start()
        source = f"http://127.0.0.1:{web.server_port}/{{app}}.log"
        try:
            assert landed(tmp_path, source) == b"1\n2\n"
            with pytest.raises(SourceUnavailableError, match="answered 404"):
                landed(tmp_path, source, app="extApp")
        finally:
            web.shutdown()
            thread.join()


@pytest.mark.parametrize("app", ALL_APPS)
def test_a_made_up_log_is_the_same_each_time_and_read(tmp_path: Path, app: str) -> None:
    """Each app's in its own format, with levels and traces; a few lines are in none."""
    data = b"".join(generate_log(app, DS, 2_500))
    assert data == b"".join(generate_log(app, DS, 2_500))
    assert data != b"".join(generate_log(app, "2026-01-03", 2_500))
    with open_log(put(tmp_path / app, data)) as log:
        summary = summarise(parse_log(log, datetime.date.fromisoformat(DS)))
    assert summary.entries == 2_500
    assert 5 < summary.unparsed < 60
    assert summary.traces > 50
    assert summary.levels["error"] > 100


@pytest.mark.parametrize(
    "source",
    [
        "generator:0",
        "generator:x",
        "logs/{app}.log",
        "/var/log/app.log",
        "ftp://host/{app}.log",
        "sftp://host/{app}.log",
        "http:///{app}",
    ],
)
def test_a_source_that_means_nothing_is_refused(source: str) -> None:
    """With what it may be."""
    with pytest.raises(SettingsError, match=r"LOGS_SOURCE='.*' must be 'generator'"):
        read_log_settings({"DATA_ROOT": "/data", "LOGS_SOURCE": source})


def test_settings_have_defaults() -> None:
    """All but the folder."""
    assert read_log_settings({"DATA_ROOT": "/data"}) == LogSettings("/data")
    assert len(ALL_APPS) == 9


@pytest.mark.parametrize("apps", ["a,a", "a,,b", "a b", "../a"])
def test_names_of_apps_that_could_be_no_task_or_file_are_refused(apps: str) -> None:
    """They become both."""
    with pytest.raises(SettingsError, match="must be names of letters and digits, each once"):
        read_log_settings({"DATA_ROOT": "/data", "LOGS_APPS": apps})
    assert read_log_settings({"DATA_ROOT": "/data", "LOGS_APPS": "a, b"}).apps == ("a", "b")
