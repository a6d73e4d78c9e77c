"""Who does the heavy work is read from the environment, and checked."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

import etl.spark.settings
from etl.errors import SettingsError
from etl.spark.session import spark_session
from etl.spark.settings import SparkSettings, read_spark_settings, transform_engine


def test_every_variable_is_in_the_table() -> None:
    """The place that documents the settings documents all of them."""
    source = Path(etl.spark.settings.__file__).read_text(encoding="utf-8")
    used = set(re.findall(r'"((?:SPARK|TRANSFORM)_[A-Z_]+)"', source))
    assert used == set(re.findall(r"^\| `([A-Z_]+)`", str(etl.spark.settings.__doc__), re.MULTILINE))


def test_the_engine_is_one_that_there_is() -> None:
    """Pandas by default; a name that means nothing is refused with the two that do."""
    assert transform_engine({}) == transform_engine({"TRANSFORM_ENGINE": " "}) == "pandas"
    assert transform_engine({"TRANSFORM_ENGINE": "spark"}) == "spark"
    with pytest.raises(SettingsError, match="TRANSFORM_ENGINE='sparks' must be 'pandas' or 'spark'"):
        transform_engine({"TRANSFORM_ENGINE": "sparks"})


def test_spark_runs_here_unless_told_otherwise() -> None:
    """And a folder that depends on where a task runs is refused."""
    assert read_spark_settings({}) == SparkSettings("local[*]", None)
    told = {"SPARK_MASTER": "spark://a:7077", "SPARK_SCRATCH": "/shared"}
    assert read_spark_settings(told) == SparkSettings("spark://a:7077", Path("/shared"))
    with pytest.raises(SettingsError, match="SPARK_SCRATCH='here' must be an absolute path"):
        read_spark_settings({"SPARK_SCRATCH": "here"})


def test_spark_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the two ways out."""
    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(SettingsError, match="needs pyspark: install the dependency group spark, or unset"):
        spark_session(SparkSettings()).__enter__()
