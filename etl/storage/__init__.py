"""Files by URL: below a local folder or in a bucket of an S3-compatible store, with the same promises for both."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from etl.errors import SettingsError
from etl.storage.base import Credentials, Storage, Stored, copy
from etl.storage.folder import Folder

__all__ = ["Credentials", "Storage", "Stored", "copy", "open_storage"]


def open_storage(url: str, credentials: Credentials | None = None) -> Storage:
    """Return the storage at an absolute path, a ``file://`` URL or an ``s3://bucket/prefix`` URL.

    Nothing is looked at yet.

    Raises:
        SettingsError: the URL is none of these, or ``s3://`` comes without credentials.
    """
    parts = urlsplit(url)
    if parts.scheme == "s3" and parts.netloc:
        if credentials is None:
            raise SettingsError(f"{url} needs credentials, and there are none.")
        from etl.storage.bucket import Bucket  # the client of S3 is not for those who have folders

        return Bucket(url, parts.netloc, parts.path.strip("/"), credentials)
    path = unquote(parts.path) if parts.scheme == "file" and parts.netloc in ("", "localhost") else url
    if not Path(path).is_absolute():
        raise SettingsError(f"{url!r} must be an absolute path, a file:// URL or an s3://bucket/prefix URL.")
    return Folder(Path(path))
