"""The table of faults, how often each was drawn, and by which laws it was found.

``python -m tests.soundness.table`` draws and judges all, and writes docs/soundness.md when nothing is wrong.
``python -m tests.soundness.table 3 17`` tries just these numbers, ``… sick_003`` one of the two DAGs.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.soundness.drawing import DRAWN, SEED, drawn
from tests.soundness.faults import FAULTS
from tests.soundness.faults_of_files import FOLDERS, FORMATS
from tests.soundness.judging import Outcome, judged, open_judge

DOCUMENT = Path(__file__).parents[2] / "docs" / "soundness.md"

HEAD = """\
# Soundness, as a test

{drawn} small DAGs were drawn at random (seed {seed}): each has one of {faults} known faults, or is the healthy twin of
one, which does the same without it. This page covers {sick} with a fault and {twins} twins.

They write to tables with and without keys, partitioned, unlogged, behind views and in other
schemas, materialized views, sequences, indexes, large objects; files in {formats} formats, in {folders} places;
a service. Up to two healthy loads run beside the one in question; loads use hooks, SQL operators, psql, mapped tasks
and Python.

The tests check that each fault is found by a law that must find it, and that every healthy twin passes. Where no law
can see a fault, the verdict must list what it did not see: that counts as *listed*.

`python -m tests.soundness.drawing 17` prints the DAGs of a seed, `python -m tests.soundness.table 17` judges them;
without a seed it judges all of them, and writes this page."""


def main(arguments: Sequence[str]) -> int:
    """Judge, and print or write the table."""
    named = [argument.split("_")[-1] for argument in arguments]
    numbers = [int(number) for number in named] or range(DRAWN)
    cases = [case for number in numbers for case in drawn(number)]
    cases = [case for case in cases if case.dag_id in arguments or "_" not in "".join(arguments)]
    outcomes = []
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, open_judge(cases, Path(folder)) as driver:
        for case in cases:
            outcome = judged(case, driver)
            outcomes.append(outcome)
            sign = "WRONG" if outcome.problem else "ok"
            about = f"{case.fault.name} ({case.writes})"
            print(
                f"{sign:5} {case.dag_id} {outcome.seconds:5.1f} s  {outcome.found_by:13} {about} {outcome.problem}",
                flush=True,
            )
    wrong = [outcome for outcome in outcomes if outcome.problem]
    print(f"{len(outcomes)} DAGs, {len(wrong)} wrong, {time.perf_counter() - started:.0f} s")
    if not wrong and not arguments:
        DOCUMENT.write_text(table(outcomes), encoding="utf-8")
    return bool(wrong)


def table(outcomes: Sequence[Outcome]) -> str:
    """Return the page."""
    sick = [outcome for outcome in outcomes if outcome.case.is_sick]
    twins = [outcome for outcome in outcomes if not outcome.case.is_sick]
    lines = [
        *HEAD.format(
            drawn=2 * DRAWN,
            twins=len(twins),
            seed=SEED,
            sick=len(sick),
            faults=len(FAULTS),
            formats=len(FORMATS),
            folders=len(FOLDERS),
        ).splitlines(),
        "",
        "| fault | drawn | found | by | twins | accused |",
        "|---|---|---|---|---|---|",
    ]
    for fault in FAULTS:
        mine = [outcome for outcome in sick if outcome.case.fault is fault]
        healthy = [outcome for outcome in twins if outcome.case.fault is fault]
        by = Counter(outcome.found_by for outcome in mine if outcome.found_by)
        laws = ", ".join(f"{law} {number}" for law, number in by.items())
        accused = sum(bool(outcome.problem) for outcome in healthy)
        lines.append(f"| {fault.name} | {len(mine)} | {sum(by.values())} | {laws} | {len(healthy)} | {accused} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
