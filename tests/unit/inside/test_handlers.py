"""Which handler took an error is known, and what went further was taken by none."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

START = """
import json, sys
sys.path.insert(0, {folder!r})
from dagproof.inside.handlers import set_up
import user
handlers = set_up([{folder!r}], lambda: "load")
try:
    user.main()
except ValueError:
    pass
print(json.dumps([[taken.line, taken.code, taken.error] for taken in handlers.taken()]))
"""


def taken(folder: Path, source: str) -> list[list[object]]:
    """Return line, code and error of each handler that took one, in a process of its own."""
    (folder / "user.py").write_text("def boom():\n    raise ValueError('x')\n" + dedent(source))
    ended = subprocess.run(
        [sys.executable, "-c", START.format(folder=str(folder))], capture_output=True, text=True, check=True, timeout=60
    )
    found: list[list[object]] = json.loads(ended.stdout)
    return found


@pytest.mark.parametrize(
    ("source", "line", "code"),
    [
        ("def main():\n    try:\n        boom()\n    except Exception:\n        pass", 6, "except Exception:"),
        (
            "def main():\n    try:\n        boom()\n    except KeyError:\n        pass\n"
            "    except (OSError, ValueError):\n        print()",
            8,
            "except (OSError, ValueError):",
        ),
        (
            "from contextlib import suppress\ndef main():\n    with suppress(ValueError):\n        boom()\n"
            "    return 1",
            6,
            "boom()",
        ),
        (
            "def load():\n    try:\n        boom()\n    finally:\n        x = 1\n"
            "def main():\n    try:\n        load()\n    except Exception:\n        pass",
            11,
            "except Exception:",
        ),
    ],
)
def test_the_handler_that_takes_an_error_is_named(tmp_path: Path, source: str, line: int, code: str) -> None:
    """It is the one at which it ends, not one that it passes."""
    assert taken(tmp_path, source) == [[line, code, "ValueError: x"]]


@pytest.mark.parametrize(
    "source",
    [
        "def main():\n    boom()",
        "def main():\n    try:\n        boom()\n    except ValueError:\n        raise",
        "def main():\n    try:\n        boom()\n    except ValueError as e:\n        raise ValueError('y') from e",
        "def main():\n    try:\n        boom()\n    finally:\n        x = 1",
        "def main():\n    for _ in iter([]):\n        pass",
    ],
)
def test_an_error_that_goes_on_is_taken_by_nobody(tmp_path: Path, source: str) -> None:
    """Also where it is raised again, as another one."""
    assert taken(tmp_path, source) == []
