"""The structure of a real PostgreSQL: what piles up or changes is found, and what just has another name is not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from dagproof.postgres.server import PostgresServer, unique_name
from dagproof.postgres.wire import FUNCTIONS
from dagproof.stores import structure
from dagproof.stores.diff import Diff, diff, differing_columns, has_effect
from dagproof.stores.snapshot import Snapshot, matches_nothing, take
from dagproof.stores.structurediff import noted

SCHEMA = """
CREATE TABLE ev (id serial PRIMARY KEY, v int, dt date);
INSERT INTO ev (v, dt) VALUES (1, '2026-01-01'), (2, '2026-01-02');
CREATE TABLE parted (id int, dt date) PARTITION BY LIST (dt);
CREATE VIEW day AS SELECT * FROM ev WHERE dt = '2026-01-01';
CREATE MATERIALIZED VIEW totals AS SELECT dt, sum(v) FROM ev GROUP BY dt;
CREATE FUNCTION total(d date) RETURNS bigint LANGUAGE sql AS 'SELECT sum(v) FROM ev WHERE dt = d';
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TYPE mood AS ENUM ('good');
CREATE SEQUENCE numbers;
CREATE TABLE sent (v int);
CREATE PUBLICATION p FOR TABLE sent;
CREATE TABLE one_ PARTITION OF parted FOR VALUES IN ('2026-02-01');
CREATE TRIGGER onone BEFORE INSERT ON one_ FOR EACH ROW WHEN (NEW.id > 1) EXECUTE FUNCTION touch();
"""


class Database:
    """A database of a test's own."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder

    def run(self, statements: str) -> None:
        """Run statements in a session of their own."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statements.encode())

    def take(self, *scratch: str) -> Snapshot:
        """Take a snapshot."""
        return take(self.url, self.folder, scratch=scratch)

    def difference(self, statements: str) -> Diff:
        """What statements change."""
        before = self.take()
        self.run(statements)
        return diff(before, self.take())


@pytest.fixture
def database(embedded_server: PostgresServer, tmp_path: Path) -> Iterator[Database]:
    """A database with something of each kind, and an empty folder."""
    name = unique_name()
    embedded_server.create_database(name)
    found = Database(embedded_server.url(name), tmp_path)
    found.run(FUNCTIONS)
    found.run(SCHEMA)
    yield found
    embedded_server.drop_database(name)


CHANGED = [
    pytest.param("CREATE INDEX ON ev (v)", "index on ev (v)   added", id="index"),
    pytest.param("CREATE UNIQUE INDEX ON ev (lower(v::text)) WHERE v > 0",
                 "unique index on ev (lower((v)::text)) WHERE (v > 0)   added", id="unique-index"),
    pytest.param("CREATE INDEX ON ev USING brin (dt)", "index on ev brin (dt)   added", id="other-index"),
    pytest.param("ALTER TABLE ev ADD CHECK (v > 0)", "constraint on ev CHECK ((v > 0))   added", id="check"),
    pytest.param("ALTER TABLE ev DROP CONSTRAINT ev_pkey", "constraint on ev PRIMARY KEY (id)   missing", id="key"),
    pytest.param("ALTER TABLE ev ALTER v SET DEFAULT 7",
                 "column of ev v   changed: integer became integer DEFAULT 7", id="default"),
    pytest.param("ALTER TABLE ev ALTER v SET NOT NULL",
                 "column of ev v   changed: integer became integer NOT NULL", id="not-null"),
    pytest.param("CREATE TRIGGER t BEFORE UPDATE ON ev FOR EACH ROW EXECUTE FUNCTION touch()",
                 "trigger on ev t   added", id="trigger"),
    pytest.param("CREATE RULE r AS ON DELETE TO ev DO INSTEAD NOTHING", "rule on ev r   added", id="rule"),
    pytest.param("CREATE POLICY p ON ev USING (v > 1)", "policy on ev p   added", id="policy"),
    pytest.param("ALTER TABLE ev ENABLE ROW LEVEL SECURITY", "setting of ev ROW LEVEL SECURITY   added", id="security"),
    pytest.param("CREATE STATISTICS ON v, dt FROM ev", "statistics on ev ON v, dt   added", id="statistics"),
    pytest.param("ALTER TABLE ev SET UNLOGGED", "setting of ev UNLOGGED   added", id="unlogged"),
    pytest.param("CREATE TABLE one PARTITION OF parted FOR VALUES IN ('2026-01-01')",
                 "partition of parted FOR VALUES IN ('2026-01-01')   added", id="partition"),
    pytest.param("CREATE OR REPLACE VIEW day AS SELECT * FROM ev WHERE dt = '2026-01-02'",
                 "view day   changed: "
                 "… ev WHERE (dt = '2026-01-01'::date); became … ev WHERE (dt = '2026-01-02'::date);",
                 id="view"),
    pytest.param("CREATE VIEW more AS SELECT 1 AS one", "view more   added", id="new-view"),
    pytest.param("CREATE OR REPLACE FUNCTION total(d date) RETURNS bigint LANGUAGE sql AS 'SELECT 0::bigint'",
                 "function total(d date)   changed: line 4: 'AS $function$SELECT sum(v) FROM ev WHERE dt = d$function$'"
                 " became 'AS $function$SELECT 0::bigint$function$'", id="function"),
    pytest.param("CREATE FUNCTION total(d int) RETURNS int LANGUAGE sql AS 'SELECT 0'",
                 "function total(d integer)   added", id="overloaded"),
    pytest.param("CREATE PROCEDURE load() LANGUAGE sql AS 'SELECT 0'", "procedure load()   added", id="procedure"),
    pytest.param("CREATE AGGREGATE add(int) (sfunc = int4pl, stype = int)", "aggregate add(integer)   added",
                 id="aggregate"),
    pytest.param("ALTER TYPE mood ADD VALUE 'bad'",
                 "type mood   changed: ENUM ('good') became ENUM ('good', 'bad')", id="enum"),
    pytest.param("CREATE DOMAIN even AS int CHECK (VALUE % 2 = 0)", "type even   added", id="domain"),
    pytest.param("CREATE TYPE pair AS (a int, b text)", "type pair   added", id="composite"),
    pytest.param("ALTER SEQUENCE numbers INCREMENT 2", "sequence numbers   changed: "
                 "bigint START 1 INCREMENT 1 MIN 1 MAX 9223372036854775807 CA… became "
                 "bigint START 1 INCREMENT 2 MIN 1 MAX 9223372036854775807 CA…", id="sequence"),
    pytest.param("CREATE SCHEMA mart", "schema mart   added", id="schema"),
    pytest.param("ALTER VIEW day RENAME TO days", "view day   missing", id="renamed-view"),
    pytest.param("DROP PUBLICATION p; CREATE PUBLICATION p FOR TABLE parted",
                 "publication p   changed: sent; pubdelete, pubinsert, pubtruncate, pubupdate became "
                 "parted; pubdelete, pubinsert, pubtruncate, pubupdate", id="publication"),
    pytest.param("ALTER PUBLICATION p SET (publish = 'insert')", "publication p   changed: "
                 "sent; pubdelete, pubinsert, pubtruncate, pubupdate became sent; pubinsert", id="published"),
    pytest.param("ALTER TABLE ev REPLICA IDENTITY FULL", "setting of ev REPLICA IDENTITY   added", id="replica"),
    pytest.param("CREATE OR REPLACE TRIGGER onone BEFORE INSERT ON one_ FOR EACH ROW WHEN (NEW.id > 2) "
                 "EXECUTE FUNCTION touch()",
                 "trigger on parted FOR VALUES IN ('2026-02-01'): onone   changed: … EACH ROW WHEN ((new.id > 1)) "
                 "EXECUTE FUNCTION touch() became … EACH ROW WHEN ((new.id > 2)) EXECUTE FUNCTION touch()",
                 id="part-trigger"),
    pytest.param("CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq)",
                 "operator === (integer, integer)   added", id="operator"),
    pytest.param("CREATE CAST (mood AS int) WITH INOUT", "cast mood AS integer   added", id="cast"),
    pytest.param("CREATE COLLATION other FROM \"C\"", "collation other   added", id="collation"),
    pytest.param("CREATE TEXT SEARCH CONFIGURATION plain (COPY = simple)",
                 "text search configuration plain   added", id="text-search"),
]  # fmt: skip


@pytest.mark.parametrize(("statements", "said"), CHANGED)
def test_what_changes_besides_rows_is_found(statements: str, said: str, database: Database) -> None:
    """Each kind, once, and with words that a person reads."""
    found = database.difference(statements)
    assert [f"{part.part}   {part.change}" for part in found.structure][:1] == [said]
    assert not found.tables
    assert not found.files


PILES = [
    pytest.param("CREATE INDEX ON ev (v)", "index on ev (v)", id="index"),
    pytest.param("ALTER TABLE ev ADD CHECK (v > 0)", "constraint on ev CHECK ((v > 0))", id="check"),
    pytest.param("ALTER TABLE ev ADD UNIQUE (v)", "constraint on ev UNIQUE (v)", id="unique"),
    pytest.param("ALTER TABLE ev ADD FOREIGN KEY (v) REFERENCES ev (id)",
                 "constraint on ev FOREIGN KEY (v) REFERENCES ev(id)", id="foreign-key"),
    pytest.param("CREATE STATISTICS ON v, dt FROM ev", "statistics on ev ON v, dt", id="statistics"),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "part"), PILES)
def test_what_piles_up_is_counted(statement: str, part: str, database: Database) -> None:
    """PostgreSQL gives each of them a name of its own, so that nothing refuses the second one."""
    database.run(statement)
    (found,) = database.difference(statement).structure
    assert (found.part, found.change) == (part, "×1 → ×2")


def test_what_is_as_it_was_does_not_differ(database: Database) -> None:
    """Made again under another name, in another order, or only for a session."""
    database.run("CREATE INDEX one ON ev (v); ALTER TABLE ev ADD CONSTRAINT two CHECK (v > 0)")
    assert not database.difference(
        """
        CREATE TEMP TABLE t (v int); CREATE INDEX ON t (v);
        DROP INDEX one; CREATE INDEX other ON ev (v);
        ALTER TABLE ev RENAME CONSTRAINT two TO three;
        CREATE INDEX IF NOT EXISTS other ON ev (v);
        CREATE TABLE IF NOT EXISTS ev (x int);
        CREATE OR REPLACE VIEW day AS SELECT id, v,  dt FROM ev WHERE dt = '2026-01-01';
        CREATE OR REPLACE FUNCTION total(d date) RETURNS bigint LANGUAGE sql AS 'SELECT sum(v) FROM ev WHERE dt = d';
        REFRESH MATERIALIZED VIEW totals; ANALYZE; COMMENT ON TABLE ev IS 'events'; GRANT SELECT ON ev TO PUBLIC;
        """
    )


@pytest.mark.parametrize("kind", ["serial", "int GENERATED ALWAYS AS IDENTITY"])
def test_a_table_that_is_swapped_by_renaming_is_the_same(kind: str, database: Database) -> None:
    """Its indexes, constraints and sequences have names of the other table by then, and each time other ones."""
    database.run(f"CREATE TABLE orders (id {kind} PRIMARY KEY, v int CHECK (v > 0)); CREATE INDEX ON orders (v)")
    swap = f"""
        CREATE TABLE orders_new (id {kind} PRIMARY KEY, v int CHECK (v > 0)); CREATE INDEX ON orders_new (v);
        DROP TABLE orders; ALTER TABLE orders_new RENAME TO orders;
        """
    assert not database.difference(swap)
    assert not database.difference(swap)


def test_an_index_that_a_swap_forgets_is_missing(database: Database) -> None:
    """The second load has no index any more; its rows are right."""
    database.run("CREATE TABLE orders (id int PRIMARY KEY); CREATE INDEX ON orders ((id + 1))")
    found = database.difference(
        "CREATE TABLE fresh (LIKE orders); DROP TABLE orders; ALTER TABLE fresh RENAME TO orders"
    )
    assert [f"{part.part} {part.kind}" for part in found.structure] == [
        "constraint on orders PRIMARY KEY (id) missing",
        "index on orders (((id + 1))) missing",
    ]


def test_partitions_are_compared_by_their_bounds(database: Database) -> None:
    """One that is exchanged is the same; an index on it alone is not."""
    database.run("CREATE TABLE p1 PARTITION OF parted FOR VALUES IN ('2026-01-01'); CREATE INDEX ON parted (id)")
    exchange = """
        CREATE TABLE fresh (LIKE parted INCLUDING ALL); DROP TABLE p1;
        ALTER TABLE parted ATTACH PARTITION fresh FOR VALUES IN ('2026-01-01'); ALTER TABLE fresh RENAME TO p1;
        """
    assert not database.difference(exchange)
    (found,) = database.difference("CREATE INDEX ON p1 (dt)").structure
    assert found.part == "index on parted FOR VALUES IN ('2026-01-01'): (dt)"


def test_structure_is_read_again_only_where_it_is_another_one(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not after what just changes rows, and not for what a session takes away again."""
    before = database.take().structure
    with monkeypatch.context() as patched:
        patched.setattr(structure, "_read", lambda connection: {"read": ()})
        database.run(
            "TRUNCATE ev; INSERT INTO ev VALUES (1); DELETE FROM ev; REFRESH MATERIALIZED VIEW totals; ANALYZE;"
            "CREATE TEMP TABLE t AS SELECT * FROM ev"
        )
        assert database.take().structure == before
        database.run("CREATE INDEX ON ev (v)")
        assert "read" in database.take().structure
    structure._known.clear()
    assert database.take().structure != before


