"""One driver for all planted bugs: it starts in seconds, and then each DAG takes tenths of one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from dagproof.config import Config, ProofConfig, WorldConfig
from dagproof.inside.machine import ELSEWHERE, HERE
from dagproof.laws import Verdict, law_named
from dagproof.proof.prover import Prover
from dagproof.runs.driver import Driver, open_driver
from dagproof.runs.lab import Lab
from tests.bugs.catalogue import (
    ALLOWED,
    ARRIVING,
    BUGS,
    CORRECTIONS,
    DATES,
    EXEMPT,
    GENERATED_KEYS,
    HEALTHY,
    IGNORED,
    KEEPS_HISTORY,
    SCRATCH,
    correction_of,
)

HERE_FOLDER = Path(__file__).parent
MOST_HISTORIES = {bug.name: bug.most_histories for bug in BUGS}

VerdictOf = Callable[[str, str], Verdict]


def proof_of(name: str) -> ProofConfig:
    """Return how one of the DAGs is proven."""
    correction = correction_of(name)
    return ProofConfig(
        after=("arrived_orders",) if name in ARRIVING else (),
        ignore=IGNORED.get(name, ()),
        exempt=EXEMPT.get(name, {}),
        scratch=SCRATCH.get(name, ()),
        history=KEEPS_HISTORY.get(name, ()),
        generated_keys=GENERATED_KEYS.get(name, "renamed"),
        outage=ALLOWED.get(name, {}),
        corrections={correction: str(HERE_FOLDER / "corrections" / CORRECTIONS[correction])},
    )


@pytest.fixture(scope="session")
def bugs_driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    """Workers on two machines that have the planted bugs as their DAG folder."""
    config = Config(
        root=tmp_path_factory.mktemp("bugs"),  # where histories are saved
        dags=str(HERE_FOLDER / "dags"),
        world=WorldConfig(
            schema=(str(HERE_FOLDER / "schema.sql"),),
            connections={"shop": "{postgres}", "files": {"conn_type": "fs", "extra": '{"path": "{files}"}'}},
            variables={"last_order": "-1"},
            env={"DATA_ROOT": "{files}", "SHOP_URL": "{postgres}"},
        ),
        proofs={name: proof_of(name) for name in {*HEALTHY, *MOST_HISTORIES}},
    )
    with open_driver(config, machines=(HERE, ELSEWHERE)) as driver:
        yield driver


@pytest.fixture(scope="session")
def verdict_of(bugs_driver: Driver) -> VerdictOf:
    """Return the verdict of a law about a DAG; asked again, it is not sought again."""
    open_labs: list[Lab] = []

    @cache
    def prover(dag_id: str) -> Prover:
        return Prover(bugs_driver.lab(dag_id, DATES), seed=0, max_histories=MOST_HISTORIES.get(dag_id, 3))

    @cache
    def verdict(dag_id: str, law: str) -> Verdict:
        lab = prover(dag_id).lab
        if lab not in open_labs:  # the worlds that are kept of one DAG are of no use to another
            while open_labs:
                open_labs.pop().close()
            open_labs.append(lab)
        return prover(dag_id).prove(law_named(law))

    return verdict
