"""A week's files are read row by row, and the made-up ones hold the whole shop between them."""

from __future__ import annotations

import datetime
import functools
import http.server
import io
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.object_store import ObjectStore

from etl.errors import InputError, SettingsError, SourceUnavailableError, TransientError
from etl.shop.load import as_csv, raw_tables
from etl.shop.size import DAYS, FIRST_DAY, scaled
from etl.storage import Storage, open_storage
from etl.weekly.files import TABLES, check_file, generated, land, raw_file, source
from etl.weekly.settings import WeekSettings, read_week_settings

WEEK = "2026-01-31"
FACTOR = 0.01


def checked(table: str, data: bytes) -> list[tuple[tuple[str | None, ...], str | None]]:
    """Return the values of each row of a file, or what is wrong with it."""
    return [(row.values, row.problem) for row in check_file(io.BytesIO(data), table, "a.csv")]


def header(table: str) -> bytes:
    return ",".join(TABLES[table]).encode() + b"\n"


@pytest.mark.parametrize("table", TABLES)
def test_the_weeks_of_a_made_up_shop_hold_each_row_once(table: str) -> None:
    """From the first, which has all before it, to the last; each is the same whenever it is made."""
    days = [FIRST_DAY + datetime.timedelta(days=n) for n in range(19, DAYS + 7, 7)]
    assert {day.weekday() for day in days} == {5}
    weeks = [b"".join(generated(table, day.isoformat(), FACTOR)) for day in days]
    rows = b"".join(week.removeprefix(header(table)) for week in weeks)
    every = b"".join(as_csv(row[: len(TABLES[table])] for row in raw_tables(scaled(FACTOR, 0.02))[f"raw_{table}"]))
    assert sorted(rows.splitlines()) == sorted(every.splitlines())
    assert weeks[3] == b"".join(generated(table, days[3].isoformat(), FACTOR))
    assert not [row for week in weeks for row in checked(table, week) if row[1]]


fields = st.text(st.characters(codec="utf-8", exclude_characters='\r\n",'), max_size=12)


@given(st.lists(st.lists(fields, min_size=1, max_size=6)))
def test_each_row_is_taken_or_told_what_is_wrong(rows: list[list[str]]) -> None:
    """Whatever is in it; blank lines are none."""
    lines = [",".join(row) for row in rows]
    found = checked("products", header("products") + "".join(f"{line}\n" for line in lines).encode())
    assert len(found) == sum(1 for line in lines if line)
    for values, problem in found:
        assert (problem is None) == (len(values) == 4)
        if not problem:
            assert values[0] is None or abs(int(values[0])) < 10**18
            assert values[3] is None or abs(float(values[3])) < 10**14


@pytest.mark.parametrize(
    ("table", "row", "problem"),
    [
        ("orders", "1,2,3,2026-02-30,shipped,1,1,0,1", "order_date '2026-02-30' is not what it should be"),
        ("orders", "1,2,3,2026-02-01,shipped,1.5,1,0,1", "quantity '1.5' is not what it should be"),
        ("orders", "1,2,3,2026-02-01,shipped,1,NaN,0,1", "unit_price 'NaN' is not what it should be"),
        ("orders", "9999999999999999999,2,3,,,,,,", "order_id '9999999999999999999' is not what it should be"),
        ("products", "1,a\0,b,1", "name 'a\\x00' is not what it should be"),
        ("products", "1,a,b", "3 fields where the header has 4"),
        ("products", '1,a"b,c,1', "a quote inside an unquoted field"),
    ],
)
def test_what_no_raw_table_could_take_is_told(table: str, row: str, problem: str) -> None:
    """With the column and the value."""
    assert checked(table, header(table) + row.encode() + b"\n") == [((), problem)]


@pytest.mark.parametrize("data", [b"", b"id,name\n", header("products")[:-1], header("products") + b"1,a,b,1"])
def test_a_file_that_is_bad_as_a_whole_is_refused(data: bytes) -> None:
    """No bytes, another header, or cut."""
    with pytest.raises(InputError, match=r"a\.csv "):
        checked("products", data)


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves a folder and says nothing about it."""

    def log_message(self, *args: Any) -> None:
        pass


def test_a_file_comes_from_a_folder_or_over_http_or_from_the_inbox(tmp_path: Path) -> None:
    """The inbox goes first; what is not there is named."""
    (tmp_path / "orders-2026-01-31.csv").write_bytes(b"1\n")
    handler = functools.partial(Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as web:
        thread = threading.Thread(target=web.serve_forever)
        thread.start()
        try:
            for place in (str(tmp_path), f"file://{tmp_path}", f"http://127.0.0.1:{web.server_port}"):
                settings = WeekSettings(f"{tmp_path}/data", f"{place}/{{table}}-{{ds}}.csv")
                assert (tmp_path / "data" / land("orders", WEEK, settings)).read_bytes() == b"1\n"
                with pytest.raises(SourceUnavailableError), source("products", WEEK, settings):
                    pass
        finally:
            web.shutdown()
            thread.join()
    inbox = tmp_path / "data" / "inbox" / "shop" / WEEK
    inbox.mkdir(parents=True)
    (inbox / "orders.csv").write_bytes(b"2\n")
    assert land("orders", WEEK, settings) == raw_file("orders", WEEK)
    assert (tmp_path / "data" / raw_file("orders", WEEK)).read_bytes() == b"2\n"


def test_files_go_from_a_storage_to_a_storage(storage: Storage, server: ObjectStore) -> None:
    """Unchanged, and the inbox goes before the source; what is not there is tried again, and nothing is landed."""
    who = server.credentials if storage.url.startswith("s3:") else None
    environ = {"SHOP_STORAGE": storage.url, "SHOP_SOURCE": f"{storage.url}/in/{{ds}}/{{table}}.csv"}
    settings = read_week_settings(environ, lambda url: open_storage(url, who))
    with pytest.raises(TransientError, match=r"in/2026-01-31/orders\.csv"):
        land("orders", WEEK, settings)
    assert storage.names() == []
    for number, name in enumerate((f"in/{WEEK}/orders.csv", f"inbox/shop/{WEEK}/orders.csv")):
        with storage.writing(name) as file:
            file.write(b"%d\n" % number)
        with storage.reading(land("orders", WEEK, settings)) as file:
            assert file.read() == b"%d\n" % number
    assert storage.names() == [f"in/{WEEK}/orders.csv", f"inbox/shop/{WEEK}/orders.csv", raw_file("orders", WEEK)]


@pytest.mark.parametrize(
    "place",
    [
        "generator:",
        "generator:-1",
        "a/{table}/{ds}",
        "/a/{table}",
        "/a/{ds}",
        "http:///{table}/{ds}",
        "s3://a/{ds}",
        "s3://{table}/{ds}",
    ],
)
def test_a_source_that_means_nothing_is_refused(place: str) -> None:
    """With what it may be."""
    with pytest.raises(SettingsError, match=r"SHOP_SOURCE='.*' must be 'generator'"):
        read_week_settings({"DATA_ROOT": "/data", "SHOP_SOURCE": place})


def test_a_shop_of_which_nothing_is_left_is_refused() -> None:
    """With its factor."""
    with pytest.raises(SettingsError, match="'generator:0.0001'"):
        list(generated("orders", WEEK, 0.0001))


def test_settings_have_defaults() -> None:
    """All but the folder."""
    assert read_week_settings({"DATA_ROOT": "/data"}) == WeekSettings("/data")
