"""Entries of the configuration that name nothing, or not what they should."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from dagproof.config import ProofConfig
from dagproof.proof.revealed import unknown_names
from dagproof.runs.lab import Lab
from dagproof.runs.names import Names
from dagproof.stores.snapshot import Snapshot, Table

WHERE = "tool.dagproof.proofs.load."
TABLES = (
    Table("orders", ("id", "total", "dt"), (), (b"1\t2\t3",)),
    Table("staging.rows", ("id", "loaded_at"), (), (b"1\tnow",)),
)


def complaints(*, surely: bool = True, **proof: Any) -> list[str]:
    """What is said of entries, when these tables have been seen."""
    names = Names(ProofConfig(**proof))
    names.see(Snapshot({table.name: table for table in TABLES}))
    lab = SimpleNamespace(dag_id="load", states=SimpleNamespace(names=names))
    return list((unknown_names(cast(Lab, lab), surely=surely) or {}).values())


@pytest.mark.parametrize(
    "proof",
    [
        {"ignore": ("orders.dt", "public.orders.id", "staging.rows.loaded_at", "staging.*", "*.loaded_at")},
        {"ignore": ("staging.*.loaded_at", "orders.*", "ord*.t*")},
        {"exempt": {"order": ("orders", "orders.dt", "staging.*", "*.loaded_at", "staging.rows")}},
        {"scratch": ("orders", "staging.*", "*.loaded_at", "comes_later", "tmp/*")},
        {"history": ("orders", "staging.rows.loaded_at")},
        {"generated_keys": {"*": "stable", "orders.id": "renamed", "staging.rows.id": "orders.id"}},
    ],
)
def test_schemas_tables_and_columns_may_be_patterns(proof: dict[str, Any]) -> None:
    """In ignore, exempt and scratch alike."""
    assert complaints(surely=False, **proof) == []


@pytest.mark.parametrize(
    ("proof", "message"),
    [
        (
            {"ignore": ("orders",)},
            "ignore names 'orders', which is a table; write 'orders.*' to ignore all of it, or "
            "'orders.COLUMN' for one of its columns (dt, id, total)",
        ),
        (
            {"ignore": ("staging",)},
            "ignore names 'staging', which is a schema; write 'staging.*' to ignore all of its tables, or "
            "'staging.*.COLUMN' for one column of each",
        ),
        (
            {"ignore": ("staging.rows",)},
            "ignore names 'staging.rows', which is a table; write 'staging.rows.*' to ignore all of it, or "
            "'staging.rows.COLUMN' for one of its columns (id, loaded_at)",
        ),
        (
            {"scratch": ("staging",)},
            "scratch names 'staging', which is a schema; write 'staging.*' to ignore all of its tables, or "
            "'staging.*.COLUMN' for one column of each",
        ),
        (
            {"exempt": {"crash": ("staging",)}},
            "exempt.crash names 'staging', which is a schema; write 'staging.*' to ignore all of its tables, or "
            "'staging.*.COLUMN' for one column of each",
        ),
        (
            {"ignore": ("orders.dts",)},
            "ignore names 'orders.dts', which is neither a column nor a file; did you mean 'orders.dt'?",
        ),
        (
            {"history": ("order",)},
            "history names 'order', which is neither a table nor a file; did you mean 'orders'?",
        ),
        (
            {"generated_keys": {"ordersz": "stable"}},
            "generated_keys names 'ordersz', which is neither a table nor a file; did you mean 'orders'?",
        ),
    ],
)
def test_what_an_entry_should_be_is_said_before_any_law(proof: dict[str, Any], message: str) -> None:
    """Word for word."""
    assert complaints(**proof) == [WHERE + message]


def test_scratch_may_name_what_no_run_has_left() -> None:
    """It may be there for a moment only."""
    assert complaints(surely=False, scratch=("nothing", "order")) == []
