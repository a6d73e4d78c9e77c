"""A real server that speaks S3, in a process of its own, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pyarrow import fs

from dagproof.worlds.services import start_services
from etl.storage import Credentials, Storage

KEY, SECRET = "shopkeeper", "open-sesame-4711"


@dataclass(frozen=True)
class ObjectStore:
    """Where the server is."""

    address: str

    @property
    def endpoint(self) -> str:
        """Its URL."""
        return f"http://{self.address}"

    @property
    def credentials(self) -> Credentials:
        """Who may do everything there."""
        return Credentials(KEY, SECRET, self.endpoint)

    def make_bucket(self, name: str) -> str:
        """Make an empty bucket and return its URL."""
        client = fs.S3FileSystem(
            access_key=KEY, secret_key=SECRET, endpoint_override=self.address, scheme="http", allow_bucket_creation=True
        )
        client.create_dir(name)
        return f"s3://{name}"


class StoredFile:
    """A file of a storage, spoken to as if it were a path."""

    def __init__(self, storage: Storage, name: str) -> None:
        self._storage = storage
        self.name = name

    @property
    def path(self) -> Path:
        """Where it is, in a folder."""
        return Path(self._storage.url, self.name)

    def read_bytes(self) -> bytes:
        """Return what is in it."""
        with self._storage.reading(self.name) as file:
            return file.read()

    def write_bytes(self, data: bytes) -> None:
        """Replace what is in it."""
        with self._storage.writing(self.name) as file:
            file.write(data)

    def write_text(self, text: str) -> None:
        """Replace what is in it."""
        self.write_bytes(text.encode())

    def unlink(self) -> None:
        """Remove it."""
        self._storage.delete(self.name)


@contextmanager
def object_store(folder: Path) -> Iterator[ObjectStore]:
    """Start the server, empty; `folder` receives its log."""
    with start_services(
        {"s3": "python -m moto.server -H 127.0.0.1 -p {port}"}, folder=folder, root=folder.parent, pythonpath=[]
    ) as running:
        running.wait()
        yield ObjectStore(running.places["s3"])
