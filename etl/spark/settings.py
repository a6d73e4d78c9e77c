"""Who does the heavy work, read from the environment when a task runs.

| variable           | default     | meaning                                                                          |
|--------------------|-------------|----------------------------------------------------------------------------------|
| `TRANSFORM_ENGINE` | `pandas`    | `pandas`: one process beside the database, and the database itself; or `spark`   |
| `SPARK_MASTER`     | `local[*]`  | where Spark runs, as its `--master`                                              |
| `SPARK_SCRATCH`    | (temporary) | absolute path of a folder that all of Spark's workers see                        |
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from etl.errors import SettingsError

ENGINES = ("pandas", "spark")


@dataclass(frozen=True)
class SparkSettings:
    """Where Spark runs, and the folder that its workers share; None is this machine's for temporary files."""

    master: str = "local[*]"
    scratch: Path | None = None


def transform_engine(environ: Mapping[str, str] = os.environ) -> str:
    """Read and check `TRANSFORM_ENGINE`.

    Raises:
        SettingsError: it is neither `pandas` nor `spark`.
    """
    engine = environ.get("TRANSFORM_ENGINE", "").strip() or "pandas"
    if engine not in ENGINES:
        raise SettingsError(f"TRANSFORM_ENGINE={engine!r} must be {' or '.join(map(repr, ENGINES))}.")
    return engine


def read_spark_settings(environ: Mapping[str, str] = os.environ) -> SparkSettings:
    """Read and check the settings of Spark.

    Raises:
        SettingsError: `SPARK_SCRATCH` is no absolute path.
    """
    scratch = environ.get("SPARK_SCRATCH", "").strip()
    if scratch and not Path(scratch).is_absolute():
        raise SettingsError(f"SPARK_SCRATCH={scratch!r} must be an absolute path.")
    return SparkSettings(environ.get("SPARK_MASTER", "").strip() or "local[*]", Path(scratch) if scratch else None)
