"""A run that is cut off, at whatever point, leaves all of the old or all of the new, and is healed by running again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from dagproof.histories import History, Step
from dagproof.inside.exchange import LeftOut
from dagproof.laws.base import (
    FaultOutcome,
    Finding,
    Law,
    NotApplicableError,
    active,
    is_temporary,
    tidied,
)
from dagproof.runs.lab import Lab
from dagproof.runs.points import Point, thinned
from dagproof.runs.scope import NOT_TRIED
from dagproof.stores.diff import Diff, diff
from dagproof.stores.snapshot import File, Snapshot, Table
from dagproof.worlds.failing import RunFailedError

#: What is not seen of a run.
UNSEEN = LeftOut("what a shell command, or a library in C, does to files", "is not seen, and no run is killed there")


class Crash(Law):
    """A run killed at any point leaves all of the old or all of the new, and running again heals it.

    ## What it does
    Kills a run at each of its points, checks what a reader sees then, and runs the date again.

    The points are the messages that the run sends to PostgreSQL (the process is killed before a message arrives, or
    its reply is lost, such as that of a COMMIT), and its file operations. They are tried in the first run of a date,
    and in its rerun. Right after the crash, a reader must see all of the old rows or all of the new ones, table by
    table and file by file; after the next run, the rows must be those of an undisturbed run. Files with a temporary
    name may remain. Declare tables and files that nobody reads before the run ends as `scratch` in the configuration.
    If several tasks, or instances of a mapped task, each write a part of a table, a reader may see some of the parts:
    let one task publish all of them, or `exempt` the table.

    ## Why is this bad
    Workers are evicted, networks break, and disks fill up, at any point. Somebody reads a half-written
    table before it is fixed, and what a rerun does not heal stays broken.

    ## Example
    ```python
    hook.run("DELETE FROM users WHERE dt = …", autocommit=True)
    hook.run("INSERT INTO users SELECT …", autocommit=True)
    ```

    ## Use instead
    ```python
    hook.run(["DELETE FROM users WHERE dt = …", "INSERT INTO users SELECT …"])  # one transaction
    ```
    """

    name = "crash"
    order = 40
    effort = 5
    relation = (
        "for every fault point k: S(run D crashed at k, run D) = S(run D); and what a reader could see right after the "
        "crash is all of the old partition or all of the new one"
    )
    verdict = "not crash-safe"
    accusation = "does not survive a crash"
    headline = "Rows differ after a crash and another run"
    sides = ("without the crash", "after the crash and another run")
    promise = "a run killed at any point leaves all of the old or all of the new, and running again heals it"

    def histories(self, lab: Lab) -> Iterable[History]:
        """The first date cut off at each point of its run, and then at each point of its rerun."""
        date = active(lab)[0]
        run, rerun = Step("run", date), Step("rerun", date)
        for before in ((), (run,)):
            try:
                points = self._tried(lab, (*before, rerun if before else run))
            except RunFailedError:
                if not before:
                    raise
                return  # a rerun fails, also where nothing has crashed
            if not points and not before:
                raise NotApplicableError(
                    f"its runs have no point at which they could be killed ({UNSEEN.what} {UNSEEN.why})"
                )
            for point in points:
                yield (*before, Step("crash", date, point=point.name), rerun)

    def check(self, lab: Lab, history: History) -> Finding:
        """Compare what a reader sees after the crash, and what is there after the next run."""
        date = history[0].date
        crashed = history[:-1]
        old = lab.before(history) if len(history) == 2 else lab.state((Step("run", date),))
        new = self._whole(lab, history)
        noise = self.noise(lab, (Step("run", date),))
        exempt = lab.proof.exempt.get(self.name, ())
        old, new, now = (s.without_whole(exempt).without(noise) for s in (old, new, lab.state(crashed)))
        old, new, now = (s.without_columns(lab.proof.scratch) for s in (old, new, now))
        torn, survived = self._torn(lab, old, new, now, crashed)
        if lab.report(crashed).state == "success" and not torn:
            survived = "new"
        healed = self._healed(lab, history, now)
        fault = _described(lab, crashed, survived, healed=not healed)
        left_out = self._left_out(lab, date)
        if healed:
            return Finding(
                healed.diff, healed.not_compared, True, headline=healed.headline, faults=(fault,), left_out=left_out
            )
        if torn:
            return Finding(
                torn,
                not_compared=noise,
                verdict="not atomic",
                accusation="is not atomic",
                headline="A reader sees half of it after a crash",
                sides=("whole", "after the crash"),
                history=crashed,
                faults=(fault,),
                left_out=left_out,
            )
        return Finding(not_compared=noise, faults=(fault,), left_out=left_out)

    def _left_out(self, lab: Lab, date: str) -> tuple[LeftOut, ...]:
        """Return what was not cut off in the run of the date."""
        run = (Step("run", date),)
        points, alike = lab.points(run)
        few = len(points) - len(self._tried(lab, run))
        found = [LeftOut(part.removesuffix(" left out"), "left out") for part in alike.split("; ") if part]
        if few:
            found.append(LeftOut(f"{few} of {len(points)} points of a run", "left out, as asked for", "--max-points"))
        if not any(point.kind == "file" for point in points) and self._writes_files(lab, run):
            found.append(UNSEEN)
        try:
            lab.state((*run, Step("rerun", date)))
        except RunFailedError:
            found.append(LeftOut("a crash of a rerun", f"{NOT_TRIED}, as a rerun fails without a crash, too"))
        return tuple(found)

    def _writes_files(self, lab: Lab, run: History) -> bool:
        """Tell whether a run changes a file, or a table that is in one."""
        state = lab.state(run)
        found = diff(lab.before(run), state)
        return bool(found.files) or any(t.table in state.tables and state.tables[t.table].path for t in found.tables)

    def _tried(self, lab: Lab, history: History) -> list[Point]:
        """Return the points of the last run of `history` that are tried: all, unless somebody wants fewer."""
        points, _ = lab.points(history)
        return thinned(points, lab.config.max_points or len(points))

    def _healed(self, lab: Lab, history: History, crashed: Snapshot) -> Finding:
        """Compare with an undisturbed run, but for temporary files that the crash has left.

        Many crashes leave the same world (all those within a transaction do): there, the next run is made once.
        """
        key = (lab.report(history[:-1]).fingerprint, history[:-2])
        if key not in lab.healed:
            lab.healed[key] = self._run_again(lab, history, crashed)
        finding: Finding = lab.healed[key]
        return finding

    def _whole(self, lab: Lab, history: History) -> Snapshot:
        """Return what the run that is cut off leaves when it is not."""
        try:
            return lab.state(_undisturbed(history))
        except RunFailedError:  # a rerun, which is not this law's to judge
            return lab.state((Step("run", history[0].date),))

    def _run_again(self, lab: Lab, history: History, crashed: Snapshot) -> Finding:
        undisturbed = _undisturbed(history)
        finding = tidied(self.compared(lab, undisturbed, history), [crashed])
        if finding and not finding.diff and finding.headline:
            again = finding.headline[:1].lower() + finding.headline[1:]
            return replace(finding, headline=f"A date that crashed cannot be run again: {again}")
        if finding and not tidied(self._at_that_time(lab, undisturbed, history), [crashed]):
            return Finding(not_compared=finding.not_compared)
        return finding

    def _at_that_time(self, lab: Lab, undisturbed: History, history: History) -> Finding:
        """Compare with an undisturbed run at the time at which the crash was healed, which is not to blame for that."""
        try:
            clock = lab.report(history).clock
            return self.compared(lab, (*undisturbed[:-1], replace(undisturbed[-1], at=clock)), history)
        except RunFailedError:
            return Finding(broken=True)

    def _torn(self, lab: Lab, old: Snapshot, new: Snapshot, now: Snapshot, crashed: History) -> tuple[Diff, str]:
        """Return how `now` is neither the old nor the new state, and one word for what it is.

        The word is about tables; about files where the run writes nothing else.
        """
        untouched = lab.before(crashed)
        lab.scope.compared.add(old, new, now)
        as_old, now = lab.renamed(old, now), lab.renamed(new, now)
        scratch = lab.proof.scratch
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
        files = [
            path for path in files if Snapshot(files={path: _any(path, old, new, now)}).without_whole(scratch).files
        ]
        survived |= {"partial"} if files else set()
        if not any(_rows(old.tables.get(name)) != _rows(table) for name, table in new.tables.items()):
            written = {path for path, file in new.files.items() if file != old.files.get(path)}
            survived |= {"new" for path in written if now.files.get(path) == new.files[path]}
        found = diff(
            Snapshot(whole_tables, {p: f for p in files if (f := new.files.get(p) or old.files.get(p))}),
            Snapshot(torn_tables, {p: now.files[p] for p in files if p in now.files}),
        )
        return found, next(word for word in ("partial", "new", "scratch", "old") if word in survived)


def _undisturbed(history: History) -> History:
    """Return a history without its crash: what is left begins with a run."""
    first, *others = (step for step in history if step.kind != "crash")
    return (Step("run", first.date), *others)


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


def _described(lab: Lab, crashed: History, survived: str, *, healed: bool) -> FaultOutcome:
    points, _ = lab.points((*crashed[:-1], Step("rerun" if len(crashed) > 1 else "run", crashed[-1].date)))
    point = next((p for p in points if p.name == crashed[-1].point), Point("message", 0))
    place = "file" if point.kind == "file" else "wire"
    when = "after" if point.kind == "reply" else "before"
    note = "in the rerun" if len(crashed) > 1 else ""
    return FaultOutcome(place, point.number, when, point.what, point.task, survived, healed, note)
