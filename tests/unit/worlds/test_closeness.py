"""Floats that differ in their last digits, and everything else, which just differs."""

from __future__ import annotations

import pytest

from dagproof.stores.closeness import differ_in_last_digits
from dagproof.stores.snapshot import File, Snapshot, Table
from dagproof.stores.structure import Part


def snapshot(*lines: str, content: str = "") -> Snapshot:
    """A snapshot of one table, and of one file."""
    table = Table("t", ("k", "v"), ("k",), tuple(sorted(line.encode() for line in lines)))
    file = File("f", len(content), (content.encode(),), content.encode())
    return Snapshot({"t": table}, {"f": file})


CLOSE = [
    pytest.param(["a\t0.3"], ["a\t0.30000000000000004"], id="last-digit"),
    pytest.param(["a\t3"], ["a\t3.0000000000000004"], id="whole-and-not"),
    pytest.param(["a\t1.5e+20"], ["a\t1.5000000000000001e+20"], id="exponent"),
    pytest.param(["a\t0"], ["a\t5.551115123125783e-17"], id="zero"),
    pytest.param(["a\t-0.3", "b\t1"], ["a\t-0.30000000000000004", "b\t1"], id="negative"),
    pytest.param(["1\t0.1", "2\t0.3"], ["1\t0.1", "2\t0.30000000000000004"], id="one-of-two-rows"),
    pytest.param(["a\t0.3", "a\t0.3"], ["a\t0.30000000000000004", "a\t0.3"], id="one-of-two-alike"),
    pytest.param(['a\t{"total": 0.3}'], ['a\t{"total": 0.30000000000000004}'], id="json"),
    pytest.param(["a\tx"], ["a\tx"], id="same"),
]
APART = [
    pytest.param(["a\t0.3"], ["a\t0.300001"], id="other-number"),
    pytest.param(["a\t1234567890123"], ["a\t1234567890124"], id="whole-numbers"),
    pytest.param(["a\t0.3"], ["b\t0.30000000000000004"], id="other-key"),
    pytest.param(["a\t0.3"], ["a\t0.3", "a\t0.30000000000000004"], id="one-more"),
    pytest.param(["a\t\\N"], ["a\t0"], id="null"),
    pytest.param(["a\t2026-01-01 00:00:00.000001"], ["a\t2026-01-01 00:00:00.000002"], id="microsecond"),
    pytest.param(["a\tmail1@2"], ["a\tmail3@2"], id="text"),
    pytest.param(["a\t1e5f"], ["a\t1e5a"], id="digest"),
]


@pytest.mark.parametrize(("one", "other"), CLOSE)
def test_last_digits_of_floats_are_close(one: list[str], other: list[str]) -> None:
    """In a table and in a file, to and fro."""
    assert differ_in_last_digits(snapshot(*one), snapshot(*other))
    assert differ_in_last_digits(snapshot(*other), snapshot(*one))
    assert differ_in_last_digits(snapshot(content="\n".join(one)), snapshot(content="\n".join(other)))


@pytest.mark.parametrize(("one", "other"), APART)
def test_all_else_is_apart(one: list[str], other: list[str]) -> None:
    """However small it looks."""
    assert not differ_in_last_digits(snapshot(*one), snapshot(*other))
    assert not differ_in_last_digits(snapshot(*other), snapshot(*one))
    assert not differ_in_last_digits(snapshot(content="\n".join(one)), snapshot(content="\n".join(other)))


def test_another_table_file_or_index_is_apart() -> None:
    """It is not about numbers then."""
    assert not differ_in_last_digits(snapshot(), Snapshot(files=snapshot().files))
    assert not differ_in_last_digits(snapshot(), Snapshot(tables=snapshot().tables))
    more = Snapshot(snapshot().tables, snapshot().files, {"t": (Part("index", "(k)"),)})
    assert not differ_in_last_digits(snapshot(), more)


def test_lines_of_a_file_in_another_order_are_apart() -> None:
    """A file has an order, whatever its numbers are; rows of a table have none."""
    assert not differ_in_last_digits(snapshot(content="b\na\n"), snapshot(content="a\nb\n"))
    assert not differ_in_last_digits(snapshot(content="b 0.1\na 0.1"), snapshot(content="a 0.1\nb 0.1"))
