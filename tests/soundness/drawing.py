"""Draws DAGs: a fault or its healthy twin, where it writes, by which operator, and what else the DAG does.

``python -m tests.soundness.drawing 17`` prints the two DAGs of a number.
"""

from __future__ import annotations

import random
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from dagproof.config import ProofConfig
from tests.soundness.faults import FAULTS
from tests.soundness.faults_of_files import FOLDERS
from tests.soundness.model import BASH, MAPPED, SHARED, Fault, Sql
from tests.soundness.rendering import Choice, dag_file

SEED = 12
#: How many faults are drawn; of each there is a DAG with it, and its healthy twin.
DRAWN = 2 * len(FAULTS) + 1
#: Laws that a healthy DAG is put to by lot; those that take a run for each point of another one come up less often.
LOT = (*("clock", "retry", "order", "containment", "correction", "backfill") * 4, "crash", "overlap", "history")
#: How a task that is Python opens a connection.
CONNECTIONS = ('PostgresHook("shop").get_conn()', 'psycopg.connect(os.environ["SHOP_URL"])')


@dataclass(frozen=True)
class Case:
    """A drawn DAG: its source, the fault in it or beside it, and the laws that it is put to."""

    dag_id: str
    fault: Fault
    is_sick: bool
    source: str
    writes: str
    """What it writes, where and how, in a few words."""
    laws: tuple[str, ...]
    """Of a sick DAG: the first has to falsify it. Of a healthy one: none may."""
    proof: ProofConfig


def drawn(number: int, seed: int = SEED) -> tuple[Case, Case]:
    """Return the DAG of this number that has a fault, and its healthy twin."""
    rng = random.Random(f"{seed}/{number}")
    fault = FAULTS[number % len(FAULTS)]
    taken: set[str] = set()
    own = _choice(fault, rng, taken)
    beside = _beside(fault, rng, taken)
    place = rng.randint(0, len(beside))
    wiring = rng.choice((" >> ", ""))
    laws = tuple(rng.sample(fault.laws, len(fault.laws)))
    near = fault.near or laws[:1]
    tried = tuple(dict.fromkeys(("effect", "deterministic", "rerun", *near, rng.choice(LOT))))
    what = ", ".join(part for part in (own.table, own.operator if isinstance(fault.sick, Sql) else "Python") if part)
    folder = next(name for name, code in FOLDERS.items() if code == own.folder)
    what += f", {folder}" if "$folder" in str(fault.sick) else ""
    others = f", beside: {'; '.join(other.name for other, _ in beside)}" if beside else ""

    def case(name: str, *, is_sick: bool) -> Case:
        dag_id = f"{name}_{number:03d}"
        loads = [(other.healthy, choice) for other, choice in beside]
        loads.insert(place, (fault.sick if is_sick else fault.healthy, own))
        sentence = fault.sentence if is_sick else f"The healthy twin of {fault.name!r}."
        source = dag_file(dag_id, sentence, fault, loads, wiring)
        return Case(dag_id, fault, is_sick, source, what + others, laws if is_sick else tried, fault.proof)

    return case("sick", is_sick=True), case("twin", is_sick=False)


def _beside(fault: Fault, rng: random.Random, taken: set[str]) -> list[tuple[Fault, Choice]]:
    """Draw healthy loads that stand beside a fault, and write elsewhere."""
    if fault.is_alone or not fault.is_companion:
        return []
    found: list[tuple[Fault, Choice]] = []
    others = [other for other in FAULTS if other.is_companion and not other.tables_of_its_own & fault.tables_of_its_own]
    for other in rng.sample(others, rng.choice((0, 0, 0, 0, 1, 2))):
        if any(other.tables_of_its_own & known.tables_of_its_own for known, _ in found):
            continue
        found.append((other, _choice(other, rng, taken)))
    return found


def _choice(fault: Fault, rng: random.Random, taken: set[str]) -> Choice:
    """Draw a target that is not taken, and the rest."""
    operators = [operator for operator in fault.operators if operator != BASH or shutil.which("psql")]
    free = [table for table in fault.tables if table not in taken]
    operator = rng.choice(operators)
    if operator == MAPPED and isinstance(fault.sick, Sql) and (shared := [t for t in free if t in SHARED]):
        table = rng.choice(shared)
    else:
        operator = rng.choice([other for other in operators if other != MAPPED])
        table = rng.choice(free)
    if table:
        taken.add(table)
    return Choice(table, operator, rng.choice(CONNECTIONS), rng.choice(list(FOLDERS.values())))


def main(arguments: Sequence[str]) -> None:
    """Print the DAGs of some numbers."""
    for number in arguments:
        for case in drawn(int(number)):
            print(f"# {case.dag_id}: {case.writes}; {', '.join(case.laws)}\n{case.source}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
