"""Rows up to other names of their keys: a snapshot in the names of another one, wherever that is possible.

Tables are a graph: keys are its nodes, rows say which of them belong together. Colours tell nodes apart by what their
rows hold, by what those refer to, and so on (colour refinement). Where all colours agree, names are chosen that follow
the rows; where that fails, because the graph is symmetric, all choices are tried, up to a bound.

Names are only ever exchanged one for one, so two snapshots that become equal are equal up to other names: whatever goes
wrong here can show a difference that is none, and can never hide one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dagproof.stores.keys import Column, Domain
from dagproof.stores.snapshot import Snapshot
from dagproof.stores.stored import NULL, Table

#: How many rows may be looked at before what is still undecided is compared as it is: a few seconds. Where there are
#: more rows, it is each of them so many times.
MOST_WORK = 1_500_000
MOST_TIMES = 12
#: How many choices may depend on each other.
MOST_CHOICES = 200
#: How many rounds tell rows apart that differ anyhow, so that the fewest differences are shown.
MOST_ROUNDS = 12

#: A key: the number of its domain, and its value.
Node = tuple[int, bytes]
Names = dict[Node, Node]
Colours = dict[Node, int]


class TooSymmetricError(Exception):
    """It would take too long to find out whether two snapshots are the same up to other names."""


@dataclass(frozen=True)
class _Row:
    """A row: what it holds, by column, and the keys in it, in the order of their columns."""

    table: str
    content: tuple[tuple[str, bytes], ...]
    nodes: tuple[Node, ...]
    own: tuple[int, ...] = field(default=(), compare=False)
    """Those of the places of keys at which the row's own are."""


@dataclass
class _Side:
    """The rows of one snapshot, and where each of its keys occurs."""

    rows: list[_Row]
    at: dict[Node, list[tuple[int, int]]] = field(default_factory=dict)
    """For each key, the numbers of its rows, and its places there."""

    def __post_init__(self) -> None:
        for number, row in enumerate(self.rows):
            for place, node in enumerate(row.nodes):
                self.at.setdefault(node, []).append((number, place))


@dataclass
class _Refined:
    """The colours of the keys and rows of two sides, after each round."""

    keys: list[tuple[Colours, Colours]]
    rows: tuple[list[int], list[int]]

    @property
    def last(self) -> tuple[Colours, Colours]:
        return self.keys[-1]

    @property
    def agrees(self) -> bool:
        """Whether both sides have the same colours, each as often: otherwise they are not the same up to names."""
        mine, others = self.last
        return Counter(mine.values()) == Counter(others.values()) and Counter(self.rows[0]) == Counter(self.rows[1])


def renamed(before: Snapshot, after: Snapshot, domains: Sequence[Domain]) -> Snapshot:
    """Return `after` with the keys of `domains` named as in `before`, so that both are equal if any names make them so.

    Where none do, most rows that are the same up to names have the same ones.

    Raises:
        TooSymmetricError: it would take too long to find out.
    """
    places = _Places(
        {column: number for number, domain in enumerate(domains) for column in domain.columns},
        [domain.chosen | {NULL} for domain in domains],
    )
    names = sorted({table for table, _ in places.of if table in before.tables or table in after.tables})
    if not names or all(before.tables.get(name) == after.tables.get(name) for name in names):
        return after
    keys = {column for domain in domains for column in domain.keys}
    mine, others = (_side(snapshot, names, places, keys) for snapshot in (before, after))
    found = _Search(mine, others).names()
    if found is None:
        found = _nearest(mine, others)
    tables = {n: _with_names(t, places, found) if n in names else t for n, t in after.tables.items()}
    return replace(after, tables=tables)


@dataclass(frozen=True)
class _Places:
    """The number of the domain of each column, and what is content there."""

    of: Mapping[Column, int]
    content: Sequence[frozenset[bytes]]

    def held(self, table: Table) -> Callable[[int, bytes], Node | None]:
        """Return what tells which key a value is, by the number of its column; None where it is content."""
        domain_of = [self.of.get((table.name, column)) for column in table.columns]

        def node(place: int, value: bytes) -> Node | None:
            domain = domain_of[place]
            return None if domain is None or value in self.content[domain] else (domain, value)

        return node