def test_comments_and_privileges_are_noted_and_not_judged(database: Database) -> None:
    """By the table that they are on; granting to everybody what all have is nothing new."""
    before = database.take()
    database.run("COMMENT ON TABLE ev IS 'x'; COMMENT ON COLUMN ev.v IS 'y'; GRANT SELECT ON day TO PUBLIC")
    after = database.take()
    assert not diff(before, after)
    assert noted(before.structure, after.structure) == ["privileges on day", "comment on ev", "comment on ev v"]
    database.run("COMMENT ON TABLE ev IS 'x'; GRANT SELECT ON day TO PUBLIC")
    assert not noted(after.structure, database.take().structure)


def test_large_objects_count_by_what_they_hold(database: Database) -> None:
    """Not by their numbers, which the whole server shares; a column that refers to one has its content."""
    database.run("CREATE TABLE docs (name text, body oid)")
    write = "TRUNCATE docs; INSERT INTO docs VALUES ('a', lo_from_bytea(0, 'hello'))"
    database.run(write)
    (found,) = database.difference(write).tables
    assert (found.table, found.rows_before, found.rows_after, found.duplicated) == ("pg_largeobject", 1, 2, 1)
    healthy = f"SELECT lo_unlink(oid) FROM pg_largeobject_metadata; {write}"
    database.run(healthy)
    assert not database.difference(healthy)
    assert {table.table for table in database.difference(healthy.replace("hello", "other")).tables} == {
        "docs",
        "pg_largeobject",
    }


