"""Rows that are turned: in another physical order, and the same in every other respect."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from dagproof.postgres.server import PostgresServer, unique_name
from dagproof.stores.database import sequences
from dagproof.stores.diff import diff
from dagproof.stores.snapshot import take
from dagproof.worlds import turning
from dagproof.worlds.turning import moment, turn_rows

SCHEMA = """
CREATE SCHEMA mart;
CREATE TABLE parent (id int PRIMARY KEY, name text);
CREATE TABLE child (
    id serial PRIMARY KEY, parent int NOT NULL REFERENCES parent ON DELETE CASCADE,
    always int GENERATED ALWAYS AS IDENTITY UNIQUE, twice int GENERATED ALWAYS AS (parent * 2) STORED,
    at timestamptz DEFAULT clock_timestamp(), big text
);
CREATE TABLE log (what text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO log VALUES (TG_OP); RETURN NULL; END';
INSERT INTO parent SELECT n, 'p' || n FROM generate_series(1, 9) n;
INSERT INTO child (parent, big) SELECT n, repeat('x', 9000) || n FROM generate_series(1, 9) n;
CREATE TRIGGER note AFTER INSERT OR DELETE OR UPDATE ON child FOR EACH ROW EXECUTE FUNCTION note();
CREATE TABLE parted (id int, dt date, EXCLUDE USING btree (id WITH =, dt WITH =)) PARTITION BY RANGE (dt);
CREATE TABLE p1 PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE p2 PARTITION OF parted FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
INSERT INTO parted SELECT n, date '2026-01-01' + n * 9 FROM generate_series(0, 5) n;
CREATE TABLE base (v int); CREATE TABLE heir (w int) INHERITS (base);
INSERT INTO base SELECT generate_series(1, 5); INSERT INTO heir SELECT n, n FROM generate_series(1, 5) n;
CREATE TABLE mart.twins (v int); INSERT INTO mart.twins VALUES (1), (1), (2), (NULL);
CREATE TABLE kept (v int); INSERT INTO kept VALUES (1), (2);
CREATE RULE kept AS ON DELETE TO kept DO INSTEAD NOTHING;
CREATE TABLE secret (v int); INSERT INTO secret VALUES (1), (2);
ALTER TABLE secret ENABLE ROW LEVEL SECURITY; ALTER TABLE secret FORCE ROW LEVEL SECURITY;
CREATE TABLE "Odd "" name" ("a b" int, "c%d" int); INSERT INTO "Odd "" name" VALUES (1, 1), (2, 2);
CREATE TABLE nothing (); INSERT INTO nothing DEFAULT VALUES;
CREATE MATERIALIZED VIEW totals AS SELECT count(*) FROM child;
ALTER TABLE parent DROP COLUMN name; ALTER TABLE parent ADD COLUMN name text DEFAULT 'later';
"""
TURNED = ("parent", "child", "p1", "p2", "ONLY base", "heir", "mart.twins", "kept", "secret", '"Odd "" name"')


class Database:
    """A database of a test's own."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder

    def ask(self, query: str) -> list[Any]:
        """The first column of what a query gives."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            return [row[0] for row in connection.execute(query.encode()).fetchall()]

    def run(self, statements: str) -> None:
        """Run statements in a session of their own."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statements.encode())


@pytest.fixture
def database(embedded_server: PostgresServer, tmp_path: Path) -> Iterator[Database]:
    """A database of tables that notice when somebody writes to them."""
    name = unique_name()
    embedded_server.create_database(name)
    found = Database(embedded_server.url(name), tmp_path)
    found.run(SCHEMA)
    yield found
    embedded_server.drop_database(name)


def test_turned_rows_are_the_same_in_the_reverse_order(database: Database) -> None:
    """Triggers, rules, foreign keys, sequences, identities and what is computed notice nothing."""
    before, counted = take(database.url, database.folder), sequences(database.url)
    rows = {table: database.ask(f"SELECT t::text FROM {table} t") for table in TURNED}
    assert turn_rows(database.url) == []
    after = {table: database.ask(f"SELECT t::text FROM {table} t") for table in TURNED}
    assert after == {table: found[::-1] for table, found in rows.items()}
    assert not diff(before, take(database.url, database.folder))
    assert sequences(database.url) == counted
    assert database.ask("SELECT count(*) FROM log") == [0]


def test_turned_twice_rows_are_as_they_were(database: Database) -> None:
    """So that a second run on the machine sees another order than the first."""
    once = database.ask("SELECT id FROM child")
    turn_rows(database.url)
    turn_rows(database.url)
    assert database.ask("SELECT id FROM child") == once


def test_rows_that_were_written_since_come_first_and_the_last_of_them_before_the_others(database: Database) -> None:
    """As if all of them had been written the other way round; without new rows, nothing moves."""
    turn_rows(database.url)
    since = moment(database.url)
    database.run("INSERT INTO base VALUES (6), (7); UPDATE base SET v = 30 WHERE v = 3")
    before = take(database.url, database.folder)
    assert database.ask("SELECT v FROM ONLY base") == [5, 4, 2, 1, 6, 7, 30]
    assert turn_rows(database.url, since) == []
    assert database.ask("SELECT v FROM ONLY base") == [30, 7, 6, 5, 4, 2, 1]
    places = database.ask("SELECT ctid::text FROM mart.twins")
    assert turn_rows(database.url, moment(database.url)) == []
    assert database.ask("SELECT ctid::text FROM mart.twins") == places
    assert not diff(before, take(database.url, database.folder))


def test_rows_that_a_run_still_holds_are_named(database: Database) -> None:
    """A task that has left its transaction open must not stop the next one."""
    with psycopg.connect(database.url) as connection:
        connection.execute("UPDATE ONLY base SET v = 0")
        assert turn_rows(database.url) == ["base (canceling statement due to lock timeout)"]
        connection.execute("LOCK TABLE base")
        assert turn_rows(database.url) == ["all tables (canceling statement due to lock timeout)"]


def test_a_materialized_view_is_made_again_from_turned_rows(database: Database) -> None:
    """Unless it would be another one."""
    database.run(
        "CREATE MATERIALIZED VIEW copied AS SELECT * FROM mart.twins; CREATE MATERIALIZED VIEW old AS TABLE base;"
        "INSERT INTO base VALUES (8)"
    )
    before = take(database.url, database.folder)
    rows = database.ask("SELECT v FROM copied")
    assert turn_rows(database.url) == ["old (it is not up to date)"]
    assert database.ask("SELECT v FROM copied") == rows[::-1]
    assert not diff(before, take(database.url, database.folder))


def test_sessions_that_come_later_plan_in_other_ways(database: Database) -> None:
    """Where a plan decides about an order, too."""
    turn_rows(database.url)
    assert database.ask("SHOW enable_hashagg") == ["off"]


def test_what_cannot_be_turned_is_named_with_the_reason(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trigger that fires always, a row that its table would not take again, a table that is too large."""
    database.run(
        """
        CREATE TRIGGER always AFTER INSERT ON parent FOR EACH ROW EXECUTE FUNCTION note();
        ALTER TABLE parent ENABLE ALWAYS TRIGGER always;
        ALTER TABLE kept ADD CHECK (v > 1) NOT VALID;
        """
    )
    monkeypatch.setattr(turning, "MOST_BYTES", 2**14)
    database.run("INSERT INTO mart.twins SELECT generate_series(1, 9999)")
    before = take(database.url, database.folder)
    left = turn_rows(database.url)
    assert [entry.partition(" (")[0] for entry in left] == ["mart.twins", "kept", "parent"]
    assert "it has triggers, rules or foreign keys" in left[2]
    assert "violates check constraint" in left[1]
    assert not diff(before, take(database.url, database.folder))


def test_a_user_who_may_not_switch_triggers_off_turns_what_has_none(
    embedded_server: PostgresServer, database: Database
) -> None:
    """And names the rest: on a server that is somebody else's, we need not be superuser."""
    name = psycopg.conninfo.conninfo_to_dict(database.url)["dbname"]
    database.run("DROP ROLE IF EXISTS turner")
    database.run("CREATE ROLE turner LOGIN PASSWORD 'turner'")
    try:
        database.run(
            f"ALTER DATABASE {name} OWNER TO turner; ALTER SCHEMA mart OWNER TO turner; "
            "ALTER TABLE mart.twins OWNER TO turner; ALTER TABLE child OWNER TO turner"
        )
        theirs = psycopg.conninfo.make_conninfo(database.url, user="turner", password="turner")
        left = {entry.partition(" (")[0] for entry in turn_rows(theirs)}
        assert {"child", "parent", "kept"} <= left
        assert "mart.twins" not in left
        assert database.ask("SELECT v FROM mart.twins") == [None, 2, 1, 1]
    finally:
        database.run("REASSIGN OWNED BY turner TO postgres; DROP OWNED BY turner; DROP ROLE turner")
