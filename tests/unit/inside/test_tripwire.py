"""A tripwire notes who asks for the time, for something random or for the machine. In processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

RUN = """
import json, runpy, sys
from datetime import datetime, timezone
from dagproof.inside.clock import Clock
from dagproof.inside.tripwire import set_up
Clock(datetime(2026, 1, 1, tzinfo=timezone.utc)).start()
trips = set_up(json.loads(sys.argv[2]), lambda: sys.argv[3])
runpy.run_path(sys.argv[1])
print(json.dumps([trip.to_json() for trip in trips]))
"""


def trips(tmp_path: Path, code: str, task: str = "load", folders: list[str] | None = None) -> list[dict[str, object]]:
    """Run `code` as a user's file and return what was noted."""
    path = tmp_path / "load.py"
    path.write_text(textwrap.dedent(code), encoding="utf-8")
    arguments = [str(path), json.dumps([str(tmp_path)] if folders is None else folders), task]
    done = subprocess.run([sys.executable, "-c", RUN, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, object]] = json.loads(done.stdout)
    assert all(isinstance(trip.pop("at"), float) for trip in found)
    return found


@pytest.mark.parametrize(
    ("code", "what"),
    [
        pytest.param("from datetime import datetime; datetime.now()", "the time", id="datetime.now"),
        pytest.param("from datetime import date; date.today()", "the time", id="date.today"),
        pytest.param("import time; time.time()", "the time", id="time.time"),
        pytest.param("import time; time.strftime('%F')", "the time", id="strftime"),
        pytest.param("import uuid; uuid.uuid4()", "a random value", id="uuid4"),
        pytest.param("import random; random.choice([1, 2])", "a random value", id="choice"),
        pytest.param("import secrets; secrets.token_hex()", "a random value", id="secrets"),
        pytest.param("import os; os.getpid()", "the machine", id="getpid"),
        pytest.param("import socket; socket.gethostname()", "the machine", id="gethostname"),
    ],
)
def test_who_asks_is_noted_with_the_line(tmp_path: Path, code: str, what: str) -> None:
    """What was asked for, by which task, and where."""
    expected = {"what": what, "task": "load", "file": str(tmp_path / "load.py"), "line": 1, "code": code, "own": True}
    assert expected in trips(tmp_path, code)


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("x = 1", id="nothing"),
        pytest.param("import random; random.Random(3).random()", id="its own seeded generator"),
        pytest.param("import random; random.seed(3); random.random()", id="seeded"),
        pytest.param("from datetime import datetime; datetime(2026, 1, 1).isoformat()", id="a fixed time"),
        pytest.param("import logging; logging.getLogger().warning('stamped')", id="a log line"),
        pytest.param("import uuid; uuid.uuid5(uuid.NAMESPACE_OID, 'x')", id="uuid5"),
    ],
)
def test_what_is_the_same_each_time_is_not_noted(tmp_path: Path, code: str) -> None:
    """Nor is what a log line is stamped with."""
    assert trips(tmp_path, code) == []


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("import tempfile; tempfile.mkdtemp()", id="a temporary folder"),
        pytest.param("import os, pathlib; pathlib.Path('x').mkdir(exist_ok=True); os.rmdir('x')", id="mkdir"),
        pytest.param("import sqlalchemy; sqlalchemy.create_engine('sqlite://').connect()", id="a pool of connections"),
    ],
)
def test_a_library_that_looks_for_a_fork_does_not_ask_for_the_machine(
    tmp_path: Path, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It asks for the process id, and writes it nowhere."""
    monkeypatch.chdir(tmp_path)
    assert "the machine" not in [trip["what"] for trip in trips(tmp_path, code)]


LIBRARY = "import time\nSTARTED = time.time()\ndef stamp():\n    return time.time()\n"


def test_the_import_of_a_library_asks_for_nothing(tmp_path: Path) -> None:
    """Whatever it does meanwhile: nobody means the moment at which a library was imported."""
    (tmp_path / "site-packages").mkdir()
    (tmp_path / "site-packages" / "stamping.py").write_text(LIBRARY, encoding="utf-8")
    code = "import sys; sys.path.insert(0, __file__[:-7] + 'site-packages')\nimport stamping\nstamping.stamp()\n"
    assert [(trip["line"], trip["own"]) for trip in trips(tmp_path, code)] == [(3, False)]


def test_a_module_of_the_user_that_asks_when_it_is_imported_is_noted(tmp_path: Path) -> None:
    """At its own line."""
    (tmp_path / "settings.py").write_text("from datetime import date\nTODAY = date.today()\n", encoding="utf-8")
    code = "import sys; sys.path.insert(0, __file__[:-7])\nimport settings\n"
    assert [(Path(str(t["file"])).name, t["line"], t["own"]) for t in trips(tmp_path, code)] == [
        ("settings.py", 2, True)
    ]


def test_a_line_is_noted_once(tmp_path: Path) -> None:
    """However often it asks."""
    code = """
        import time
        for _ in range(5):
            time.time()
        """
    assert [trip["line"] for trip in trips(tmp_path, code)] == [4]


def test_a_library_that_asks_is_laid_at_the_door_of_who_calls_it(tmp_path: Path) -> None:
    """The line is the user's own."""
    code = "import tempfile\ntempfile.mkdtemp()\n"
    assert {trip["line"] for trip in trips(tmp_path, code)} == {2}


@pytest.mark.parametrize(("task", "folders"), [("", None), ("load", ["/nowhere"]), ("load", [])])
def test_who_is_no_task_of_the_user_is_not_noted(tmp_path: Path, task: str, folders: list[str] | None) -> None:
    """Code that no task runs, or that lies outside the user's folders."""
    assert trips(tmp_path, "import time; time.time()", task, folders) == []
