"""Every setting of `monitor_errors`, read from the environment when a task runs.

| variable          | default     | meaning                                                                        |
|-------------------|-------------|--------------------------------------------------------------------------------|
| `DATA_ROOT`       | (required)  | absolute path of a folder                                                      |
| `LOGS_STORAGE`    | `DATA_ROOT` | what holds `raw/`, `inbox/` and `reports/`: a folder, or `s3://bucket/…`       |
| `LOGS_APPS`       | all nine    | the watched apps, with commas in between; read when the DAG is parsed, too     |
| `LOGS_SOURCE`     | `generator` | where a day's logs come from, see below                                        |
| `LOGS_MAX_ERRORS` | `25`        | errors and worse of one app on one day above which an alert is sent            |
| `LOGS_MAX_BYTES`  | `4000000000` | bytes that the log of an app on a day may have, unpacked                      |
| `LOGS_TIMEOUT`    | `30`        | seconds to wait for a connection, and for each next piece of a log             |

`LOGS_SOURCE` is one of

- `generator` or `generator:5000`: made-up logs, the same for a day on any machine (100 entries, or so many);
- an absolute path or `file://` URL, such as `/var/log/apps/{app}.log`;
- an `s3://bucket/path/{app}.log` URL, with the credentials of the Airflow connection `minio_default`;
- an `sftp:///var/log/apps/{app}.log` path on the server of the Airflow connection `logs_sftp`;
- an `http://` or `https://` address, such as `https://logs.example.org/{ds}/{app}.log`.

`{app}` must be in a place, `{ds}` may be. Where the day is in it, the log is the day's, whatever times are in it. Where
it is not, the log goes on for days: the day's entries are taken from it and, but for HTTP, from the rotated ones that
lie beside it (`mainApp.log.1`, `mainApp.log.2.gz`, `mainApp.log-20260101.gz`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from etl.errors import SettingsError
from etl.settings import number, place
from etl.storage import Storage, open_storage

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
MAX_BYTES = 4_000_000_000


@dataclass(frozen=True)
class LogSettings:
    """The environment variables above, checked and typed.

    Attributes:
        opened: How the storage at a URL is opened: who has credentials, says so here.
    """

    storage: str
    source: str = "generator"
    apps: tuple[str, ...] = ALL_APPS
    max_errors: int = 25
    timeout: float = 30.0
    max_bytes: int = MAX_BYTES
    opened: Callable[[str], Storage] = open_storage

    @property
    def files(self) -> Storage:
        """What holds `raw/`, `inbox/` and `reports/`."""
        return self.opened(self.storage)

    @property
    def kind(self) -> str:
        """`generator`, `folder`, `s3`, `sftp` or `http`."""
        scheme = self.source.partition(":")[0].lower()
        kinds = {"generator": "generator", "s3": "s3", "sftp": "sftp", "http": "http", "https": "http"}
        return kinds.get(scheme, "folder")

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


def read_log_settings(
    environ: Mapping[str, str] = os.environ, opened: Callable[[str], Storage] = open_storage
) -> LogSettings:
    """Read and check the settings; `opened` opens the storage at a URL, if somebody has credentials for one of `s3://`.

    Raises:
        SettingsError: a variable is missing or its value means nothing.
    """
    source = environ.get("LOGS_SOURCE", "").strip() or "generator"
    somewhere = re.match(r"/|file:///|sftp:///|(s3|https?)://[^/{]", source)
    if not re.fullmatch(r"generator(:[1-9]\d{0,8})?", source) and not (somewhere and "{app}" in source):
        raise SettingsError(
            f"LOGS_SOURCE={source!r} must be 'generator', 'generator:N', or an absolute path or a file:///, s3://, "
            "sftp:///, http:// or https:// URL with {app} in it."
        )
    return LogSettings(
        storage=place(environ, "LOGS_STORAGE"),
        source=source,
        apps=watched_apps(environ),
        max_errors=int(number(environ, "LOGS_MAX_ERRORS", default=25, low=0, high=10**12, whole=True)),
        timeout=number(environ, "LOGS_TIMEOUT", default=30, low=0.001, high=86_400),
        max_bytes=int(number(environ, "LOGS_MAX_BYTES", default=MAX_BYTES, low=1, high=10**15, whole=True)),
        opened=opened,
    )
