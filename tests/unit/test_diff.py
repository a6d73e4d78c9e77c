"""Diffs against a model: a table is a list of rows, and two tables are the same when their multisets of rows are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dagproof.worlds.diff import (
    JSON_EXAMPLES,
    MAX_EXAMPLE_BYTES,
    MAX_EXAMPLES,
    Change,
    Diff,
    Example,
    FileDiff,
    TableDiff,
    diff,
    differing_columns,
    has_effect,
)
from dagproof.worlds.snapshot import File, Snapshot, Table

Value = str | None
Row = tuple[Value, ...]

COLUMNS = ("a", "b", "c")
VALUES = st.none() | st.sampled_from(["", "1", "2", r"\N", "a\tb"])
ROWS = st.lists(st.tuples(VALUES, VALUES, VALUES), max_size=8)
KINDS = ("added", "missing", "changed", "duplicated")


def copied(value: Value) -> bytes:
    """A value as COPY writes it."""
    if value is None:
        return rb"\N"
    return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").encode()


def table(rows: Sequence[Row], key: tuple[str, ...] = (), columns: tuple[str, ...] = COLUMNS, name: str = "t") -> Table:
    """A table with these rows, in whatever order."""
    return Table(name, columns, key, tuple(sorted(b"\t".join(copied(value) for value in row) for row in rows)))


def holding(*tables: Table, files: Sequence[File] = ()) -> Snapshot:
    """A snapshot with nothing else in it."""
    return Snapshot({t.name: t for t in tables}, {f.path: f for f in files})


def difference(before: Sequence[Row], after: Sequence[Row], key: tuple[str, ...] = ()) -> TableDiff | None:
    """How two tables differ; None when they do not."""
    found = diff(holding(table(before, key)), holding(table(after, key)))
    assert bool(found) == bool(found.tables)
    return found.tables[0] if found.tables else None


def keyed(rows: Sequence[Row]) -> list[Row]:
    """The rows that a UNIQUE constraint on the first column lets in; it lets in any number of NULLs."""
    seen: dict[Value, Row] = {}
    nulls = [row for row in rows if row[0] is None]
    for row in rows:
        if row[0] is not None:
            seen.setdefault(row[0], row)
    return [*nulls, *seen.values()]


@given(ROWS, ROWS, st.booleans())
@example([("1", "", None)], [("1", None, "")], True)
@example([("1", "x", "x")] * 2, [("1", "x", "y")] * 2, False)
def test_a_diff_is_empty_where_the_multisets_are_equal(before: list[Row], after: list[Row], has_key: bool) -> None:
    r"""With and without a key, whatever the order; NULL, the empty string and the text ``\\N`` are three things."""
    if has_key:
        before, after = keyed(before), keyed(after)
    found = difference(before, after, ("a",) if has_key else ())
    assert (found is None) == (Counter(before) == Counter(after))


@given(ROWS, ROWS, st.booleans())
def test_the_counts_add_up(before: list[Row], after: list[Row], has_key: bool) -> None:
    """What came and what went explains the number of rows, and nothing is told that did not happen."""
    if has_key:
        before, after = keyed(before), keyed(after)
    found = difference(before, after, ("a",) if has_key else ())
    if found is None:
        return
    assert (found.rows_before, found.rows_after) == (len(before), len(after))
    assert len(after) - len(before) == found.added + found.duplicated - found.missing
    more, less = Counter(after) - Counter(before), Counter(before) - Counter(after)
    assert found.added + found.duplicated + found.changed == more.total()
    assert found.missing + found.changed == less.total()
    assert found.duplicated == sum(times for row, times in more.items() if row in before)
    assert bool(found.columns) == bool(found.changed)


@given(ROWS, ROWS)
def test_a_changed_row_keeps_its_key(before: list[Row], after: list[Row]) -> None:
    """With a key, rows that share it are one row; those of the other table's keys alone are added or missing."""
    before, after = keyed(before), keyed(after)
    found = difference(before, after, ("a",))
    if found is None or "a" in found.columns:  # where all keys changed and nothing else did, the key is what changed
        return
    old, new = ({row[0]: row for row in rows if row[0] is not None} for rows in (before, after))
    assert found.changed >= sum(old[k] != new[k] for k in old.keys() & new.keys())


