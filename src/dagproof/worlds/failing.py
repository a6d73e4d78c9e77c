"""A run that did not end in success, and why: in one sentence, for people."""

from __future__ import annotations

import re

from dagproof.config import WorldConfig
from dagproof.errors import DagproofError
from dagproof.inside.exchange import Failure, RunReport
from dagproof.stores.snapshot import Snapshot

#: How many of the refusals that a run met are shown when it fails.
MOST_REFUSALS = 3
#: What an error says when a task expects a date that its run does not have; and what is said of it then.
OF_DATES = re.compile(r"\b(ds(_nodash)?|ts(_nodash)?|logical_date|data_interval(_start|_end)?|None(Type)?)\b")
#: The path that a refusal is about: one of them is enough for each.
OUTSIDE = re.compile(r" (/\S+), which is outside its world")
#: How Airflow begins what it says of a param that has no valid value.
INVALID_PARAM = "ParamValidationError"
DATELESS = " (a run that an asset triggers has no logical_date and no ds; dag_run.run_after is always there)"


class RunFailedError(DagproofError):
    """A run did not end in success, so that there is nothing to compare."""

    def __init__(self, message: str, log_tail: str, report: RunReport | None = None) -> None:
        super().__init__(message)
        self.log_tail = log_tail
        self.report = report or RunReport()
        """What the run says of itself, as far as it could."""
        self.left: Snapshot | None = None
        """What is in the stores after it; None where nobody has looked."""

    @property
    def raised(self) -> str:
        """``file.py:line`` of the user's own code that the error of its task went through; empty without any."""
        failure = unwanted(self.report)
        return (failure and failure.raised) or ""


def why(what: str, report: RunReport, world: WorldConfig) -> str:
    """Return in one sentence why the run that `what` names did not end in success."""
    if report.state == "timeout":
        limit = f"more than {world.timeout:g} s"
        return f"{what} took {limit} and was killed; raise timeout in [tool.dagproof.world] if it must"
    if report.state == "full":
        return (
            f"{what} wrote more than {world.disk:g} MB and was killed; raise disk in [tool.dagproof.world] if it must"
        )
    if report.reason:
        params = f"; set its params with conf in [tool.dagproof.proofs.{report.dag}]" * (INVALID_PARAM in report.reason)
        return f"{what} failed: {report.reason}{params}" + refusals(report)
    failure = unwanted(report)
    if failure is None:
        return f"{what} ended as {report.state}, and no task failed" + refusals(report)
    return f"{what} {_how_it_failed(failure, report)}" + refusals(report)


def unwanted(report: RunReport) -> Failure | None:
    """Return the first task that failed, although the configuration does not let it; None where there is none."""
    return next((failure for failure in report.failures if not failure.wanted), None)


def _how_it_failed(failure: Failure, report: RunReport) -> str:
    """Return what is said of a run in which a task failed: that it is green all the same, where it is."""
    task, where = failure.task_id, f" in [tool.dagproof.proofs.{report.dag}]"
    if failure.state == "upstream_failed":
        why = "did not run, because a task before it failed"
        return f"failed: task {task} {why}; if it may fail, add {task!r} to may_fail{where}"
    error = failure.error or "no reason given"
    if report.dag_run != "success":
        hint = DATELESS if not report.dated and OF_DATES.search(error) else ""
        return f"failed in task {task}: {error}{hint}"
    return f"is green, but task {task} failed: {error}; if it may fail, add {task!r} to may_fail{where}"


def refusals(report: RunReport) -> str:
    """Return what was refused to the run, to follow its error, where that does not say it already."""
    errors = [report.reason or "", *(task.error or "" for task in report.tasks)]
    once: dict[str, str] = {}
    for told in report.refused:
        once.setdefault(path[1] if (path := OUTSIDE.search(told)) else told, told)
    untold = [told for told in once.values() if not any(told in error for error in errors)]
    more = f" (and {len(untold) - MOST_REFUSALS} more)" if len(untold) > MOST_REFUSALS else ""
    return "".join(f"; {told}" for told in untold[:MOST_REFUSALS]) + more


def sentence(failure: RunFailedError) -> str:
    """Return why a run failed as a headline: the first letter a capital."""
    text = str(failure)
    return text[:1].upper() + text[1:]
