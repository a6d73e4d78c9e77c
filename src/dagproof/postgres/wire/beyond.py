"""SQL by which the server itself would act outside of a world: on its files, its programs, or what all databases share.

No guard of a run can see what the server does, so such a statement is replaced, on its way there, by one that fails
with the reason. What a function body or a DO block makes of texts at run time is not seen.
"""

from __future__ import annotations

import re

_TARGET = rb"(?:program\s+)?(?:e?'|\$\w*\$)"
_BEYOND = re.compile(
    rb"(?P<copy>\bcopy\s+[\w.\"$]+\s*(?:\([^)]*\)\s*)?(?:to\s+" + _TARGET + rb"|from\s+program\b)"
    rb"|\bcopy\s*\(.*\)\s*to\s+" + _TARGET + rb")"
    rb"|(?P<function>\b(?:lo_export|pg_file_write|pg_file_unlink|pg_file_rename)\s*\()"
    rb"|(?P<shared>(?:\A|;)\s*(?:alter\s+system"
    rb"|(?:create|alter|drop)\s+(?:role|group|tablespace|database|user(?!\s+mapping)))\b)",
    re.IGNORECASE | re.DOTALL,
)
#: Most statements have none of these words, and are not looked at again.
_HINT = re.compile(rb"(?i)\b(?:copy|lo_export|pg_file_\w+|system|role|group|tablespace|database|user)\b")
_COMMENTS = re.compile(rb"--[^\n]*|/\*.*?\*/", re.DOTALL)
_WHY = {
    "copy": "the server would write a file or start a program outside of this world; "
    "copy to STDOUT, and write below {files}",
    "function": "the server would write a file outside of this world; read the data, and write below {files}",
    "shared": "this changes what all databases of the server share, and a world has only its database; "
    "do it where the server is set up",
}


def held_sql(text: bytes) -> bytes:
    """Return SQL as it is; where the server would act outside of the world, a statement that fails with the reason."""
    found = _BEYOND.search(_COMMENTS.sub(b" ", text)) if _HINT.search(text) else None
    if found is None:
        return text
    why = _WHY[str(found.lastgroup)]
    return (
        "DO $dagproof$ BEGIN RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', "
        f"MESSAGE = 'refused: {why}'; END $dagproof$"
    ).encode()
