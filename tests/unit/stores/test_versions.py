"""Tables that keep history: what of them is current, and what of a log must be there."""

from __future__ import annotations

import pytest

from dagproof.stores.snapshot import Snapshot, Table
from dagproof.stores.structure import Part
from dagproof.stores.versions import Versions, current, kept, named, open_ended, without_current

SCD = Table(
    "core.customers",
    ("id", "name", "valid_from", "valid_to"),
    ("id", "valid_from"),
    (b"1\tAda\t2026-01-01\t2026-01-02", b"1\tAda L.\t2026-01-02\t\\N", b"2\tBo\t2026-01-01\t9999-12-31"),
)
LOG = Table("log", ("dt", "rows"), (), (b"2026-01-01\t20", b"2026-01-01\t20", b"2026-01-02\t20"))


def of(*tables: Table) -> Snapshot:
    """Return a snapshot of tables."""
    return Snapshot({table.name: table for table in tables})


def how(*tables: Table, entries: tuple[str, ...] = ("core.*", "log", "t")) -> dict[str, Versions]:
    """Return how tables keep history."""
    return named([of(*tables)], entries)


@pytest.mark.parametrize(
    ("columns", "ends"),
    [
        ("id dbt_valid_from dbt_valid_to dbt_scd_id", "dbt_valid_to"),
        ("id effective_from effective_to", "effective_to"),
        ("id start_date end_date", "end_date"),
        ("id validfrom validto", "validto"),
        ("id name is_current version", "is_current"),
        ("id name current_flag", "current_flag"),
        ("id name deleted_at", "deleted_at"),
        ("id name is_deleted", "is_deleted"),
        ("id name valid_from valid_to is_current", "is_current valid_to"),
        ("id dt total message", ""),
        ("id sent_to weekend trend", ""),
    ],
)
def test_columns_that_end_a_version_are_known_by_their_names(columns: str, ends: str) -> None:
    """Where there is none, the table is a log; what belongs to the version alone is known, too."""
    table = Table("t", tuple(columns.split()), (), ())
    assert " ".join(how(table)["t"].ends) == ends
    assert how(table, entries=("u", "t.nothing")) == {}


def test_a_table_is_named_as_elsewhere() -> None:
    """By its schema, by patterns, and with the column that ends a version, whatever it is called."""
    for entry in ("core.customers", "core.*", "core.customers.*", "*.customers"):
        assert how(SCD, entries=(entry,)) == {"core.customers": Versions(("valid_to",), ("valid_from",))}, entry
    assert how(SCD, entries=("core.customers.name",))["core.customers"] == Versions(("name",), ("valid_from",))
    assert set(how(SCD, LOG)) == {"core.customers", "log"}
    assert how(SCD, LOG, entries=()) == {}


def test_a_table_of_versions_without_the_column_of_their_ends_is_no_log() -> None:
    """Somebody ignores it, or fresh runs differ there: then all versions are compared."""
    bare = SCD.without(frozenset({"valid_to"}))
    found = named([of(bare)], ["core.*"], {"core.customers.valid_to", "core.customers.*", "other.name"})
    assert found == {"core.customers": Versions(("valid_to",), ("valid_from",))}
    assert kept(of(bare), of(bare), found) == of(bare)
    assert len(current(of(bare), found).tables["core.customers"].rows) == len(SCD.rows)


def test_current_rows_are_what_readers_see() -> None:
    """Without the columns of the version, by which nothing else can be told apart."""
    found = current(of(SCD, LOG), how(SCD, LOG))
    assert found.tables["core.customers"].rows == (b"1\tAda L.", b"2\tBo")
    assert found.tables["log"] == LOG


@pytest.mark.parametrize(
    ("column", "value", "is_current"),
    [
        ("valid_to", rb"\N", True),
        ("valid_to", b"infinity", True),
        ("valid_to", b"2999-01-01", True),
        ("valid_to", b"2099-12-31", True),
        ("valid_to", b"99991231", True),
        ("valid_to", b"2026-01-01", False),
        ("is_current", b"t", True),
        ("is_current", b"Y", True),
        ("is_current", b"f", False),
        ("is_deleted", b"f", True),
        ("is_deleted", b"t", False),
        ("is_deleted", rb"\N", True),
        ("is_deleted", b"0", True),
        ("deleted_at", b"2026-01-01 10:00:00+00", False),
    ],
)
def test_a_flag_or_a_moment_ends_a_row(column: str, value: bytes, is_current: bool) -> None:
    """By what its name says; no moment, or one that nobody lives to see, ends nothing."""
    other = {"is_current": b"t", "is_deleted": b"f"}.get(column, rb"\N")
    table = Table("t", ("id", column), (), (b"1\t" + value, b"2\t" + other))
    assert (b"1" in current(of(table), how(table)).tables["t"].rows) == is_current


def test_a_log_may_have_more_and_must_not_lose() -> None:
    """A row that was there twice has to be there twice."""
    more = Table("log", LOG.columns, (), tuple(sorted([*LOG.rows, b"2026-01-01\t20", b"2026-01-03\t0"])))
    assert kept(of(LOG), of(more), how(LOG)) == of(LOG)
    assert kept(of(more), of(LOG), how(LOG)) == of(LOG)
    assert kept(of(LOG), of(more), {}) == of(more)
    assert kept(of(SCD), of(SCD), how(SCD)) == of(SCD)


