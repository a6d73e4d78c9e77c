"""A run that is cut off, at whatever point, leaves all of the old or all of the new, and is healed by running again."""

from __future__ import annotations

from collections.abc import Iterable

from dagproof.histories import History, Step
from dagproof.inside.exchange import LeftOut
from dagproof.laws import faults
from dagproof.laws.base import Finding, Law, NotApplicableError, active
from dagproof.laws.verdict import FaultOutcome
from dagproof.runs.lab import Lab
from dagproof.runs.points import Point, thinned
from dagproof.runs.scope import NOT_TRIED
from dagproof.stores.diff import diff
from dagproof.stores.snapshot import Snapshot
from dagproof.worlds.failing import RunFailedError

#: What is not seen of a run.
UNSEEN = LeftOut("what a shell command, or a library in C, does to files", "is not seen, and no run is killed there")


class Crash(Law):
    """A run killed at any point leaves all old or all new rows, and a rerun heals it.

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
    promise = "a run killed at any point leaves all old or all new rows, and a rerun heals it"

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
        torn, survived = faults.torn(lab, old, new, now, crashed)
        if lab.report(crashed).state == "success" and not torn:
            survived = "new"
        healed = faults.healed(self, lab, history, now)
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
                headline="After a crash, a reader sees only part of the rows",
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

    def _whole(self, lab: Lab, history: History) -> Snapshot:
        """Return what the run that is cut off leaves when it is not."""
        try:
            return lab.state(faults.undisturbed(history))
        except RunFailedError:  # a rerun, which is not this law's to judge
            return lab.state((Step("run", history[0].date),))


def _described(lab: Lab, crashed: History, survived: str, *, healed: bool) -> FaultOutcome:
    points, _ = lab.points((*crashed[:-1], Step("rerun" if len(crashed) > 1 else "run", crashed[-1].date)))
    point = next((p for p in points if p.name == crashed[-1].point), Point("message", 0))
    place = "file" if point.kind == "file" else "wire"
    when = "after" if point.kind == "reply" else "before"
    note = "in the rerun" if len(crashed) > 1 else ""
    return FaultOutcome(place, point.number, when, point.what, point.task, survived, healed, note)
