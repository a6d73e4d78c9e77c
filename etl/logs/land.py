"""Bring a day's log of an app into the storage, from wherever it comes: unpacked, each line once."""

from __future__ import annotations

import contextlib
import datetime
import errno
import re
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from typing import BinaryIO, cast

from etl.download import download
from etl.errors import EtlError, InputError, SettingsError, SourceUnavailableError, TooLargeError
from etl.logs.generator import generate_log
from etl.logs.parse import unpacked
from etl.logs.places import Found, InBucket, Place, SftpServer, ThisMachine
from etl.logs.settings import LogSettings
from etl.paths import check_date
from etl.storage import copy

_ATTEMPTS = 4
_BLOCK = 1 << 20
_DAY = 24 * 60 * 60


def raw_log(app: str, ds: str) -> str:
    """Return the name of the landed log of an app on a day."""
    return f"raw/logs/{check_date(ds)}/{app}.log"


class _Landing:
    """A file that logs are written to one after another."""

    def __init__(self, file: BinaryIO, max_bytes: int) -> None:
        self._file = file
        self._left = self._max = max_bytes

    def add(self, path: str, machine: Place) -> None:
        """Write a log, unpacked."""
        self.fill(lambda part: machine.copy(path, part))

    def fill(self, fetch: Callable[[BinaryIO], None]) -> None:
        """Write what is fetched, unpacked; its last line is ended, so that what follows begins with one of its own."""
        last = b""
        with tempfile.TemporaryFile() as part:
            fetch(cast("BinaryIO", part))
            with unpacked(cast("BinaryIO", part), "it") as plain:
                while block := plain.read(_BLOCK):
                    self._left -= len(block)
                    if self._left < 0:
                        raise TooLargeError(f"it has more than the {self._max:,} bytes that LOGS_MAX_BYTES allows.")
                    self._file.write(block)
                    last = block[-1:]
        if last not in (b"", b"\n"):
            self._file.write(b"\n")


def land_log(app: str, ds: str, settings: LogSettings, server: SftpServer | None = None) -> int:
    """Land the log of an app on a day; return its size in bytes.

    The file appears whole or not at all, and replaces what was landed before. A file `inbox/logs/{ds}/{app}.log` of
    the storage is taken instead of the source's: that is how a day is put right by hand.

    Raises:
        SettingsError: the source cannot be what was meant.
        SourceUnavailableError: the source does not have the log (yet), does not answer, broke off, or the log is cut.
        TooLargeError: it is larger than `LOGS_MAX_BYTES`.
        StorageError: the log cannot be written.
    """
    files, corrected = settings.files, f"inbox/logs/{check_date(ds)}/{app}.log"
    with files.writing(raw_log(app, ds)) as file:
        landing = _Landing(file, settings.max_bytes)
        if files.exists(corrected):
            with _named(corrected):
                landing.fill(lambda part: copy(files, corrected, part))
        elif settings.kind == "generator":
            file.writelines(generate_log(app, ds, settings.entries))
        else:
            _fetch(settings.source.replace("{app}", app).replace("{ds}", ds), ds, settings, server, landing)
        return file.tell()


def _fetch(place: str, ds: str, settings: LogSettings, server: SftpServer | None, landing: _Landing) -> None:
    try:
        with _named(place):
            _fetch_whole(place, ds, settings, server, landing)
    except TooLargeError:
        raise
    except InputError as error:  # whoever writes it may not be done
        raise SourceUnavailableError(f"The log {place} is not whole yet: {error}") from error
    except EtlError:
        raise
    except OSError as error:
        if error.errno == errno.ENOSPC:  # the disk is ours
            raise
        raise SourceUnavailableError(f"The log {place} cannot be read: {error.strerror or error}.") from error


@contextlib.contextmanager
def _named(place: str) -> Iterator[None]:
    try:
        yield
    except TooLargeError as error:
        raise TooLargeError(f"The log {place}, unpacked, cannot be landed: {error}") from None


def _fetch_whole(place: str, ds: str, settings: LogSettings, server: SftpServer | None, landing: _Landing) -> None:
    if settings.kind == "http":
        landing.fill(lambda part: download(place, part, timeout=settings.timeout, attempts=_ATTEMPTS))
        return
    with _opened(settings, server) as machine:
        since = None if settings.of_one_day else _beginning(ds) - _DAY
        _land_with_rotated(_path(place), since, machine, landing)


def _opened(settings: LogSettings, server: SftpServer | None) -> contextlib.AbstractContextManager[Place]:
    if settings.kind == "folder":
        return contextlib.nullcontext(ThisMachine())
    if settings.kind == "s3":
        return contextlib.nullcontext(InBucket(settings.opened("/".join(settings.source.split("/")[:3]))))
    if server is None:
        raise SettingsError(f"LOGS_SOURCE={settings.source!r} needs the Airflow connection logs_sftp.")
    return server.connect(settings.timeout)


def _path(place: str) -> str:
    return urllib.request.url2pathname(urllib.parse.urlsplit(place).path) if "://" in place else place


def _beginning(ds: str) -> float:
    return datetime.datetime.fromisoformat(ds).replace(tzinfo=datetime.timezone.utc).timestamp()


def _land_with_rotated(path: str, since: float | None, machine: Place, landing: _Landing) -> None:
    """Write a log after the rotated ones beside it, the oldest first, but for those that ended before a moment.

    Raises:
        SourceUnavailableError: there is none of them, or they were rotated meanwhile: one may have been missed, or met
            twice.
    """
    folder, _, name = path.rpartition("/")
    found = _rotated(name, machine.files(folder or "/"))
    if not found:
        raise SourceUnavailableError(f"There is no {path} yet, nor a rotated one.")
    for other in reversed(found):
        if since is None or other.modified >= since:
            landing.add(f"{folder}/{other.name}", machine)
    # The log itself may have grown: what came too late for this look is another day's.
    if [other for other in _rotated(name, machine.files(folder or "/")) if other.name != name] != [
        other for other in found if other.name != name
    ]:
        raise SourceUnavailableError(f"The log {path} was rotated while it was read.")


def _rotated(name: str, found: list[Found]) -> list[Found]:
    """Return a log and the rotated ones beside it, the newest first."""
    pattern = re.compile(re.escape(name) + r"(?:\.(?P<number>\d+)|-(?P<day>[\d-]+))?(?:\.gz)?")
    matches = [(match, file) for file in found if (match := pattern.fullmatch(file.name))]
    numbered = sorted((int(match["number"] or 0), file.name, file) for match, file in matches if not match["day"])
    dated = sorted((file for match, file in matches if match["day"]), reverse=True)
    return [file for *_, file in numbered] + dated
