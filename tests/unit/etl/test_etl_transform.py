"""A raw users file becomes typed rows and rejected rows, or one clear error and no staging file."""

from __future__ import annotations

import csv
import datetime
import hashlib
import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import etl.users
from etl.errors import (
    EmptyFileError,
    EncodingError,
    HeaderError,
    InputError,
    TooManyBadRowsError,
    TransientError,
    TruncatedFileError,
)
from etl.paths import raw_users, staged_users
from etl.settings import Settings
from etl.source import write_users
from etl.users import Staged, transform_users

DS = "2024-02-29"
ROOT = Path(__file__).parents[3]


def transform(root: Path, text: str | bytes, max_bad_share: float = 1) -> list[dict[str, Any]]:
    """Transform a raw file of this content and return the staged rows."""
    raw = root / raw_users(DS)
    raw.parent.mkdir(parents=True, exist_ok=True)
    raw.write_bytes(text.encode() if isinstance(text, str) else text)
    counts = transform_users(DS, Settings(root, max_bad_share=max_bad_share))
    rows: list[dict[str, Any]] = pq.read_table(root / staged_users(DS)).to_pylist()
    bad = sum(row["rejected_reason"] is not None for row in rows)
    assert counts == Staged(len(rows) - bad, bad)
    return rows


def values(root: Path, column: str, text: str) -> list[Any]:
    """Return one column of the staged rows."""
    return [row[column] for row in transform(root, text)]


def reasons(root: Path, text: str) -> list[tuple[int, str, str]]:
    """Return line, reason and raw text of the rejected rows."""
    rows = transform(root, text)
    return [(r["line"], r["rejected_reason"], r["rejected_raw"]) for r in rows if r["rejected_reason"] is not None]


def test_rows_are_typed_and_get_their_date(tmp_path: Path) -> None:
    """Columns in any order, each with its type."""
    text = "signup_date,email,id,country,name\n2024-02-29,a@b.c,7,GB,Ada\n"
    assert transform(tmp_path, text) == [
        {
            "id": 7,
            "name": "Ada",
            "email": "a@b.c",
            "country": "GB",
            "signup_date": datetime.date(2024, 2, 29),
            "dt": datetime.date(2024, 2, 29),
            "line": 2,
            "rejected_reason": None,
            "rejected_raw": None,
        }
    ]


def test_id_and_name_are_enough(tmp_path: Path) -> None:
    """A column that is not there is NULL."""
    (row,) = transform(tmp_path, "id,name\n1,Ada\n")
    assert (row["email"], row["country"], row["signup_date"]) == (None, None, None)


def test_values_are_trimmed(tmp_path: Path) -> None:
    """Blanks around a value go, those inside stay; names of columns too."""
    text = ' id , name \n 1 ,  Ada  King \n"2 ","\tBob\n"\n'
    assert values(tmp_path, "name", text) == ["Ada  King", "Bob"]


def test_null_and_empty_string_differ(tmp_path: Path) -> None:
    """A blank bare field is NULL, a quoted one is the empty string."""
    assert values(tmp_path, "name", 'id,name\n1,\n2,""\n3,  \n4,"  "\n5,NULL\n') == [None, "", None, "", "NULL"]


ids = st.integers(-(2**63), 2**63 - 1)


