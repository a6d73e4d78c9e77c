"""What a whole proof costs, cold, in one process and in several, in turn.

    python benchmarks/bench_prove.py [--dag consumer_users_daily] [--law LAW]… [--jobs 2] [--rounds 2]
                                     [--against CHECKOUT]

This is what a user waits for: PostgreSQL and Airflow are started each time. The seconds of processor are those of the
command and all that it started, without PostgreSQL. ``--against`` measures another checkout in turn, such as a git
worktree of an older commit, with the Python of its own ``.venv``. ``--law`` measures only the laws that it names, such
as those that the older one has, too.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]


def proof(dag_id: str, jobs: int, checkout: Path = ROOT, laws: Sequence[str] = ()) -> tuple[float, float]:
    """Return the seconds of a proof by the clock, and those of processor.

    Raises:
        SystemExit: the DAG is not proven; what it printed is the message.
    """
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    python = sys.executable if checkout == ROOT else str(checkout / ".venv" / "bin" / "python")
    command = [python, "-m", "dagproof.cli", "prove", dag_id, "--jobs", str(jobs)]
    command += [option for law in laws for option in ("--law", law)]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - started, processor


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dag", default="consumer_users_daily")
    parser.add_argument("--law", action="append", default=[], dest="laws")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--against", type=Path, metavar="CHECKOUT")
    options = parser.parse_args()
    ways = [(ROOT, jobs) for jobs in dict.fromkeys((1, options.jobs))]
    if options.against:
        ways = [(checkout, options.jobs) for checkout in (options.against.resolve(), ROOT)]
    table = Table("checkout", "processes", "seconds, each round", "of processor")
    table.title = f"the whole proof of {options.dag}"
    measured = [
        [proof(options.dag, jobs, checkout, options.laws) for checkout, jobs in ways] for _ in range(options.rounds)
    ]
    for (checkout, jobs), rounds in zip(ways, zip(*measured, strict=True), strict=True):
        seconds = ("  ".join(f"{each:.0f}" for each in kind) for kind in zip(*rounds, strict=True))
        table.add_row(checkout.name, str(jobs), *seconds)
    Console().print(table)


if __name__ == "__main__":
    main()
