"""What `dagproof check` costs, beside parsing alone, ruff, and importing, over the same files; and loading a folder.

    python benchmarks/bench_check.py [FOLDER] [--repeat 3]

The folder is the installed Airflow by default. Each line is the least of several runs, in seconds of CPU of one core,
children included; each run is a new process, so that nothing is warm but the disk. "times parsing" is the ratio to
`ast.parse` of the same files. Importing is what a look at the loaded DAGs pays before it sees anything: here the
modules of the folder, those that do import. "again" is a second run over unchanged files, with the cache of the first.
Loading is measured on files made up for it, each with one DAG of three tasks, beside looking at their source only.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

FIRST, AGAIN = "dagproof check --no-import", "the same again"
LOADED = 200
DAG_FILE = """
import pendulum
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import dag, task

@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True)
def NAME():
    @task
    def first():
        return 1

    first() >> BashOperator(task_id="second", bash_command="echo {{ ds }}") >> BashOperator(
        task_id="third", bash_command="true"
    )

NAME()
"""
PARSE = """
import ast, sys, warnings
from pathlib import Path
warnings.simplefilter("ignore")
for path in sorted(Path(sys.argv[1]).rglob("*.py")):
    ast.parse(path.read_bytes())
"""
IMPORT = """
import contextlib, importlib, io, sys
from pathlib import Path
folder = Path(sys.argv[1])
sys.path.insert(0, str(folder.parent))
for path in sorted(folder.rglob("*.py")):
    name = ".".join(path.relative_to(folder.parent).with_suffix("").parts).removesuffix(".__init__")
    if "__main__" not in name and "migrations" not in name:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(BaseException):
            importlib.import_module(name)
"""


def cost(command: list[str], home: str) -> float:
    """Seconds of CPU that a command and its children take."""
    before = os.times()
    environment = {**os.environ, "AIRFLOW_HOME": home}
    done = subprocess.run(command, cwd=home, env=environment, capture_output=True, check=False)
    if done.returncode not in (0, 1, 2):
        raise SystemExit(f"{command[0]} ended with {done.returncode}: {done.stderr.decode()[-500:]}")
    after = os.times()
    return after.children_user - before.children_user + after.children_system - before.children_system


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    folder = (options.folder or installed_airflow()).resolve()
    beside = Path(sys.executable).parent
    commands = {
        "ast.parse": [sys.executable, "-c", PARSE, str(folder)],
        FIRST: [str(beside / "dagproof"), "check", "--no-import", str(folder)],
        AGAIN: [str(beside / "dagproof"), "check", "--no-import", str(folder)],
        "ruff check --select AIR": [
            *(str(beside / "ruff"), "check", "--isolated", "--no-cache", "--exit-zero"),
            *("--config", "exclude=[]", "--preview", "--select", "AIR", str(folder)),
        ],
        "import": [sys.executable, "-c", IMPORT, str(folder)],
    }
    least = {}
    with tempfile.TemporaryDirectory() as home:
        for name, line in commands.items():
            if name == FIRST:
                least[name] = min(cost_of_first(line) for _ in range(options.repeat))
                cost(line, home)  # fills the cache for the next
            else:
                least[name] = min(cost(line, home) for _ in range(options.repeat))
    table = Table(
        "", "CPU s", "times parsing", title=f"{sum(1 for _ in folder.rglob('*.py')):,} files in {folder.name}"
    )
    for name, seconds in least.items():
        table.add_row(name, f"{seconds:.2f}", f"{seconds / least['ast.parse']:.2f}")
    Console().print(table)
    loading(beside / "dagproof", options.repeat)


def cost_of_first(command: list[str]) -> float:
    """The same in a folder of its own, where no cache is."""
    with tempfile.TemporaryDirectory() as home:
        return cost(command, home)


def loading(dagproof: Path, repeat: int) -> None:
    """Print what loading a folder of DAG files costs."""
    table = Table("", "CPU s", "real s", title=f"{LOADED} DAG files, each with a DAG of three tasks")
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home, "dags")
        folder.mkdir()
        for number in range(LOADED):
            (folder / f"dag_{number}.py").write_text(DAG_FILE.replace("NAME", f"dag_{number}"))
        for name, arguments in {"source only": ["--no-import"], "loaded": []}.items():
            command = [str(dagproof), "check", "--no-cache", *arguments, "dags"]
            started = time.monotonic()
            seconds = [cost(command, home) for _ in range(repeat)]
            table.add_row(name, f"{min(seconds):.2f}", f"{(time.monotonic() - started) / repeat:.1f}")
    Console().print(table)


def installed_airflow() -> Path:
    """The folder of Airflow itself."""
    found = importlib.util.find_spec("airflow")
    if found is None or not found.submodule_search_locations:
        raise SystemExit("Airflow is not installed; name a folder")
    return Path(found.submodule_search_locations[0])


if __name__ == "__main__":
    main()
