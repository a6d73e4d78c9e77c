"""Where a project's imports start from: what its files say of that, whatever folder somebody stands in.

Python looks in the folders on its path, and which these are is not written in a DAG file. Airflow adds its own; a
package below `src/` is installed or mounted; a repository may be the package itself, under the name that it has in the
image. So the folders around a file are tried, the nearest first, then what `pyproject.toml` declares, and at last the
whole repository, where just one folder fits.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FOREIGN = frozenset({"airflow", *sys.stdlib_module_names})
"""What is never the project's own, whatever its files are called: Airflow puts its folders last on the path."""
_PACKAGES = """
aiohttp altair anthropic asyncpg attr attrs avro aws azure bigquery boto boto3 botocore bs4 cassandra celery
clickhouse_connect clickhouse_driver click confluent_kafka cosmos croniter cryptography cx_Oracle databricks datadog
dateutil dbt delta discord docker dotenv duckdb elasticsearch facebook_business faker fastapi flask freezegun fsspec
gcsfs git github google googleapiclient great_expectations gspread hdfs httpx hvac jinja2 jira jsonschema jwt kafka
keras kubernetes ldap3 loguru lxml marshmallow matplotlib minio mlflow mock mysql neo4j nltk numpy oauth2client
openai openlineage openpyxl opensearchpy oracledb orjson pandas pandera papermill paramiko pendulum polars
prometheus_client psutil psycopg psycopg2 pyarrow pyathena pydantic pydruid pyhive pymongo pymssql pymysql pyodbc
pysftp pyspark pytest pytz rabbitmq redis redshift_connector requests rich s3fs scipy scrapy selenium sendgrid
sentry_sdk simple_salesforce simplejson six sklearn slack slack_sdk snowflake soda spotipy sqlalchemy sqlparse
stripe structlog tableauserverclient tabulate telegram tenacity tensorflow toml torch tqdm transformers trino tweepy
twilio typing_extensions ujson urllib3 wandb websockets xgboost xlrd xlsxwriter xmltodict yaml
"""
PACKAGES = frozenset(_PACKAGES.split())
"""Packages that many install: a file of the project that happens to have such a name is not what is meant."""
BESIDE = ("src", "plugins", "dags")
"""Folders beside which, or in which, a project keeps what it imports."""
MARKS = (
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "requirements.txt",
    "Dockerfile",
    "docker-compose.yml",
    "airflow.cfg",
)
MOST_ABOVE = 8
MOST_FOLDERS = 4_000


@cache
def ancestors(folder: Path) -> list[Path]:
    """Return a folder and those around it, as far as the project goes; the DAG folder first, then the nearest.

    A package is no place that imports start from, so packages come last.
    """
    top = project_top(folder)
    above = [folder, *folder.parents][:MOST_ABOVE]
    inside = [one for one in above if top is None or one.is_relative_to(top)]
    if top is None:
        inside = [one for one in inside[:5] if len(one.parts) > 2]
    return sorted(inside, key=lambda one: (is_package(one), one.name != "dags"))


@cache
def project_top(folder: Path) -> Path | None:
    """Return the folder of the whole project; None where nothing marks it."""
    above = [folder, *folder.parents][:MOST_ABOVE]
    for one in above:
        if (one / ".git").exists():
            return one
    marked = [one for one in above if any((one / mark).is_file() for mark in MARKS)]
    return marked[-1] if marked else None


@cache
def is_package(folder: Path) -> bool:
    """Say whether a folder is a package."""
    return (folder / "__init__.py").is_file()


