"""What lies beside DAG files and is read, too: models of dbt, SQL for Airflow, scripts and notebooks of Spark."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from dagproof.check.sourcing import Looked
from dagproof.rules import Finding, Rule
from dagproof.source.files import Walk
from dagproof.source.notebooks import SUFFIX
from dagproof.source.overwrites import SCOPED
from dagproof.source.project import Project, text_of_module
from dagproof.source.sqlfiles import DbtProjects, read_sql

KINDS = {"models": "dbt model", "sql": "SQL file", "scripts": "PySpark script", "notebooks": "PySpark notebook"}


@dataclass(frozen=True)
class Beside:
    """How many such files were read, by kind, and what was found in those of SQL."""

    counts: Mapping[str, int] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    @property
    def shown(self) -> str:
        """What was read, as a person reads it; empty where nothing was."""
        some = ((count, KINDS[kind]) for kind, count in self.counts.items() if count)
        return ", ".join(f"{count:,} {noun}{'' if count == 1 else 's'}" for count, noun in some)


def look_beside(walk: Walk, project: Project, looked: Mapping[str, Looked], rules: Collection[Rule]) -> Beside:
    """Read the SQL beside DAG files, and count all that was read."""
    counts = dict.fromkeys(KINDS, 0)
    for path, one in looked.items():
        if one.is_script:
            counts["notebooks" if path.endswith(SUFFIX) else "scripts"] += 1
    findings = tuple(_of_sql(walk, project, looked, rules, counts))
    return Beside(counts, findings)


def _of_sql(
    walk: Walk, project: Project, looked: Mapping[str, Looked], rules: Collection[Rule], counts: dict[str, int]
) -> Iterator[Finding]:
    projects = DbtProjects()
    for path in walk.sql:
        real = path.resolve()
        sql = read_sql(real, project.show(real), text_of_module(project.module(real)), projects)
        if sql is None:
            continue
        counts["models" if sql.kind == "model" else "sql"] += 1
        found = [finding for rule in rules for finding in rule.check_sql(sql)]
        if found and (sql.kind == "model" or not _is_named(real.name, project, looked)):
            yield from found


def _is_named(name: str, project: Project, looked: Mapping[str, Looked]) -> bool:
    """Whether a DAG file names a file of SQL: what is wrong with it is then found there."""
    dag_files = (path for path, one in looked.items() if one.is_dag_file)
    return any(name in text_of_module(project.module(project.base / path)) for path in dag_files)


def sure_of_scripts(
    looked: Mapping[str, Looked], project: Project, *, others: bool
) -> Iterator[tuple[str, list[Finding]]]:
    """Yield what stays of the findings in each file: a DAG may start a script with other settings of Spark."""
    has_overwrite = any(finding.rule == "unscoped-overwrite" for one in looked.values() for finding in one.findings)
    texts = (text_of_module(project.module(project.base / path)) for path in looked) if has_overwrite else ()
    is_dynamic = any(word in text for text in texts for word in SCOPED[:2])
    told = {(one.rule, one.cause) for each in looked.values() if not each.is_script for one in each.findings}
    for path, one in looked.items():
        kept = list(one.findings) if others or not one.is_script else []
        if one.is_script:
            kept = [each for each in kept if (each.rule, each.cause) not in told]
            kept = [each for each in kept if not (is_dynamic and each.rule == "unscoped-overwrite")]
        yield path, kept
