"""Applies a mutant to a copy of the package, and looks which test catches it."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.mutant import Mutant

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
#: Seconds after which a mutant has made a test hang.
TIMEOUT = 600
#: What lets the workers of a proof import the copy too: a worker sees none of the user's environment, PYTHONPATH
#: included. It stands in the copy, as a test may start a command, whose workers no plugin of pytest reaches.
INTO_WORKERS = """

_as_made = _environment


def _environment(*args, **kwargs):
    made = _as_made(*args, **kwargs)
    return {**made, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), made["PYTHONPATH"]])}
"""


@dataclass(frozen=True)
class Caught:
    """What became of a mutant."""

    mutant: Mutant
    test: str
    """The first test that failed; empty where the mutant survived."""
    seconds: float
    output: str


def mutated(mutant: Mutant) -> str:
    """Return the file with the mutant in it.

    Raises:
        ValueError: the file has changed, so that the mutant does not apply: write it anew.
    """
    text = (SOURCE / "dagproof" / mutant.file).read_text(encoding="utf-8")
    times = text.count(mutant.old)
    if times != 1:
        raise ValueError(f"{mutant.name}: {mutant.file} holds the old text {times} times, not once; write it anew")
    changed = text.replace(mutant.old, mutant.new)
    ast.parse(changed)
    return changed


@contextmanager
def applied(mutant: Mutant) -> Iterator[Path]:
    """Yield the folder of a copy of the package with the mutant in it."""
    changed = mutated(mutant)
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(SOURCE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        Path(folder, "dagproof", mutant.file).write_text(changed, encoding="utf-8")
        with Path(folder, "dagproof", "worlds", "worker.py").open("a", encoding="utf-8") as worker:
            worker.write(INTO_WORKERS)
        yield Path(folder)


def hunted(mutant: Mutant) -> Caught:
    """Run the tests of a mutant.

    Raises:
        RuntimeError: its tests could not be run, so that nothing is known.
    """
    started = time.perf_counter()
    with applied(mutant) as folder:
        path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-x",
            "-q",
            "--no-header",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:xdist",
        ]
        done = subprocess.run(
            [*command, "-p", "tests.mutants.of_copy", "--postgres", "embedded", *mutant.tests],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([path, str(ROOT)]), "DAGPROOF_MUTATED": str(folder)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
    output = done.stdout + done.stderr
    failed = re.search(r"^FAILED (\S+)", output, re.MULTILINE)
    if done.returncode not in (0, 1) or (done.returncode == 1 and not failed):
        raise RuntimeError(f"{mutant.name}: its tests say nothing (status {done.returncode})\n{output[-3000:]}")
    return Caught(mutant, failed[1] if failed else "", time.perf_counter() - started, output)
