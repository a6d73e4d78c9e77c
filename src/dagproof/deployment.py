"""What the user's own Airflow is told that decides how DAG files are read: never where its database is."""

from __future__ import annotations

import configparser
import contextlib
import os
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
