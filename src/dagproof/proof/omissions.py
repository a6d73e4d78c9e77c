"""What a verdict does not vouch for, worked out from what its law has looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from dagproof.config import FILL_IN
from dagproof.histories import History
from dagproof.inside.exchange import LeftOut, RunReport
from dagproof.laws import Finding, Law
from dagproof.postgres import standins
from dagproof.runs.lab import Lab
from dagproof.runs.scope import NOT_COMPARED, NOT_TRIED, UNSEEN, listed, reported, with_beside

NOISY = "not compared, as fresh runs differ there"
LITTER = "not compared, as a crash may leave a temporary file"
ALLOWED = "may end green without its rows"
INVENTED = "still a value to fill in, so that the proof is about an invented one"
#: How a task ends that did nothing.
IDLE = {"skipped", "upstream_failed", "removed", "never started"}
SAME_ORDER = "not tried with rows in another order"
NOT_HELD = "not refused on this machine, where C libraries and shell commands reach outside"


def left_out(lab: Lab, law: Law, tried: Mapping[History, Finding]) -> tuple[LeftOut, ...]:
    """Return all that the verdict of `law`, over these histories, does not vouch for."""
    findings = list(tried.values())
    known = {
        *configured(lab, law),
        *lab.taken_out(),
        *_stand_ins(lab),
        *(LeftOut(name, _why(lab, name)) for finding in findings for name in finding.not_compared),
        *(entry for finding in findings for entry in finding.left_out),
        *lab.scope.left_out,
        *reported(lab.ran()),
        *_idle_tasks(lab),
        *_wanted_failures(lab.ran()),
        *_failed_callbacks(lab.ran()),
        *(LeftOut(table, SAME_ORDER) for report in lab.ran() for table in report.unturned),
        *(LeftOut(name, NOT_COMPARED) for written in lab.written() for name in written.after.uncompared),
        *_dates_without(lab.dates, tried),
        *(LeftOut(what, NOT_HELD) for what in lab.not_held),
    }
    if any(finding and not finding.diff for finding in findings):  # a run failed, so there was nothing to compare
        return tuple(sorted(known, key=_in_order))
    known |= {LeftOut(name, UNSEEN) for name in _uncompared(lab, law) - {entry.what for entry in known}}
    return tuple(sorted(known, key=_in_order))


def _in_order(entry: LeftOut) -> tuple[str, str, str]:
    return entry.why, entry.setting, entry.what


def _why(lab: Lab, name: str) -> str:
    """Return why a law has not compared a column; of a file, it is that a crash has left it, and it looks temporary."""
    return LITTER if name in lab.scope.compared.files else NOISY


def configured(lab: Lab, law: Law) -> Iterator[LeftOut]:
    """Yield what the configuration keeps out of the comparisons of `law`, and what it leaves to be filled in."""
    yield from to_fill_in(lab)
    yield from (LeftOut(entry, NOT_COMPARED, "ignore") for entry in lab.ignore)
    yield from (LeftOut(entry, NOT_COMPARED, f"exempt.{law.name}") for entry in lab.proof.exempt.get(law.name, ()))
    yield from (LeftOut(entry, NOT_COMPARED, "scratch") for entry in lab.proof.scratch)
    if law.name == "outage":
        yield from (LeftOut(entry, ALLOWED, "outage.allow") for entry in lab.proof.outage.get("allow", ()))


def to_fill_in(lab: Lab) -> Iterator[LeftOut]:
    """Yield the settings whose values only the user knows, and that still are what ``dagproof init`` has written."""
    world = lab.config.world
    for table, values in (("connections", world.connections), ("variables", world.variables), ("env", world.env)):
        yield from (LeftOut(f"{table}.{name}", INVENTED) for name, value in values.items() if FILL_IN in str(value))


def nothing_left(lab: Lab, law: Law) -> str:
    """Return why nothing that the runs wrote was compared; an empty text where something was, or they wrote nothing."""
    compared = {*lab.scope.compared.tables, *lab.scope.compared.files}
    names: set[str] = set()
    for written in lab.written():
        names |= written.changed
        if names & compared:
            return ""
    elsewhere = set(reported(lab.ran()))
    if not (names or elsewhere):
        return ""
    settings = {entry.setting for entry in (*configured(lab, law), *elsewhere)}
    beside = [*sorted(names), *sorted(entry.what for entry in elsewhere)]
    return f"nothing that its runs write is compared: {listed(beside, sorted(settings))}"


def _stand_ins(lab: Lab) -> Iterator[LeftOut]:
    """Yield the extensions of PostgreSQL in whose place something of ours is."""
    for written in lab.written():
        for name, parts in written.after.structure.items():
            extension = name.rpartition(":")[2]
            if any(part.kind == "extension" and part.definition == standins.VERSION for part in parts):
                yield LeftOut(extension, f"is {standins.DIFFERENCES[extension]}", "--postgres embedded")


def _idle_tasks(lab: Lab) -> Iterator[LeftOut]:
    """Yield the tasks that did nothing in any run, with what Airflow calls that."""
    ended: dict[str, set[str]] = {}
    began: set[str] = set()
    for report in lab.ran():
        if report.dag == lab.dag_id:
            began |= {task.task_id for task in report.tasks}
            for state in report.states:
                ended.setdefault(state.task_id, set()).add(state.state or "never started")
    for task_id in lab.about.tasks if ended else ():
        states = ended.get(task_id, {"never started"})
        if states <= IDLE:
            how = ", ".join(sorted(states))
            yield LeftOut(task_id, "skipped itself in each run" if task_id in began else f"ran in no history ({how})")


def _wanted_failures(reports: Iterable[RunReport]) -> Iterator[LeftOut]:
    """Yield the tasks that failed and may, each with the first error that it had."""
    errors: dict[str, str] = {}
    for report in with_beside(reports):
        for failure in report.failures:
            if failure.wanted and failure.state == "failed":
                errors.setdefault(failure.task_id, failure.error or "no reason given")
    yield from (LeftOut(task_id, f"failed, as allowed: {error}", "may_fail") for task_id, error in errors.items())


def _failed_callbacks(reports: Iterable[RunReport]) -> Iterator[LeftOut]:
    """Yield the callbacks that failed, which Airflow only logs, each with the first error that it had."""
    errors: dict[str, str] = {}
    for report in with_beside(reports):
        errors = {**report.callbacks, **errors}
    yield from (LeftOut(what, f"failed, reported only in the log: {error}") for what, error in errors.items())


def _dates_without(dates: Sequence[str], tried: Iterable[History]) -> Iterator[LeftOut]:
    """Yield the dates that no history has."""
    seen = {date for history in tried for step in history for date in (step.date, step.other)}
    yield from (LeftOut(date, NOT_TRIED) for date in dates if date not in seen)


def _uncompared(lab: Lab, law: Law) -> set[str]:
    """Return the tables and files that a run wrote and nobody compared, but for those that the configuration names."""
    compared = {*lab.scope.compared.tables, *lab.scope.compared.files}
    found = {name for written in lab.written() for name in written.changed - compared}
    if not found:
        return found
    seen = (law.seen(lab, state) for written in lab.written() for state in (written.before, written.after))
    return found & {name for snapshot in seen for name in (*snapshot.tables, *snapshot.files)}
