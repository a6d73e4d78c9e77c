"""Every setting of `monitor_errors`, read from the environment when a task runs.

| variable          | default     | meaning                                                                        |
|-------------------|-------------|--------------------------------------------------------------------------------|
| `DATA_ROOT`       | (required)  | absolute path of the folder that holds `raw/` and `reports/`                   |
| `LOGS_APPS`       | all nine    | the watched apps, with commas in between; read when the DAG is parsed, too     |
| `LOGS_SOURCE`     | `generator` | where a day's logs come from, see below                                        |
| `LOGS_MAX_ERRORS` | `25`        | errors and worse of one app on one day above which an alert is sent            |
| `LOGS_TIMEOUT`    | `30`        | seconds to wait for a connection, and for each next piece of a log             |

`LOGS_SOURCE` is one of

- `generator` or `generator:5000`: made-up logs, the same for a day on any machine (100 entries, or so many);
- an absolute path or `file://` URL, such as `/var/log/apps/{app}.log`;
- an `sftp:///var/log/apps/{app}.log` path on the server of the Airflow connection `logs_sftp`;
- an `http://` or `https://` address, such as `https://logs.example.org/{ds}/{app}.log`.

`{app}` must be in a place, `{ds}` may be. Where the day is in it, the log is the day's, whatever times are in it. Where
it is not, the log goes on for days: the day's entries are taken from it and, but for HTTP, from the rotated ones that
lie beside it (`mainApp.log.1`, `mainApp.log.2.gz`, `mainApp.log-20260101.gz`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from etl.errors import SettingsError
from etl.settings import data_root, number

ALL_APPS = (
    "securityApp",
    "mainApp",
    "extApp",
    "timeApp",
    "tokenApp",
    "bridgeApp",
    "daemonApp",
    "notificationApp",
    "messageApp",
)

DEFAULT_ENTRIES = 100


@dataclass(frozen=True)
class LogSettings:
    """The environment variables above, checked and typed."""

    data_root: Path
    source: str = "generator"
    apps: tuple[str, ...] = ALL_APPS
    max_errors: int = 25
    timeout: float = 30.0

    @property
    def kind(self) -> str:
        """`generator`, `folder`, `sftp` or `http`."""
        scheme = self.source.partition(":")[0].lower()
        return {"generator": "generator", "sftp": "sftp", "http": "http", "https": "http"}.get(scheme, "folder")

    @property
    def of_one_day(self) -> bool:
        """Whether a log holds one day only, so that nobody has to look at the times in it."""
        return self.kind == "generator" or "{ds}" in self.source

    @property
    def entries(self) -> int:
        """How many entries a generated log has."""
        return int(self.source.partition(":")[2] or DEFAULT_ENTRIES)


def watched_apps(environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Read and check `LOGS_APPS`.

    Raises:
        SettingsError: a name is none, or is there twice.
    """
    apps = tuple(app.strip() for app in (environ.get("LOGS_APPS", "").strip() or ",".join(ALL_APPS)).split(","))
    if len(set(apps)) != len(apps) or not all(re.fullmatch(r"\w+", app, re.ASCII) for app in apps):
        raise SettingsError(f"LOGS_APPS={','.join(apps)!r} must be names of letters and digits, each once.")
    return apps


def read_log_settings(environ: Mapping[str, str] = os.environ) -> LogSettings:
    """Read and check the settings.

    Raises:
        SettingsError: a variable is missing or its value means nothing.
    """
    source = environ.get("LOGS_SOURCE", "").strip() or "generator"
    place = re.match(r"/|file:///|sftp:///|https?://[^/]", source)
    if not re.fullmatch(r"generator(:[1-9]\d{0,8})?", source) and not (place and "{app}" in source):
        raise SettingsError(
            f"LOGS_SOURCE={source!r} must be 'generator', 'generator:N', or an absolute path or a file:///, sftp:///, "
            "http:// or https:// URL with {app} in it."
        )
    return LogSettings(
        data_root=data_root(environ),
        source=source,
        apps=watched_apps(environ),
        max_errors=int(number(environ, "LOGS_MAX_ERRORS", default=25, low=0, high=10**12, whole=True)),
        timeout=number(environ, "LOGS_TIMEOUT", default=30, low=0.001, high=86_400),
    )