def _side(snapshot: Snapshot, names: Iterable[str], places: _Places, keys: Collection[Column]) -> _Side:
    tables = [snapshot.tables[name] for name in names if name in snapshot.tables]
    return _Side([row for table in tables for row in _rows(table, places, keys)])


def _rows(table: Table, places: _Places, keys: Collection[Column]) -> Iterable[_Row]:
    node = places.held(table)
    order = sorted(range(len(table.columns)), key=lambda i: table.columns[i])
    for line in table.rows:
        values = line.split(b"\t")
        found = [(i, node(i, values[i])) for i in order]
        content = tuple((table.columns[i], values[i]) for i, key in found if key is None)
        held = [(i, key) for i, key in found if key is not None]
        own = tuple(n for n, (i, _) in enumerate(held) if (table.name, table.columns[i]) in keys)
        yield _Row(table.name, content, tuple(key for _, key in held), own)


def _with_names(table: Table, places: _Places, names: Names) -> Table:
    node = places.held(table)
    rows = []
    for line in table.rows:
        values = line.split(b"\t")
        keys = (node(i, value) for i, value in enumerate(values))
        rows.append(b"\t".join([v if k is None else names[k][1] for v, k in zip(values, keys, strict=True)]))
    return replace(table, rows=tuple(sorted(rows)))


class _Search:
    """The search for names under which two sides are the same."""

    def __init__(self, before: _Side, after: _Side) -> None:
        self.sides = (before, after)
        self.work = 0
        self._most = max(MOST_WORK, MOST_TIMES * (len(before.rows) + len(after.rows)))
        self._wanted = Counter(before.rows)

    def names(self) -> Names | None:
        """Return the names of the one side for the keys of the other; None where there are no such names."""
        before, after = self.sides
        if len(before.rows) != len(after.rows) or len(before.at) != len(after.at):
            return None
        start: tuple[Colours, Colours] = ({n: n[0] for n in before.at}, {n: n[0] for n in after.at})
        return self._among(start, 0)

    def _among(self, colours: tuple[Colours, Colours], depth: int) -> Names | None:
        """Return names that keep to the colours; try one key after the other where those leave a choice."""
        refined = _refine(self.sides, colours, count=self._count)
        if not refined.agrees:
            return None
        names = _follow(self.sides, refined)
        if names is not None and self._fit(names):
            return names
        mine, others = (_classes(c) for c in refined.last)
        open_classes = [colour for colour, nodes in mine.items() if len(nodes) > 1]
        if not open_classes:
            return None
        if depth >= MOST_CHOICES:
            raise TooSymmetricError
        colour = min(open_classes, key=lambda colour: (len(mine[colour]), mine[colour]))
        chosen = mine[colour][0]
        for candidate in sorted(others[colour], key=lambda node: node != chosen):
            alone = -1 - depth
            attempt = (refined.last[0] | {chosen: alone}, refined.last[1] | {candidate: alone})
            if (found := self._among(attempt, depth + 1)) is not None:
                return found
        return None

    def _fit(self, names: Names) -> bool:
        self._count(len(self.sides[1].rows))
        rows = (_Row(r.table, r.content, tuple(names[n] for n in r.nodes)) for r in self.sides[1].rows)
        return Counter(rows) == self._wanted

    def _count(self, rows: int) -> None:
        self.work += rows
        if self.work > self._most:
            raise TooSymmetricError


