"""What a verdict does not vouch for, worked out from what its law has looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from dagproof.histories import History
from dagproof.lab import Lab
from dagproof.laws import Finding, Law
from dagproof.scope import NOT_COMPARED, NOT_TRIED, LeftOut, listed, reported, with_beside
from dagproof.worlds.diff import differing_names
from dagproof.worlds.snapshot import Snapshot

NOISY = "not compared, as fresh runs differ there"
#: How a task ends that did nothing.
IDLE = {"skipped", "upstream_failed", "removed", "never started"}
BESIDE = "not compared nor restored"
UNSEEN = "not compared, although a run wrote it"


def left_out(lab: Lab, law: Law, dates: Sequence[str], tried: Mapping[History, Finding]) -> tuple[LeftOut, ...]:
    """Return all that the verdict of `law`, over these histories, does not vouch for."""
    findings = list(tried.values())
    known = {
        *configured(lab, law),
        *(LeftOut(name, NOISY) for finding in findings for name in finding.not_compared),
        *(entry for finding in findings for entry in finding.left_out),
        *lab.scope.left_out,
        *reported(lab.ran()),
        *_idle_tasks(lab),
        *_wanted_failures(lab.ran()),
        *_dates_without(dates, tried),
    }
    unseen = {LeftOut(name, UNSEEN) for name in _uncompared(lab) if not _names(lab, law, name)}
    return tuple(sorted(known | unseen, key=lambda entry: (entry.why, entry.setting, entry.what)))


def configured(lab: Lab, law: Law) -> Iterator[LeftOut]:
    """Yield what the configuration keeps out of the comparisons of `law`, and where it lets runs leave their world."""
    yield from (LeftOut(entry, NOT_COMPARED, "ignore") for entry in lab.ignore)
    yield from (LeftOut(entry, NOT_COMPARED, f"exempt.{law.name}") for entry in lab.proof.exempt.get(law.name, ()))
    yield from (LeftOut(entry, NOT_COMPARED, "scratch") for entry in lab.proof.scratch)
    yield from (LeftOut(entry, BESIDE, "world.allow") for entry in lab.config.world.allow)


def nothing_left(lab: Lab, law: Law) -> str:
    """Return why nothing that the runs wrote was compared; an empty text where something was, or they wrote nothing."""
    names = {name for before, after in lab.written() for name in differing_names(before, after)}
    elsewhere = set(reported(lab.ran()))
    if names & {*lab.scope.compared.tables, *lab.scope.compared.files} or not (names or elsewhere):
        return ""
    settings = {entry.setting for entry in (*configured(lab, law), *elsewhere)}
    beside = [*sorted(names), *sorted(entry.what for entry in elsewhere)]
    return f"nothing that its runs write is compared: {listed(beside, sorted(settings))}"


def _idle_tasks(lab: Lab) -> Iterator[LeftOut]:
    """Yield the tasks that did nothing in any run, with what Airflow calls that."""
    ended: dict[str, set[str]] = {}
    began: set[str] = set()
    for report in lab.ran():
        if report["dag"] == lab.dag_id:
            began |= {task["task_id"] for task in report["tasks"]}
            for state in report.get("states", ()):
                ended.setdefault(state["task_id"], set()).add(state["state"] or "never started")
    for task_id in lab.about["tasks"] if ended else ():
        states = ended.get(task_id, {"never started"})
        if states <= IDLE:
            how = ", ".join(sorted(states))
            yield LeftOut(task_id, "skipped itself in each run" if task_id in began else f"ran in no history ({how})")


def _wanted_failures(reports: Iterable[Mapping[str, Any]]) -> Iterator[LeftOut]:
    """Yield the tasks that failed and may, each with the first error that it had."""
    errors: dict[str, str] = {}
    for report in with_beside(reports):
        for failure in report.get("failures", ()):
            if failure["wanted"] and failure["state"] == "failed":
                errors.setdefault(failure["task_id"], failure["error"] or "no reason given")
    yield from (LeftOut(task_id, f"failed, as it may: {error}", "may_fail") for task_id, error in errors.items())


def _dates_without(dates: Sequence[str], tried: Iterable[History]) -> Iterator[LeftOut]:
    """Yield the dates that no history has."""
    seen = {date for history in tried for step in history for date in (step.date, step.other)}
    yield from (LeftOut(date, NOT_TRIED) for date in dates if date not in seen)


def _uncompared(lab: Lab) -> set[str]:
    """Return the tables and files that a run wrote and nobody compared."""
    compared = {*lab.scope.compared.tables, *lab.scope.compared.files}
    return {
        name
        for before, after in lab.written()
        for name in _names_of(before, after) - compared
        if before.tables.get(name) != after.tables.get(name) or before.files.get(name) != after.files.get(name)
    }


def _names(lab: Lab, law: Law, name: str) -> bool:
    """Tell whether the configuration names a table or file, so that its own entry stands for it."""
    everything = [snapshot for pair in lab.written() for snapshot in pair]
    return all(name not in _names_of(law.seen(lab, snapshot.without(lab.ignore))) for snapshot in everything)


def _names_of(*snapshots: Snapshot) -> set[str]:
    return {name for snapshot in snapshots for name in (*snapshot.tables, *snapshot.files)}
