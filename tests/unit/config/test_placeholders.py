"""Placeholders of the configuration: what each stands for, and what is said of one that stands for nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dagproof.config import parse_config
from dagproof.config.placeholders import fill, fill_all, mentions
from dagproof.errors import ConfigError

PLACES = {
    "files": "/w/files",
    "project": "/p",
    "postgres": "postgresql://me:a%2Fb@127.0.0.1:5001/one",
    "audit": "postgresql://me:a%2Fb@127.0.0.1:5001/two",
    "model": "127.0.0.1:7000",
}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{files}/in", "/w/files/in"),
        ("{project}/config.yml", "/p/config.yml"),
        ("{postgres}", "postgresql://me:a%2Fb@127.0.0.1:5001/one"),
        ("{postgres.host}:{postgres.port}", "127.0.0.1:5001"),
        ("{postgres.user} {postgres.password} {postgres.database}", "me a/b one"),
        ("{postgres+psycopg2}", "postgresql+psycopg2://me:a%2Fb@127.0.0.1:5001/one"),
        ("{audit+asyncpg}", "postgresql+asyncpg://me:a%2Fb@127.0.0.1:5001/two"),
        ("{audit.database}", "two"),
        ("http://{model}", "http://127.0.0.1:7000"),
        ("{model.host} {model.port}", "127.0.0.1 7000"),
        (r"orders_\{date}.csv", "orders_{date}.csv"),
        ("{{ ds }} {{files}} ${HOME} ${files} {}", "{{ ds }} {{files}} ${HOME} ${files} {}"),
        ('{"path": "{files}", "n": {"a": 1}}', '{"path": "/w/files", "n": {"a": 1}}'),
    ],
)
def test_a_placeholder_is_replaced_and_nothing_else(text: str, filled: str) -> None:
    """Other people's braces stay, and so does what a backslash stands before."""
    assert fill(text, PLACES) == filled


def test_a_table_is_filled_however_deep() -> None:
    """Lists too; what is no text stays."""
    assert fill_all({"a": [{"b": "{files}"}, 1]}, PLACES) == {"a": [{"b": "/w/files"}, 1]}


@pytest.mark.parametrize(
    ("value", "does"),
    [("{postgres}", True), ({"x": ["{postgres.host}"]}, True), (r"\{postgres}", False), ("postgres", False)],
)
def test_a_value_mentions_a_database(value: Any, does: bool) -> None:
    """In whichever form its placeholder has."""
    assert mentions(value, ["postgres"]) is does


ENV = "tool.dagproof.world.env.X has the placeholder"


@pytest.mark.parametrize(
    ("world", "message"),
    [
        pytest.param(
            {"env": {"X": "{postgress}"}},
            f"{ENV} {{postgress}}; did you mean 'postgres'? (for the literal text, write '\\{{postgress}}')",
            id="near",
        ),
        pytest.param(
            {"env": {"X": "in/{date}.csv"}},
            f"{ENV} {{date}} (choose from: files, postgres, project) (for the literal text, write '\\{{date}}')",
            id="far",
        ),
        pytest.param(
            {"env": {"X": "{postgres.hots}"}},
            f"{ENV} {{postgres.hots}}; did you mean 'postgres.host'? (for the literal text, write "
            f"'\\{{postgres.hots}}')",
            id="part",
        ),
        pytest.param(
            {"env": {"X": "{files+psycopg2}"}},
            f"{ENV} {{files+psycopg2}} (choose from: files, postgres, project) (for the literal text, write "
            f"'\\{{files+psycopg2}}')",
            id="driver-of-a-folder",
        ),
        pytest.param(
            {"connections": {"db": {"host": "{audti.host}"}}, "databases": {"audit": []}},
            "tool.dagproof.world.connections.db has the placeholder {audti.host}; did you mean 'audit'? (for the "
            "literal text, write '\\{audti.host}')",
            id="connection-table",
        ),
        pytest.param(
            {"databases": {"files": []}},
            "tool.dagproof.world.databases.files: a database's name becomes a placeholder: letters, digits and _, and "
            "none of files, project, postgres, port",
            id="name-of-a-database",
        ),
        pytest.param(
            {"databases": {"x": []}, "services": {"x": "serve {port}"}},
            "tool.dagproof.world.databases.x: there is a service 'x', too; a placeholder stands for one thing, "
            "rename one",
            id="two-of-a-name",
        ),
        pytest.param(
            {"paths": {"data": "{files}"}},
            "tool.dagproof.world.paths has 'data', which is not an absolute path; write one that begins with /",
            id="relative-path",
        ),
        pytest.param(
            {"paths": {"/data": "/srv/data"}},
            "tool.dagproof.world.paths./data is '/srv/data'; it must lead into the world; write {files} or a path "
            "below it, such as '{files}/data'",
            id="path-out-of-the-world",
        ),
    ],
)
def test_what_stands_for_nothing_is_refused(world: dict[str, Any], message: str) -> None:
    """With the nearest name, and how to write braces that are meant."""
    with pytest.raises(ConfigError) as raised:
        parse_config({"world": world}, root=Path("/project"))
    assert str(raised.value) == message


def test_a_task_is_skipped_or_replaced() -> None:
    """Anything else is refused."""
    with pytest.raises(ConfigError) as raised:
        parse_config({"proofs": {"d": {"tasks": {"notify": "skipp"}}}}, root=Path("/project"))
    assert str(raised.value) == (
        "tool.dagproof.proofs.d.tasks.notify is 'skipp'; write 'skip', or 'path/to/file.py:function' for what is "
        "called instead"
    )


def test_variables_are_texts_and_conf_is_what_it_is() -> None:
    """A variable that is a table, a number or a date becomes the JSON that Airflow reads back."""
    config = parse_config(
        {
            "world": {"variables": {"a": {"b": [1, 2]}, "n": 3, "t": "x", "yes": True}},
            "proofs": {"d": {"conf": {"mode": "full", "limit": 3, "deep": {"a": ["{files}"]}}}},
        },
        root=Path("/project"),
    )
    assert config.world.variables == {"a": '{"b": [1, 2]}', "n": "3", "t": "x", "yes": "true"}
    assert config.proof("d").conf == {"mode": "full", "limit": 3, "deep": {"a": ["{files}"]}}