@given(st.lists(st.tuples(ids, st.text(st.characters(codec="utf-8", exclude_characters="\0"))), min_size=1))
def test_any_64_bit_id_and_any_text_come_through(users: list[tuple[int, str]]) -> None:
    """Quotes, line breaks and every script, row for row."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([("id", "name"), *users])
    with tempfile.TemporaryDirectory() as folder:
        rows = transform(Path(folder), file.getvalue())
    assert [(row["id"], row["name"]) for row in rows] == [(i, name.strip()) for i, name in users]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("+5", 5),
        ("-0", 0),
        ("007", 7),
        ("0" * 5000 + "1", 1),
    ],
)
def test_ids_up_to_the_edge_are_accepted(tmp_path: Path, text: str, number: int) -> None:
    """64 bits, signed."""
    assert values(tmp_path, "id", f"id,name\n{text},a\n") == [number]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("9223372036854775808", "id '9223372036854775808' does not fit into 64 bits"),
        ("-9223372036854775809", "id '-9223372036854775809' does not fit into 64 bits"),
        ("9" * 5000, f"id '{'9' * 40}…' does not fit into 64 bits"),
        ("1.0", "id '1.0' is not an integer"),
        ("1e3", "id '1e3' is not an integer"),
        ("1_000", "id '1_000' is not an integer"),
        ("٣", "id '٣' is not an integer"),
        ("-", "id '-' is not an integer"),
        ("", "id is missing"),
        ('""', "id is missing"),
    ],
)
def test_an_id_that_is_none_is_rejected(tmp_path: Path, text: str, reason: str) -> None:
    """With the reason and the raw text; the other rows are not."""
    assert reasons(tmp_path, f"id,name\n1,a\n{text},b\n3,c\n") == [(3, reason, f"{text},b")]


@pytest.mark.parametrize("text", ["2023-02-29", "1900-02-29", "2024-13-01", "2024-2-9", "20240229", "29.02.2024", "x"])
def test_a_date_that_is_none_is_rejected(tmp_path: Path, text: str) -> None:
    """Leap days are only where they are."""
    assert reasons(tmp_path, f"id,name,signup_date\n1,a,{text}\n") == [
        (2, f"signup_date '{text}' is not a date written YYYY-MM-DD", f"1,a,{text}")
    ]


@pytest.mark.parametrize("text", ["2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31"])
def test_leap_days_and_the_edges_of_dates_are_accepted(tmp_path: Path, text: str) -> None:
    """Whatever PostgreSQL and Python both know as a date."""
    expected = datetime.date.fromisoformat(text)
    assert values(tmp_path, "signup_date", f"id,name,signup_date\n1,a,{text}\n") == [expected]


def test_a_nul_character_is_rejected(tmp_path: Path) -> None:
    """PostgreSQL cannot store it, not even in the raw text of the rejected row."""
    text = "id,name\n1,a\0b\n2\0,c\n"
    assert reasons(tmp_path, text) == [
        (2, "name holds a NUL character, which PostgreSQL cannot store", "1,a␀b"),
        (3, "id '2\\x00' is not an integer", "2␀,c"),
    ]


def test_malformed_rows_know_their_line(tmp_path: Path) -> None:
    """The first physical line, right behind embedded line breaks, blank lines and CRLF."""
    text = 'id,name\r\n1,"a\r\nb"\r\n\r\n2\r\n3,"c\n\nd"x\n4,d,e\n5,e\n6,f"g\n'
    assert reasons(tmp_path, text) == [
        (5, "1 fields where the header has 2", "2"),
        (6, "text after a closing quote", '3,"c\n\nd"x'),
        (9, "3 fields where the header has 2", "4,d,e"),
        (11, "a quote inside an unquoted field", '6,f"g'),
    ]


def test_staging_keeps_the_order_of_the_file_over_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Good and rejected rows, batch after batch."""
    monkeypatch.setattr(etl.users, "_BATCH_ROWS", 3)
    text = "id,name\n" + "".join(f"{i},a\n" if i % 4 else "x,a\n" for i in range(1, 11))
    assert values(tmp_path, "line", text) == list(range(2, 12))


def test_share_of_bad_rows_may_be_reached_but_not_passed(tmp_path: Path) -> None:
    """One in ten is fine with a share of 0.1, two are not."""
    good = "".join(f"{i},a\n" for i in range(9))
    assert len(transform(tmp_path, f"id,name\n{good}x,b\n", 0.1)) == 10
    message = (
        "raw/users/2024-02-29/users.csv has 2 malformed rows of 11, more than the share of 0.1 that "
        "USERS_MAX_BAD_SHARE allows; the first is line 11: id 'x' is not an integer."
    )
    with pytest.raises(TooManyBadRowsError, match=f"^{re.escape(message)}$"):
        transform(tmp_path, f"id,name\n{good}x,b\ny,c\n", 0.1)


