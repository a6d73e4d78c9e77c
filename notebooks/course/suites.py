"""Runs a test suite of the learner's against the code of a lesson, and against copies of it with a fault each.

As a script it reads what to do from standard input, as JSON, and writes what came of it to standard output.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HEALTHY, TOO_SLOW = "", "too slow"
#: Seconds that a suite may take against one copy of the code, and for all of them.
SUITE_SECONDS, ALL_SECONDS = 15.0, 80.0

Results = list[dict[str, str]]
"""For each test its name, ``passed`` or ``failed`` or ``error`` or ``too slow``, and what it says."""
Mutant = tuple[str, str, str]
"""A file below the lesson's home, a text in it, and what stands there instead."""


def run_suite(home: Path, suite: str, mutants: Mapping[str, Mutant] = {}) -> dict[str, Results]:
    """Run the suite `suite` (a path below `home`) against the lesson's code, and against each mutant of it.

    Raises:
        ValueError: the text that a mutant replaces does not stand in its file.
    """
    for name, (file, old, _) in mutants.items():
        if old not in (home / file).read_text(encoding="utf-8"):
            raise ValueError(f"the mutant {name!r} replaces what does not stand in {file}")
    order = json.dumps({"home": str(home), "suite": suite, "mutants": dict(mutants), "seconds": SUITE_SECONDS})
    env = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1", "PY_COLORS": "0"}
    ended = subprocess.run(
        [sys.executable, __file__],
        input=order,
        env=env,
        capture_output=True,
        text=True,
        timeout=ALL_SECONDS,
        check=True,
    )
    return dict(json.loads(ended.stdout))


class Noted:
    """A plugin of pytest that notes what becomes of each test."""

    def __init__(self) -> None:
        self.results: Results = []

    def pytest_collectreport(self, report: Any) -> None:
        """Note a suite that cannot be read."""
        if report.failed:
            self._note(report.nodeid, "error", report)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note the call of a test, or what failed before it."""
        if report.when == "call" or report.failed:
            self._note(report.nodeid, report.outcome if report.when == "call" else "error", report)

    def _note(self, nodeid: str, outcome: str, report: Any) -> None:
        crash = getattr(report.longrepr, "reprcrash", None)
        said = crash.message if crash else str(report.longrepr or "").strip().splitlines()[-1:] or ""
        text = said if isinstance(said, str) else "".join(said)
        name = nodeid.rpartition("::")[2] or nodeid
        self.results.append(
            {"test": name, "outcome": outcome, "says": text.partition("\n")[0].removeprefix("E ").strip()}
        )


def main() -> None:
    """Do what stands on standard input."""
    import hypothesis
    import pytest  # noqa: F401 - imported once, before all forks

    hypothesis.settings.register_profile("course", derandomize=True, database=None, deadline=None)
    hypothesis.settings.load_profile("course")
    order = json.loads(sys.stdin.read())
    results = {}
    with tempfile.TemporaryDirectory(prefix="suite-") as folder:
        for number, (name, mutant) in enumerate([(HEALTHY, None), *order["mutants"].items()]):
            copy = Path(folder, str(number))
            shutil.copytree(order["home"], copy, ignore=shutil.ignore_patterns(".dagproof", "__pycache__"))
            if mutant is not None:
                file, old, new = mutant
                text = (copy / file).read_text(encoding="utf-8")
                (copy / file).write_text(text.replace(old, new, 1), encoding="utf-8")
            results[name] = _in_child(copy, order["suite"], order["seconds"])
            if name == HEALTHY and any(one["outcome"] == TOO_SLOW for one in results[name]):
                results |= dict.fromkeys(order["mutants"], results[name])  # it would not end for them either
                break
    print(json.dumps(results))


def _in_child(copy: Path, suite: str, seconds: float) -> Results:
    """Run the suite in a forked process, killed when its time is up."""
    out = copy / "results.json"
    pid = os.fork()
    if pid == 0:
        try:
            _run(copy, suite, out)
        finally:
            os._exit(0)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if os.waitpid(pid, os.WNOHANG)[0]:
            break
        time.sleep(0.01)
    else:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return [{"test": suite, "outcome": TOO_SLOW, "says": f"it took more than {seconds:g} s"}]
    if not out.exists():
        return [{"test": suite, "outcome": "error", "says": "the suite ended the process"}]
    return list(json.loads(out.read_text(encoding="utf-8")))


def _run(copy: Path, suite: str, out: Path) -> None:
    import pytest

    sys.path.insert(0, str(copy / "dags"))
    os.chdir(copy)
    noted = Noted()
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        options = ["-q", "-c", os.devnull, "--rootdir", str(copy), "-p", "no:cacheprovider"]
        pytest.main([*options, suite], plugins=[noted])
    out.write_text(json.dumps(noted.results), encoding="utf-8")


if __name__ == "__main__":
    main()
