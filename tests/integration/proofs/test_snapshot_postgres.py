"""Snapshots of a real PostgreSQL: what is the same must look the same, and what differs must differ."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from dagproof.postgres.server import PostgresServer, unique_name
from dagproof.stores.diff import diff
from dagproof.stores.snapshot import Snapshot, take


class Database:
    """A database of a test's own."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder

    def run(self, statements: str) -> None:
        """Run statements in a session of their own."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statements.encode())

    def take(self) -> Snapshot:
        """Take a snapshot."""
        return take(self.url, self.folder)

    def differs(self, one: str, other: str, table: str = "t") -> bool:
        """Whether two ways to fill a table leave it different."""
        self.run(f"TRUNCATE {table}; {one}")
        before = self.take()
        self.run(f"TRUNCATE {table}; {other}")
        return bool(diff(before, self.take()))


@pytest.fixture
def database(embedded_server: PostgresServer, tmp_path: Path) -> Iterator[Database]:
    """An empty database, and an empty folder."""
    name = unique_name()
    embedded_server.create_database(name)
    yield Database(embedded_server.url(name), tmp_path)
    embedded_server.drop_database(name)


SAME = [
    pytest.param("json", """'{"b": 1, "a": [1, 2]}'""", """'{"a":[1,2],"b":1}'""", id="order-of-json-keys"),
    pytest.param("jsonb", """'{"b": 1, "a": 1}'""", """'{"a": 1, "b": 1}'""", id="jsonb"),
    pytest.param("numeric", "1.10", "1.1", id="scale-of-a-number"),
    pytest.param("numeric", "100", "1e2", id="exponent"),
    pytest.param("numeric", "'NaN'", "'nan'", id="nan"),
    pytest.param("double precision", "0.1", "1e-1", id="float"),
    pytest.param("double precision", "0", "'-0'", id="negative-zero"),
    pytest.param("timestamptz", "'2026-01-01 00:00Z'", "'2026-01-01 13:45+13:45'", id="time-zone-of-the-text"),
    pytest.param("interval", "'1 day 24:00'", "interval '1 day' + interval '24 hours'", id="interval"),
    pytest.param("bytea", r"'\x00ff'", r"decode('AP8=', 'base64')", id="bytea"),
    pytest.param("numeric[]", "'{1,2}'", "ARRAY[1,2]", id="array"),
    pytest.param("boolean", "'yes'", "true", id="boolean"),
    pytest.param("uuid", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "'a0eebc999c0b4ef8bb6d6bb9bd380a11'", id="uuid"),
]

DIFFERENT = [
    pytest.param("json", """'{"a": 1}'""", """'{"a": "1"}'""", id="json-number-and-text"),
    pytest.param("jsonb", "'null'", "NULL", id="json-null-and-null"),
    pytest.param("text", "''", "NULL", id="empty-and-null"),
    pytest.param("text", r"'\N'", "NULL", id="the-text-of-null"),
    pytest.param("text", r"E'a\tb'", r"'a\tb'", id="a-tab-and-its-escape"),
    pytest.param("text", r"E'a\nb'", "'a b'", id="newline"),
    pytest.param("text", "'a'", "'a '", id="blank-at-the-end"),
    pytest.param("text", "'é'", "U&'e\\0301'", id="composed-and-decomposed"),
    pytest.param("numeric", "0.10", "0.11", id="last-digit-of-a-number"),
    pytest.param("double precision", "0.1", "0.10000000000000002", id="last-digit-of-a-float"),
    pytest.param("real", "0.1", "0.10000001", id="last-digit-of-a-short-float"),
    pytest.param("double precision", "'NaN'", "'Infinity'", id="nan-and-infinity"),
    pytest.param("timestamptz", "'2026-01-01 00:00:00Z'", "'2026-01-01 00:00:00.000001Z'", id="microsecond"),
    pytest.param("bytea", r"'\x00'", "''", id="zero-byte"),
    pytest.param("int[]", "'{1,2}'", "'{2,1}'", id="order-in-an-array"),
    pytest.param("int[]", "'{NULL}'", "'{}'", id="null-in-an-array"),
    pytest.param("bigint", "9223372036854775807", "9223372036854775806", id="edge-of-64-bits"),
]


@pytest.mark.parametrize(("kind", "one", "other"), SAME)
def test_equal_values_look_the_same(kind: str, one: str, other: str, database: Database) -> None:
    """However they were written."""
    database.run(f"CREATE TABLE t (v {kind})")
    assert not database.differs(f"INSERT INTO t VALUES ({one})", f"INSERT INTO t VALUES ({other})")


@pytest.mark.parametrize(("kind", "one", "other"), DIFFERENT)
def test_different_values_differ(kind: str, one: str, other: str, database: Database) -> None:
    """However alike they look."""
    database.run(f"CREATE TABLE t (v {kind})")
    assert database.differs(f"INSERT INTO t VALUES ({one})", f"INSERT INTO t VALUES ({other})")


def test_the_settings_of_the_database_do_not_count(database: Database) -> None:
    """A DAG may change its time zone, and how dates, floats and bytes are written."""
    database.run(
        r"CREATE TABLE t (a timestamptz, b date, c float, d bytea, e interval);"
        r"INSERT INTO t VALUES ('2026-03-29 01:30Z', '2026-03-29', 0.1, '\x00', '1 day')"
    )
    before = database.take()
    database.run(
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET TimeZone = ''Pacific/Chatham''', current_database());"
        "EXECUTE format('ALTER DATABASE %I SET DateStyle = ''German''', current_database());"
        "EXECUTE format('ALTER DATABASE %I SET extra_float_digits = -5', current_database());"
        "EXECUTE format('ALTER DATABASE %I SET IntervalStyle = ''iso_8601''', current_database());"
        "EXECUTE format('ALTER DATABASE %I SET bytea_output = ''escape''', current_database()); END $$"
    )
    after = database.take()
    assert after.tables == before.tables
    assert not diff(before, after)


def test_the_order_of_rows_does_not_count(database: Database) -> None:
    """Their number does, also of rows that are the same."""
    database.run("CREATE TABLE t (v int)")
    assert not database.differs("INSERT INTO t VALUES (1), (2), (2)", "INSERT INTO t VALUES (2), (1), (2)")
    assert database.differs("INSERT INTO t VALUES (1), (2), (2)", "INSERT INTO t VALUES (1), (1), (2)")


def test_every_table_is_found(database: Database) -> None:
    """Of each schema, partitioned ones once and as a whole, materialized views; no views and no system tables."""
    database.run(
        """
        CREATE TABLE plain (id int PRIMARY KEY);
        CREATE SCHEMA other; CREATE TABLE other.plain (id int);
        CREATE TABLE parted (id int, dt date) PARTITION BY RANGE (dt);
        CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
        INSERT INTO parted VALUES (1, '2026-01-05');
        CREATE VIEW seen AS SELECT * FROM plain;
        CREATE MATERIALIZED VIEW stored AS SELECT * FROM parted;
        CREATE MATERIALIZED VIEW empty AS SELECT * FROM parted WITH NO DATA;
        CREATE UNLOGGED TABLE fast (id int);
        CREATE TABLE "Odd ""name"".with.dots" ("a b" int, "c""d" int, "%s" int, "{0}" int);
        INSERT INTO "Odd ""name"".with.dots" VALUES (1, 2, 3, 4);
        CREATE TABLE without_columns ();
        """
    )
    tables = database.take().tables
    assert set(tables) == {
        "plain",
        "other.plain",
        "parted",
        "stored",
        "fast",
        'Odd "name".with.dots',
        "without_columns",
    }
    assert tables["parted"].rows == tables["stored"].rows == (b"1\t2026-01-05",)
    assert [name for name, table in tables.items() if table.is_derived] == ["stored"]
    assert tables['Odd "name".with.dots'].columns == ("a b", 'c"d', "%s", "{0}")
    assert tables['Odd "name".with.dots'].rows == (b"1\t2\t3\t4",)


@pytest.mark.parametrize(
    ("constraints", "key"),
    [
        pytest.param("PRIMARY KEY (a, b), UNIQUE (c)", ("a", "b"), id="primary-key"),
        pytest.param("UNIQUE (c)", ("c",), id="unique"),
        pytest.param("UNIQUE (b, a)", ("b", "a"), id="in-its-order"),
        pytest.param("UNIQUE (a) INCLUDE (b)", ("a",), id="without-what-it-includes"),
        pytest.param("CHECK (a > 0)", (), id="none"),
    ],
)
def test_a_key_tells_rows_apart(constraints: str, key: tuple[str, ...], database: Database) -> None:
    """The primary one where there is one."""
    database.run(f"CREATE TABLE t (a int, b int, c int, {constraints})")
    assert database.take().tables["t"].key == key


def test_an_index_of_some_rows_or_of_an_expression_is_no_key(database: Database) -> None:
    """It does not tell all rows apart."""
    database.run(
        "CREATE TABLE t (a text, b int); CREATE UNIQUE INDEX ON t (a) WHERE b > 0; CREATE UNIQUE INDEX ON t (lower(a))"
    )
    assert database.take().tables["t"].key == ()


def test_what_is_not_committed_does_not_count(database: Database) -> None:
    """A session that the run left open is ended, and its work with it."""
    database.run("CREATE TABLE t (v int)")
    with psycopg.connect(database.url) as left_open:
        left_open.execute("INSERT INTO t VALUES (1)")
        assert database.take().tables["t"].rows == ()
        with pytest.raises(psycopg.OperationalError):
            left_open.execute("SELECT 1")


def test_a_column_that_was_dropped_is_gone(database: Database) -> None:
    """Its place in the row is not."""
    database.run("CREATE TABLE t (a int, b int, c int); INSERT INTO t VALUES (1, 2, 3); ALTER TABLE t DROP COLUMN b")
    table = database.take().tables["t"]
    assert (table.columns, table.rows) == (("a", "c"), (b"1\t3",))


def test_rows_that_security_policies_hide_are_there(database: Database) -> None:
    """A snapshot sees all, or says that it cannot."""
    database.run(
        "CREATE TABLE t (v int); INSERT INTO t VALUES (1); ALTER TABLE t ENABLE ROW LEVEL SECURITY;"
        "ALTER TABLE t FORCE ROW LEVEL SECURITY"
    )
    assert database.take().tables["t"].rows == (b"1",)
