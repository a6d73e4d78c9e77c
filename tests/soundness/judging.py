"""Puts drawn DAGs to laws, and judges the harness: whether each fault is found, and no healthy DAG accused."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from dagproof.config import Config, WorldConfig
from dagproof.errors import DagproofError
from dagproof.inside.machine import ELSEWHERE, HERE
from dagproof.laws import Verdict, law_named, overlap
from dagproof.proof.prover import Prover
from dagproof.runs.driver import Driver, open_driver
from tests.soundness.drawing import Case

FOLDER = Path(__file__).parent
#: How many histories are tried for each law: each date run twice and one three times, or what is tried in any case.
MAX_HISTORIES = 3
#: Of these, one date says as much as two, and takes half the time.
OF_ONE_DATE = frozenset({"effect", "deterministic", "clock", "rerun", "retry"})
#: At how many points of a run it is killed, or held.
MAX_POINTS, MAX_HELD = 5, 3
#: What a DAG is put to where no law can find the fault: each verdict has to say why.
ANY = ("effect", "deterministic", "rerun", "order")
#: Why a law may say nothing about a DAG that is healthy.
NOTHING_TO_SAY = re.compile(
    r"no upstream DAG is configured|refreshed as a whole|its runs have no point|use neither the world's database|"
    r"no correction is configured|fresh runs .* differ in whole rows"
)


@dataclass(frozen=True)
class Outcome:
    """What became of a drawn DAG."""

    case: Case
    verdicts: tuple[Verdict, ...]
    found_by: str
    """The law that has falsified it; ``listed`` where the verdict lists what it did not see; empty otherwise."""
    problem: str
    """What is wrong with the harness; empty where nothing is."""
    seconds: float


@contextmanager
def open_judge(cases: Sequence[Case], folder: Path) -> Iterator[Driver]:
    """Workers on two machines that have the drawn DAGs as their DAG folder."""
    dags = folder / "dags"
    dags.mkdir()
    for case in cases:
        (dags / f"{case.dag_id}.py").write_text(case.source, encoding="utf-8")
    shutil.copy(FOLDER / "arriving.py", dags)
    config = Config(
        root=folder,  # where histories are saved
        dags=str(dags),
        world=WorldConfig(
            schema=(str(FOLDER / "schema.sql"),),
            connections={"shop": "{postgres}"},
            variables={"loads": "0"},
            env={"DATA_ROOT": "{files}", "SHOP_URL": "{postgres}", "NOTES": "{notes}"},
            services={"notes": f"python {FOLDER / 'notes.py'} {{port}}"},
        ),
        proofs={case.dag_id: case.proof for case in cases},
        max_points=MAX_POINTS,
    )
    with (
        patch.object(overlap, "MOST_POINTS", MAX_HELD),
        patch.object(overlap, "MOST_POINTS_LATER", (MAX_HELD,) * 3),
        open_driver(config, machines=(HERE, ELSEWHERE)) as driver,
    ):
        yield driver


def judged(case: Case, driver: Driver) -> Outcome:
    """Put a drawn DAG to its laws."""
    started = time.perf_counter()
    try:
        lab = driver.lab(case.dag_id, case.fault.dates or ())
    except DagproofError as error:
        return Outcome(case, (), "", str(error), time.perf_counter() - started)
    verdicts: list[Verdict] = []

    def prove(law: str) -> Verdict:
        proven = lab.over(lab.dates[:1]) if law in OF_ONE_DATE and not case.fault.said else lab
        verdicts.append(Prover(proven, seed=0, max_histories=MAX_HISTORIES).prove(law_named(law)))
        return verdicts[-1]

    try:
        found_by, problem = _found(case, prove) if case.is_sick else _accused(case, prove)
    finally:
        lab.close()
    return Outcome(case, tuple(verdicts), found_by, problem, time.perf_counter() - started)


def _found(case: Case, prove: Callable[[str], Verdict]) -> tuple[str, str]:
    """Try the law that has to find the fault first; the others show whether any does."""
    proven = []
    for law in case.laws[:1] or ANY:
        verdict = prove(law)
        if verdict.outcome == "falsified":
            return law, ""
        if case.fault.said and re.search(case.fault.said, _words(verdict), re.DOTALL):
            return "listed", ""
        proven.append(_shown(verdict))
    others = next((law for law in case.laws[1:] if prove(law).outcome == "falsified"), "")
    return others, "; ".join(proven) + (f", and it takes {others} to find it" if others else "")


def _accused(case: Case, prove: Callable[[str], Verdict]) -> tuple[str, str]:
    """Try laws of which none may accuse a healthy DAG, and some law must prove it."""
    outcomes = set()
    for law in case.laws:
        verdict = prove(law)
        outcomes.add(verdict.outcome)
        if verdict.outcome == "falsified":
            return law, _shown(verdict)
        excused = verdict.outcome == "not-applicable" and NOTHING_TO_SAY.search(verdict.reason or "")
        if verdict.outcome != "proven" and not excused:
            return "", _shown(verdict)
    return "", "" if "proven" in outcomes else "no law proves it"


def _words(verdict: Verdict) -> str:
    """All that a verdict says."""
    return json.dumps(verdict.to_json(), ensure_ascii=False)


def _shown(verdict: Verdict) -> str:
    """A verdict in a line."""
    why = verdict.reason or verdict.headline
    if verdict.diff:
        why += f" {[t.table for t in verdict.diff.tables]} {[(f.path, f.change, f.detail) for f in verdict.diff.files]}"
    history = " ".join(f"{step.kind} {step.date} {step.other} {step.point}" for step in verdict.history or ())
    return f"{verdict.law}: {verdict.outcome} {verdict.verdict or ''} {why[:400]} [{history}]"
