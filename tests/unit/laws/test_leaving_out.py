"""What a law leaves out is what the configuration names for it, and the temporary files that a crash has left."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from dagproof.config import ProofConfig
from dagproof.laws import all_laws, law_named
from dagproof.laws.base import Finding, tidied
from dagproof.worlds.diff import Diff, FileDiff
from dagproof.worlds.snapshot import File, Snapshot, Table

ORDERS = Table("orders", ("n",), (), (b"1",))
COPY = File("copy.csv", 1, (b"x",), b"x")


@pytest.mark.parametrize("law", [law.name for law in all_laws()])
def test_what_is_exempt_from_one_law_is_compared_by_the_others(law: str) -> None:
    """An exemption is of a law, and of what it names."""
    exempt = {"rerun": ("orders",), "crash": ("copy.csv",)}
    lab: Any = SimpleNamespace(proof=ProofConfig(exempt=exempt))
    seen = law_named(law).seen(lab, Snapshot({"orders": ORDERS}, {"copy.csv": COPY}))
    assert ("orders" in seen.tables) == (law != "rerun")
    assert ("copy.csv" in seen.files) == (law != "crash")


@pytest.mark.parametrize(
    ("change", "path", "is_left"),
    [
        pytest.param("added", ".orders.part", False, id="temporary"),
        pytest.param("added", "orders.csv", True, id="a-file-that-is-read"),
        pytest.param("changed", ".orders.part", True, id="changed"),
        pytest.param("missing", ".orders.part", True, id="missing"),
    ],
)
def test_of_what_a_crash_has_left_only_temporary_files_are_no_finding(change: str, path: str, is_left: bool) -> None:
    """Whatever else differs, differs."""
    crashed = Snapshot(files={".orders.part": File(".orders.part", 1, (b"x",), b"x")})
    finding = tidied(Finding(Diff(files=(FileDiff(path, change),))), [crashed])
    assert bool(finding) is is_left


def test_more_temporary_files_than_crashes_have_left_are_a_finding() -> None:
    """The others come from runs that went well."""
    files = tuple(FileDiff(f".{n}.part", "added") for n in range(3))
    crashed = Snapshot(files={".0.part": File(".0.part", 1, (b"x",), b"x")})
    assert tidied(Finding(Diff(files=files)), [crashed])
