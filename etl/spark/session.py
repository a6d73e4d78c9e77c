"""A Spark session, where there is none yet."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from etl.errors import SettingsError
from etl.spark.settings import SparkSettings, read_spark_settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ETL = Path(__file__).parents[1]


@contextlib.contextmanager
def spark_session(settings: SparkSettings | None = None) -> Iterator[tuple[SparkSession, Path]]:
    """Give a session and an empty folder that its workers see; what is made here ends with the block.

    A session that is there already is used, and goes on.

    Args:
        settings: By default, those of the environment.

    Raises:
        SettingsError: pyspark or Java is missing, or `SPARK_SCRATCH` is no folder.
    """
    settings = settings or read_spark_settings()
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise SettingsError(
            "TRANSFORM_ENGINE=spark needs pyspark: install the dependency group spark, or unset TRANSFORM_ENGINE."
        ) from None
    active = SparkSession.getActiveSession()
    with _scratch(settings) as scratch:
        session = active or _start(settings, scratch)
        try:
            yield session, scratch
        finally:
            if not active:
                session.stop()


@contextlib.contextmanager
def _scratch(settings: SparkSettings) -> Iterator[Path]:
    try:
        folder = Path(tempfile.mkdtemp(prefix="spark-", dir=settings.scratch))
    except OSError as error:
        raise SettingsError(f"SPARK_SCRATCH={settings.scratch} cannot be written: {error.strerror}.") from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start(settings: SparkSettings, scratch: Path) -> SparkSession:
    from pyspark.errors import PySparkRuntimeError
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master(settings.master).appName("warehouse")
    options = {
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.ansi.enabled": "true",  # what does not fit is an error, and no NULL
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    if settings.master.startswith("local"):
        options |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
        options |= {"spark.sql.shuffle.partitions": "4"}  # few workers, few pieces
    for name, value in options.items():
        builder = builder.config(name, value)
    try:
        session = builder.getOrCreate()
    except PySparkRuntimeError as error:
        raise SettingsError(
            f"Spark does not start with SPARK_MASTER={settings.master} ({error}); it needs Java 17 or later on PATH or "
            "in JAVA_HOME."
        ) from None
    # Workers need this package, wherever they are.
    packed = shutil.make_archive(str(scratch / "etl"), "zip", ETL.parent, ETL.name)
    session.sparkContext.addPyFile(packed)
    return session
