"""Look at the source of DAG files, one at a time: what the rules find, and what the files tell of each other."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from dagproof.check.facts import facts
from dagproof.output.crashes import summary
from dagproof.rules import Finding, Rule
from dagproof.rules.base import SourceFile
from dagproof.source.dagfile import DagFile
from dagproof.source.files import may_hold_dags
from dagproof.source.names import Resolver
from dagproof.source.notebooks import SUFFIX
from dagproof.source.project import Module
from dagproof.source.reading import UnreadableError, too_deep
from dagproof.source.scripts import as_script, is_spark


@dataclass(frozen=True)
class Looked:
    """What the source of one file gave: findings before any suppression, and facts; or why it can't be looked at."""

    findings: tuple[Finding, ...]
    source: SourceFile
    is_dag_file: bool = False
    """Whether Airflow looks at it."""
    unreadable: str | None = None
    comments: bool = False
    """Whether a comment in it may speak to us."""
    is_script: bool = False
    """Whether it is a script or notebook of Spark, and no DAG file."""
    unread: tuple[tuple[str, str], ...] = ()
    """The other files that it needs and that can't be read, each with the reason."""
    unfollowed: tuple[tuple[str, int, str], ...] = ()
    """Imports of the project's own modules that lead nowhere: path, line, and what is imported."""


def look_at(module: Module, resolver: Resolver, rules: Collection[Rule]) -> Looked:
    """Look at the source of one file."""
    try:
        return _look_at(module, resolver, rules)
    except UnreadableError as error:
        reason = str(error)
    except Exception as error:  # its neighbours are looked at all the same
        reason = f"dagproof failed on it ({summary(error)}), which is a bug in dagproof; please report it"
    return Looked((), SourceFile(module.shown), _may_hold_dags(module), reason)


def _look_at(module: Module, resolver: Resolver, rules: Collection[Rule]) -> Looked:
    text = module.text
    comments = "dagproof:" in text
    is_dag_file = may_hold_dags(text) and module.path.suffix != SUFFIX
    is_script = not is_dag_file and is_spark(text)
    of_script = _of_script(module, resolver, rules) if is_script else []
    if not is_dag_file and ("dag" not in text.lower() or module.path.suffix == SUFFIX):
        if not is_script:
            _ = module.tree  # a syntax error is reported
        return Looked(tuple(of_script), SourceFile(module.shown), comments=comments, is_script=is_script)
    try:
        dagfile = DagFile(module, resolver)
        told = facts(dagfile, skipped=not is_dag_file)
        wanted = rules if dagfile.dags and is_dag_file else ()
        found, failed = _checked(dagfile, wanted)
    except RecursionError as error:
        raise UnreadableError(too_deep(error)) from error
    return Looked(
        (*of_script, *found),
        told,
        is_dag_file,
        is_script=is_script,
        unreadable="; ".join(failed) or None,
        comments=comments,
        unread=tuple(_unread(module)),
        unfollowed=tuple(_unfollowed(dagfile)),
    )


def _of_script(module: Module, resolver: Resolver, rules: Collection[Rule]) -> list[Finding]:
    """What rules find in a script or notebook of Spark."""
    try:
        script = as_script(module, resolver)
        return [finding for rule in rules for finding in rule.check_script(script)]
    except RecursionError as error:
        raise UnreadableError(too_deep(error)) from error


def _unread(module: Module) -> Iterator[tuple[str, str]]:
    """Yield the files that a file needs and that can't be read."""
    for path in module.project.reached(module.path)[1:]:
        other = module.project.module(path)
        if other.failure:
            yield other.shown, other.failure


def _unfollowed(dagfile: DagFile) -> Iterator[tuple[str, int, str]]:
    """Yield the imports of the project's own modules that lead nowhere."""
    project = dagfile.module.project
    for body in dagfile.bodies:
        module = body.scope.module
        for one in body.scope.imports:
            is_own = one.target and not one.is_guarded and project.is_own(one.target, module)
            if is_own and project.find(one.target, module) is None:
                yield module.shown, getattr(one.node, "lineno", 1), project.written(one.target)


def _checked(dagfile: DagFile, rules: Collection[Rule]) -> tuple[list[Finding], list[str]]:
    """Return what the rules find, and a sentence on each rule that failed itself: the others look all the same."""
    found: list[Finding] = []
    failed = []
    for rule in rules:
        try:
            found += rule.check(dagfile)
        except RecursionError:
            raise
        except Exception as error:
            failed.append(
                f"the rule {rule.name} failed on it ({type(error).__name__}: {error}), which is a fault of dagproof's; "
                f"please report it, and skip the rule with --ignore {rule.name} until it is fixed"
            )
    return found, failed


def _may_hold_dags(module: Module) -> bool:
    try:
        return may_hold_dags(module.text)
    except UnreadableError:
        return True  # Airflow looks at the bytes