def test_what_is_named_leaves_out_what_is_on_it(database: Database) -> None:
    """By its table: as scratch, exempt or ignored; alone, as ``structure of``."""
    before = database.take()
    database.run("CREATE INDEX ON ev (v)")
    after = database.take()
    assert not diff(before.without_whole(["ev"]), after.without_whole(["ev"]))
    for entry in ("ev.*", "structure of ev", "structure of public.ev"):
        ignore = frozenset({entry})
        assert not diff(before.without(ignore), after.without(ignore))
        assert not matches_nothing(entry, [before])
    assert matches_nothing("structure of nothing", [before])
    assert differing_columns(diff(before, after)) == frozenset({"structure of ev"})
    assert not diff(before.without(frozenset({"ev.v"})), before.without(frozenset({"ev.v"})))
    database.run("CREATE OR REPLACE FUNCTION total(d date) RETURNS bigint LANGUAGE sql AS 'SELECT 0::bigint'")
    assert not diff(after.without_whole(["total"]), database.take().without_whole(["total"]))


def test_an_ignored_column_may_be_of_another_kind(database: Database) -> None:
    """It is as if it did not exist."""
    ignore = frozenset({"ev.dt"})
    before = database.take().without(ignore)
    database.run("DROP VIEW day; DROP MATERIALIZED VIEW totals; ALTER TABLE ev ALTER dt TYPE text")
    assert {part.table for part in diff(before, database.take().without(ignore)).structure} == {"day"}


