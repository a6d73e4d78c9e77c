"""What a transactions file holds is told apart: good rows, typed, and malformed ones, each with its line and reason."""

from __future__ import annotations

import io

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.errors import HeaderError, SettingsError, TooManyBadRowsError, TruncatedFileError
from etl.settings import Container, TransactionSettings, processing_container, read_transaction_settings
from etl.transactions.container import PERMANENT, conninfo, main, told
from etl.transactions.generator import HEADER, generate_transactions
from etl.transactions.rows import COLUMNS, stage

DS = "2026-01-31"
GOOD = {
    "transaction_id": "t1",
    "customer_id": "7",
    "happened_at": "2026-01-31T10:00:00Z",
    "amount": "19.90",
    "currency": "EUR",
    "channel": "web",
    "country": "DE",
    "home_country": "IN",
}


def staged(
    content: bytes, share: float = 1.0, batch_rows: int = 3
) -> tuple[list[list[dict[str, str]]], list[dict[str, str]]]:
    """Stage a file; return its batches and what was rejected."""
    good, bad = io.BytesIO(), io.BytesIO()
    counts = stage(io.BytesIO(content), "file", DS, good, bad, batch_rows=batch_rows, max_bad_share=share)
    with pq.ParquetFile(good) as file:
        batches = [file.read_row_group(number).to_pylist() for number in range(file.num_row_groups)]
    rejected = pq.read_table(bad).to_pylist()
    assert counts == (sum(map(len, batches)), len(rejected))
    return batches, rejected


