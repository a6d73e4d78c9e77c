"""Every setting of the warehouse, read from the environment when a task runs.

| variable                     | default          | meaning                                                        |
|------------------------------|------------------|----------------------------------------------------------------|
| `DATA_ROOT`                  | (required)       | absolute path of the folder that holds `raw/` and `staging/`   |
| `USERS_SOURCE`               | `generator`      | where a date's users come from, see below                      |
| `USERS_MAX_BAD_SHARE`        | `0.1`            | largest share of malformed rows with which a file is loaded    |
| `USERS_HTTP_TIMEOUT`         | `30`             | seconds to wait for a connection, and for each piece of a body |
| `USERS_HTTP_ATTEMPTS`        | `4`              | requests before a download is given up                         |
| `QUALITY_MIN_SCORE`          | `95`             | score, 0 to 100, below which `daily_quality_check` fails       |
| `LAKE_URL`                   | `DATA_ROOT/lake` | where `transactions/{ds}.csv` is: a folder, or `s3://bucket/…` |
| `TRANSACTIONS_SOURCE`        | `lake`           | `generator:N`: where no such file is, N made-up ones land      |
| `TRANSACTIONS_BATCH_ROWS`    | `500`            | transactions that the model is given at once                   |
| `TRANSACTIONS_MAX_BAD_SHARE` | `0.1`            | largest share of malformed ones with which a day is processed  |
| `TRANSACTIONS_IMAGE`         | (none)           | image of the container that a day is processed in, if any      |
| `TRANSACTIONS_NETWORK`       | Docker's default | network of that container                                      |
| `CSV_MAX_RECORD_BYTES`       | `16777216`       | longest record of a CSV file; what is longer is a broken file  |
| `MODEL_TIMEOUT`              | `30`             | seconds to wait for the model's API                            |
| `MODEL_ATTEMPTS`             | `4`              | requests before a batch is given up                            |
| `ARCHIVE_URL`                | `DATA_ROOT/archive` | where months are archived: a folder, or `s3://bucket/…`     |
| `ARCHIVE_KEEP`               | `24`             | so many months stay in the archive                             |
| `WAREHOUSE_POOL`             | `default_pool`   | Airflow's pool of the tasks that work on the shop's warehouse  |
| `DEADLINE_ALERTS`            | `off`            | `on`: a run that is not done in time is told by e-mail         |

`USERS_SOURCE` is one of

- `generator` or `generator:5000`: made-up users, the same for a date on any machine (1,000, or so many rows);
- a path or `file://` URL, `{ds}` in it replaced by the date: a file, or a folder that holds `{ds}.csv`,
  `{ds}/users.csv` or `users.csv` (the first of these that exists);
- an `http://` or `https://` address, `{ds}` in it replaced by the date.

The last two, `TRANSACTIONS_IMAGE` and `TRANSACTIONS_NETWORK` are read when the DAG is parsed, the others in the task
that needs them. Make a pool before you name it: tasks wait for ever for one that is not there, and nobody but the
scheduler's log says so. Deadlines need a triggerer that has the folder of the DAGs in its `PYTHONPATH`.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from etl.errors import SettingsError

DEFAULT_ROWS = 1_000


@dataclass(frozen=True)
class Settings:
    """The environment variables above, checked and typed."""

    data_root: Path
    source: str = "generator"
    max_bad_share: float = 0.1
    http_timeout: float = 30.0
    http_attempts: int = 4


def read_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read and check the settings.

    Raises:
        SettingsError: a variable is missing or its value means nothing.
    """
    return Settings(
        data_root=data_root(environ),
        source=environ.get("USERS_SOURCE", "").strip() or "generator",
        max_bad_share=number(environ, "USERS_MAX_BAD_SHARE", default=0.1, low=0, high=1),
        http_timeout=number(environ, "USERS_HTTP_TIMEOUT", default=30, low=0.001, high=86_400),
        http_attempts=int(number(environ, "USERS_HTTP_ATTEMPTS", default=4, low=1, high=100, whole=True)),
    )


def quality_min_score(environ: Mapping[str, str] = os.environ) -> float:
    """Read and check `QUALITY_MIN_SCORE`, which is all that the quality check needs to be told.

    Raises:
        SettingsError: its value means nothing.
    """
    return number(environ, "QUALITY_MIN_SCORE", default=95, low=0, high=100)


def max_record_bytes(default: int, environ: Mapping[str, str] = os.environ) -> int:
    """Read and check `CSV_MAX_RECORD_BYTES`.

    Raises:
        SettingsError: its value means nothing.
    """
    return int(number(environ, "CSV_MAX_RECORD_BYTES", default=default, low=1_000, high=1 << 30, whole=True))


@dataclass(frozen=True)
class TransactionSettings:
    """What the processing of transactions is told, checked and typed."""

    lake: str
    generated: int | None = None
    batch_rows: int = 500
    max_bad_share: float = 0.1
    timeout: float = 30.0
    attempts: int = 4
    max_record: int = 1 << 24

    def environment(self) -> dict[str, str]:
        """Return the variables that say this, for a process elsewhere."""
        return {
            "LAKE_URL": self.lake,
            "TRANSACTIONS_SOURCE": "lake" if self.generated is None else f"generator:{self.generated}",
            "TRANSACTIONS_BATCH_ROWS": str(self.batch_rows),
            "TRANSACTIONS_MAX_BAD_SHARE": str(self.max_bad_share),
            "MODEL_TIMEOUT": str(self.timeout),
            "MODEL_ATTEMPTS": str(self.attempts),
            "CSV_MAX_RECORD_BYTES": str(self.max_record),
        }


