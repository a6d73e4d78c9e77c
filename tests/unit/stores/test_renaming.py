"""Rows up to other keys: renaming is an equivalence relation, and hides no difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import permutations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagproof.stores import renaming
from dagproof.stores.diff import diff
from dagproof.stores.keys import Domain, Setting, domains
from dagproof.stores.renaming import TooSymmetricError, renamed
from dagproof.stores.snapshot import Snapshot, Table
from dagproof.stores.structure import Part

NULL = rb"\N"
ORDER = Domain(
    frozenset({("orders", "id"), ("orders", "parent"), ("lines", "order_id"), ("splits", "order_id")}),
    frozenset({("orders", "id")}),
)
LINE = Domain(frozenset({("lines", "id"), ("splits", "line_id")}), frozenset({("lines", "id")}))
DOMAINS = (ORDER, LINE)
COLUMNS = {
    "orders": ("id", "parent", "name"),
    "lines": ("id", "order_id", "sku"),
    "splits": ("order_id", "line_id", "n"),
}
Rows = Mapping[str, Sequence[tuple[bytes, ...]]]


def snapshot(rows: Rows) -> Snapshot:
    """Return tables with these rows."""
    return Snapshot(
        {
            name: Table(name, columns, columns[:1], tuple(sorted(b"\t".join(row) for row in rows.get(name, []))))
            for name, columns in COLUMNS.items()
        }
    )


def named(rows: Rows, orders: dict[bytes, bytes], lines: dict[bytes, bytes]) -> Rows:
    """Return the rows with other keys."""
    none: dict[bytes, bytes] = {}
    of = {"orders": (orders, orders, none), "lines": (lines, orders, none), "splits": (orders, lines, none)}
    return {
        name: [tuple(m.get(v, v) for m, v in zip(of[name], row, strict=True)) for row in rows[name]] for name in rows
    }


def keys(number: int, first: int) -> list[bytes]:
    """Return some keys."""
    return [str(first + n).encode() for n in range(number)]


@st.composite
def drawn(draw: st.DrawFn, most: int = 5) -> Rows:
    """Return rows with references on several levels, to themselves, and by two columns."""
    orders, lines = keys(draw(st.integers(0, most)), 1), keys(draw(st.integers(0, most)), 1)
    word = st.sampled_from([b"a", b"b"])

    def key(of: list[bytes]) -> st.SearchStrategy[bytes]:
        return st.sampled_from([NULL, *of])

    return {
        "orders": [(one, draw(key(orders)), draw(word)) for one in orders],
        "lines": [(one, draw(key(orders)), draw(word)) for one in lines],
        "splits": [(draw(key(orders)), draw(key(lines)), draw(word)) for _ in range(draw(st.integers(0, 3)))],
    }


def shuffled(rows: Rows, random: Random) -> Rows:
    """Return the rows with other keys, some of which are those of other rows."""
    maps = []
    for table in ("orders", "lines"):
        mine = [row[0] for row in rows[table]]
        others = list(dict.fromkeys([*mine, *keys(2 * len(mine), 100)]))
        maps.append(dict(zip(mine, random.sample(others, len(mine)), strict=True)))
    return named(rows, maps[0], maps[1])


def used(rows: Rows) -> tuple[list[bytes], list[bytes]]:
    """Return the keys of both domains."""
    orders = {v for r in rows["orders"] for v in r[:2]} | {r[1] for r in rows["lines"]} | {r[0] for r in rows["splits"]}
    lines = {r[0] for r in rows["lines"]} | {r[1] for r in rows["splits"]}
    return sorted(orders - {NULL}), sorted(lines - {NULL})


def same_by_brute_force(one: Rows, other: Rows) -> bool:
    """Tell whether any of all names makes both the same."""
    (mine, my_lines), (theirs, their_lines) = used(one), used(other)
    if len(mine) != len(theirs) or len(my_lines) != len(their_lines):
        return False
    wanted = snapshot(one)
    return any(
        snapshot(named(other, dict(zip(theirs, p, strict=True)), dict(zip(their_lines, q, strict=True)))) == wanted
        for p in permutations(mine)
        for q in permutations(my_lines)
    )


def are_same(one: Rows, other: Rows) -> bool:
    """Tell what we find."""
    return not diff(snapshot(one), renamed(snapshot(one), snapshot(other), DOMAINS))


@given(drawn(most=12), st.randoms(use_true_random=False))
@settings(max_examples=150)
def test_other_keys_are_the_same_rows_both_ways_and_transitively(rows: Rows, random: Random) -> None:
    """Renaming is reflexive, symmetric and transitive."""
    other = shuffled(rows, random)
    third = shuffled(other, random)
    assert are_same(rows, rows)
    assert are_same(rows, other)
    assert are_same(other, rows)
    assert are_same(rows, third)


@given(drawn(most=4), st.data())
@settings(max_examples=300)
def test_what_differs_is_found_just_where_no_other_keys_explain_it(rows: Rows, data: st.DataObject) -> None:
    """A real change (another reference, a value, a row less) is a difference unless trying all keys says not."""
    changed = {name: list(of) for name, of in rows.items()}
    filled = [name for name in changed if changed[name]]
    if filled:
        name = data.draw(st.sampled_from(filled))
        number = data.draw(st.integers(0, len(changed[name]) - 1))
        row = list(changed[name][number])
        how = data.draw(st.integers(0, 3))
        if how == 0:
            row[2] = b"b" if row[2] == b"a" else b"a"
        elif how == 1 and len(changed[name]) > 1:  # swapped with a neighbour, in one column that is no own key
            place = data.draw(st.sampled_from([0, 1] if name == "splits" else [1]))
            neighbour = list(changed[name][number - 1])
            row[place], neighbour[place] = neighbour[place], row[place]
            changed[name][number - 1] = tuple(neighbour)
        elif how == 2:
            row[1] = data.draw(st.sampled_from([NULL, *used(rows)[1 if name == "splits" else 0]]))
        changed[name][number] = tuple(row)
        if how == 3:
            del changed[name][number]
    other = shuffled(changed, data.draw(st.randoms(use_true_random=False)))
    assert are_same(rows, other) == same_by_brute_force(rows, other)


@given(drawn(most=4), drawn(most=4))
@settings(max_examples=150)
def test_any_two_sets_of_rows_are_judged_as_by_trying_all_keys(one: Rows, other: Rows) -> None:
    """No difference is hidden, and none is made up; keys are exchanged one for one, also where rows differ."""
    assert are_same(one, other) == same_by_brute_force(one, other)
    after = renamed(snapshot(one), snapshot(other), DOMAINS).tables
    rows = {name: [tuple(row.split(b"\t")) for row in table.rows] for name, table in after.items()}
    assert [len(found) for found in used(rows)] == [len(found) for found in used(other)]


def test_swapped_children_are_found_and_shown_at_the_child() -> None:
    """The parents have other keys, and their children have changed places."""
    before = {"orders": [(b"1", NULL, b"a"), (b"2", NULL, b"b")], "lines": [(b"1", b"1", b"x"), (b"2", b"2", b"y")]}
    after = {"orders": [(b"3", NULL, b"a"), (b"4", NULL, b"b")], "lines": [(b"3", b"4", b"x"), (b"4", b"3", b"y")]}
    (found,) = diff(snapshot(before), renamed(snapshot(before), snapshot(after), DOMAINS)).tables
    assert (found.table, found.columns, found.changed) == ("lines", ("order_id",), 2)


def test_new_keys_beside_a_column_that_moved_leave_just_that_column() -> None:
    """As where rows note when they were loaded."""
    before = {"orders": [(b"1", NULL, b"t1"), (b"2", NULL, b"t2")], "lines": [(b"1", b"1", b"x"), (b"2", b"2", b"y")]}
    after = {"orders": [(b"3", NULL, b"t3"), (b"4", NULL, b"t4")], "lines": [(b"3", b"3", b"x"), (b"4", b"4", b"y")]}
    (found,) = diff(snapshot(before), renamed(snapshot(before), snapshot(after), DOMAINS)).tables
    assert (found.table, found.columns) == ("orders", ("name",))


def test_rows_of_another_day_beside_them_take_no_names_away() -> None:
    """What one run has written is found again in what two have."""
    one = {"orders": [(b"1", NULL, b"a"), (b"2", NULL, b"b")], "lines": [(b"1", b"1", b"x"), (b"2", b"2", b"x")]}
    more = {
        "orders": [(b"7", NULL, b"c"), (b"8", NULL, b"b"), (b"9", NULL, b"a")],
        "lines": [(b"7", b"7", b"x"), (b"8", b"8", b"x"), (b"9", b"9", b"x")],
    }
    both = renamed(snapshot(one), snapshot(more), DOMAINS)
    assert set(snapshot(one).tables["lines"].rows) <= set(both.tables["lines"].rows)


def test_what_refers_to_a_new_row_of_a_log_refers_to_the_old_one_before() -> None:
    """Two loads are the same rows of a log: those of the last one have its key, and lose nothing."""
    one = snapshot({"orders": [(b"1", NULL, b"ok")], "lines": [(b"1", b"1", b"a"), (b"2", b"1", b"b")]})
    other = snapshot(
        {"orders": [(b"1", NULL, b"ok"), (b"2", NULL, b"ok")], "lines": [(b"3", b"2", b"a"), (b"4", b"2", b"b")]}
    )
    for before, after in ((one, other), (other, one)):
        found = diff(before, renamed(before, after, DOMAINS))
        assert [table.table for table in found.tables] == ["orders"]
        assert found.tables[0].added + found.tables[0].missing == 1
    (added,) = diff(one, renamed(one, other, DOMAINS)).tables[0].examples
    assert added.key == {"id": "2"}  # a key that there is, too


def test_a_row_whose_children_are_gone_keeps_its_key() -> None:
    """No other row has what refers to it, so that just the children are missing."""
    one = snapshot({"orders": [(b"1", NULL, b"ok"), (b"2", NULL, b"ok")], "lines": [(b"1", b"1", b"a")]})
    other = snapshot({"orders": [(b"1", NULL, b"ok"), (b"2", NULL, b"ok")]})
    found = diff(one, renamed(one, other, DOMAINS))
    assert [(table.table, table.missing) for table in found.tables] == [("lines", 1)]


@given(drawn(most=4), st.data())
@settings(max_examples=100)
def test_values_that_the_runs_choose_keep_their_names(rows: Rows, data: st.DataObject) -> None:
    """The others are renamed among themselves: those are equal just where other names of the others make them so."""
    chosen = frozenset(data.draw(st.sets(st.sampled_from([b"1", b"2"]))))
    fixed = [replace(domain, chosen=chosen) for domain in DOMAINS]
    orders, lines = ({k: b"9" + k for k in keys(4, 1) if k not in chosen} for _ in range(2))
    one = snapshot(rows)
    assert renamed(one, snapshot(named(rows, orders, lines)), fixed) == one
    moved = snapshot(named(rows, {**orders, **{k: b"8" + k for k in chosen}}, lines))
    held = any(row[:1] == (k,) or row[1:2] == (k,) for row in rows["orders"] for k in chosen)
    assert (renamed(one, moved, fixed) == one) <= (not held)


@pytest.mark.parametrize("number", [400, 4000])
def test_rows_that_all_look_the_same_take_no_long_time(number: int) -> None:
    """Copies of a parent with children: no choice of one is better than another."""
    rows: dict[str, list[tuple[bytes, ...]]] = {"orders": [], "lines": [], "splits": []}
    for key in keys(number, 1):
        rows["orders"].append((key, NULL, b"a"))
        rows["lines"] += [(key + b"1", key, b"x"), (key + b"2", key, b"x")]
    assert are_same(rows, shuffled(rows, Random(0)))


def rings(sizes: list[int]) -> Rows:
    """Return orders that refer to each other in rings of these sizes."""
    rows = []
    first = 1
    for size in sizes:
        ring = keys(size, first)
        rows += [(one, ring[n - 1], b"a") for n, one in enumerate(ring)]
        first += size
    return {"orders": rows, "lines": [], "splits": []}


def test_rings_that_look_the_same_are_told_apart_or_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rings of three are no ring of six, though each row looks the same; what takes too long is not decided."""
    assert not are_same(rings([6]), rings([3, 3]))
    assert are_same(rings([3, 4, 5]), shuffled(rings([5, 4, 3]), Random(1)))
    monkeypatch.setattr(renaming, "MOST_WORK", 20_000)
    with pytest.raises(TooSymmetricError):
        are_same(rings([3] * 40), rings([6] * 20))