def as_file(*rows: dict[str, str]) -> bytes:
    """Return rows as a file."""
    return (HEADER + "".join(",".join(row[name] for name in COLUMNS) + "\n" for row in rows)).encode()


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 4, 7, 2_500])
def test_made_up_transactions_are_good_but_for_one_in_fifty(rows: int) -> None:
    """The same each time; batches are of the size that was asked for, the last of what is left."""
    content = b"".join(generate_transactions(DS, rows))
    assert content == b"".join(generate_transactions(DS, rows))
    batches, rejected = staged(content)
    good = sum(map(len, batches))
    assert good + len(rejected) == rows
    assert [len(batch) for batch in batches] == [3] * (good // 3) + [good % 3] * (good % 3 > 0)
    assert all(row["reason"] == "amount is missing" for row in rejected)
    assert abs(len(rejected) - rows / 50) < 5 + rows / 100


def test_values_come_out_as_their_types_have_them() -> None:
    """Trimmed, and times in UTC; the order of the columns is the file's own matter."""
    names = sorted(COLUMNS)
    row = {**GOOD, "happened_at": " 2026-02-01T00:30:00+05:30 "}
    content = ",".join(names) + "\n" + ",".join(row[name] for name in names) + "\n"
    assert staged(content.encode()) == ([[{**GOOD, "happened_at": "2026-01-31T19:00:00+00:00"}]], [])


BAD = [
    ("transaction_id", "", "transaction_id is missing"),
    ("transaction_id", "x" * 65, f"transaction_id '{'x' * 40}…' is not 1 to 64 printable characters"),
    ("customer_id", "seven", "customer_id 'seven' is not a number"),
    ("happened_at", "yesterday", "happened_at 'yesterday' is not a time with its offset, as in ISO 8601"),
    (
        "happened_at",
        "2026-01-31T10:00:00",
        "happened_at '2026-01-31T10:00:00' is not a time with its offset, as in ISO 8601",
    ),
    ("happened_at", "20260131T100000Z", "happened_at '20260131T100000Z' is not a time with its offset, as in ISO 8601"),
    (
        "happened_at",
        "2026-02-31T10:00:00Z",
        "happened_at '2026-02-31T10:00:00Z' is not a time with its offset, as in ISO 8601",
    ),
    ("happened_at", "2026-01-30T23:59:59Z", "happened_at '2026-01-30T23:59:59+00:00' is not on 2026-01-31"),
    ("amount", "-1", "amount '-1' is not an amount of money"),
    ("amount", "1e3", "amount '1e3' is not an amount of money"),
    ("amount", "NaN", "amount 'NaN' is not an amount of money"),
    ("currency", "euro", "currency 'euro' is not a currency's three letters"),
    ("channel", "fax", "channel 'fax' is not one of app, phone, shop, web"),
    ("country", "D", "country 'D' is not a country's two letters"),
    ("home_country", "1,2", "9 fields where the header has 8"),
    ("country", 'D"E', "a quote inside an unquoted field"),
]


@pytest.mark.parametrize(("column", "value", "reason"), BAD)
def test_a_malformed_row_is_kept_aside(column: str, value: str, reason: str) -> None:
    """With its line, the reason and its text; the others are good."""
    other = {**GOOD, "transaction_id": "t2"}
    batches, rejected = staged(as_file(GOOD, {**GOOD, "transaction_id": "t3", column: value}, other))
    assert [row["transaction_id"] for row in batches[0]] == ["t1", "t2"]
    assert [(row["line"], row["reason"]) for row in rejected] == [("3", reason)]
    assert value in rejected[0]["raw"]


@given(st.lists(st.sampled_from(["t1", "t2", "t3"]), max_size=8))
def test_a_transaction_counts_once(ids: list[str]) -> None:
    """What comes again is kept aside, naming the line of the first."""
    batches, rejected = staged(as_file(*({**GOOD, "transaction_id": name} for name in ids)))
    assert [row["transaction_id"] for batch in batches for row in batch] == list(dict.fromkeys(ids))
    for row in rejected:
        name = ids[int(row["line"]) - 2]
        assert row["reason"] == f"transaction_id '{name}' is on line {ids.index(name) + 2} already"


def test_a_file_that_is_cut_off_is_no_file() -> None:
    """Wherever the cut is, but at the end of a line."""
    content = as_file(GOOD, {**GOOD, "transaction_id": "t2"})
    for end in range(1, len(content)):
        if content[:end].endswith(b"\n"):
            staged(content[:end])
        else:
            with pytest.raises((TruncatedFileError, HeaderError)):
                staged(content[:end])


@pytest.mark.parametrize("header", ["transaction_id,amount", HEADER.strip() + ",note", HEADER.strip() + ",amount", "x"])
def test_another_header_is_refused(header: str) -> None:
    """With the columns that are expected."""
    with pytest.raises(HeaderError, match="file has the wrong header .*; expected transaction_id, customer_id, "):
        staged(f"{header}\n".encode())


def test_too_many_malformed_rows_are_refused() -> None:
    """More than the share, not as many; the first is named."""
    rows = [{**GOOD, "transaction_id": f"t{number}", "amount": "x" * (number < 2) or "1"} for number in range(10)]
    assert len(staged(as_file(*rows), share=0.2)[1]) == 2
    with pytest.raises(TooManyBadRowsError) as raised:
        staged(as_file(*rows), share=0.1)
    assert str(raised.value) == (
        "file has 2 malformed rows of 10, more than the share of 0.1 that TRANSACTIONS_MAX_BAD_SHARE allows; "
        "the first is line 2: amount 'x' is not an amount of money."
    )


@given(
    st.builds(
        TransactionSettings,
        lake=st.sampled_from(["/data/lake", "s3://lake/shop"]),
        generated=st.none() | st.integers(1, 10**6),
        batch_rows=st.integers(1, 100_000),
        max_bad_share=st.floats(0, 1),
        timeout=st.floats(0.001, 86_400),
        attempts=st.integers(1, 100),
    )
)
def test_settings_are_the_same_in_a_container(settings: TransactionSettings) -> None:
    """Which is told them by its environment."""
    assert read_transaction_settings(told(settings, "", ("", ""))) == settings


def test_a_container_is_one_where_an_image_is_named() -> None:
    """Its network is Docker's default unless told."""
    assert processing_container({"TRANSACTIONS_IMAGE": " ", "TRANSACTIONS_NETWORK": "host"}) is None
    assert processing_container({"TRANSACTIONS_IMAGE": "etl:1"}) == Container("etl:1")
    named = {"TRANSACTIONS_IMAGE": "etl:1", "TRANSACTIONS_NETWORK": "warehouse"}
    assert processing_container(named) == Container("etl:1", "warehouse")


@pytest.mark.parametrize(
    ("arguments", "environ", "sentence"),
    [
        ([DS], {}, "DATA_ROOT is not set; it must name the folder that holds raw/ and staging/."),
        ([DS], {"LAKE_URL": "/lake"}, "MODEL_API_URL is not set; etl/transactions/container.py says what a container"),
        ([DS], {"LAKE_URL": "s3://lake"}, "S3_ACCESS_KEY is not set; "),
        ([], {}, "usage: python -m etl.transactions.container YYYY-MM-DD"),
    ],
)
def test_a_container_that_is_not_told_enough_says_so(
    arguments: list[str], environ: dict[str, str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In its last line; another attempt would fail as well."""
    assert main(arguments, environ) == PERMANENT
    assert capsys.readouterr().err.splitlines()[-1].startswith(sentence)


def test_a_database_that_is_away_is_a_matter_of_time(capsys: pytest.CaptureFixture[str]) -> None:
    """One line says so, without the password."""
    away = {"host": "127.0.0.1", "port": 9, "user": "shop", "password": "open sesame", "dbname": None, "cursor": "x"}
    assert main([DS], told(TransactionSettings("/lake"), conninfo(away), ("http://127.0.0.1:9", ""))) == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert "Connection refused" in said
    assert "sesame" not in said


def test_settings_have_defaults_and_are_checked() -> None:
    """A wrong one is named with its value."""
    assert read_transaction_settings({"DATA_ROOT": "/data"}) == TransactionSettings("/data/lake")
    assert read_transaction_settings(
        {
            "LAKE_URL": "s3://lake/shop",
            "TRANSACTIONS_SOURCE": "generator:5",
            "TRANSACTIONS_BATCH_ROWS": "7",
            "TRANSACTIONS_MAX_BAD_SHARE": "0",
            "MODEL_TIMEOUT": "0.5",
            "MODEL_ATTEMPTS": "1",
        }
    ) == TransactionSettings("s3://lake/shop", 5, 7, 0.0, 0.5, 1)
    for name, value in (
        ("TRANSACTIONS_SOURCE", "generator:0"),
        ("TRANSACTIONS_SOURCE", "lakes"),
        ("TRANSACTIONS_BATCH_ROWS", "0"),
        ("MODEL_ATTEMPTS", "1.5"),
        ("DATA_ROOT", "here"),
    ):
        with pytest.raises(SettingsError, match=f"{name}='{value}' must be"):
            read_transaction_settings({"DATA_ROOT": "/data", name: value})