def read_transaction_settings(environ: Mapping[str, str] = os.environ) -> TransactionSettings:
    """Read and check the settings of `batch_pipeline_dag`.

    Raises:
        SettingsError: a variable's value means nothing.
    """
    source = environ.get("TRANSACTIONS_SOURCE", "").strip() or "lake"
    generated = None if source == "lake" else generated_rows(source, "TRANSACTIONS_SOURCE")
    if source != "lake" and generated is None:
        raise SettingsError(f"TRANSACTIONS_SOURCE={source!r} must be 'lake', 'generator' or 'generator:N'.")
    return TransactionSettings(
        lake=place(environ, "LAKE_URL", "lake"),
        generated=generated,
        batch_rows=int(number(environ, "TRANSACTIONS_BATCH_ROWS", default=500, low=1, high=100_000, whole=True)),
        max_bad_share=number(environ, "TRANSACTIONS_MAX_BAD_SHARE", default=0.1, low=0, high=1),
        timeout=number(environ, "MODEL_TIMEOUT", default=30, low=0.001, high=86_400),
        attempts=int(number(environ, "MODEL_ATTEMPTS", default=4, low=1, high=100, whole=True)),
        max_record=max_record_bytes(1 << 24, environ),
    )


@dataclass(frozen=True)
class Container:
    """What a day's transactions are processed in: an image, and the network; an empty one is Docker's default."""

    image: str
    network: str = ""


def processing_container(environ: Mapping[str, str] = os.environ) -> Container | None:
    """Read `TRANSACTIONS_IMAGE` and `TRANSACTIONS_NETWORK`; None where the task itself does the work."""
    image = environ.get("TRANSACTIONS_IMAGE", "").strip()
    return Container(image, environ.get("TRANSACTIONS_NETWORK", "").strip()) if image else None


def warehouse_pool(environ: Mapping[str, str] = os.environ) -> str:
    """Read `WAREHOUSE_POOL`; the default is a pool that each Airflow has."""
    return environ.get("WAREHOUSE_POOL", "").strip() or "default_pool"


def deadline_alerts(environ: Mapping[str, str] = os.environ) -> bool:
    """Read `DEADLINE_ALERTS`.

    Raises:
        SettingsError: it is neither on nor off.
    """
    value = environ.get("DEADLINE_ALERTS", "").strip() or "off"
    if value not in ("on", "off"):
        raise SettingsError(f"DEADLINE_ALERTS={value!r} must be 'on' or 'off'.")
    return value == "on"


def archive_url(environ: Mapping[str, str] = os.environ) -> str:
    """Read `ARCHIVE_URL`.

    Raises:
        SettingsError: neither it nor `DATA_ROOT` is set.
    """
    return place(environ, "ARCHIVE_URL", "archive")


def archive_keep(environ: Mapping[str, str] = os.environ) -> int:
    """Read and check `ARCHIVE_KEEP`.

    Raises:
        SettingsError: its value means nothing.
    """
    return int(number(environ, "ARCHIVE_KEEP", default=24, low=1, high=10_000, whole=True))


def generated_rows(source: str, variable: str = "USERS_SOURCE") -> int | None:
    """Return how many rows `generator` or `generator:N` asks for, or None for another kind of source.

    Raises:
        SettingsError: N is not a whole number of at least 1.
    """
    kind, colon, rows = source.partition(":")
    if kind != "generator":
        return None
    if not colon:
        return DEFAULT_ROWS
    if not re.fullmatch(r"[0-9]{1,12}", rows) or int(rows) == 0:
        raise SettingsError(f"{variable}={source!r} must be 'generator' or 'generator:N' with N of at least 1.")
    return int(rows)


def place(environ: Mapping[str, str], name: str, below: str = "") -> str:
    """Return the URL that a variable holds, or `DATA_ROOT` or the folder below it that stands for none.

    Raises:
        SettingsError: neither is set.
    """
    return environ.get(name, "").strip() or str(data_root(environ) / below)


def data_root(environ: Mapping[str, str]) -> Path:
    """Read and check `DATA_ROOT`.

    Raises:
        SettingsError: it is missing, or no absolute path.
    """
    value = environ.get("DATA_ROOT", "").strip()
    if not value:
        raise SettingsError("DATA_ROOT is not set; it must name the folder that holds raw/ and staging/.")
    if not Path(value).is_absolute():
        # The working directory of a task is nobody's decision.
        raise SettingsError(f"DATA_ROOT={value!r} must be an absolute path.")
    return Path(value)


def number(
    environ: Mapping[str, str], name: str, *, default: float, low: float, high: float, whole: bool = False
) -> float:
    """Read and check a number.

    Raises:
        SettingsError: it is none, or out of bounds.
    """
    text = environ.get(name, "").strip()
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high or (whole and value != int(value)):
        kind = "a whole number" if whole else "a number"
        raise SettingsError(f"{name}={text!r} must be {kind} from {low:g} to {high:g}.")
    return value