def _refine(
    sides: tuple[_Side, _Side],
    start: tuple[Colours, Colours],
    *,
    count: Callable[[int], None] = lambda rows: None,
    hidden: frozenset[object] = frozenset(),
    most_rounds: int | None = None,
) -> _Refined:
    """Tell keys apart by their rows, until that tells no more of them apart; columns that are `hidden` tell nothing."""
    contents: dict[object, int] = {}
    held = [[_content(row, contents, hidden) for row in side.rows] for side in sides]
    rounds = [start]
    number = 0
    while True:
        count(sum(len(side.rows) for side in sides))
        now = rounds[-1]
        seen_rows: dict[object, int] = {}
        rows = tuple(
            [
                seen_rows.setdefault((has, *(c[n] for n in row.nodes)), len(seen_rows))
                for row, has in zip(side.rows, content, strict=True)
            ]
            for side, content, c in zip(sides, held, now, strict=True)
        )
        seen: dict[object, int] = {}
        following = tuple(
            {
                node: seen.setdefault((c[node], tuple(sorted((r[n], p) for n, p in at))), len(seen))
                for node, at in side.at.items()
            }
            for side, r, c in zip(sides, rows, now, strict=True)
        )
        number, before = len(seen), number
        is_stable = number == (before or len({*now[0].values(), *now[1].values()}))
        if is_stable or len(rounds) == most_rounds:
            return _Refined(rounds, (rows[0], rows[1]))
        rounds.append((following[0], following[1]))


def _content(row: _Row, seen: dict[object, int], hidden: frozenset[object]) -> int:
    kept = tuple(pair for pair in row.content if (row.table, pair[0]) not in hidden) if hidden else row.content
    return seen.setdefault((row.table, kept), len(seen))


def _classes(colours: Colours) -> dict[int, list[Node]]:
    found: defaultdict[int, list[Node]] = defaultdict(list)
    for node in sorted(colours, key=_in_order):
        found[colours[node]].append(node)
    return found


def _in_order(node: Node) -> tuple[int, int, bytes]:
    return (node[0], len(node[1]), node[1])  # numbers by their size


def _follow(sides: tuple[_Side, _Side], refined: _Refined) -> Names | None:
    """Return names that are chosen by colour and then follow the rows: right, unless the graph is symmetric in circles.

    Where a key has the same name on both sides, it keeps that if it may.
    """
    before, after = sides
    mine, others = refined.last
    free = {colour: dict.fromkeys(nodes) for colour, nodes in _classes(others).items()}
    names: Names = {}
    taken: dict[Node, Node] = {}

    def take(node: Node, other: Node) -> bool:
        if node in taken or other in names:
            return taken.get(node) == other
        if mine[node] != others[other]:
            return False
        names[other], taken[node] = node, other
        free[others[other]].pop(other, None)
        return True

    for node in sorted(mine, key=_in_order):
        if node in taken:
            continue
        same = free.get(mine[node], {})
        if not same:
            return None
        take(node, node if node in same else next(iter(same)))
        waiting = [node]
        while waiting:
            this = waiting.pop()
            for row, other_row in _paired(before, after, refined, this, taken):
                for one, other in zip(before.rows[row].nodes, after.rows[other_row].nodes, strict=True):
                    is_new = one not in taken
                    if not take(one, other):
                        return None
                    waiting += [one] if is_new else []
    return names


def _paired(
    before: _Side, after: _Side, refined: _Refined, node: Node, taken: Mapping[Node, Node]
) -> Iterable[tuple[int, int]]:
    """Yield pairs of rows, one of `node` and one of the key that it stands for, that look the same.

    What is in them may be named by the pairs before: whoever takes the names says where that does not fit.
    """
    other = taken[node]
    back: Names = {}
    waiting: defaultdict[object, list[int]] = defaultdict(list)
    for number, place in reversed(after.at[other]):  # the last one is taken first
        waiting[refined.rows[1][number], place].append(number)
    for number, place in before.at[node]:
        nodes = before.rows[number].nodes
        candidates = waiting[refined.rows[0][number], place]
        known = [(i, taken[n]) for i, n in enumerate(nodes) if n in taken]
        for at in range(len(candidates) - 1, -1, -1):
            candidate = candidates[at]
            theirs = after.rows[candidate].nodes
            fits = all(theirs[i] == name for i, name in known)
            if fits and all(back.get(theirs[i], n) == n for i, n in enumerate(nodes)):
                del candidates[at]
                back.update(zip(theirs, nodes, strict=True))
                yield number, candidate
                break


