"""The user's own Airflow: its version, and the settings that decide how DAG files are read, never its database."""

from __future__ import annotations

import configparser
import contextlib
import importlib.metadata
import os
import re
from pathlib import Path

OPTIONS = (
    *(
        ("core", name)
        for name in ("dag_discovery_safe_mode", "dag_ignore_file_syntax", "default_task_retries", "plugins_folder")
    ),
    *(("core", name) for name in ("default_timezone", "default_task_execution_timeout", "max_active_tasks_per_dag")),
    *(("core", name) for name in ("default_task_retry_delay", "allowed_deserialization_classes")),
    ("operators", "default_deferrable"),
    ("sensors", "default_timeout"),
    *(("scheduler", name) for name in ("catchup_by_default", "create_cron_data_intervals")),
    ("scheduler", "create_delta_data_intervals"),
)
"""Sections and options that change what a DAG file gives."""


def airflow_settings() -> dict[str, str]:
    """Return those options that are set in the environment, or in the file airflow.cfg, as ``SECTION__OPTION``."""
    file = _file()
    found = {}
    for section, option in OPTIONS:
        name = f"{section}__{option}".upper()
        value = os.environ.get(f"AIRFLOW__{name}") or file.get(section, option, fallback=None)
        if value:
            found[name] = value
    return found


def _file() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    home = os.environ.get("AIRFLOW_HOME") or "~/airflow"
    path = Path(os.environ.get("AIRFLOW_CONFIG") or Path(home, "airflow.cfg")).expanduser()
    with contextlib.suppress(OSError, configparser.Error, UnicodeDecodeError):
        parser.read(path, encoding="utf-8")
    return parser


OLDEST, NEWEST = "3.1", "3.4"
"""The lines of Airflow that dagproof is tested with."""


def supported() -> str:
    """Return the lines of Airflow that dagproof is tested with, as a person writes them."""
    return f"{OLDEST} to {NEWEST}"


def airflow_version() -> str | None:
    """Return the version of Airflow in this environment, without importing it; None where there is none."""
    for name in ("apache-airflow-core", "apache-airflow"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            return importlib.metadata.version(name)
    return None


def airflow_note() -> str | None:
    """Return a note about an Airflow that is newer than those that dagproof is tested with; None for the others."""
    version = airflow_version()
    if version is None or _line(version) <= _line(NEWEST):
        return None
    return f"Airflow {version} is newer than the versions that dagproof is tested with ({supported()})"


def _line(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])
