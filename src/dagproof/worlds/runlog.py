"""The log of a run, as a person wants to see it who asks why the run failed."""

from __future__ import annotations

import re
from pathlib import Path

#: A frame of Airflow's, or of our own: what runs a task stands between the two.
_NOT_THE_USERS = re.compile(rf'\s*File "(?:[^"]*/site-packages/airflow/|{re.escape(str(Path(__file__).parents[1]))}/)')
_AIRFLOWS_OWN = re.compile(
    r"::group::|::endgroup::|\[airflow\.(?:models|api_fastapi|dag_processing|serialization|sdk\.definitions\.dag)\b"
)


def log_tail(log: Path, lines: int = 20) -> str:
    """Return the last lines of a run's log, without what Airflow says of itself, and with the user's frames alone."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    kept: list[str] = []
    frame: int | None = None  # how far the frame that is left out is indented
    for line in text.rstrip().splitlines():
        indent = len(line) - len(line.lstrip())
        if frame is not None and indent > frame:
            continue
        frame = indent if _NOT_THE_USERS.match(line) else None
        if frame is None and not _AIRFLOWS_OWN.search(line):
            kept.append(line)
    return "\n".join(kept[-lines:])
