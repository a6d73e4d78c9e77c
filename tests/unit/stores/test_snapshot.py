"""Snapshots of files, and what of a snapshot an ignore entry leaves out."""

from __future__ import annotations

import contextlib
import gzip
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from dagproof.stores.diff import diff
from dagproof.stores.snapshot import (
    CHUNK_BYTES,
    KEPT_BYTES,
    File,
    Snapshot,
    Table,
    matches_nothing,
    save_after_task,
    saved_after_tasks,
    take,
)
from dagproof.stores.structure import Part

USERS = Table("users", ("id", "name", "loaded_at"), ("id",), (b"1\tAda\tnow", b"2\tBo\tthen"))
OTHER = Table("other.users", ("id", "loaded_at"), (), (b"1\tnow",))


def snapshot(folder: Path) -> Snapshot:
    """A snapshot of the files below a folder, and two tables."""
    return Snapshot({"users": USERS, "other.users": OTHER}, take(None, folder).files)


def test_every_file_is_found_wherever_it_lies(tmp_path: Path) -> None:
    """Hidden ones and those of folders in folders too, by their path below the folder."""
    for name in ("a.csv", ".hidden", "raw/2026/b.csv", "raw/ü b.csv", "empty"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("" if name == "empty" else name)
    found = take(None, tmp_path).files
    assert set(found) == {"a.csv", ".hidden", "raw/2026/b.csv", "raw/ü b.csv", "empty"}
    assert found["raw/2026/b.csv"].content == b"raw/2026/b.csv"
    assert found["empty"].size == 0


def test_files_at_home_are_found(tmp_path: Path) -> None:
    """By a name of their own; what programs keep there for themselves is left out."""
    files, home = tmp_path / "files", tmp_path / "home"
    for path in (files / "a.csv", home / ".partner" / "b.csv", home / "a.csv", home / ".cache" / "pip" / "c"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert set(take(None, files, home).files) == {"a.csv", "~/.partner/b.csv", "~/a.csv"}


def test_when_a_file_was_written_does_not_count(tmp_path: Path) -> None:
    """Its content does."""
    path = tmp_path / "a.csv"
    path.write_text("x")
    before = take(None, tmp_path)
    os.utime(path, (0, 0))
    assert not diff(before, take(None, tmp_path))
    path.write_text("y")
    assert diff(before, take(None, tmp_path))


@pytest.mark.parametrize("at", [0, CHUNK_BYTES, KEPT_BYTES, KEPT_BYTES + 10])
def test_a_byte_of_a_big_file_counts(tmp_path: Path, at: int) -> None:
    """Also behind what is kept of it."""
    content = bytearray(KEPT_BYTES + CHUNK_BYTES)
    (tmp_path / "big").write_bytes(content)
    before = take(None, tmp_path)
    assert before.files["big"].content is None
    content[at] = 1
    (tmp_path / "big").write_bytes(content)
    (changed,) = diff(before, take(None, tmp_path)).files
    assert changed.detail.endswith(f"the first difference is behind byte {at // CHUNK_BYTES * CHUNK_BYTES:,}")


def test_a_big_file_that_was_appended_to_differs(tmp_path: Path) -> None:
    """Where all that it had before is still there."""
    (tmp_path / "big").write_bytes(bytes(KEPT_BYTES + CHUNK_BYTES))
    before = take(None, tmp_path)
    with (tmp_path / "big").open("ab") as file:
        file.write(b"more")
    assert [file.change for file in diff(before, take(None, tmp_path)).files] == ["changed"]


def test_a_link_is_where_it_leads_to(tmp_path: Path) -> None:
    """And not followed: it could lead out of the world, or nowhere."""
    (tmp_path / "link").symlink_to("nowhere")
    before = take(None, tmp_path)
    (tmp_path / "link").unlink()
    (tmp_path / "link").symlink_to("/elsewhere")
    (changed,) = diff(before, take(None, tmp_path)).files
    assert changed.detail == "line 1: '-> nowhere' became '-> /elsewhere'"


def test_a_link_to_a_folder_is_a_link(tmp_path: Path) -> None:
    """`latest -> 2026-01-01` is part of what a DAG leaves."""
    (tmp_path / "2026-01-01").mkdir()
    before = take(None, tmp_path)
    (tmp_path / "latest").symlink_to("2026-01-01")
    assert [file.path for file in diff(before, take(None, tmp_path)).files] == ["latest"]


def test_what_is_no_regular_file_is_there(tmp_path: Path) -> None:
    """A named pipe is not read: that would never end."""
    os.mkfifo(tmp_path / "pipe")
    assert set(take(None, tmp_path).files) == {"pipe"}


@pytest.mark.parametrize(
    ("entry", "left"),
    [
        pytest.param("users.loaded_at", ("users", "id name", "other.users", "id loaded_at"), id="column"),
        pytest.param("public.users.loaded_at", ("users", "id name", "other.users", "id loaded_at"), id="public"),
        pytest.param("other.users.loaded_at", ("users", "id name loaded_at", "other.users", "id"), id="schema"),
        pytest.param("users.*", ("other.users", "id loaded_at"), id="table"),
        pytest.param("other.users.*", ("users", "id name loaded_at"), id="table-of-schema"),
        pytest.param("other.*.loaded_at", ("users", "id name loaded_at", "other.users", "id"), id="column-of-schema"),
        pytest.param("public.*.loaded_at", ("users", "id name", "other.users", "id loaded_at"), id="column-of-public"),
        pytest.param("*.loaded_at", ("users", "id name", "other.users", "id"), id="column-everywhere"),
        pytest.param("us*.*_at", ("users", "id name", "other.users", "id loaded_at"), id="columns-by-pattern"),
        pytest.param("other.*", ("users", "id name loaded_at"), id="schema"),
    ],
)
def test_an_ignore_entry_leaves_out_what_it_names(tmp_path: Path, entry: str, left: tuple[str, ...]) -> None:
    """And nothing of a table of the same name in another schema."""
    found = snapshot(tmp_path).without(frozenset({entry})).tables
    assert [text for table in found.values() for text in (table.name, " ".join(table.columns))] == list(left)
    assert not matches_nothing(entry, [snapshot(tmp_path)])


@pytest.mark.parametrize(
    ("entry", "left"),
    [
        ("users", {"other.users"}),
        ("public.users", {"other.users"}),
        ("users.*", {"other.users"}),
        ("other.users", {"users"}),
        ("other.users.*", {"users"}),
        ("other.*", {"users"}),
        ("us*", {"other.users"}),
        ("*", set()),
    ],
)
def test_an_entry_for_whole_tables_may_name_their_schema(tmp_path: Path, entry: str, left: set[str]) -> None:
    """Or be a pattern; a misspelt one is noticed."""
    found = snapshot(tmp_path)
    assert set(found.without_whole([entry]).tables) == left
    assert not matches_nothing(entry, [found], whole=True)
    assert matches_nothing(f"{entry.rstrip('.*')}x", [found], whole=True)


def test_the_structure_of_ignored_columns_is_ignored() -> None:
    """Of all of them, whichever entry names one."""
    parts = tuple(Part("column", column, "text") for column in ("a", "b", "c"))
    found = Snapshot({}, {}, {"t": parts}).without(frozenset({"x.y", "t.a", "t.b", "*.nothing"}))
    assert [part.what for part in found.structure["t"]] == ["c"]


def test_an_entry_for_whole_tables_may_name_columns(tmp_path: Path) -> None:
    """With the same patterns as where columns are ignored."""
    found = snapshot(tmp_path)
    for entry, left in (("other.*.loaded_at", ("id",)), ("*.loaded_at", ("id",)), ("users.name", ("id", "loaded_at"))):
        columns = found.without_whole([entry]).tables["other.users"].columns
        assert columns == left
        assert found.without_columns([entry]).tables["other.users"].columns == left
        assert not matches_nothing(entry, [found], whole=True)
    assert set(found.without_columns(["other.*"]).tables) == {"users", "other.users"}


@pytest.mark.parametrize(("entry", "left"), [("a", {"a.csv", "b/a.csv"}), ("*.csv", {"a"}), ("b/*", {"a", "a.csv"})])
def test_an_entry_for_whole_files_is_a_path(tmp_path: Path, entry: str, left: set[str]) -> None:
    """Or a pattern of paths."""
    found = Snapshot(files={path: File(path, 1, (b"x",), b"x") for path in ("a", "a.csv", "b/a.csv")})
    assert set(found.without_whole([entry]).files) == left
    assert not matches_nothing(entry, [found], whole=True)
    assert matches_nothing("a.pdf", [found], whole=True)


def test_a_table_without_part_of_its_key_has_none(tmp_path: Path) -> None:
    """The rest of it need not be unique; its rows are sorted anew."""
    found = snapshot(tmp_path).without(frozenset({"users.id"})).tables["users"]
    assert (found.key, found.rows) == ((), (b"Ada\tnow", b"Bo\tthen"))


@pytest.mark.parametrize(
    ("entry", "left"),
    [
        pytest.param("reports/*.html", {"reports/a.csv", "users.html"}, id="pattern"),
        pytest.param("*.html", {"reports/a.csv"}, id="in-all-folders"),
        pytest.param("reports/*", {"users.html"}, id="folder"),
        pytest.param("users.*", {"reports/a.html", "reports/a.csv", "users.html"}, id="a-table-and-no-file"),
        pytest.param("users.html", {"reports/a.html", "reports/a.csv"}, id="name"),
    ],
)
def test_a_file_pattern_leaves_out_files(tmp_path: Path, entry: str, left: set[str]) -> None:
    """An entry that names all of a table does not also mean a file called like it."""
    (tmp_path / "reports").mkdir()
    for name in ("reports/a.html", "reports/a.csv", "users.html"):
        (tmp_path / name).write_text("x")
    assert set(snapshot(tmp_path).without(frozenset({entry})).files) == left


@pytest.mark.parametrize("entry", ["users.loadedat", "user.*", "loaded_at", "*.pdf", "raw/*"])
def test_an_entry_that_names_nothing_is_noticed(tmp_path: Path, entry: str) -> None:
    """A misspelt one would silently compare what it should not."""
    assert matches_nothing(entry, [snapshot(tmp_path)])


def test_snapshots_after_tasks_come_back_in_order(tmp_path: Path) -> None:
    """Each with its task; more than ten of them too."""
    (tmp_path / "into").mkdir()
    (tmp_path / "files").mkdir()
    for turn in range(12):
        (tmp_path / "files" / str(turn)).touch()
        save_after_task(tmp_path / "into", f"task_{turn}", turn - 1, take(None, tmp_path / "files"))
    found = saved_after_tasks(tmp_path / "into")
    assert [(task, index, len(state.files)) for task, index, state in found] == [
        (f"task_{turn}", turn - 1, turn + 1) for turn in range(12)
    ]


def store(path: Path, *statements: str) -> None:
    """Run statements on an SQLite database, and commit."""
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


TABLE = "CREATE TABLE IF NOT EXISTS orders (number INTEGER PRIMARY KEY AUTOINCREMENT, dt TEXT, note TEXT)"
ROWS = ("INSERT INTO orders VALUES (1, '2026-01-01', 'a\nb')", "INSERT INTO orders VALUES (2, '2026-01-01', NULL)")


def test_an_sqlite_database_is_its_rows(tmp_path: Path) -> None:
    """Written a second time, in another order: other bytes, and the same rows; a row more is told as a row."""
    store(tmp_path / "shop.db", TABLE, *ROWS)
    first, size = take(None, tmp_path), (tmp_path / "shop.db").read_bytes()
    store(tmp_path / "shop.db", "DELETE FROM orders", *reversed(ROWS))
    assert (tmp_path / "shop.db").read_bytes() != size
    assert take(None, tmp_path) == first
    store(tmp_path / "shop.db", "INSERT INTO orders VALUES (3, '2026-01-02', '')")
    (found,) = diff(first, take(None, tmp_path)).tables
    assert (found.table, found.rows_before, found.rows_after, found.added) == ("shop.db:orders", 2, 3, 1)
    table = first.tables["shop.db:orders"]
    assert (table.columns, table.key) == (("number", "dt", "note"), ("number",))
    assert table.rows == (b"1\t2026-01-01\ta\\nb", b"2\t2026-01-01\t\\N")


BESIDE_ROWS = [
    pytest.param("PRAGMA user_version = 7", id="version"),
    pytest.param("ALTER TABLE orders ADD COLUMN paid INT DEFAULT 1", id="column"),
    pytest.param("DROP TABLE empty; CREATE TABLE empty (dt TEXT DEFAULT '2026-01-02')", id="default"),
    pytest.param("CREATE INDEX more ON orders (dt)", id="index"),
]


@pytest.mark.parametrize("statements", BESIDE_ROWS)
def test_what_an_sqlite_database_has_besides_rows_counts(tmp_path: Path, statements: str) -> None:
    """A version that each run counts up, a default of the last day."""
    store(tmp_path / "shop.db", TABLE, *ROWS, "CREATE TABLE empty (dt TEXT DEFAULT '2026-01-01')")
    before = take(None, tmp_path)
    store(tmp_path / "shop.db", *statements.split("; "))
    assert diff(before, take(None, tmp_path))


def test_an_sqlite_table_that_is_swapped_by_renaming_is_the_same(tmp_path: Path) -> None:
    """SQLite writes the new name into the definition, and quotes it."""
    made = "(dt TEXT DEFAULT '', n CHECK (n > 0), twice AS (n * 2))"
    store(tmp_path / "shop.db", f"CREATE TABLE sums {made}", "INSERT INTO sums VALUES ('2026-01-01', 2)")
    before = take(None, tmp_path)
    fresh = (f"CREATE TABLE fresh {made}", "INSERT INTO fresh VALUES ('2026-01-01', 2)")
    store(tmp_path / "shop.db", *fresh, "DROP TABLE sums", "ALTER TABLE fresh RENAME TO sums")
    assert take(None, tmp_path) == before
    assert before.tables["shop.db:sums"].columns == ("dt", "n", "twice")


def test_a_full_text_index_is_its_rows(tmp_path: Path) -> None:
    """Whatever segments it is made of: the same texts, written again, are kept in other ones."""
    texts = ("DELETE FROM texts", "INSERT INTO texts VALUES ('one'), ('two')")
    store(tmp_path / "shop.db", "CREATE VIRTUAL TABLE texts USING fts5(body)", *texts)
    before = take(None, tmp_path)
    store(tmp_path / "shop.db", *texts)
    assert take(None, tmp_path) == before
    store(tmp_path / "shop.db", "INSERT INTO texts VALUES ('three')")
    assert diff(before, take(None, tmp_path))


def avro(marker: bytes, *texts: bytes) -> bytes:
    """An Avro file of short texts."""
    header = b'Obj\x01\x02\x16avro.schema\x10"string"\x00' + marker
    block = b"".join(bytes([2 * len(text)]) + text for text in texts)
    return header + bytes([2 * len(texts), 2 * len(block)]) + block + marker


def test_an_avro_file_counts_without_its_random_marks(tmp_path: Path) -> None:
    """They are drawn anew for each file; what only begins like one is its bytes."""
    (tmp_path / "a.avro").write_bytes(avro(b"0123456789abcdef", b"one", b"two"))
    before = take(None, tmp_path)
    (tmp_path / "a.avro").write_bytes(avro(b"fedcba9876543210", b"one", b"two"))
    assert take(None, tmp_path) == before
    for other in (avro(b"0123456789abcdef", b"one", b"few"), b"Obj\x01", b"Obj\x01\x00more", b"Obj\x01\xff\xff"):
        (tmp_path / "a.avro").write_bytes(other)
        assert diff(before, take(None, tmp_path))


def test_an_ignored_file_is_ignored_with_all_its_tables(tmp_path: Path) -> None:
    """As before it was known to be a database; a table or a column of it has a name, too."""
    store(tmp_path / "shop.db", TABLE, *ROWS)
    found = take(None, tmp_path)
    assert not found.files
    for entry in ("*.db", "shop.db", "shop.db:orders.*"):
        assert not found.without(frozenset({entry})).tables
        assert not matches_nothing(entry, [found])
    (table,) = found.without(frozenset({"shop.db:orders.note"})).tables.values()
    assert table.columns == ("number", "dt")
    assert matches_nothing("other.db", [found])


def test_what_was_not_committed_to_sqlite_does_not_count(tmp_path: Path) -> None:
    """A reader sees the old rows, whatever lies beside the database; and reading leaves all that as it is."""
    store(tmp_path / "shop.db", TABLE, *ROWS)
    first = take(None, tmp_path)
    code = """import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size=1")
connection.execute("BEGIN")
connection.executemany("INSERT INTO orders (note) VALUES (?)", [("x" * 999,)] * 999)
os._exit(0)"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "shop.db")], check=True)
    assert (tmp_path / "shop.db-journal").stat().st_size > 0
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert take(None, tmp_path) == first
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_what_is_in_the_log_of_sqlite_counts(tmp_path: Path) -> None:
    """It is committed, and a reader sees it."""
    with contextlib.closing(sqlite3.connect(tmp_path / "shop.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(TABLE)
        first = take(None, tmp_path)
        connection.execute(ROWS[0])
        assert (tmp_path / "shop.db-wal").exists()
        assert diff(first, take(None, tmp_path))
    found = take(None, tmp_path)
    assert (set(found.tables), set(found.files)) == ({"shop.db:orders"}, set())


def duck(path: Path, *statements: str) -> None:
    """Run statements on a DuckDB database, and commit."""
    with duckdb.connect(str(path)) as connection:
        for statement in statements:
            connection.execute(statement)


def test_a_duckdb_database_is_its_rows(tmp_path: Path) -> None:
    """Written a second time, in another order: other bytes, and the same rows; a row more is told as a row."""
    path = tmp_path / "shop.duckdb"
    duck(path, "CREATE TABLE orders (number INTEGER PRIMARY KEY, note VARCHAR)", "CREATE VIEW v AS SELECT 1")
    duck(path, "INSERT INTO orders VALUES (1, 'a\nb'), (2, NULL)")
    first, content = take(None, tmp_path), path.read_bytes()
    duck(path, "DELETE FROM orders", "INSERT INTO orders VALUES (2, NULL), (1, 'a\nb')")
    assert path.read_bytes() != content
    assert take(None, tmp_path) == first
    duck(path, "UPDATE orders SET note = '' WHERE number = 2")
    (found,) = diff(first, take(None, tmp_path)).tables
    assert (found.table, found.changed) == ("shop.duckdb:orders", 1)
    assert first.tables["shop.duckdb:orders"].key == ("number",)


def test_what_is_in_the_log_of_duckdb_counts(tmp_path: Path) -> None:
    """It is committed, and a reader sees it; reading leaves it as it is."""
    path = tmp_path / "shop.duckdb"
    duck(path, "CREATE TABLE orders (number INTEGER)")
    first = take(None, tmp_path)
    code = """import duckdb, os, sys
connection = duckdb.connect(sys.argv[1])
connection.execute("INSERT INTO orders VALUES (1)")
os._exit(0)"""
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert set(before) == {"shop.duckdb", "shop.duckdb.wal"}
    found = take(None, tmp_path)
    assert (set(found.tables), set(found.files)) == ({"shop.duckdb:orders"}, set())
    assert diff(first, found)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_what_gzip_has_compressed_is_what_it_was(tmp_path: Path) -> None:
    """When it was compressed, and how well, makes no difference; half of it is its bytes."""
    path = tmp_path / "orders.csv.gz"
    text = b"1,2.50\n" * 99_999
    path.write_bytes(gzip.compress(text, mtime=1))
    first = take(None, tmp_path)
    assert first.files["orders.csv.gz"].size == len(text)
    path.write_bytes(gzip.compress(text, compresslevel=1, mtime=2))
    assert take(None, tmp_path) == first
    path.write_bytes(gzip.compress(text + b"3\n", mtime=1))
    assert diff(first, take(None, tmp_path))
    half = gzip.compress(text, mtime=1)[:99]
    path.write_bytes(half)
    assert take(None, tmp_path).files["orders.csv.gz"].size == len(half)


def test_what_only_begins_like_duckdb_is_its_bytes(tmp_path: Path) -> None:
    """And so is a log without a database."""
    (tmp_path / "broken.duckdb").write_bytes(b"x" * 8 + b"DUCK" + b"x" * 100)
    (tmp_path / "other.wal").write_text("dear diary")
    assert {name: file.size for name, file in take(None, tmp_path).files.items()} == {
        "broken.duckdb": 112,
        "other.wal": 10,
    }


def test_what_only_begins_like_sqlite_is_its_bytes(tmp_path: Path) -> None:
    """And a file that is called like a part of a database, without one, is a file."""
    (tmp_path / "broken.db").write_bytes(b"SQLite format 3\0" + b"x" * 100)
    (tmp_path / "notes-journal").write_text("dear diary")
    snapshot = take(None, tmp_path)
    assert {name: file.size for name, file in snapshot.files.items()} == {"broken.db": 116, "notes-journal": 10}


def test_views_and_indexes_of_a_database_in_a_file_count(tmp_path: Path) -> None:
    """A view that shows the last day only is another one after each run, whatever the tables hold."""
    for connect, name in ((sqlite3.connect, "lite.db"), (duckdb.connect, "duck.db")):
        with contextlib.closing(connect(str(tmp_path / name))) as connection:
            connection.execute("CREATE TABLE t (v int, dt text)")
            connection.execute("CREATE INDEX i ON t (v)")
            connection.execute("CREATE VIEW day AS SELECT * FROM t WHERE dt = '2026-01-01'")
            connection.commit()
        before = take(None, tmp_path)
        with contextlib.closing(connect(str(tmp_path / name))) as connection:
            connection.execute("DROP VIEW day")
            connection.execute("CREATE VIEW day AS SELECT * FROM t WHERE dt = '2026-01-02'")
            connection.commit()
        (table,) = diff(before, take(None, tmp_path)).tables
        assert (table.table, table.columns) == (f"{name}:definitions", ("definition",))
        assert len(before.tables[f"{name}:definitions"].rows) == 2