@given(ROWS, ROWS, st.booleans())
def test_examples_are_of_what_is_counted(before: list[Row], after: list[Row], has_key: bool) -> None:
    """One of each kind at least, as far as there is room, and none of a kind that did not occur."""
    if has_key:
        before, after = keyed(before), keyed(after)
    found = difference(before, after, ("a",) if has_key else ())
    if found is None:
        return
    occurred = {kind for kind in KINDS if getattr(found, kind)}
    shown = {item.change for item in found.examples}
    assert shown <= occurred
    assert len(shown) == min(len(occurred), MAX_EXAMPLES)
    for item in found.examples:
        if item.change == "changed":
            assert item.column in found.columns
            assert item.before != item.after
        if item.change == "duplicated":
            assert item.times > 1


@given(ROWS, ROWS, st.booleans())
def test_what_differs_is_what_changed_back(before: list[Row], after: list[Row], has_key: bool) -> None:
    """The other way round the same columns changed, in as many rows; what was added is missing."""
    if has_key:
        before, after = keyed(before), keyed(after)
    key = ("a",) if has_key else ()
    one, other = difference(before, after, key), difference(after, before, key)
    assert (one is None) == (other is None)
    if one and other and not (one.duplicated or other.duplicated):
        assert (one.added, one.missing, one.changed) == (other.missing, other.added, other.changed)


@given(ROWS, ROWS, st.booleans(), st.sets(st.sampled_from(COLUMNS)))
def test_ignored_columns_do_not_count(before: list[Row], after: list[Row], has_key: bool, ignored: set[str]) -> None:
    """As if the tables had never had them."""
    key = ("a",) if has_key else ()
    ignore = frozenset(f"t.{column}" for column in ignored)
    kept = [i for i, column in enumerate(COLUMNS) if column not in ignored]
    found = diff(holding(table(before, key)).without(ignore), holding(table(after, key)).without(ignore))
    same = Counter(tuple(row[i] for i in kept) for row in before) == Counter(
        tuple(row[i] for i in kept) for row in after
    )
    assert bool(found) == (not same)
    assert not any(set(t.columns) & ignored for t in found.tables)


@given(ROWS, ROWS)
def test_what_is_called_noise_is_enough_to_make_the_diff_empty(before: list[Row], after: list[Row]) -> None:
    """Without the columns that `differing_columns` names, nothing differs."""
    old, new = holding(table(before)), holding(table(after))
    noise = differing_columns(diff(old, new))
    if noise is not None:
        assert not diff(old.without(noise), new.without(noise))


def test_a_row_that_is_there_again_is_duplicated() -> None:
    """And not added: that is what a rerun of a plain INSERT does."""
    found = difference([("1", "x", None)], [("1", "x", None)] * 3)
    assert found == TableDiff(
        "t", 1, 3, duplicated=2, examples=(Example("duplicated", {"a": "1", "b": "x", "c": None}, times=3),)
    )


def test_a_row_with_the_same_key_is_changed() -> None:
    """With the column, and its value before and after."""
    found = difference([("1", "x", "y"), ("2", "x", "y")], [("1", "x", None), ("2", "x", "y")], ("a",))
    assert found == TableDiff(
        "t", 2, 2, changed=1, columns=("c",), examples=(Example("changed", {"a": "1"}, "c", "y", None),)
    )


def test_a_key_that_changed_everywhere_is_a_changed_column() -> None:
    """A surrogate key is new on each load: the rows are told by their other columns."""
    found = difference([("1", "x", "y"), ("2", "z", "y")], [("3", "x", "y"), ("4", "z", "y")], ("a",))
    assert found is not None
    assert (found.changed, found.columns, found.added, found.missing) == (2, ("a",), 0, 0)
    assert found.examples[0] == Example("changed", {"b": "x", "c": "y"}, "a", "1", "3")
    assert found.only_columns


