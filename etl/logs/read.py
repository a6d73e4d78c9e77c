"""Read a log with the engine that is set: one process, or Spark."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterator
from pathlib import Path

from etl.logs.parse import Entry, open_log, parse_log


def read_log(path: Path, day: datetime.date, engine: str = "pandas") -> Iterator[Entry]:
    """Yield the entries of a log, the same with each engine.

    Args:
        path: The log; with the engine `spark`, where all workers of Spark find it.
        day: The day that the log is about, as `etl.logs.parse.parse_log` takes it.
        engine: What `etl.spark.settings.transform_engine` says.

    Raises:
        TruncatedFileError: the log is packed, and cut or damaged.
        SettingsError: the engine is `spark`, and Spark cannot be started.
    """
    if engine == "spark":
        from etl.logs.spark import parse_with_spark

        yield from parse_with_spark(path, day)
    else:
        with open_log(path) as log:
            yield from parse_log(log, day)


@contextlib.contextmanager
def engine_ready(engine: str) -> Iterator[None]:
    """Have an engine start once for all the logs that are read in the block.

    Raises:
        SettingsError: the engine is `spark`, and Spark cannot be started.
    """
    if engine == "spark":
        from etl.spark.session import spark_session

        with spark_session():
            yield
    else:
        yield
