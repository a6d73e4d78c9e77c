"""Repositories as strangers have them, each proven or rightly falsified with at most 15 lines of configuration."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dagproof.laws.verdict import FALSIFIED, PROVEN
from dagproof.runs.scope import sentences
from tests.strangers.conftest import FOLDERS, Prove, verdict

pytestmark = pytest.mark.one_server

PROJECTS = sorted(path.parent for path in FOLDERS.glob("*/pyproject.toml"))


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.name)
def test_the_configuration_is_short(project: Path) -> None:
    """At most 15 lines."""
    lines = [line for line in (project / "pyproject.toml").read_text().splitlines() if line.strip()]
    assert len(lines) <= 15


def test_two_databases_migrations_and_stand_ins(proof_of: Prove) -> None:
    """SQLAlchemy, alembic, a dump, a folder of migrations: the audit table, in the second database, is not rerun."""
    proof = proof_of("shop", "shop_orders", "effect", "rerun")
    assert verdict(proof, "effect").outcome == PROVEN
    rerun = verdict(proof, "rerun")
    assert (rerun.outcome, rerun.verdict) == (FALSIFIED, "non-idempotent")
    assert "duplicate key value violates unique constraint" in rerun.headline
    said = sentences(verdict(proof, "effect").left_out)
    assert said == [
        "uuid-ossp is a stand-in in SQL, whose version-1 ids are random (--postgres embedded)",
        "not run, but taken out: notify (tasks)",
        "not run, but taken out, with tests/world/stubs.py:rates called instead: exchange_rates (tasks)",
        'not tried: a conf other than {"strict": true} (conf)',
    ]


@pytest.mark.deep
def test_two_databases_once_fixed(proof_of: Prove) -> None:
    """What is in both databases, and the wall clock of both, holds every law."""
    conflict = " ON CONFLICT (dt) DO UPDATE SET rows = excluded.rows"
    proof = proof_of("shop", "shop_orders", env={"ON_CONFLICT": conflict})
    assert {verdict.law: verdict.outcome for verdict in proof.verdicts if verdict.outcome != PROVEN} == {
        "correction": "not-applicable",
        "late": "not-applicable",
    }
    compared = verdict(proof, "rerun").compared
    assert set(compared.tables) == {"customers", "orders", "audit:loads", "alembic_version"}


def test_hard_coded_paths_and_the_thread_of_an_error_reporter(proof_of: Prove) -> None:
    """psycopg2 with libpq's own variables, a path that is in the code: the archive grows, by a shell's hand."""
    rerun = verdict(proof_of("warehouse", "warehouse_events", "rerun"), "rerun")
    assert (rerun.outcome, rerun.verdict) == (FALSIFIED, "non-idempotent")
    assert rerun.diff is not None
    assert [file.path for file in rerun.diff.files] == ["data/archive/all.csv"]
    assert str(rerun.written_by).startswith("task archive, at ")
    assert sentences(rerun.left_out) == [
        "pgcrypto is a stand-in in SQL, without crypt() and encryption (--postgres embedded)",
        "not tried: 2026-01-02",
    ]


def test_settings_of_django_and_a_unique_index(proof_of: Prove) -> None:
    """`manage.py migrate` makes the tables, settings take the parts of the address: the load is idempotent."""
    rerun = verdict(proof_of("portal", "portal_members", "rerun"), "rerun")
    assert rerun.outcome == PROVEN, rerun
    assert rerun.compared.tables["members"] == 2
    assert 'not tried: a conf other than {"region": "eu"} (conf)' in sentences(rerun.left_out)


@pytest.mark.deep
def test_assets_get_the_events_of_what_ran_first(proof_of: Prove) -> None:
    """With their extras: what replaces a day is idempotent, what logs it is not."""
    for dag_id, outcome in (("daily_revenue", PROVEN), ("revenue_log", FALSIFIED)):
        assert verdict(proof_of("assets", dag_id, "rerun"), "rerun").outcome == outcome, dag_id


@pytest.mark.deep
def test_a_repository_that_is_the_package(proof_of: Prove) -> None:
    """A load that deletes and inserts is idempotent, and with autocommit not atomic."""
    proof = proof_of("acme", "acme_prices", "rerun", "crash")
    assert verdict(proof, "rerun").outcome == PROVEN
    crash = verdict(proof, "crash")
    assert (crash.outcome, crash.verdict) == (FALSIFIED, "not atomic")


@pytest.mark.deep
@pytest.mark.skipif(shutil.which("psql") is None, reason="the stand-in of dbt runs psql")
@pytest.mark.parametrize(("dag_id", "task"), [("jaffle_bash", "dbt_run"), ("jaffle_models", "models.orders_run")])
def test_dbt_by_bash_and_by_a_task_for_each_model(dag_id: str, task: str, proof_of: Prove) -> None:
    """An incremental model without a key appends; the files of its target folder are of no interest."""
    rerun = verdict(proof_of("jaffle", dag_id, "rerun"), "rerun")
    assert (rerun.outcome, rerun.written_by) == (FALSIFIED, f"task {task}")
    assert rerun.diff is not None
    assert [table.table for table in rerun.diff.tables] == ["orders"]