def test_a_later_run_may_end_a_version() -> None:
    """All versions are there, without their ends."""
    assert open_ended(of(SCD), how(SCD)).tables["core.customers"].columns == ("id", "name", "valid_from")
    assert len(open_ended(of(SCD), how(SCD)).tables["core.customers"].rows) == len(SCD.rows)


@pytest.mark.parametrize(
    ("columns", "ends"),
    [
        pytest.param({"from": "text", "to": "text"}, "", id="the two ends of a transfer"),
        pytest.param({"from": "date NOT NULL", "to": "date"}, "to", id="a version's days"),
        pytest.param({"since": "date", "until": "timestamp with time zone"}, "until", id="a version's moments"),
        pytest.param({"until": "date"}, "", id="an end without a start"),
        pytest.param({"open": "numeric", "close": "numeric"}, "", id="prices of a day"),
        pytest.param({"start": "date", "open": "numeric"}, "", id="a price beside a day"),
        pytest.param({"open": "boolean"}, "", id="a shop that is open"),
        pytest.param({"is_valid": "boolean"}, "", id="what a check found"),
        pytest.param({"active": "boolean", "version": "integer"}, "active", id="a flag of a version"),
        pytest.param({"valid": "boolean", "valid_from": "date"}, "valid", id="a flag beside a start"),
        pytest.param({"closed": "boolean", "valid_to": "date"}, "closed valid_to", id="a flag beside an end"),
        pytest.param({"from": "date", "to": "date", "valid_to": "date"}, "valid_to", id="an end beside a clearer one"),
        pytest.param({"is_active": "boolean"}, "is_active", id="a flag that says what it is"),
        pytest.param({"start_date": "text", "end_date": "text"}, "", id="text that is empty"),
        pytest.param({"deleted": "boolean"}, "deleted", id="a soft delete"),
        pytest.param({"deleted_at": "boolean"}, "deleted_at", id="a flag called like a moment"),
        pytest.param({"is_current": "date"}, "", id="a moment called like a flag"),
    ],
)
def test_a_column_ends_a_version_where_its_type_fits(columns: dict[str, str], ends: str) -> None:
    """Names that mean other things need a start beside them, of a fitting type, too."""
    parts = tuple(Part("column", f'"{name}"' if name == "to" else name, kind) for name, kind in columns.items())
    table = Table("t", tuple(columns), (), ())
    assert " ".join(named([Snapshot({"t": table}, {}, {"t": parts})], ["t"])["t"].ends) == ends


@pytest.mark.parametrize(
    ("columns", "row", "starts"),
    [
        ("valid_from valid_to version", "2026-01-01 2026-01-02 3", "valid_from version"),
        ("from_date valid_to", "2026-01-01 2026-01-02", "from_date"),
        ("from valid_to", "FRA 2026-01-02", ""),
        ("start_date valid_from valid_to", "2026-01-01 2026-01-01 2026-01-02", "valid_from"),
    ],
)
def test_what_a_version_says_is_compared(columns: str, row: str, starts: str) -> None:
    """Also where it is called like a start, and is none, or where there is a clearer one."""
    table = Table("t", tuple(columns.split()), (), (row.replace(" ", "\t").encode(),))
    assert " ".join(how(table)["t"].starts) == starts


@pytest.mark.parametrize(
    ("columns", "rows", "ends"),
    [
        ("start_date end_date", ["20260101 99991231", "20260102 20260103"], "end_date"),
        ("start_date end_date", ["2026-01-01 2026-02-01"], "end_date"),
        ("from to", ["FRA MUC"], ""),
        ("from to", ["1767225600 1767225601"], ""),
        ("from to", ["2026-01-01 MUC"], ""),
        ("valid_from valid_to", ["1767225600 1767225601"], "valid_to"),
        ("valid_from valid_to", ["2026-01-01 someday"], ""),
        ("id is_current", ["1 Y", "2 N"], "is_current"),
        ("id is_current", ["1 7"], ""),
        ("id deleted_at", ["1 0", "2 1767225600000"], "deleted_at"),
    ],
)
def test_of_other_types_what_is_there_tells(columns: str, rows: list[str], ends: str) -> None:
    """Days as text or numbers, flags as letters; where there are several snapshots, all of them count."""
    names = tuple(columns.split())
    table = Table("t", names, (), tuple(row.replace(" ", "\t").encode() for row in rows))
    empty = Table("t", names, (), ())
    for snapshots in ([of(table)], [of(empty), of(table)], [of(table), of(empty)]):
        assert " ".join(named(snapshots, ["t"])["t"].ends) == ends


def test_a_table_of_which_no_row_is_current_is_known() -> None:
    """Its ends say something else than a version does, unless one of the sides has a current row."""
    ended = Table("t", ("id", "valid_to"), (), (b"1\t2026-01-01",))
    running = Table("t", ("id", "valid_to"), (), (b"1\t\\N",))
    empty = Table("t", ("id", "valid_to"), (), ())
    found = how(ended)
    assert without_current([of(ended), of(ended)], found) == {"t"}
    assert without_current([of(ended), of(empty)], found) == {"t"}
    assert without_current([of(ended), of(running)], found) == set()
    assert without_current([of(empty), of(empty)], found) == set()
    assert without_current([of(LOG)], how(LOG)) == set()