def _nearest(before: _Side, after: _Side) -> Names:
    """Return names under which two sides that differ have most in common; each name is used once.

    Rows that are the same keep their keys, unless all that refers to one refers to another key on the other side: of a
    log, rows say the same whichever load wrote them. Then those go together that refer to the same, as far as one can
    see; then those that do so but for the columns in which the sides do not hold the same values.
    """
    sides = (before, after)
    pinned = {node for row in (Counter(before.rows) & Counter(after.rows)) for node in row.nodes}
    mine, others = _refine(sides, _start(sides, {}), most_rounds=MOST_ROUNDS).last
    seen = (set(mine.values()), set(others.values()))
    names: Names = {
        node: node
        for node in pinned
        if mine[node] == others[node] or not (mine[node] in seen[1] or others[node] in seen[0])
    }
    whole = _refine(sides, _start(sides, names), most_rounds=MOST_ROUNDS)
    _pair_classes(names, *whole.last)
    rough = _refine(sides, _start(sides, names), hidden=_moved(before, after), most_rounds=MOST_ROUNDS)
    if rough.agrees and (followed := _follow(sides, rough)) is not None:
        return followed
    for colours in reversed(rough.keys[1:] or rough.keys):  # at first, just domains are told apart
        _pair_classes(names, *colours)
    contents: dict[object, int] = {}
    _pair_classes(names, *(_by_own_row(side, contents, _moved(before, after)) for side in sides))
    given = {name: node for node, name in names.items()}
    for node in sorted(after.at, key=_in_order):
        if node not in names:
            names[node] = _unused(node, given)
            given[names[node]] = node
    return names


def _start(sides: tuple[_Side, _Side], names: Names) -> tuple[Colours, Colours]:
    """Return colours in which each key that has a name is told from all others, and the others by their domains."""
    seen: dict[object, int] = {}
    mine, others = (side.at for side in sides)
    taken = set(names.values())
    return (
        {node: seen.setdefault(node if node in taken else node[0], len(seen)) for node in mine},
        {node: seen.setdefault(names.get(node, node[0]), len(seen)) for node in others},
    )


def _pair_classes(names: Names, mine: Colours, others: Colours) -> None:
    """Give keys without a name that of a key with the same colour, as many as there are."""
    taken = set(names.values())
    free = _classes({node: colour for node, colour in mine.items() if node not in taken})
    for colour, nodes in _classes({n: c for n, c in others.items() if n not in names}).items():
        names.update(zip(nodes, free.get(colour, ()), strict=False))


def _by_own_row(side: _Side, seen: dict[object, int], hidden: frozenset[object]) -> Colours:
    """Return colours by the rows whose own keys they are, whatever refers to them."""
    found = {}
    for node, at in side.at.items():
        rows = sorted(_content(side.rows[n], seen, hidden) for n, place in at if place in side.rows[n].own)
        if rows:
            found[node] = seen.setdefault((node[0], *rows), len(seen))
    return found


def _unused(node: Node, given: Names) -> Node:
    """Return the key itself, or where another one has its name, that one, or whose name that one has."""
    while node in given:
        node = given[node]
    return node


def _moved(before: _Side, after: _Side) -> frozenset[object]:
    """Return the columns in which the two sides do not hold the same values: they cannot tell which row is which."""
    values: tuple[defaultdict[object, Counter[bytes]], ...] = (defaultdict(Counter), defaultdict(Counter))
    for side, found in zip((before, after), values, strict=True):
        for row in side.rows:
            for column, value in row.content:
                found[row.table, column][value] += 1
    return frozenset(c for c in values[0].keys() | values[1].keys() if values[0][c] != values[1][c])
