"""A storage of each kind: the buckets are those of a real server."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.object_store import ObjectStore, object_store

from etl.storage import Storage, open_storage

numbers = itertools.count()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """A server that speaks S3."""
    with object_store(tmp_path_factory.mktemp("s3") / "s3") as running:
        yield running


@pytest.fixture(params=["folder", "file-url", "bucket", "prefix"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """An empty storage of each kind."""
    if request.param in ("folder", "file-url"):
        prefix = "file://" if request.param == "file-url" else ""
        return open_storage(f"{prefix}{tmp_path}/new")
    server: ObjectStore = request.getfixturevalue("server")
    url = server.make_bucket(f"bucket-{next(numbers)}")
    return open_storage(url + ("/deep/down" if request.param == "prefix" else ""), server.credentials)
