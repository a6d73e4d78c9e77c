"""Texts that Airflow renders: what they are, or what is in the file that they name; and which of them are SQL."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from dagproof.source.dagfile import DagFile, Task
from dagproof.source.strings import Text, file_text, texts

SQL_FILES, SHELL_FILES = (".sql", ".hql"), (".sh", ".bash")
SQL_KEYS = re.compile(r"sql|hql|bql|query|statement|preoperator|postoperator", re.IGNORECASE)
"""Names of arguments that hold SQL."""


class Rendered(NamedTuple):
    """What is rendered, and the file it is in, where that is no Python file."""

    content: str
    file: Path | None
    is_missing: bool = False
    """Whether it names a file that is not there: what it holds can't be told."""

    def is_sql(self, text: Text) -> bool:
        """Say whether it is SQL, by its file, by how it begins, or by the argument that it is given under."""
        if self.file:
            return self.file.suffix in SQL_FILES
        return text.is_sql or bool(SQL_KEYS.search(text.key))


def rendered(text: Text, dagfile: DagFile, task: Task) -> Rendered:
    """Return what Airflow renders of a text that a task is given."""
    found = file_text(text, template_folders(dagfile, task), (*SQL_FILES, *SHELL_FILES))
    if found:
        return Rendered(found[1], found[0])
    return Rendered(text.text, None, text.text.strip().endswith(SQL_FILES))


def template_folders(dagfile: DagFile, task: Task) -> list[Path]:
    """Return where the files that a task's templates name are looked for."""
    folders = [dagfile.module.path.parent]
    given = task.dag.arguments.known.get("template_searchpath") if task.dag else None
    for text in texts(given, dagfile.resolver) if given else ():
        folders.append(dagfile.module.path.parent / text.text)
    return folders
