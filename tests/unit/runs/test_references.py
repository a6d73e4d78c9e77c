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
        ({"outage": {"allow": ["fetch: dedlock"]}}, "has the unknown error 'dedlock'; did .* 'deadlock'"),
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
    with pytest.raises(ConfigError, match="pythonpath has 'lib', but there is no folder"):
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
    with pytest.raises(ConfigError, match="names 'load', which is not one of its tasks; did you mean 'loads'"):
        check_tasks(config, "d", ["fetch_users", "loads"])


WAYS_OUT = (
    "map the connection to PostgreSQL ({postgres}), to files, SQLite or DuckDB ({files}), or to a server that you "
    "start as a service; or skip or replace its tasks with `tasks` in [tool.dagproof.proofs.DAG_ID] (docs/stand-ins.md "
    "explains what a proof then means)"
)


@pytest.mark.parametrize(
    ("connection", "kind"),
    [
        pytest.param("mysql://shop:x@db.example.com/shop", "'mysql' (MySQL)", id="mysql"),
        pytest.param("snowflake://me:x@/db?account=ab12", "'snowflake' (Snowflake)", id="snowflake-without-a-host"),
        pytest.param("google-cloud-platform://?extra=1", "'google_cloud_platform' (Google Cloud)", id="google"),
        pytest.param({"conn_type": "mssql", "host": "sql.example.com"}, "'mssql' (SQL Server)", id="table"),
        pytest.param('{"conn_type": "redis", "host": "cache"}', "'redis' (Redis)", id="json"),
    ],
)
def test_a_connection_of_a_kind_that_no_world_has_is_refused(tmp_path: Path, connection: object, kind: str) -> None:
    """With the type, and the ways out."""
    (tmp_path / "dags").mkdir()
    config = parse_config({"world": {"connections": {"dwh": connection}}}, root=tmp_path)
    with pytest.raises(ConfigError) as raised:
        check_references(config)
    assert str(raised.value) == (
        f"tool.dagproof.world.connections.dwh has the connection type {kind}, for which a world has no server; "
        f"{WAYS_OUT}"
    )


@pytest.mark.parametrize(
    "world",
    [
        {"connections": {"dwh": "mysql://{mysql}/shop"}, "services": {"mysql": "mysqld --port {port}"}},
        {"connections": {"dwh": "mysql://db.example.com/shop"}, "allow": ["db.example.com:3306"]},
        {"connections": {"dwh": "mysql://nobody.invalid/shop"}},
        {"connections": {"dwh": "{postgres}"}},
    ],
)
def test_a_connection_that_leads_somewhere_is_anybody_s_own_affair(tmp_path: Path, world: dict[str, object]) -> None:
    """A service, an address that is allowed, one that no run reaches."""
    check_references(parse_config({"world": world}, root=tmp_path))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        pytest.param(
            {"world": {"files": "tests/wrld"}},
            "tool.dagproof.world.files is 'tests/wrld', but there is no folder ROOT/tests/wrld",
            id="files",
        ),
        pytest.param(
            {"proofs": {"d": {"tasks": {"fetch": "stubs.py:answer"}}}},
            "tool.dagproof.proofs.d.tasks.fetch: there is no file ROOT/stubs.py",
            id="stub",
        ),
    ],
)
def test_what_stands_in_has_to_be_there(tmp_path: Path, table: dict[str, object], message: str) -> None:
    """Before anything is started."""
    with pytest.raises(ConfigError) as raised:
        check_references(parse_config({"pythonpath": ["."], **table}, root=tmp_path))
    assert str(raised.value).replace(str(tmp_path.resolve()), "ROOT") == message


@pytest.mark.parametrize(
    ("proof", "message"),
    [
        pytest.param(
            {"tasks": {"notfy": "skip"}},
            "tool.dagproof.proofs.d.tasks names 'notfy', which is not one of its tasks; did you mean 'notify'?",
            id="task",
        ),
        pytest.param(
            {"conf": {"moed": "x"}},
            "tool.dagproof.proofs.d.conf has 'moed', which is not one of its params; did you mean 'mode'?",
            id="param",
        ),
    ],
)
def test_a_task_or_param_that_is_misspelt_is_refused(tmp_path: Path, proof: dict[str, object], message: str) -> None:
    """With the one that was meant."""
    config = parse_config({"proofs": {"d": proof}}, root=tmp_path)
    with pytest.raises(ConfigError) as raised:
        check_tasks(config, "d", ["fetch", "notify"], ["mode"])
    assert str(raised.value) == message
