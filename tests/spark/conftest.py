"""One Spark session for all tests: a JVM takes seconds to start."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from tests.support.compose import ROOT

from etl.spark.session import spark_session
from etl.spark.settings import SparkSettings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """A session on two cores, which whatever asks for one is given."""
    if not shutil.which("java"):
        pytest.skip("no java on PATH: install a JRE of 17 or later, default-jre-headless in Debian")
    with spark_session(SparkSettings("local[2]")) as (session, _):
        yield session


@pytest.fixture
def warehouse(postgresql: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """A connection to an empty database with the shop's tables; each statement commits."""
    postgresql.autocommit = True
    postgresql.execute((ROOT / "etl" / "sql" / "shop.sql").read_bytes())
    return postgresql
