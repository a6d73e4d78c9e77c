"""What the laws of faults share: how much a reader sees after one, and whether running again heals it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from dagproof.histories import History
from dagproof.histories.steps import runs_and_reruns
from dagproof.laws.base import Finding, Law, is_temporary, tidied
from dagproof.runs.lab import Lab
from dagproof.stores.diff import Diff, diff
from dagproof.stores.snapshot import File, Snapshot, Table
from dagproof.worlds.failing import RunFailedError

#: What is said of a date of which a run was killed, or met an error.
SUFFERED = {"crash": "that crashed", "outage": "of which a run hit an error"}


def undisturbed(history: History) -> History:
    """Return a history without its faults: the first run of each date is its first."""
    return runs_and_reruns(step.date for step in history if not step.is_fault)


def healed(law: Law, lab: Lab, history: History, left: Snapshot) -> Finding:
    """Compare what the last run of `history` heals with an undisturbed run, but for temporary files that were `left`.

    Many faults leave the same world (all those within a transaction do): there, the next run is made once.
    """
    key = (lab.report(history[:-1]).fingerprint, (*history[:-2], history[-1]), law.name)
    if key not in lab.healed:
        lab.healed[key] = _run_again(law, lab, history, left)
    finding: Finding = lab.healed[key]
    return finding


def _run_again(law: Law, lab: Lab, history: History, left: Snapshot) -> Finding:
    usual = undisturbed(history)
    finding = tidied(law.compared(lab, usual, history), [left])
    if finding and not finding.diff and finding.headline:
        again = finding.headline[:1].lower() + finding.headline[1:]
        return replace(finding, headline=f"A date {SUFFERED[history[-2].kind]} cannot be run again: {again}")
    if finding and not tidied(compared_at(law, lab, usual, history, lab.report(history).clock), [left]):
        return Finding(not_compared=finding.not_compared)
    return finding


def compared_at(law: Law, lab: Lab, usual: History, history: History, moment: str) -> Finding:
    """Compare with an undisturbed run at the time at which the fault was healed, which is not to blame for that.

    Where nothing is known of that time, or the undisturbed run fails then, the difference stands.
    """
    if not moment:
        return Finding(broken=True)
    try:
        return law.compared(lab, (*usual[:-1], replace(usual[-1], at=moment)), history)
    except RunFailedError:
        return Finding(broken=True)


def torn(lab: Lab, old: Snapshot, new: Snapshot, now: Snapshot, disturbed: History) -> tuple[Diff, str]:
    """Return how `now` is neither the old nor the new state, and one word for what it is.

    The word is about tables; about files where the run writes nothing else.
    """
    untouched = lab.before(disturbed)
    lab.scope.compared.add(old, new, now)
    scratch = lab.proof.scratch
    old, new, now = (snapshot.without_columns(scratch) for snapshot in (old, new, now))
    as_old, now = lab.renamed(old, now), lab.renamed(new, now)
    logs = {name for name, how in lab.keeping_history(now).items() if not how.ends}
    seen = []
    survived = {"old"}
    for name in sorted(old.tables.keys() | new.tables.keys() | now.tables.keys()):
        sides = [_rows(snapshot.tables.get(name)) for snapshot in (old, new, now, untouched)]
        is_old = _rows(as_old.tables.get(name)) == sides[0]
        word = "old" if is_old else _word(*sides[:3], untouched=sides[3])
        shown = next(snapshot for snapshot in (now, new, old) if name in snapshot.tables)
        if word == "partial" and name in logs and _has_all(as_old, old, name):
            word = "old"
        if word == "partial" and not _only(shown, name).without_whole(scratch).tables:
            word = "scratch"
        survived.add(word)
        if word == "partial":
            seen.append(name)
    tables = [_only(_nearer(old, new, now, name), name).tables for name in seen]
    whole_tables = {name: table for part in tables for name, table in part.items()}
    torn_tables = {name: now.tables[name] for name in seen if name in now.tables}
    files = [
        path
        for path in sorted(old.files.keys() | new.files.keys() | now.files.keys())
        if now.files.get(path) not in (old.files.get(path), new.files.get(path)) and not is_temporary(path)
    ]
    files = [path for path in files if Snapshot(files={path: _any(path, old, new, now)}).without_whole(scratch).files]
    survived |= {"partial"} if files else set()
    if not any(_rows(old.tables.get(name)) != _rows(table) for name, table in new.tables.items()):
        written = {path for path, file in new.files.items() if file != old.files.get(path)}
        survived |= {"new" for path in written if now.files.get(path) == new.files[path]}
    found = diff(
        Snapshot(whole_tables, {p: f for p in files if (f := new.files.get(p) or old.files.get(p))}),
        Snapshot(torn_tables, {p: now.files[p] for p in files if p in now.files}),
    )
    return found, next(word for word in ("partial", "new", "scratch", "old") if word in survived)


def _word(old: Sequence[bytes], new: Sequence[bytes], now: Sequence[bytes], *, untouched: Sequence[bytes]) -> str:
    """Return what is left of one table.

    Where a whole run leaves a table as it was before the first one, nobody can read results there: it is scratch space.
    """
    if now == old:
        return "old"
    if now == new:
        return "new"
    return "scratch" if new == untouched and set(old) <= set(now) else "partial"


def _has_all(now: Snapshot, old: Snapshot, name: str) -> bool:
    return Counter(_rows(old.tables.get(name))) <= Counter(_rows(now.tables.get(name)))


def _rows(table: Table | None) -> Sequence[bytes]:
    return table.rows if table else ()


def _only(snapshot: Snapshot, name: str) -> Snapshot:
    return Snapshot({name: snapshot.tables[name]} if name in snapshot.tables else {})


def _nearer(old: Snapshot, new: Snapshot, now: Snapshot, name: str) -> Snapshot:
    """Return the one of the two states with which the table has more rows in common."""
    rows = set(_rows(now.tables.get(name)))
    return max((new, old), key=lambda snapshot: len(rows & set(_rows(snapshot.tables.get(name)))))


def _any(path: str, *snapshots: Snapshot) -> File:
    return next(snapshot.files[path] for snapshot in snapshots if path in snapshot.files)