def structure(**tables: list[tuple[str, str, str]]) -> dict[str, tuple[Part, ...]]:
    """Return parts by table."""
    return {name: tuple(Part(*part) for part in parts) for name, parts in tables.items()}


SERIAL = "integer NOT NULL DEFAULT nextval(its own sequence)"
STRUCTURE = structure(
    orders=[("column", "id", SERIAL), ("constraint", "PRIMARY KEY (id)", ""), ("column", "receipt", SERIAL)],
    lines=[
        ("column", '"Order"', "integer"),
        ("column", "id", "uuid NOT NULL DEFAULT gen_random_uuid()"),
        ("unique index", "(id)", ""),
        ("constraint", 'FOREIGN KEY ("Order") REFERENCES orders(id) ON DELETE CASCADE', ""),
    ],
    visits=[("column", "id", "bigint GENERATED ALWAYS AS IDENTITY")],
)
THERE = [
    ("orders", "id"),
    ("orders", "receipt"),
    ("lines", "Order"),
    ("lines", "id"),
    ("visits", "id"),
    ("notes", "of"),
]


def found(setting: object = "renamed") -> list[list[str]]:
    """Return the names of the domains."""
    return [domain.names for domain in domains(STRUCTURE, THERE, Setting.of(setting))]  # type: ignore[arg-type]