def test_a_view_over_scratch_is_what_its_reader_sees(database: Database) -> None:
    """Its rows, whichever of two tables it reads; of all other views, the definition, and the tables below."""
    database.run(
        """
        CREATE TABLE blue AS SELECT 1 AS v; CREATE TABLE green AS SELECT 1 AS v;
        CREATE VIEW live AS SELECT v FROM blue; CREATE VIEW twice AS SELECT v * 2 AS w FROM live;
        """
    )
    scratch = ("blue", "green")
    before = database.take(*scratch)
    assert {"live", "twice"} <= before.tables.keys()
    assert "day" not in before.tables
    database.run("CREATE OR REPLACE VIEW live AS SELECT v FROM green")
    after = database.take(*scratch)
    assert diff(before, after)
    assert not diff(before.without_whole(scratch), after.without_whole(scratch))
    database.run("INSERT INTO green VALUES (1)")
    found = diff(before.without_whole(scratch), database.take(*scratch).without_whole(scratch))
    assert [(table.table, table.duplicated) for table in found.tables] == [("live", 1), ("twice", 1)]
    assert not found.structure


def test_what_cannot_be_compared_is_named(database: Database) -> None:
    """Rows that are elsewhere, and views that show something else each time, or nothing."""
    database.run(
        """
        CREATE FOREIGN DATA WRAPPER nothing; CREATE SERVER far FOREIGN DATA WRAPPER nothing;
        CREATE FOREIGN TABLE prices (p int) SERVER far;
        CREATE TABLE blue AS SELECT 0 AS v; CREATE VIEW recent AS SELECT v, now() AS read_at FROM blue;
        CREATE VIEW broken AS SELECT 1 / v AS one FROM blue;
        """
    )
    assert database.take("blue").uncompared == (
        "rows of view broken (division by zero)",
        "rows of foreign table prices",
        "rows of view recent (they depend on the time at which it is read, or on chance)",
    )


