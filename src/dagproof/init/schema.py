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
    """Return the entries of ``schema``: migrations hold at once, SQL files those of one folder where there are none."""
    found: dict[str, Entry] = {}
    for name, here, elsewhere in MIGRATIONS:
        for path in sorted([*root.glob(name), *root.glob(f"*/{name}")])[:1]:
            shown = path.relative_to(root).as_posix()
            found[here if shown == name else elsewhere.format(shlex.quote(shown))] = Entry("", shown, "migrations")
    files = python_files([root]).sql
    for path in files if not found else ():
        if path.parent.name == "migrations":
            shown = path.relative_to(root).as_posix()
            found.setdefault(path.parent.relative_to(root).as_posix(), Entry("", shown, "a folder of migrations"))
    has_migrations = bool(found)
    single = [path for path in files if path.parent.name != "migrations" and _fills(path, root)]
    nearest = min((path.parent for path in single), key=lambda one: (len(one.parts), str(one)), default=root)
    for path in single:  # several schemas may have the same tables, so one folder's files hold
        shown = path.relative_to(root).as_posix()
        active = not has_migrations and path.parent == nearest
        note = "it creates tables" if active else "beside migrations" if has_migrations else "another schema"
        found[shown] = Entry("", shown, note, active=active)
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
