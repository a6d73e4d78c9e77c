"""Generated keys that have left their table are found inside of what was made of them."""

from __future__ import annotations

import pytest

from dagproof.runs.generated import _is_in
from dagproof.stores.diff import diff
from dagproof.stores.keys import Domain
from dagproof.stores.snapshot import Snapshot, Table
from dagproof.stores.structure import Part, without_sequences

UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.mark.parametrize(
    ("key", "text", "is_found"),
    [
        ("1100000004", "ORD-1100000004", True),
        ("1100000004", "ord_1100000004_x", True),
        (UUID, f"order-{UUID}", True),
        ("1100000004", "ORD-1100000005", False),
        ("1100000004", "ORD-11000000041", False),
    ],
)
def test_a_key_is_found_inside_a_text(key: str, text: str, is_found: bool) -> None:
    """Whatever stands around it; a longer number is another one."""
    column = ("orders", "id")
    orders = Table("orders", ("id",), ("id",), (key.encode(),))
    one, other = (
        Snapshot({"orders": orders, "sent": Table("sent", ("ref",), (), (ref.encode(),))}) for ref in ("", text)
    )
    domain = Domain(frozenset({column}), frozenset({column}))
    assert _is_in(domain, other, diff(one, other)) == is_found


def test_a_key_is_found_inside_a_definition() -> None:
    """Of a view, and not in what the sequence of a key itself begins with."""
    column = ("orders", "id")
    orders = Table("orders", ("id",), ("id",), (b"1100000004",))
    domain = Domain(frozenset({column}), frozenset({column}))
    parts = {"orders": (Part("sequence for", "id", "START 1100000004"),)}

    def with_view(number: int) -> Snapshot:
        view = Part("view", "", f"SELECT * FROM orders WHERE id = {number}")
        return Snapshot({"orders": orders}, {}, without_sequences(parts | {"top": (view,)}))

    assert _is_in(domain, with_view(1100000004), diff(with_view(4), with_view(1100000004)))
    assert not _is_in(domain, with_view(1100000005), diff(with_view(4), with_view(1100000005)))
    assert with_view(4).structure["orders"] == ()
