"""Settings are read from the environment, checked, and each error names its variable."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import etl.settings
from etl.errors import SettingsError
from etl.paths import raw_users, staged_users
from etl.settings import Settings, archive_keep, archive_url, deadline_alerts, generated_rows, read_settings


def test_only_data_root_is_required() -> None:
    """Everything else has a default."""
    assert read_settings({"DATA_ROOT": "/data"}) == Settings(Path("/data"), "generator", 0.1, 30.0, 4)


def test_every_setting_is_read() -> None:
    """Each variable ends up in its own field, typed."""
    environ = {
        "DATA_ROOT": "/data",
        "USERS_SOURCE": " /in/{ds} ",
        "USERS_MAX_BAD_SHARE": "0",
        "USERS_HTTP_TIMEOUT": "1.5",
        "USERS_HTTP_ATTEMPTS": "2",
    }
    assert read_settings(environ) == Settings(Path("/data"), "/in/{ds}", 0.0, 1.5, 2)


def test_the_archive_is_below_data_root_unless_told() -> None:
    """And keeps two years."""
    assert (archive_url({"DATA_ROOT": "/data"}), archive_keep({})) == ("/data/archive", 24)
    environ = {"ARCHIVE_URL": "s3://archive", "ARCHIVE_KEEP": "3"}
    assert (archive_url(environ), archive_keep(environ)) == ("s3://archive", 3)
    with pytest.raises(SettingsError, match="DATA_ROOT is not set"):
        archive_url({})
    with pytest.raises(SettingsError, match="ARCHIVE_KEEP='0' must be a whole number from 1"):
        archive_keep({"ARCHIVE_KEEP": "0"})


def test_deadlines_are_on_or_off() -> None:
    """Off unless told; nothing else means anything."""
    assert [deadline_alerts({"DEADLINE_ALERTS": value}) for value in ("", "off", " on ")] == [False, False, True]
    with pytest.raises(SettingsError, match="DEADLINE_ALERTS='yes' must be 'on' or 'off'"):
        deadline_alerts({"DEADLINE_ALERTS": "yes"})


def test_every_variable_is_in_the_table() -> None:
    """The one place that documents the settings documents all of them."""
    source = Path(etl.settings.__file__).read_text(encoding="utf-8")
    used = set(
        re.findall(r'"((?:ARCHIVE|CSV|DATA|DEADLINE|LAKE|MODEL|QUALITY|TRANSACTIONS|USERS|WAREHOUSE)_[A-Z_]+)"', source)
    )
    assert used == set(re.findall(r"^\| `([A-Z_]+)`", str(etl.settings.__doc__), re.MULTILINE))


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        pytest.param({}, "DATA_ROOT is not set", id="missing root"),
        pytest.param({"DATA_ROOT": "  "}, "DATA_ROOT is not set", id="blank root"),
        pytest.param({"DATA_ROOT": "data"}, "DATA_ROOT='data'", id="relative root"),
        pytest.param({"DATA_ROOT": "/d", "USERS_MAX_BAD_SHARE": "5%"}, "USERS_MAX_BAD_SHARE='5%'", id="not a number"),
        pytest.param({"DATA_ROOT": "/d", "USERS_MAX_BAD_SHARE": "1.1"}, "from 0 to 1", id="too large"),
        pytest.param({"DATA_ROOT": "/d", "USERS_MAX_BAD_SHARE": "nan"}, "USERS_MAX_BAD_SHARE='nan'", id="nan"),
        pytest.param({"DATA_ROOT": "/d", "USERS_HTTP_ATTEMPTS": "1.5"}, "a whole number", id="not whole"),
        pytest.param({"DATA_ROOT": "/d", "USERS_HTTP_TIMEOUT": "0"}, "USERS_HTTP_TIMEOUT='0'", id="no time"),
    ],
)
def test_a_setting_that_means_nothing_is_named(environ: dict[str, str], named: str) -> None:
    """The error holds the variable, its value and what would be right."""
    with pytest.raises(SettingsError, match=re.escape(named)):
        read_settings(environ)


@pytest.mark.parametrize(
    ("source", "rows"), [("generator", 1000), ("generator:5000", 5000), ("/generator:5", None), ("http://x/", None)]
)
def test_the_generator_is_told_how_many_rows(source: str, rows: int | None) -> None:
    """A number after the colon, 1,000 without one."""
    assert generated_rows(source) == rows


@pytest.mark.parametrize("source", ["generator:", "generator:0", "generator:-1", "generator:1e3", "generator:٣"])
def test_a_generator_of_no_number_is_refused(source: str) -> None:
    """Only a whole number of at least 1 will do."""
    with pytest.raises(SettingsError, match="USERS_SOURCE"):
        generated_rows(source)


def test_paths_are_relative_to_the_data_root() -> None:
    """What ends up in rows and messages is the same on every machine."""
    assert raw_users("2024-02-29").as_posix() == "raw/users/2024-02-29/users.csv"
    assert staged_users("2024-02-29").as_posix() == "staging/users/2024-02-29/users.parquet"


@pytest.mark.parametrize("ds", ["2023-02-29", "2024-1-1", "../../etc", "20240101", "2024-W01-1", "٢٠٢٤-٠١-٠١", ""])
def test_a_path_is_made_of_nothing_but_a_date(ds: str) -> None:
    """Anything else could lead out of the folder."""
    with pytest.raises(SettingsError, match="not a date"):
        raw_users(ds)
