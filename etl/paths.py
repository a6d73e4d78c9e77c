"""Where the files of a date live under `DATA_ROOT`."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

from etl.errors import SettingsError


def check_date(ds: str) -> str:
    """Return `ds` if it is a date written YYYY-MM-DD.

    Raises:
        SettingsError: it is not; a path or a partition must not be made of it.
    """
    try:
        valid = re.fullmatch(r"\d{4}-\d{2}-\d{2}", ds, re.ASCII) and datetime.date.fromisoformat(ds)
    except ValueError:
        valid = None
    if not valid:
        raise SettingsError(f"{ds!r} is not a date written YYYY-MM-DD.")
    return ds


def raw_users(ds: str) -> Path:
    """Return the raw users file of a date, relative to `DATA_ROOT`."""
    return Path("raw", "users", check_date(ds), "users.csv")


def staged_users(ds: str) -> Path:
    """Return the staging file of a date, relative to `DATA_ROOT`."""
    return Path("staging", "users", check_date(ds), "users.parquet")
