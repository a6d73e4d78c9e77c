"""The node of a DAG file, and a failure as its report shows it: what the items of rules and of laws share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest._code.code import ReprEntryNative, ReprExceptionInfo, ReprFileLocation, ReprTraceback


class DagFile(pytest.Collector):
    """A file of the DAG folder."""

    def collect(self) -> Iterator[pytest.Item]:
        """Not asked: the items are made by :func:`collect`."""
        return iter(())


def file_node(session: pytest.Session, path: Path) -> DagFile:
    """Return the node of a file of the DAG folder."""
    base = session.config.rootpath
    nodeid = path.relative_to(base).as_posix() if path.is_relative_to(base) else str(path)
    return DagFile.from_parent(session, name=path.name, path=path, nodeid=nodeid)


def shown(text: str, path: Path) -> ReprExceptionInfo:
    """Return `text` as a failure that survives the way from an xdist worker."""
    lines = [line + "\n" for line in text.splitlines()]
    traceback = ReprTraceback([ReprEntryNative(lines)], None, style="native")
    return ReprExceptionInfo(traceback, ReprFileLocation(str(path), 0, text.splitlines()[0]))
