"""Files in a bucket of an S3-compatible store, through pyarrow's own client."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

from pyarrow import fs

from etl.errors import MissingFileError
from etl.storage.base import Credentials, Storage, Stored, checked

CONNECT_TIMEOUT, REQUEST_TIMEOUT, ATTEMPTS = 10, 60, 3


class Bucket(Storage):
    """A bucket, or what is below a prefix in it."""

    def __init__(self, url: str, bucket: str, prefix: str, credentials: Credentials) -> None:
        self.url = url
        self._root = f"{bucket}/{prefix}".rstrip("/")
        endpoint = urlsplit(credentials.endpoint)
        where = {"endpoint_override": endpoint.netloc, "scheme": endpoint.scheme} if endpoint.netloc else {}
        self._client: Any = fs.S3FileSystem(
            access_key=credentials.key,
            secret_key=credentials.secret,
            region=credentials.region,
            connect_timeout=CONNECT_TIMEOUT,
            request_timeout=REQUEST_TIMEOUT,
            retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=ATTEMPTS),
            **where,
        )

    def files(self, folder: str = "", *, below: bool = True) -> list[Stored]:  # noqa: D102 - as in Storage, here and below
        place = f"{self._root}/{folder}".removesuffix("/.").rstrip("/")
        selector = fs.FileSelector(place, recursive=below, allow_not_found=True)
        with self._told("listed", folder):
            found = self._client.get_file_info(selector)
        files = (info for info in found if info.type == fs.FileType.File)
        return sorted(Stored(info.path.removeprefix(f"{self._root}/"), info.mtime_ns / 1e9) for info in files)

    def exists(self, name: str) -> bool:  # noqa: D102
        with self._told("looked for", name):
            (found,) = self._client.get_file_info([self._path(name)])
        return bool(found.type == fs.FileType.File)

    @contextlib.contextmanager
    def reading(self, name: str) -> Iterator[BinaryIO]:  # noqa: D102
        path = self._path(name)
        with self._told("read", name), self._client.open_input_stream(path, buffer_size=1 << 20) as stream:
            yield stream

    @contextlib.contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:  # noqa: D102
        path = self._path(name)
        # Closing an upload completes it, also one that is broken off: so all of it is here before any of it goes.
        with self._told("written", name), tempfile.NamedTemporaryFile() as local:
            yield cast("BinaryIO", local)
            local.flush()
            here = fs.LocalFileSystem()
            fs.copy_files(local.name, path, source_filesystem=here, destination_filesystem=self._client)

    def delete(self, name: str) -> None:  # noqa: D102
        path = self._path(name)
        with contextlib.suppress(MissingFileError), self._told("removed", name):
            self._client.delete_file(path)

    def _path(self, name: str) -> str:
        return f"{self._root}/{checked(name)}"
