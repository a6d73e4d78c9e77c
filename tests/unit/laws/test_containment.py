"""What one run has written, and what another one has left of it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dagproof.laws.containment import _left_of, _minus, _same, _written
from dagproof.stores.diff import diff
from dagproof.stores.snapshot import File, Snapshot, Table

#: Rows as (key, value); in a table without a key the same row may be there several times.
rows = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2)), max_size=6)
keyed_rows = st.dictionaries(st.integers(0, 6), st.integers(0, 2), max_size=6).map(lambda found: list(found.items()))


def table(content: Any, *key: str) -> Table:
    """A table of keys and values."""
    lines = sorted(f"{number}\t{value}".encode() for number, value in content)
    return Table("users", ("number", "value"), key, tuple(lines))


def snapshot(content: Any, *key: str) -> Snapshot:
    """A snapshot of just that table."""
    return Snapshot({"users": table(content, *key)})


@given(rows, rows)
def test_what_is_written_is_what_was_not_there_before(before: Any, after: Any) -> None:
    """As often as it has been added."""
    found = _minus(table(after), table(before))
    assert Counter(found.rows) == Counter(table(after).rows) - Counter(table(before).rows)


@given(rows, rows, rows)
def test_rows_that_others_add_are_not_this_runs(before: Any, mine: Any, others: Any) -> None:
    """Where all of it is still there, whatever has come since, nothing differs."""
    written = _written(snapshot(before), snapshot(before + mine), {"users"}, set())
    assert not diff(written, _left_of(written, snapshot(before + mine + others)))


@given(rows, st.data())
def test_a_row_that_is_gone_is_missed(mine: Any, data: st.DataObject) -> None:
    """One row less is one row missing."""
    written = snapshot(mine)
    if mine:
        gone = data.draw(st.integers(0, len(mine) - 1))
        left = mine[:gone] + mine[gone + 1 :]
        (found,) = diff(written, _left_of(written, snapshot(left))).tables
        assert found.rows_before == len(mine)
        assert found.rows_after == len(left)
    else:
        assert not diff(written, _left_of(written, snapshot([])))


@given(keyed_rows, keyed_rows)
def test_a_row_with_the_same_key_and_another_value_is_changed(mine: Any, now: Any) -> None:
    """In a table with a key, what is left of a row is the row with its key."""
    written = snapshot(mine, "number")
    found = diff(written, _left_of(written, snapshot(now, "number")))
    values = dict(now)
    changed = sum(number in values and values[number] != value for number, value in mine)
    missing = sum(number not in values for number, _ in mine)
    assert (sum(t.changed for t in found.tables), sum(t.missing for t in found.tables)) == (changed, missing)
    assert not sum(t.added for t in found.tables)


@given(keyed_rows)
def test_all_rows_with_the_keys_are_kept(mine: Any) -> None:
    """What is written is all there right after it has been written."""
    assert _same(table(mine, "number"), table(mine, "number")) == table(mine, "number")


def test_a_file_counts_where_the_run_has_written_it() -> None:
    """A file that was there before, and is the same, is not the run's."""
    old, new, other = (File(path, 1, (path.encode(),), b"x") for path in ("old.csv", "new.csv", "other.csv"))
    before, after = Snapshot(files={"old.csv": old}), Snapshot(files={"old.csv": old, "new.csv": new})
    written = _written(before, after, set(), {"old.csv", "new.csv"})
    assert set(written.files) == {"new.csv"}
    assert not diff(written, _left_of(written, Snapshot(files={"new.csv": new, "other.csv": other})))
    assert [f.change for f in diff(written, _left_of(written, before)).files] == ["missing"]
