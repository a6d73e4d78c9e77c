"""What the configuration names is there, or it is refused with the name that was meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dagproof.config import Config, parse_config
from dagproof.errors import ConfigError
from dagproof.laws import check_law_names
from dagproof.runs.references import check_dag_ids, check_references, check_tasks


def configured(root: Path, **table: Any) -> Config:
    """Return a configuration whose root is `root`."""
    return parse_config(table, root=root)


def check(config: Config) -> None:
    """Check both halves."""
    check_law_names(config)
    check_references(config)


@pytest.mark.parametrize(
    ("proof", "message"),
    [
        ({"skip": {"reruns": "why"}}, r"\[tool\.dagproof\.proofs\.d\.skip\] names 'reruns', .* did you mean 'rerun'"),
        ({"exempt": {"contanment": ["t"]}}, "'contanment', which is not a law; did you mean 'containment'"),
        (
            {"outage": {"alow": ["a: deadlock"]}},
            r"\[tool\.dagproof\.proofs\.d\.outage\] has no key 'alow'; did .* 'allow'",
        ),
        ({"outage": {"allow": ["fetch"]}}, "has 'fetch'; write TASK: ERROR"),
        ({"outage": {"allow": ["fetch: dedlock"]}}, "names the error 'dedlock', which no run meets; did .* 'deadlock'"),
        ({"corrections": {"fewer": "sql/none.sql"}}, r"corrections\.fewer: there is no .*none\.sql"),
        ({"corrections": {"fewer": "none.py:fewer"}}, r"corrections\.fewer: there is no .*none\.py"),
    ],
)
def test_what_does_not_exist_is_refused(tmp_path: Path, proof: dict[str, Any], message: str) -> None:
    """A law with the nearest name, a correction with the path."""
    with pytest.raises(ConfigError, match=message):
        check(configured(tmp_path, proofs={"d": proof}))


def test_a_folder_to_import_from_has_to_exist(tmp_path: Path) -> None:
    """Otherwise each DAG would fail with an import error that does not say why."""
    with pytest.raises(ConfigError, match="pythonpath names 'lib', and there is no folder"):
        check_references(configured(tmp_path, pythonpath=["lib"]))


def test_what_exists_is_accepted(tmp_path: Path) -> None:
    """A folder, a file of SQL, a function's file, laws by their names."""
    (tmp_path / "later").mkdir()
    (tmp_path / "fewer.sql").touch()
    (tmp_path / "more.py").touch()
    corrections = {"folder": "later", "sql": "fewer.sql", "function": "more.py:more"}
    proof = {"corrections": corrections, "skip": {"order": "why"}, "exempt": {"containment": ["t"]}}
    check(configured(tmp_path, proofs={"d": proof}))


def test_a_misspelt_dag_id_is_refused_with_the_one_that_was_meant(tmp_path: Path) -> None:
    """Its settings would be silently without effect."""
    config = configured(tmp_path, proofs={"consumer_user_daily": {}})
    with pytest.raises(ConfigError, match="names no DAG in dags; did you mean 'consumer_users_daily'"):
        check_dag_ids(config, ["consumer_users_daily", "producer_users_daily"])


@pytest.mark.parametrize("known", [["other"], ["users_a", "users_b"], []])
def test_a_dag_of_another_folder_may_have_a_table(tmp_path: Path, known: list[str]) -> None:
    """One that resembles none of those here, or just one that has a table of its own."""
    check_dag_ids(configured(tmp_path, proofs={"users_a": {}, "users_b": {}}), known)


def test_a_task_that_may_lose_its_rows_is_one_of_the_dag(tmp_path: Path) -> None:
    """Or a pattern of some."""
    config = configured(tmp_path, proofs={"d": {"outage": {"allow": ["fetch_*: *", "load: deadlock"]}}})
    check(config)
    check_tasks(config, "d", ["fetch_users", "load"])
    with pytest.raises(ConfigError, match="names the task 'load', which is not one of its tasks; did you mean 'loads'"):
        check_tasks(config, "d", ["fetch_users", "loads"])
