"""Rules as tests: an item for each DAG file and rule. All of them share one check of the whole folder."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dagproof.check.checking import Checked, Files
from dagproof.check.command import check_project, configured_selection
from dagproof.check.text import finding_text
from dagproof.config import Config
from dagproof.errors import DagproofError
from dagproof.loaded.deployment import airflow_settings
from dagproof.pytest.nodes import file_node, shown
from dagproof.rules import Finding, Rule
from dagproof.source.files import may_hold_dags, python_files
from dagproof.source.reading import UnreadableError, decode, read_text

OUTCOME = pytest.StashKey["tuple[Checked, Files] | DagproofError"]()


class BrokenRuleError(AssertionError):
    """A rule is broken; the message is what ``dagproof check`` prints."""


class RuleItem(pytest.Item):
    """One rule about one DAG file."""

    def __init__(self, *, rule: str, settings: Config, imports: bool, **options: Any) -> None:
        super().__init__(**options)
        self.rule = rule
        self.settings = settings
        self.imports = imports
        self.add_marker(pytest.mark.rules)

    def runtest(self) -> None:
        """Look whether the check of the folder found something."""
        checked, files = outcome(self.config, self.settings, imports=self.imports)
        path = files.project.show(self.path.resolve())
        for one in checked.unreadable:
            if one.path == path:
                raise BrokenRuleError(f"{path} could not be checked: {one.reason}")
        found = [finding for finding in checked.findings if finding.path == path and finding.rule == self.rule]
        certain = [self._text(finding, files) for finding in found if finding.fails]
        doubtful = [self._text(finding, files) for finding in found if not finding.fails]
        if doubtful:
            self.add_report_section("call", "doubtful", "\n\n".join(doubtful))
        if certain:
            raise BrokenRuleError("\n\n".join(certain))

    def _text(self, finding: Finding, files: Files) -> str:
        return finding_text(finding, files.text(finding.path).split("\n"))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What was found, and nothing of our internals."""
        if not isinstance(excinfo.value, BrokenRuleError | DagproofError):
            return super().repr_failure(excinfo, style)
        return shown(str(excinfo.value), self.path)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where it is and what it is called."""
        return self.path, None, f"{self.path.name}: {self.rule}"


def collect(
    session: pytest.Session, settings: Config, *, imports: bool, named: list[Path] | None
) -> Iterator[pytest.Item]:
    """Yield an item for each DAG file and rule; of the files that were named, where some were."""
    try:
        rules = _rules(settings, imports=imports)
    except DagproofError as error:
        raise pytest.UsageError(str(error)) from None
    for path in dag_files(settings.dags_folder):
        if named is None or any(path == one or path.is_relative_to(one) for one in named):
            parent = file_node(session, path)
            for rule in rules:
                yield RuleItem.from_parent(parent, name=rule.name, rule=rule.name, settings=settings, imports=imports)


def dag_files(folder: Path) -> list[Path]:
    """Return the files of a folder that Airflow looks at, and those of which that can't be told."""
    walk = python_files([folder], syntax=airflow_settings().get("CORE__DAG_IGNORE_FILE_SYNTAX", "glob"))
    found = []
    for path in walk.files:
        try:
            held = walk.archived.get(path)
            wanted = may_hold_dags(read_text(path) if held is None else decode(held))
        except UnreadableError:
            wanted = True
        if wanted:
            found.append(path)
    return found


def can_import() -> bool:
    """Say whether DAGs can be loaded here."""
    return importlib.util.find_spec("airflow") is not None


def outcome(config: pytest.Config, settings: Config, *, imports: bool) -> tuple[Checked, Files]:
    """Check the whole folder, once in a session.

    Raises:
        DagproofError: it can't be.
    """
    if OUTCOME not in config.stash:
        rules = configured_selection(settings)
        try:
            config.stash[OUTCOME] = check_project(
                [settings.dags_folder], rules, settings, base=config.rootpath, imports=imports
            )
        except DagproofError as error:
            config.stash[OUTCOME] = error
    found = config.stash[OUTCOME]
    if isinstance(found, DagproofError):
        raise found
    return found


def _rules(settings: Config, *, imports: bool) -> list[Rule]:
    return [rule for rule in configured_selection(settings) if imports or not rule.needs_import]
