"""One stack for all tests: it takes a minute to come up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.stack.stack import Stack


@pytest.fixture(scope="session")
def stack(docker_engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack, up and healthy. It is taken down at the end, also when it did not come up."""
    stack = Stack(tmp_path_factory.mktemp("stack"))
    try:
        stack.up()
        yield stack
    finally:
        stack.down()
