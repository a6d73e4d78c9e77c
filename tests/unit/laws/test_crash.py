"""What a reader sees after a crash: all of the old, all of the new, or half of it."""

from __future__ import annotations

import hashlib
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagproof.histories import Step
from dagproof.laws import faults
from dagproof.laws.base import is_temporary
from dagproof.runs.lab import Lab
from dagproof.runs.scope import Scope
from dagproof.stores.diff import Diff
from dagproof.stores.snapshot import File, Snapshot, Table

CRASHED = (Step("run", "2026-01-01"), Step("crash", "2026-01-01", point="message 3"))
EMPTY = Snapshot()

rows = st.frozensets(st.integers(0, 9), max_size=6)
texts = st.sampled_from(["", "a", "b"])


def table(name: str, numbers: Any) -> Table:
    """A table of numbers."""
    return Table(name, ("number",), (), tuple(sorted(str(number).encode() for number in numbers)))


def file(path: str, text: str) -> File:
    """A file with this text."""
    content = text.encode()
    return File(path, len(content), (hashlib.sha256(content).digest(),), content)


def world(users: Any = (), files: dict[str, str] | None = None, **tables: Any) -> Snapshot:
    """A snapshot of the table users and of others, and of files."""
    all_tables = {name: table(name, numbers) for name, numbers in {"users": users, **tables}.items()}
    return Snapshot(all_tables, {path: file(path, text) for path, text in (files or {}).items()})


def torn(old: Snapshot, new: Snapshot, now: Snapshot, untouched: Snapshot = EMPTY, *scratch: str) -> tuple[Diff, str]:
    """Return what the law says of `now`, in a lab where the world was `untouched` before the first run."""
    proof = SimpleNamespace(scratch=scratch)
    lab = SimpleNamespace(proof=proof, before=lambda _: untouched, scope=Scope())
    lab.renamed, lab.keeping_history = lambda _, after: after, lambda _: {}
    return faults.torn(cast(Lab, lab), old, new, now, CRASHED)


@given(rows, rows, texts, texts)
def test_all_of_the_old_and_all_of_the_new_are_whole(old: Any, new: Any, before: str, after: str) -> None:
    """Nothing is torn, and the word is that of the side which was kept; a file and a table need not agree."""
    sides = world(old, {"a.csv": before}), world(new, {"a.csv": after})
    for now in sides:
        found, survived = torn(*sides, now)
        assert not found
        assert survived in ("old", "new")
    assert torn(*sides, sides[0])[1] == "old"


@given(rows, rows, rows)
def test_whatever_is_neither_is_half_of_it(old: Any, new: Any, now: Any) -> None:
    """A table that is neither the old nor the new one is named, with what it has of the two as a diff."""
    found, survived = torn(world(old), world(new), world(now), world([99]))
    assert bool(found) == (now not in (old, new))
    assert (survived == "partial") == bool(found)
    assert [part.table for part in found.tables] == (["users"] if found else [])


def test_the_diff_is_to_the_side_that_is_nearer() -> None:
    """Two of three new rows lack one, rather than having two too many."""
    found, _ = torn(world(), world([1, 2, 3]), world([1, 2]), world([9]))
    assert (found.tables[0].missing, found.tables[0].added) == (1, 0)


def test_a_table_that_a_whole_run_leaves_as_it_was_is_scratch() -> None:
    """Nobody can read results there, so that it may be left half full; what was there must still be there."""
    half = world([1], staging=[5])
    assert torn(world(staging=()), world([1], staging=()), half, world(staging=())) == (Diff(), "new")
    assert torn(world(staging=()), world(staging=()), world(staging=[5]), world(staging=()))[1] == "scratch"
    assert torn(world(staging=[7]), world(staging=[7]), world(staging=[5]), world(staging=[7]))[1] == "partial"


@pytest.mark.parametrize("scratch", ["users", "users.*"])
def test_what_the_configuration_calls_scratch_may_be_half_there(scratch: str) -> None:
    """By its name."""
    now = world([1])
    assert torn(world(), world([1, 2]), now, world([9]))[1] == "partial"
    assert torn(world(), world([1, 2]), now, world([9]), scratch) == (Diff(), "scratch")


def test_half_a_file_is_torn_and_a_temporary_one_is_not() -> None:
    """A file counts where its name is not that of a temporary one, and where it is not scratch."""
    old, new = world(), world(files={"a.csv": "1,2,3"})
    found, survived = torn(old, new, world(files={"a.csv": "1,"}))
    assert ([part.path for part in found.files], survived) == (["a.csv"], "partial")
    assert torn(old, new, world(files={"a.csv.part": "1,"})) == (Diff(), "old")
    assert not torn(old, new, world(files={"a.csv": "1,"}), EMPTY, "*.csv")[0]


@pytest.mark.parametrize(
    "path",
    [
        ".a.csv",
        "raw/.hidden",
        "a.csv.part",
        "a.tmp",
        "raw/a.partial",
        "a.csv~",
        "tmpab12cd34",
        "x/a.crdownload",
        "~/.x/.y",
    ],
)
def test_a_temporary_file_is_known_by_its_name(path: str) -> None:
    """Hidden, or called temporary."""
    assert is_temporary(path)


@pytest.mark.parametrize(
    "path", ["a.csv", "part.csv", "tmp/a.csv", "temp", "tmpl.html", "apart", "_temporaries/a.csv", "~/.x/a"]
)
def test_a_file_that_others_may_read_is_not_temporary(path: str) -> None:
    """Whatever its folder is called."""
    assert not is_temporary(path)