def test_only_what_is_done_to_rows_is_an_effect(database: Database) -> None:
    """A run that makes tables and views and fills none has none; one that changes what is there has."""
    before = database.take()
    database.run("CREATE TABLE fresh (v int); CREATE INDEX ON fresh (v); CREATE VIEW seen AS SELECT * FROM fresh")
    empty = database.take()
    assert not has_effect(diff(before, empty), empty)
    database.run("CREATE INDEX ON ev (v)")
    indexed = database.take()
    assert has_effect(diff(empty, indexed), indexed)
    database.run("CREATE OR REPLACE VIEW seen AS SELECT v FROM fresh WHERE v > 1")
    assert has_effect(diff(indexed, database.take()), indexed)


def test_the_position_of_a_sequence_of_no_column_is_noted_and_not_judged(database: Database) -> None:
    """Nothing else shows it; that of a column shows in the rows. What the planner may do is our own doing."""
    before = database.take()
    database.run(
        "SELECT setval('numbers', 70); SELECT nextval('ev_id_seq'); COMMENT ON FUNCTION touch() IS 'x';"
        "DO $$BEGIN EXECUTE format('ALTER DATABASE %I SET enable_hashagg = off', current_database());"
        "EXECUTE format('ALTER DATABASE %I SET app.day = 7', current_database()); END$$"
    )
    after = database.take()
    assert not diff(before, after)
    assert noted(before.structure, after.structure) == [
        "settings of the database",
        "position of sequence numbers",
        "comment on touch ()",
    ]
