"""What may fill the world's database: migrations and SQL files of the project."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from dagproof.init.found import Entry
from dagproof.source.files import python_files
from dagproof.source.reading import UnreadableError, read_text

MIGRATIONS = (
    ("alembic.ini", "alembic upgrade head", "alembic -c {} upgrade head"),
    ("manage.py", "python manage.py migrate", "python {} migrate"),
)
_NAME = re.compile(r"schema|ddl|init|setup|bootstrap|structure|tables|create", re.IGNORECASE)
_BACK = re.compile(r"(?:^|[._-])(?:down|undo|drop|rollback)(?:[._-]|$)", re.IGNORECASE)
_CREATES = re.compile(r"\bCREATE\s+(?:UNLOGGED\s+)?TABLE\b", re.IGNORECASE)
_LEFT_OUT = frozenset({"tests", "test", "docs"})


def schema_of(root: Path) -> dict[str, Entry]:
    """Return the entries of ``schema``: migrations hold at once, SQL files only where there are no migrations."""
    found: dict[str, Entry] = {}
    for name, here, elsewhere in MIGRATIONS:
        for path in sorted([*root.glob(name), *root.glob(f"*/{name}")])[:1]:
            shown = path.relative_to(root).as_posix()
            found[here if shown == name else elsewhere.format(shlex.quote(shown))] = Entry("", shown)
    has_migrations = bool(found)
    folders: set[Path] = set()
    for path in python_files([root]).sql:
        shown = path.relative_to(root).as_posix()
        if path.parent.name == "migrations" and not has_migrations:
            if path.parent not in folders:
                folders.add(path.parent)
                found[path.parent.relative_to(root).as_posix()] = Entry("", shown, "a folder of migrations")
        elif _fills(path, root):
            found[shown] = Entry(
                "", shown, "" if not has_migrations else "beside migrations", active=not has_migrations
            )
    return found


def _fills(path: Path, root: Path) -> bool:
    """Whether an SQL file makes tables by itself: no template, and no way back."""
    parts = path.relative_to(root).parts
    if _LEFT_OUT & set(parts[:-1]) or not _NAME.search("/".join(parts)) or _BACK.search(path.stem):
        return False
    try:
        text = read_text(path)
    except UnreadableError:
        return False
    return "{{" not in text and "{%" not in text and bool(_CREATES.search(text))
