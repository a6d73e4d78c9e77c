"""Proofs of folders as strangers have them: each with its own ``pyproject.toml``, and nothing else to help."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dagproof.config import load_config
from dagproof.laws import Verdict
from dagproof.postgres.server import PostgresServer
from dagproof.proof.jobs import prove
from dagproof.proof.verdicts import Proof

Prove = Callable[..., Proof]
FOLDERS = Path(__file__).parent


@pytest.fixture
def proof_of(embedded_server: PostgresServer, tmp_path: Path) -> Prove:
    """Prove laws about a DAG of one of the folders here, in a copy of it: no history is saved in one."""

    def proof(folder: str, dag_id: str, *laws: str, env: Mapping[str, str] | None = None, **rest: Any) -> Proof:
        copy = shutil.copytree(FOLDERS / folder, tmp_path / folder, dirs_exist_ok=True)
        config = load_config(copy)
        world = replace(config.world, env={**config.world.env, **(env or {})})
        config = replace(config, world=world)
        return prove(dag_id, config, laws=laws, postgres=embedded_server, max_histories=2, **rest)

    return proof


def verdict(proof: Proof, law: str) -> Verdict:
    """Return the verdict about one law."""
    return next(verdict for verdict in proof.verdicts if verdict.law == law)
