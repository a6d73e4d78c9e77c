"""The line to paste where only columns that record when a row was written differ."""

from __future__ import annotations

import sys

import pytest

from dagproof.proof.hints import audit_hint
from dagproof.stores.diff import Change, Diff, Example, FileDiff, TableDiff
from dagproof.stores.structure import Part

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

BEFORE, AFTER = "2026-01-01 00:01:00.2+00", "2026-01-02 01:01:00.3+00"


def table(name: str, *columns: str, before: str = BEFORE, after: str = AFTER, **counts: int) -> TableDiff:
    """A table of which a row changed in these columns."""
    also = tuple(Change(column, before, after) for column in columns[1:])
    example = Example("changed", {"id": "1"}, columns[0], before, after, also=also)
    counts = counts or {"changed": 1}
    return TableDiff(name, 1, 1, columns=columns, examples=(example,), **counts)


def hint(*tables: TableDiff, ignored: tuple[str, ...] = (), column: str = "", definition: str = "") -> str:
    """What is said of tables that differ, with the definition of a column of `t`."""
    return audit_hint("load", Diff(tables), {"t": (Part("column", column, definition),)}, ignored)


def entries(text: str) -> list[str]:
    """Return what the line to paste ignores: it is TOML."""
    found = tomllib.loads(text.splitlines()[-1])["ignore"]
    assert isinstance(found, list)
    return found


def test_the_line_to_paste_keeps_what_is_ignored_already() -> None:
    """And says where it belongs."""
    assert hint(table("t", "loaded_at"), ignored=("x.y",)) == (
        "only columns that record when a row was written differ: t.loaded_at. If that is expected, add this line to\n"
        '[tool.dagproof.proofs.load]:\n\n    ignore = ["x.y", "t.loaded_at"]'
    )
    assert '[tool.dagproof.proofs."a.b"]' in audit_hint("a.b", Diff((table("t", "loaded_at"),)), {}, ())


def test_several_tables_of_a_schema_get_one_pattern() -> None:
    """Each schema its own; the public one by its name."""
    found = hint(table("core.a", "loaded_at"), table("core.b", "loaded_at", "updated_at"), table("c", "_etl_ts"))
    assert entries(found) == ["core.*.loaded_at", "core.b.updated_at", "c._etl_ts"]
    assert entries(hint(table("a", "updated"), table("b", "updated"))) == ["public.*.updated"]
    assert entries(hint(table("crm:a", "updated"), table("crm:b", "updated"))) == ["crm:public.*.updated"]


@pytest.mark.parametrize(
    "column",
    ["loaded_at", "updated_at", "created", "inserted_on", "dw_load_ts", "_airbyte_extracted_at", "last_modified",
     "row_updated_timestamp", "etl_date"],
)  # fmt: skip
def test_columns_are_known_by_their_names(column: str) -> None:
    """As long as they hold moments."""
    assert hint(table("t", column))
    assert not hint(table("t", column, before="Ada", after="Bo"))


@pytest.mark.parametrize("column", ["placed_at", "date", "ordered_on", "price_update", "born_at", "ts"])
def test_other_moments_are_content(column: str) -> None:
    """Unless the database fills them with the time."""
    assert not hint(table("t", column))
    assert hint(table("t", column), column=column, definition="timestamp with time zone DEFAULT now()")
    assert hint(table("t", column), column=column, definition="date NOT NULL DEFAULT CURRENT_DATE")


def test_nothing_is_said_where_more_differs() -> None:
    """A row more, another column, a file, a definition."""
    moved = table("t", "loaded_at")
    assert hint(moved)
    assert not hint(table("t", "loaded_at", "total"))
    assert not hint(moved, table("u", "total"))
    assert not hint(table("t", "loaded_at", changed=1, added=1))
    assert not audit_hint("load", Diff((moved,), (FileDiff("a", "changed"),)), {}, ())
    assert not hint()
