"""A run that meets an error ends red, or with its rows; and running again heals it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from dagproof.histories import History, Step
from dagproof.histories.steps import count
from dagproof.inside.exchange import LeftOut, RunReport
from dagproof.laws import faults
from dagproof.laws.base import Finding, Law, NotApplicableError, active, tidied
from dagproof.laws.verdict import FaultOutcome
from dagproof.runs.erring import Attempt, attempts, between
from dagproof.runs.lab import Lab
from dagproof.runs.points import Point, thinned
from dagproof.runs.scope import NOT_TRIED
from dagproof.stores.diff import Diff
from dagproof.stores.snapshot import Snapshot
from dagproof.worlds.failing import RunFailedError, unwanted

#: What is not seen of a run.
UNSEEN = LeftOut("what a shell command, or a library in C, does to files", "is not seen, and meets no error there")
#: Where this kernel shows no system calls.
NO_CONNECTS = LeftOut("a connection that is refused", f"{NOT_TRIED}, as this machine does not show connections")
#: A file that is gone is so for the code that opens it.
STILL_LISTED = LeftOut("a file that is gone", "is still listed, and exists, for code that looks before it opens one")
HANGS = "not judged, as the run then waits until it is killed"
_VERB = re.compile(r"(open|rename to|link to|remove|truncate) ")


class Outage(Law):
    """A run that hits an error ends red, or with its rows, and a rerun heals it.

    ## What it does
    Makes a run hit one error at each of its points. A run that ends green must have its rows.

    The points are connections (refused), statements (a deadlock, a cancelled statement, a serialization failure at
    COMMIT), the reply to a COMMIT (lost), files that are written or read (a full disk, a missing file), and pokes of
    sensors and triggers. PostgreSQL itself raises the errors, so that each client raises its own exception, and the
    transaction is what PostgreSQL makes of it. Each error happens once, and at some points every time from then on, as
    in a real outage, when the server is gone. Tasks have the retries of the DAG, and at least one. After a run that
    ends red, a reader must see all of the old rows or all of the new ones, and the next run must lead to the rows of
    an undisturbed run. What `exempt.crash` lists may be half-written after an error, too. The run is the first one of
    its date; `crash` also tries reruns.

    If a task reads the same thing several times, the first and the last read hit an error. A function that is not
    PostgreSQL's own is assumed to write. A run that triggers others without waiting is green only if these are.

    The verdict is `loses rows in silence`, `not healed by running again`, or `not atomic`. `--all-errors` tries each
    error at each point, such as a server that shuts down, or too many connections. If a task ends green or skipped
    without its rows on purpose, configure that: `outage.allow = ["fetch: connection refused"]`. Running again must
    then heal it.

    ## Why is this bad
    Nobody looks at a green run. If a handler logs an error and goes on, or a command ends in `|| true`, the rows of
    that day never arrive, and the report built on them is wrong.

    ## Example
    ```python
    try:
        hook.run(["DELETE FROM users WHERE dt = …", "INSERT INTO users SELECT …"])
    except Exception:
        log.exception("load failed")  # and the task is green
    ```

    ## Use instead
    ```python
    hook.run(["DELETE FROM users WHERE dt = …", "INSERT INTO users SELECT …"])  # the task fails, and is retried
    ```
    """

    name = "outage"
    order = 45
    effort = 6
    relation = (
        "for every point k and an error met there: a green run D has its S; after a red one, S(run D) is whole, and "
        "S(run D with the error, run D) = S(run D)"
    )
    verdict = "loses rows in silence"
    accusation = "silently loses rows"
    headline = "A run hit an error, ended green, and its rows differ"
    sides = ("without the error", "with it")
    promise = "a run that hits an error ends red, or with its rows, and a rerun heals it"
    finds_handlers = True

    def histories(self, lab: Lab) -> Iterable[History]:
        """A run that meets an error at one of its points, and another one after it."""
        before, date = _place(lab, active(lab))
        run = (*before, Step("run", date))
        tried = self._tried(lab, run)
        if not tried:
            raise NotApplicableError(
                f"its runs have no point at which they could hit an error ({UNSEEN.what} {UNSEEN.why})"
            )
        self._leave_out(lab, run, tried)
        for one in tried:
            if one.lasts and any(entry.why == HANGS for entry in lab.scope.left_out):
                continue  # each of them would take as long as a run may take
            fault = Step("outage", date, point=one.point.name, error=one.error, lasts=one.lasts)
            yield (*before, fault, Step("rerun", date))

    def simpler(self, lab: Lab, history: History) -> Iterable[History]:
        """The same without the run of an earlier date."""
        return [history[1:]] if history[0].kind == "run" else ()

    def check(self, lab: Lab, history: History) -> Finding:
        """Judge how the run ends, what a reader sees then, and what is there after the next run."""
        number = next(n for n, step in enumerate(history) if step.kind == "outage")
        disturbed, again = history[: number + 1], (*history[: number + 1], Step("rerun", history[number].date))
        try:
            now = lab.state(disturbed)
        except RunFailedError as failure:
            if failure.report.state == "timeout" and history[number].lasts:
                lab.scope.leave_out("an error that is met each time", HANGS)
                return Finding()
            raise
        report = lab.report(disturbed)
        point = lab.point(disturbed) or Point("message", 0)
        if not report.reached:
            return Finding(
                left_out=(LeftOut(f"{point.name} ({point.what})", f"{NOT_TRIED}: the run did not get there"),)
            )
        is_green = _is_green(report)
        lost = self._lost(lab, disturbed, now, report) if is_green else Finding()
        if is_green and not lost:
            return replace(lost, faults=(_described(history[number], point, "new"),))
        if lost and not _is_allowed(lab, history[number].error, point.task):
            return replace(lost, faults=(_described(history[number], point, "lost", healed=False),))
        return self._after_red(lab, again, now, point)

    def _lost(self, lab: Lab, disturbed: History, now: Snapshot, report: RunReport) -> Finding:
        """Return how the rows of a green run differ from those of an undisturbed one, and what is said of that."""
        expected = faults.undisturbed((*disturbed[:-1], Step("run", disturbed[-1].date)))
        finding = tidied(self.compared(lab, expected, disturbed), [now])
        if not finding:
            return finding
        last_try = max((task.begun for task in report.tasks), default="")  # a later one, which is not the error's fault
        if not tidied(faults.compared_at(self, lab, expected, disturbed, last_try), [now]):
            return Finding(not_compared=finding.not_compared)
        failed = unwanted(report)
        # Of a callback that fails, Airflow only logs the error.
        who = f"task {failed.task_id}" if failed else next(iter(report.callbacks), "")
        if who or _has_less(finding.diff):
            headline = f"The run is green, although {who} failed, and its rows differ" if who else ""
            return replace(finding, broken=True, history=disturbed, headline=headline)
        return replace(
            finding,
            broken=True,
            history=disturbed,
            verdict="not healed by running again",
            accusation="is not healed by running again after an error",
            headline="Rows differ after an error and a retry",
        )

    def _after_red(self, lab: Lab, again: History, now: Snapshot, point: Point) -> Finding:
        """Return what is wrong with what a run that ended red has left, and with what the next one makes of it."""
        *before, fault, _ = again
        disturbed = again[:-1]
        old = lab.state(tuple(before)) if before else lab.before(again)
        new = lab.state(faults.undisturbed(again))
        noise = self.noise(lab, (Step("run", fault.date),))
        exempt = (*lab.proof.exempt.get(self.name, ()), *lab.proof.exempt.get("crash", ()))
        old, new, now = (state.without_whole(exempt).without(noise) for state in (old, new, now))
        torn, survived = faults.torn(lab, old, new, now, disturbed)
        if "crash" in lab.proof.skip:
            torn = Diff()
        ill = faults.healed(self, lab, again, now)
        outcome = _described(fault, point, survived, healed=not ill)
        if ill:
            return Finding(
                ill.diff,
                ill.not_compared,
                True,
                verdict="not healed by running again",
                accusation="is not healed by running again after an error",
                headline=ill.headline or "Rows differ after an error and another run",
                sides=("without the error", "after the error and another run"),
                raised=ill.raised,
                history=again,
                faults=(outcome,),
            )
        if torn:
            return Finding(
                torn,
                not_compared=noise,
                verdict="not atomic",
                accusation="is not atomic",
                headline="After a failed run, a reader sees only part of the rows",
                sides=("whole", "after the error"),
                history=disturbed,
                faults=(outcome,),
            )
        return Finding(not_compared=noise, faults=(outcome,))

    def _tried(self, lab: Lab, run: History) -> list[Attempt]:
        """Return the errors that the last run of `run` meets: all, unless somebody wants fewer."""
        found = _attempts(lab, run)
        return thinned(found, lab.config.max_points or len(found))

    def _leave_out(self, lab: Lab, run: History, tried: Sequence[Attempt]) -> None:
        """Note where a run meets no error."""
        points, alike = lab.points(run)
        places = lab.places(run)
        for part in alike.split("; ") if alike else ():
            lab.scope.leave_out(part.removesuffix(" left out"), "left out")
        if few := len(_attempts(lab, run)) - len(tried):
            lab.scope.leave_out(f"{few} of {len(tried) + few} errors", "left out, as asked for", "--max-points")
        if passed_over := between([*places, *points]):
            lab.scope.leave_out(f"{count(len(passed_over), 'read')} between the first and the last alike", "left out")
        if any(one.error == "file gone" for one in tried):
            lab.scope.left_out.add(STILL_LISTED)
        if any(p.kind == "message" for p in points) and not any(p.kind == "connect" for p in places):
            lab.scope.left_out.add(NO_CONNECTS)
        seen = [point.what for point in points if point.kind == "file"]
        before = _files(lab.state((*run[:-1], Step("arrive", run[-1].date))))
        after = _files(lab.state(run))
        if any(before.get(name) != after.get(name) and not _is_seen(name[0], seen) for name in before | after):
            lab.scope.left_out.add(UNSEEN)


def _place(lab: Lab, dates: Sequence[str]) -> tuple[History, str]:
    """Return the date whose run meets errors, and what comes before it: a run that has left something to fall back on.

    Where the second date adds nothing, or has no run after the first one, it is the first date.
    """
    if len(dates) > 1:
        first, second = Step("run", dates[0]), Step("run", dates[1])
        try:
            if lab.state((first,)) != lab.state((first, second)):
                return (first,), dates[1]
        except RunFailedError:
            pass
    return (), dates[0]


def _attempts(lab: Lab, run: History) -> list[Attempt]:
    points, _ = lab.points(run)
    return attempts([*lab.places(run), *points], all_errors=lab.config.all_errors)


def _files(state: Snapshot) -> dict[tuple[str, str], object]:
    """Return what is in each file, and in each table of one that is a database."""
    tables = {(table.path, table.name): table for table in state.tables.values() if table.path}
    return {**{(path, ""): file for path, file in state.files.items()}, **tables}


def _is_seen(path: str, operations: Sequence[str]) -> bool:
    """Tell whether one of the operations was on this file, or on a folder that it is in."""
    return any(f"{path}/".startswith(f"{_VERB.sub('', operation)}/") for operation in operations)


def _is_green(report: RunReport) -> bool:
    """Tell whether Airflow shows nothing that failed: neither the run, nor one that it has triggered."""
    own = "success" in (report.state, report.dag_run)
    return own and (report.reason is None or all(_is_green(other) for other in report.beside))


def _is_allowed(lab: Lab, error: str, task: str) -> bool:
    """Tell whether the configuration lets a run end green without its rows after this error in the task."""
    entries = (entry.partition(":")[::2] for entry in lab.proof.outage.get("allow", ()))
    return any(fnmatchcase(task, name.strip()) and fnmatchcase(error, wanted.strip()) for name, wanted in entries)


def _has_less(found: Diff) -> bool:
    """Tell whether anything is missing, or other than it should be: not just more of it than there should be."""
    return (
        any(t.missing or t.changed or t.rows_after is None for t in found.tables)
        or any(file.change != "added" for file in found.files)
        or not (found.tables or found.files)
    )


def _described(step: Step, point: Point, survived: str, *, healed: bool = True) -> FaultOutcome:
    place = {"message": "wire", "reply": "wire"}.get(point.kind, point.kind)
    what = f"the reply to {point.what}" if point.kind == "reply" else point.what
    note = "each time" if step.lasts else ""
    return FaultOutcome(place, point.number, "error", what, point.task, survived, healed, note, step.error)
