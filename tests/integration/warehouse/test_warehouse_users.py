"""Users from their raw file into the database, by the functions that the DAGs call."""

from __future__ import annotations

import csv
import io
import itertools
from pathlib import Path
from typing import Any

import psycopg
import pytest

from etl.errors import DuplicateKeyError, LoadError, TransientError
from etl.paths import raw_users
from etl.settings import Settings
from etl.source import write_users
from etl.users import Staged, load_users, transform_users

pytestmark = pytest.mark.each_server

DS = "2024-02-29"
ROOT = Path(__file__).parents[3]
SCHEMA = ROOT / "etl" / "sql" / "schema.sql"
NAVAIDS = ROOT.parent / "shared" / "data" / "navaids.csv"

Database = psycopg.Connection[Any]


def load(database: Database, root: Path, text: str, ds: str = DS) -> Staged:
    """Take a raw file of this content through transform and load."""
    raw = root / raw_users(ds)
    raw.parent.mkdir(parents=True, exist_ok=True)
    raw.write_text(text, encoding="utf-8", newline="")
    settings = Settings(root, max_bad_share=1)
    staged = transform_users(ds, settings)
    assert load_users(ds, settings, database) == staged
    return staged


def users(database: Database, columns: str = "*") -> list[tuple[Any, ...]]:
    """Return the loaded users, by id."""
    return database.execute(f"SELECT {columns} FROM users_daily ORDER BY dt, id").fetchall()


def test_schema_can_be_applied_again(warehouse: Database) -> None:
    """Without a change and without losing rows."""
    warehouse.execute("INSERT INTO users_daily (id, dt) VALUES (1, '2024-02-29')")
    warehouse.execute(SCHEMA.read_text(encoding="utf-8"))
    assert users(warehouse, "id") == [(1,)]


def test_values_arrive_as_they_are(warehouse: Database, tmp_path: Path) -> None:
    """Quotes, line breaks, scripts, NULL and empty, both edges of the ids, a leap day."""
    text = (
        "id,name,email,signup_date\n"
        '-9223372036854775808,"O\'Brien ""Bob"", Jr.",,2024-02-29\n'
        '0,"two\r\nlines","",\n'
        "1,明 さくら 👩‍👩‍👧 e\u0301,\\N,\n"
        '9223372036854775807,\\.,"NULL",\n'
    )
    load(warehouse, tmp_path, text)
    assert users(warehouse, "id, name, email, signup_date::text, country, dt::text") == [
        (-(2**63), 'O\'Brien "Bob", Jr.', None, "2024-02-29", None, DS),
        (0, "two\r\nlines", "", None, None, DS),
        (1, "明 さくら 👩‍👩‍👧 e\u0301", "\\N", None, None, DS),
        (2**63 - 1, "\\.", "NULL", None, None, DS),
    ]


def test_rejected_rows_are_replaced_with_their_date(warehouse: Database, tmp_path: Path) -> None:
    """Those of other dates stay; a NUL character in the raw text can be stored."""
    query = "SELECT file, line, reason, raw FROM users_rejected ORDER BY dt, line"
    load(warehouse, tmp_path, "id,name\nx,other date\n", "2024-02-28")
    assert load(warehouse, tmp_path, 'id,name\n1,a\n2,"b\nc"d\n3,\0\n') == Staged(1, 2)
    other = ("raw/users/2024-02-28/users.csv", 2, "id 'x' is not an integer", "x,other date")
    assert warehouse.execute(query).fetchall() == [
        other,
        ("raw/users/2024-02-29/users.csv", 3, "text after a closing quote", '2,"b\nc"d'),
        ("raw/users/2024-02-29/users.csv", 5, "name holds a NUL character, which PostgreSQL cannot store", "3,␀"),
    ]
    assert load(warehouse, tmp_path, "id,name\n1,a\n2,b\n") == Staged(2, 0)
    assert warehouse.execute(query).fetchall() == [other]


def test_a_refused_row_keeps_both_tables(warehouse: Database, tmp_path: Path) -> None:
    """A duplicate key in users undoes the rejected rows too, and the other way round."""
    load(warehouse, tmp_path, "id,name\n1,old\nx,old\n")
    before = users(warehouse), warehouse.execute("TABLE users_rejected").fetchall()
    with pytest.raises(DuplicateKeyError, match=r"Key \(id, dt\)=\(5, 2024-02-29\) already exists"):
        load(warehouse, tmp_path, "id,name\n5,new\n005,new\ny,new\n")
    assert (users(warehouse), warehouse.execute("TABLE users_rejected").fetchall()) == before
    warehouse.execute("ALTER TABLE users_rejected ADD CHECK (raw NOT LIKE 'z%')")
    with pytest.raises(LoadError, match="users_rejected where dt = 2024-02-29 was refused"):
        load(warehouse, tmp_path, "id,name\n5,new\nz,new\n")
    assert (users(warehouse), warehouse.execute("TABLE users_rejected").fetchall()) == before


def test_missing_tables_and_staging_are_named(postgresql: Database, postgres_server: object, tmp_path: Path) -> None:
    """With what makes them."""
    with pytest.raises(TransientError, match="staging/users/2024-02-29/users.parquet does not exist under DATA_ROOT"):
        load_users(DS, Settings(tmp_path), postgresql)
    with pytest.raises(LoadError, match="schema.sql makes those of users"):
        load(postgresql, tmp_path, "id,name\n1,a\n")


@pytest.mark.parametrize("times", [1, 20])
def test_real_names_arrive_unchanged(warehouse: Database, tmp_path: Path, times: int) -> None:
    """11,000 radio beacons of the world as users, and the same twenty times over, loaded twice."""
    if not NAVAIDS.is_file():
        pytest.skip("the real data is not here: no ../shared/data/navaids.csv")
    with NAVAIDS.open(encoding="utf-8", newline="") as file:
        names = [(int(row["id"]), row["name"]) for row in csv.DictReader(file)]
    if times > 1:
        names = [(number, name) for number, (_, name) in enumerate(itertools.chain(*[names] * times), 1)]
    text = io.StringIO(newline="")
    csv.writer(text).writerows([("id", "name"), *names])
    source = tmp_path / "in" / f"{DS}.csv"
    source.parent.mkdir()
    source.write_text(text.getvalue(), encoding="utf-8", newline="")
    settings = Settings(tmp_path, str(source.parent))
    for _ in range(2):
        write_users(DS, settings)
        transform_users(DS, settings)
        assert load_users(DS, settings, warehouse) == Staged(len(names), 0)
    assert users(warehouse, "id, name") == sorted((i, name.strip()) for i, name in names)