def places(importer: Path, first: str) -> Iterator[Path]:
    """Yield the folders that an import of `first` in a file may start from, the likeliest first."""
    if first in FOREIGN or first in PACKAGES:
        return
    around = ancestors(importer.parent)
    yield from nearby(importer.parent)
    for folder in around:
        if folder.name == first:
            yield folder.parent
    for folder in around:
        yield from declared(folder)
    top = project_top(importer.parent)
    if top is not None:
        holding = [folder for folder in tree(top).get(first, ()) if not folder.is_relative_to(importer.parent)]
        if holding:
            near = max(len(os.path.commonpath([folder, importer])) for folder in holding)
            nearest = [folder for folder in holding if len(os.path.commonpath([folder, importer])) == near]
            if len(nearest) == 1:
                yield nearest[0]


@cache
def nearby(folder: Path) -> list[Path]:
    """Return the folders around one, each with those in which a project keeps what it imports."""
    return [place for one in ancestors(folder) for place in (one, *(one / name for name in BESIDE))]


def mounts(importer: Path, first: str) -> Iterator[Path]:
    """Yield the folders that may have the name `first` where they are mounted, installed or copied to."""
    if first not in FOREIGN and first not in PACKAGES:
        for folder in ancestors(importer.parent):
            yield folder
            yield folder / "src"


def hides(folder: Path) -> bool:
    """Say whether a folder holds something with the name of a module of Python, or of a package that many install."""
    if is_package(folder):
        return True
    names = {path.stem for path in folder.glob("*.py")} | {path.parent.name for path in folder.glob("*/__init__.py")}
    return bool(names & (FOREIGN | PACKAGES))


def is_own(importer: Path, first: str) -> bool:
    """Say whether a folder or file of the project has the name that an import begins with."""
    if first in FOREIGN or first in PACKAGES:
        return False
    top = project_top(importer.parent)
    if top is not None and first in tree(top):
        return True
    return any((one / first).is_dir() and any((one / first).glob("*.py")) for one in ancestors(importer.parent))


@cache
def tree(top: Path) -> dict[str, tuple[Path, ...]]:
    """Return where a project holds packages and modules that imports may begin with, by their names."""
    found: dict[str, list[Path]] = {}
    for folders, (place, below, files) in enumerate(os.walk(top)):
        if folders > MOST_FOLDERS:
            break
        below[:] = sorted(name for name in below if _may_hold(Path(place, name)))
        here = Path(place)
        if "__init__.py" in files and here != top:
            if not is_package(here.parent):
                found.setdefault(here.name, []).append(here.parent)
        else:
            for name in files:
                if name.endswith(".py"):
                    found.setdefault(name[:-3], []).append(here)
    return {name: tuple(dict.fromkeys(some)) for name, some in found.items()}


def _may_hold(folder: Path) -> bool:
    name = folder.name
    skipped = name.startswith(".") or name in ("__pycache__", "node_modules", "site-packages", "venv", "env")
    return not skipped and not (folder / "pyvenv.cfg").exists()


@cache
def declared(folder: Path) -> tuple[Path, ...]:
    """Return the folders that a `pyproject.toml` declares its packages to be in."""
    try:
        tool = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8")).get("tool", {})
    except (OSError, ValueError):
        return ()
    found: list[Any] = [
        *_list(tool, "setuptools", "packages", "find", "where"),
        *_list(tool, "pytest", "ini_options", "pythonpath"),
    ]
    found += [_at(tool, "setuptools", "package-dir", "")]
    found += [one.get("from") for one in _list(tool, "poetry", "packages") if isinstance(one, dict)]
    found += [
        str(Path(one).parent)
        for one in _list(tool, "hatch", "build", "targets", "wheel", "packages")
        if isinstance(one, str)
    ]
    return tuple(folder / one for one in dict.fromkeys(found) if isinstance(one, str) and one not in ("", "."))


def _at(data: Any, *keys: str) -> Any:
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _list(data: Any, *keys: str) -> list[Any]:
    found = _at(data, *keys)
    return found if isinstance(found, list) else []


def forget() -> None:
    """Forget what is known of folders: files may have come since."""
    for known in (project_top, is_package, tree, declared, ancestors, nearby):
        known.cache_clear()