WRONG = [
    pytest.param(b"", EmptyFileError, "is empty: it holds no bytes", id="no bytes"),
    pytest.param(b"id,name\n", EmptyFileError, "is empty: it holds a header and no row", id="header only"),
    pytest.param(b"\n\n", EmptyFileError, "is empty", id="blank lines"),
    pytest.param(b"id,name\n1,Jos\xe9\n", EncodingError, "is not UTF-8: byte 0xe9 on line 2", id="latin 1"),
    pytest.param(b"id,name\n1,a\n2,b", TruncatedFileError, "its last line, 3, has no line end", id="no line end"),
    pytest.param(b'id,name\n1,"a\n2,b\n', TruncatedFileError, "starts on line 2 is not closed", id="open quote"),
    pytest.param(b"id,nmae\n1,a\n", HeaderError, "the wrong header 'id,nmae'; expected id, name and any", id="typo"),
    pytest.param(b"id\n1\n", HeaderError, "wrong header 'id'", id="missing"),
    pytest.param(b"id,name,age\n1,a,5\n", HeaderError, "wrong header 'id,name,age'", id="unknown"),
    pytest.param(b"id,name,name\n1,a,b\n", HeaderError, "each once", id="twice"),
    pytest.param(b"1,a\n2,b\n", HeaderError, "wrong header '1,a'", id="no header"),
    pytest.param(b'id,na"me\n1,a\n', HeaderError, "wrong header", id="malformed"),
    pytest.param(b"id;name\n1;a\n", HeaderError, "wrong header 'id;name'", id="semicolons"),
    pytest.param(b"id,name\rb\r1,c\n", HeaderError, "wrong header", id="carriage returns"),
    pytest.param(b"id,name\n1,a\nx,b\n", TooManyBadRowsError, "1 malformed rows of 2", id="too many bad rows"),
]


@pytest.mark.parametrize(("data", "error", "message"), WRONG)
def test_a_bad_file_is_one_clear_sentence_and_leaves_the_staging_file(
    tmp_path: Path, data: bytes, error: type[InputError], message: str
) -> None:
    """The sentence names the file; what was staged before is untouched and nothing is left beside it."""
    transform(tmp_path, "id,name\n1,before\n")
    staged = tmp_path / staged_users(DS)
    before = staged.read_bytes()
    with pytest.raises(error) as caught:
        transform(tmp_path, data, 0.1)
    assert str(caught.value).startswith("raw/users/2024-02-29/users.csv ")
    assert message in str(caught.value)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)
    assert staged.read_bytes() == before
    assert os.listdir(staged.parent) == [staged.name]


def test_a_missing_raw_file_may_only_be_late(tmp_path: Path) -> None:
    """It is named without the place of the data folder."""
    with pytest.raises(TransientError, match="^raw/users/2024-02-29/users.csv does not exist under DATA_ROOT"):
        transform_users(DS, Settings(tmp_path))


def test_staging_bytes_depend_on_the_raw_file_alone(tmp_path: Path) -> None:
    """Another process in another zone, hash seed and folder stages the same bytes."""
    code = (
        "import sys, pathlib; from etl.settings import Settings; from etl.users import transform_users\n"
        f"transform_users({DS!r}, Settings(pathlib.Path(sys.argv[1])))"
    )
    digests = set()
    for number, zone in enumerate(("Pacific/Kiritimati", "America/Los_Angeles")):
        root = tmp_path / str(number)
        write_users(DS, Settings(root))
        env = {**os.environ, "TZ": zone, "PYTHONHASHSEED": str(number + 1), "PYTHONPATH": str(ROOT)}
        subprocess.run([sys.executable, "-c", code, root], env=env, check=True)
        digests.add(hashlib.sha256((root / staged_users(DS)).read_bytes()).hexdigest())
    assert len(digests) == 1


def test_no_task_pays_for_pandas(tmp_path: Path) -> None:
    """Importing it would cost a short task more time than all its work."""
    code = (
        "import sys, pathlib; from etl.settings import Settings; from etl.users import transform_users\n"
        f"transform_users({DS!r}, Settings(pathlib.Path(sys.argv[1]))); assert 'pandas' not in sys.modules"
    )
    write_users(DS, Settings(tmp_path))
    subprocess.run([sys.executable, "-c", code, tmp_path], env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True)


def test_memory_stays_flat(tmp_path: Path) -> None:
    """Ten times the rows take no more than a little more memory."""
    code = (
        "import sys, resource, pathlib; from etl.settings import Settings; from etl.users import transform_users\n"
        f"transform_users({DS!r}, Settings(pathlib.Path(sys.argv[1])))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    peaks = []
    for rows in (20_000, 200_000):
        write_users(DS, Settings(tmp_path, f"generator:{rows}"))
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        peaks.append(int(subprocess.check_output([sys.executable, "-c", code, tmp_path], env=env)))
    assert peaks[1] < peaks[0] + 25_000  # kilobytes; 180,000 more rows are 60,000 of them as text alone