def test_generated_keys_are_found_with_the_foreign_keys_that_lead_to_them() -> None:
    """A number that is no key is content; where a table has no key at all, what the database numbers is one."""
    assert found() == [["orders.id", "lines.Order"], ["lines.id"], ["visits.id"]]


def test_keys_of_database_files_and_of_the_dag_itself_can_be_named() -> None:
    """There, nobody says which columns are generated."""
    there = [("shop.db:orders", "id"), ("shop.db:lines", "order_id")]
    named = Setting.of({"shop.db:orders.id": "renamed", "shop.db:lines.order_id": "shop.db:orders.id"})
    (domain,) = domains({}, there, named)
    assert (domain.names, domain.is_trusted) == (["shop.db:orders.id", "shop.db:lines.order_id"], True)
    assert domains({}, there, Setting()) == []


def test_a_foreign_key_stays_in_its_database() -> None:
    """Tables of another one have names of their own."""
    elsewhere = {f"crm:{name}": parts for name, parts in STRUCTURE.items()}
    there = [(f"crm:{table}", column) for table, column in THERE]
    both = domains({**STRUCTURE, **elsewhere}, [*THERE, *there], Setting())
    assert ["crm:orders.id", "crm:lines.Order"] in [domain.names for domain in both]
    assert ["orders.id", "lines.Order"] in [domain.names for domain in both]


def test_a_setting_names_tables_keys_and_what_refers_to_them() -> None:
    """The last pattern that matches counts."""
    assert found("stable") == []
    assert found({"*": "stable", "lines": "renamed"}) == [["lines.id"]]
    assert found({"lines.id": "stable", "public.v*": "stable"}) == [["orders.id", "lines.Order"]]
    assert found({"notes.of": "orders.id"})[0] == ["orders.id", "lines.Order", "notes.of"]
    assert ["notes.of"] in found({"notes.of": "renamed"})
