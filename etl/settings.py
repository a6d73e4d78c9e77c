"""Every setting of the warehouse, read from the environment when a task runs.

| variable              | default     | meaning                                                             |
|-----------------------|-------------|---------------------------------------------------------------------|
| `DATA_ROOT`           | (required)  | absolute path of the folder that holds `raw/` and `staging/`        |
| `USERS_SOURCE`        | `generator` | where a date's users come from, see below                           |
| `USERS_MAX_BAD_SHARE` | `0.1`       | largest share of malformed rows, 0 to 1, with which a file is loaded |
| `USERS_HTTP_TIMEOUT`  | `30`        | seconds to wait for a connection, and for each next piece of a body |
| `USERS_HTTP_ATTEMPTS` | `4`         | requests before a download is given up                              |
| `QUALITY_MIN_SCORE`   | `95`        | score, 0 to 100, below which `daily_quality_check` fails            |

`USERS_SOURCE` is one of

- `generator` or `generator:5000`: made-up users, the same for a date on any machine (1,000, or so many rows);
- a path or `file://` URL, `{ds}` in it replaced by the date: a file, or a folder that holds `{ds}.csv`,
  `{ds}/users.csv` or `users.csv` (the first of these that exists);
- an `http://` or `https://` address, `{ds}` in it replaced by the date.
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


def generated_rows(source: str) -> int | None:
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
        raise SettingsError(f"USERS_SOURCE={source!r} must be 'generator' or 'generator:N' with N of at least 1.")
    return int(rows)


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