def test_a_table_that_came_or_went_has_no_number_of_rows_on_the_other_side() -> None:
    """All of its rows are added or missing; an empty one is a difference, but no effect."""
    rows: list[Row] = [("1", "2", "3")] * 2
    came, went = diff(holding(), holding(table(rows))), diff(holding(table(rows)), holding())
    assert (came.tables[0].rows_before, came.tables[0].rows_after, came.tables[0].added) == (None, 2, 2)
    assert (went.tables[0].rows_before, went.tables[0].rows_after, went.tables[0].missing) == (2, None, 2)
    empty = diff(holding(), holding(table([])))
    assert empty
    assert has_effect(came)
    assert has_effect(went)
    assert not has_effect(empty)


def test_a_column_that_came_is_a_difference() -> None:
    """Also where it holds nothing."""
    before = table([("1", "x")], ("a",), ("a", "b"))
    after = table([("1", "x", None)], ("a",))
    found = diff(holding(before), holding(after)).tables[0]
    assert (found.changed, found.columns) == (1, ("c",))
    assert (found.examples[0].before, found.examples[0].after) == ("(no column)", None)


def test_rows_of_which_only_the_date_is_the_same_are_other_rows() -> None:
    """Another sample of a day is no change of all columns but the day's."""
    found = difference([("1", "x", "d"), ("2", "y", "d")], [("3", "v", "d"), ("4", "w", "d")], ("a",))
    assert found is not None
    assert (found.added, found.missing, found.changed, found.only_columns) == (2, 2, 0, False)


def test_a_column_that_came_to_an_empty_table_is_no_difference() -> None:
    """A law is about rows."""
    assert not diff(holding(table([], columns=("a",))), holding(table([], columns=("a", "b"))))


def test_columns_in_another_order_are_the_same() -> None:
    """A table that is dropped and made again may have them so."""
    before = table([("1", "x")], ("a",), ("a", "b"))
    after = table([("x", "1")], ("a",), ("b", "a"))
    found = diff(holding(before), holding(after))
    assert not found


@pytest.mark.parametrize("value", ["", "a\tb", "a\nb", "back\\slash", r"\N", "\b\f\v", "ünï 🦆"])
def test_an_example_shows_the_value_itself(value: str) -> None:
    """Not as COPY escapes it, for which tab, newline, backslash and NULL have signs."""
    found = difference([], [(value, None, "x")])
    assert found is not None
    assert found.examples[0].key == {"a": value, "b": None, "c": "x"}


def test_json_has_each_count() -> None:
    """As in the report of ``prove``."""
    found = diff(holding(table([])), holding(table([("1", None, "")])))
    assert found.to_json() == {
        "tables": (
            {
                "table": "t",
                "rows_before": 0,
                "rows_after": 1,
                "added": 1,
                "missing": 0,
                "changed": 0,
                "duplicated": 0,
                "columns": (),
                "examples": (
                    {
                        "change": "added",
                        "key": {"a": "1", "b": None, "c": ""},
                        "column": None,
                        "before": None,
                        "after": None,
                        "times": 1,
                        "also": (),
                    },
                ),
                "left_out": 0,
            },
        ),
        "files": (),
        "structure": (),
    }


def test_json_keeps_a_few_examples_and_the_diff_many() -> None:
    """Whatever the number of rows is, and each count is of all of them."""
    found = diff(holding(table([])), holding(table([(str(n), "x", "y") for n in range(2 * MAX_EXAMPLES)])))
    assert len(found.tables[0].examples) == MAX_EXAMPLES
    (as_json,) = found.to_json()["tables"]
    assert (as_json["added"], len(as_json["examples"])) == (2 * MAX_EXAMPLES, JSON_EXAMPLES)
    assert found.tables[0].left_out == MAX_EXAMPLES
    assert as_json["left_out"] == 2 * MAX_EXAMPLES - JSON_EXAMPLES


