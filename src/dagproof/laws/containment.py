"""A run leaves alone what the runs of other dates have written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import permutations

from dagproof.histories import History, Step
from dagproof.laws.base import Finding, Law, NotApplicableError, active, writes
from dagproof.runs.lab import Lab
from dagproof.stores.diff import differing_names
from dagproof.stores.snapshot import Snapshot, Table
from dagproof.worlds.failing import RunFailedError, sentence


class Containment(Law):
    """A run leaves the rows of other dates alone.

    ## What it does
    Runs one date and then another, and checks that no row or file of the first is gone or changed.

    Tables and files that are the same for every date (refreshed as a whole) have no partitions, and are left out;
    likewise materialized views, which are computed from their tables.

    ## Why is this bad
    Fixing one day must not damage another. If a delete reaches too far, or each day overwrites the whole table, people
    notice when they query the old days, and by then the source data may be gone.

    ## Example
    ```python
    cursor.execute("DELETE FROM orders WHERE dt >= %s", (ds,))
    ```

    ## Use instead
    ```python
    cursor.execute("DELETE FROM orders WHERE dt = %s", (ds,))
    ```
    """

    name = "containment"
    order = 55
    relation = "run D2 leaves what D1 wrote untouched"
    verdict = "leaks outside its partition"
    accusation = "leaks outside its partition"
    headline = "The run of one date changes rows of another"
    sides = ("after one date", "after both dates")
    promise = "a run leaves the rows of other dates alone"

    def examples(self, dates: Sequence[str]) -> list[History]:
        """Each two of the dates, in both orders."""
        pairs = sorted(permutations(dates, 2), key=lambda pair: pair[0] > pair[1])
        return [(Step("run", one), Step("run", other)) for one, other in pairs]

    def histories(self, lab: Lab) -> list[History]:
        """Each two of the dates; in order only where runs wait for the run before."""
        if len(lab.dates) < 2:
            raise NotApplicableError("the law needs two dates; add another --date")
        only_forwards = bool(lab.about.depends_on_past)
        pairs = [h for h in self.examples(active(lab)) if writes(lab, h[0].date)]
        return [(one, other) for one, other in pairs if not only_forwards or one.date < other.date]

    def check(self, lab: Lab, history: History) -> Finding:
        """Compare what the first run wrote with what is left of it."""
        first, second = history
        noise = self.noise(lab, history)
        alone = [lab.state(h).without(noise) for h in ((Step("arrive", first.date),), (first,), (second,))]
        try:
            states = [*alone, lab.state(history).without(noise)]
        except RunFailedError as failure:
            return Finding(not_compared=noise, broken=True, headline=sentence(failure), raised=failure.raised)
        before, one, other, both = lab.open_ended(*states)
        other, both = lab.renamed(one, other), lab.renamed(one, both)
        written = _written(before, one, *_parts(one, other))
        for name in differing_names(before, one) - _names(written):
            lab.scope.leave_out(name, "not compared, as each date leaves the same there")
        if not _holds(written):
            raise NotApplicableError("everything it writes is refreshed as a whole: the same rows, whichever date runs")
        seen = self.seen(lab, written)
        if not _holds(seen):
            tables = {name for name, table in written.tables.items() if table.rows}
            names = ", ".join(sorted(tables | set(written.files)))
            raise NotApplicableError(
                f"the configuration exempts all that belongs to a date, or declares it as scratch: {names}"
            )
        return Finding(lab.diff(seen, _left_of(seen, both)), not_compared=noise)


def _parts(one: Snapshot, other: Snapshot) -> tuple[set[str], set[str]]:
    """Return the tables and the files that are not the same whichever date runs."""
    tables = {name: table for name, table in one.tables.items() if not table.is_derived}
    return (
        {n for n, table in tables.items() if n not in other.tables or table.rows != other.tables[n].rows},
        {p for p, file in one.files.items() if p not in other.files or file.chunks != other.files[p].chunks},
    )


def _names(snapshot: Snapshot) -> set[str]:
    return {*snapshot.tables, *snapshot.files}


def _holds(written: Snapshot) -> bool:
    return bool(written.files) or any(table.rows for table in written.tables.values())


def _written(before: Snapshot, after: Snapshot, tables: set[str], files: set[str]) -> Snapshot:
    """Return the rows and files of some tables and files that a run added or changed."""
    rows = {name: _minus(after.tables[name], before.tables.get(name)) for name in tables}
    return Snapshot(rows, {p: after.files[p] for p in files if after.files[p] != before.files.get(p)})


def _minus(table: Table, other: Table | None) -> Table:
    old = Counter(other.rows if other else ())
    rows = []
    for row in table.rows:
        if old[row]:
            old[row] -= 1
        else:
            rows.append(row)
    return Table(table.name, table.columns, table.key, tuple(rows))


def _left_of(written: Snapshot, now: Snapshot) -> Snapshot:
    """Return what is there now of what was written: the same rows, and rows with the same key."""
    tables = {name: _same(table, now.tables[name]) for name, table in written.tables.items() if name in now.tables}
    return Snapshot(tables, {path: now.files[path] for path in written.files if path in now.files})


def _same(written: Table, now: Table) -> Table:
    if written.key and set(written.key) <= set(now.columns):
        keys = {_key(row, written) for row in written.rows}
        same_key = tuple(row for row in now.rows if _key(row, now, written.key) in keys)
        return Table(now.name, now.columns, now.key, same_key)
    wanted = Counter(written.rows)
    rows = []
    for row in now.rows:
        if wanted[row]:
            wanted[row] -= 1
            rows.append(row)
    return Table(now.name, now.columns, now.key, tuple(rows))


def _key(row: bytes, table: Table, key: tuple[str, ...] | None = None) -> tuple[bytes, ...]:
    values = row.split(b"\t")
    return tuple(values[table.columns.index(column)] for column in key or table.key)