def test_examples_of_each_kind_take_turns() -> None:
    """A kind of which there are many leaves room for the others."""
    many = [(f"{n:03}", "x", "x") for n in range(MAX_EXAMPLES)]
    found = difference([*many, ("new", "x", "x")], [*many, *many, ("new", "x", "y")], ("a",))
    assert found is not None
    assert [item.change for item in found.examples[:3]] == ["duplicated", "changed", "duplicated"]
    assert len(found.examples) == MAX_EXAMPLES


def test_large_rows_are_kept_once_of_each_kind() -> None:
    """A diff of rows of a megabyte is no larger than needed."""
    large = "x" * MAX_EXAMPLE_BYTES
    found = difference([("1", "x", large)], [("1", "y", large), *((str(n), "x", large) for n in range(2, 9))], ("a",))
    assert found is not None
    assert [item.change for item in found.examples] == ["changed", "added"]


def test_all_columns_that_changed_are_told() -> None:
    """The first of them by itself, for those who show one."""
    found = difference([("1", "x", "y")], [("1", "z", None)], ("a",))
    assert found is not None
    assert found.examples == (Example("changed", {"a": "1"}, "b", "x", "z", also=(Change("c", "y", None),)),)


def file(content: bytes, path: str = "f") -> File:
    """A small file."""
    return File(path, len(content), (content,), content)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        pytest.param(b"a\nb\n", b"a\nc\n", "line 2: 'b' became 'c'", id="line"),
        pytest.param(b"a\n", b"a\na\n", "1 line, then 2", id="appended"),
        pytest.param(b"a\r\n", b"a\n", "the line ends differ", id="line-ends"),
        pytest.param(b"a\0b", b"a\0c", "byte 2 of 3", id="binary"),
        pytest.param(b"a\0b", b"a\0b12", "byte 3 of 3", id="binary-appended"),
        pytest.param(b"\xff", b"\xfe", "line 1: ", id="no-text"),
        pytest.param(b"", b"x", "0 lines, then 1", id="was-empty"),
    ],
)
def test_a_file_differs_from_somewhere_on(before: bytes, after: bytes, told: str) -> None:
    """The first difference is shown."""
    found = diff(holding(files=[file(before)]), holding(files=[file(after)])).files
    assert [(f.path, f.change) for f in found] == [("f", "changed")]
    assert found[0].detail.startswith(told)


@given(st.binary(), st.binary())
def test_files_are_the_same_where_their_bytes_are(before: bytes, after: bytes) -> None:
    """And only there."""
    assert bool(diff(holding(files=[file(before)]), holding(files=[file(after)]))) == (before != after)


def test_a_file_that_came_or_went_is_told_with_its_size() -> None:
    """And is an effect."""
    found = diff(holding(files=[file(b"x", "old")]), holding(files=[file(b"x" * 1000, "new")]))
    assert found.files == (FileDiff("new", "added", "1,000 bytes"), FileDiff("old", "missing", "1 bytes"))
    assert has_effect(found)


@pytest.mark.parametrize(
    ("found", "columns"),
    [
        pytest.param(Diff(), frozenset(), id="nothing"),
        pytest.param(Diff((TableDiff("t", 1, 1, changed=1, columns=("c",)),)), {"t.c"}, id="columns"),
        pytest.param(Diff((TableDiff("t", 1, 2, added=1, changed=1, columns=("c",)),)), None, id="rows"),
        pytest.param(Diff((TableDiff("t", 1, 2, duplicated=1),)), None, id="duplicated"),
        pytest.param(Diff(files=(FileDiff("f", "changed"),)), None, id="files"),
    ],
)
def test_only_columns_of_the_same_rows_are_noise(found: Diff, columns: frozenset[str] | None) -> None:
    """Where whole rows differ, or files, nothing can be left out."""
    assert differing_columns(found) == columns
