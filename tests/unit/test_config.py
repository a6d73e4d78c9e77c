"""``[tool.dagproof]``: what it may hold, and what is said when it holds something else."""

from __future__ import annotations

import string
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagproof.config import Config, ProofConfig, WorldConfig, find_pyproject, load_config, parse_config
from dagproof.errors import ConfigError, nearest


def parse(table: dict[str, Any]) -> Config:
    """Parse the content of the table."""
    return parse_config(table, root=Path("/project"))


def test_nothing_configured_is_the_defaults(tmp_path: Path) -> None:
    """A folder without a pyproject.toml has them, relative to itself."""
    config = load_config(tmp_path)
    assert config == Config(root=tmp_path)
    assert config.dags_folder == tmp_path / "dags"
    assert config.proof("any") == ProofConfig()


def test_every_key_is_read() -> None:
    """Each into the field of its name, lists as tuples."""
    config = parse(
        {
            "dags": "flows",
            "pythonpath": ["lib"],
            "world": {
                "schema": ["a.sql", "b.sql"],
                "connections": {"db": "{postgres}", "api": {"conn_type": "http", "port": 80}},
                "variables": {"x": "1"},
                "env": {"E": "{files}"},
                "services": {"model": "serve {port}"},
                "allow": ["localhost:80"],
                "timeout": 3,
            },
            "proofs": {"d": {"after": ["p"], "ignore": ["t.c"], "dates": ["2026-01-01"]}},
        }
    )
    assert config == Config(
        root=Path("/project"),
        dags="flows",
        pythonpath=("lib",),
        world=WorldConfig(
            schema=("a.sql", "b.sql"),
            connections={"db": "{postgres}", "api": {"conn_type": "http", "port": 80}},
            variables={"x": "1"},
            env={"E": "{files}"},
            services={"model": "serve {port}"},
            allow=("localhost:80",),
            timeout=3.0,
        ),
        proofs={"d": ProofConfig(("p",), ("t.c",), ("2026-01-01",))},
    )


@pytest.mark.parametrize(
    ("table", "message"),
    [
        pytest.param({"dag": "x"}, "[tool.dagproof] has no key 'dag'; did you mean 'dags'?", id="top"),
        pytest.param(
            {"world": {"conections": {}}},
            "[tool.dagproof.world] has no key 'conections'; did you mean 'connections'?",
            id="world",
        ),
        pytest.param(
            {"proofs": {"d": {"ignored": []}}},
            "[tool.dagproof.proofs.d] has no key 'ignored'; did you mean 'ignore'?",
            id="proof",
        ),
        pytest.param(
            {"world": {"zzz": []}},
            "[tool.dagproof.world] has no key 'zzz' (choose from: allow, connections, databases, disk, env, files, "
            "paths, schema, services, timeout, variables)",
            id="nothing-near",
        ),
        pytest.param({"root": "/"}, "[tool.dagproof] has no key 'root'", id="root-is-ours"),
        pytest.param({"source": "x"}, "[tool.dagproof] has no key 'source'", id="source-is-ours"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_name(table: dict[str, Any], message: str) -> None:
    """And with its table, so that one finds it."""
    with pytest.raises(ConfigError) as raised:
        parse(table)
    assert str(raised.value).startswith(message)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        pytest.param({"dags": 3}, "tool.dagproof.dags must be a string, not 3", id="string"),
        pytest.param({"pythonpath": 3}, "tool.dagproof.pythonpath must be a list of strings, not 3", id="list"),
        pytest.param(
            {"world": {"schema": ["a", 1]}},
            "tool.dagproof.world.schema must be a list of strings, not ['a', 1]",
            id="list-of-strings",
        ),
        pytest.param(
            {"proofs": {"d": {"generated_keys": "stabel"}}},
            "tool.dagproof.proofs.d.generated_keys must be 'renamed' or 'stable', or a table of patterns, not 'stabel'",
            id="generated-keys",
        ),
        pytest.param(
            {"proofs": {"d": {"generated_keys": {"core.*": "id"}}}},
            "tool.dagproof.proofs.d.generated_keys.core.* must be 'renamed' or 'stable', or the key to which a column "
            "refers, such as \"orders.id\", not 'id'",
            id="generated-key",
        ),
        pytest.param({"world": []}, "[tool.dagproof.world] must be a table, not []", id="table"),
        pytest.param(
            {"world": {"services": {"model": 1}}},
            "tool.dagproof.world.services.model must be a string, not 1",
            id="service",
        ),
        pytest.param({"proofs": {"d": 1}}, "[tool.dagproof.proofs.d] must be a table, not 1", id="proof-table"),
        pytest.param({"world": {"env": {"A": 1}}}, "tool.dagproof.world.env.A must be a string, not 1", id="env"),
        pytest.param({"world": {"env": "A=1"}}, "tool.dagproof.world.env must be a table, not 'A=1'", id="env-table"),
        pytest.param(
            {"world": {"connections": {"c": 1}}},
            "tool.dagproof.world.connections.c must be a string or a table, not 1",
            id="connection",
        ),
        *(
            pytest.param(
                {"world": {"timeout": value}},
                f"tool.dagproof.world.timeout must be a number above 0 and at most 1,000,000,000, not {value!r}",
                id=f"timeout-{value}",
            )
            for value in (0, -1, "3", True, float("nan"))
        ),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(table: dict[str, Any], message: str) -> None:
    """With its place, the value, and what was expected."""
    with pytest.raises(ConfigError) as raised:
        parse(table)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("services", "message"),
    [
        pytest.param(
            {"model": "serve --port {prot}"},
            "tool.dagproof.world.services.model has the placeholder {prot}; did you mean 'port'?",
            id="placeholder",
        ),
        pytest.param(
            {"model": "serve {port} {files}"},
            "tool.dagproof.world.services.model has the placeholder {files} (choose from: port)",
            id="store",
        ),
        pytest.param(
            {"model": "serve --port 80"},
            "tool.dagproof.world.services.model is 'serve --port 80'; it must contain {port}, in place of the port "
            "number",
            id="no-port",
        ),
        *(
            pytest.param(
                {name: "serve {port}"},
                f"tool.dagproof.world.services.{name}: a service's name becomes a placeholder: letters, digits and _, "
                "and none of files, project, postgres, port",
                id=name,
            )
            for name in ("postgres", "files", "port", "ml-api", "1st")
        ),
    ],
)
def test_a_service_that_cannot_be_one_is_refused(services: dict[str, str], message: str) -> None:
    """With the rule and the nearest name."""
    with pytest.raises(ConfigError) as raised:
        parse({"world": {"services": services}})
    assert str(raised.value) == message


def test_a_list_of_one_may_be_a_text() -> None:
    """Wherever a list of texts is expected, also within a table."""
    table = {
        "pythonpath": "lib",
        "world": {"schema": "sql/schema.sql", "databases": {"audit": "sql/audit.sql"}},
        "proofs": {"d": {"after": "producer", "exempt": {"crash": "mart.prices"}}},
    }
    config = parse(table)
    assert config.pythonpath == ("lib",)
    assert config.world.schema == ("sql/schema.sql",)
    assert config.world.databases == {"audit": ("sql/audit.sql",)}
    assert config.proof("d").after == ("producer",)
    assert config.proof("d").exempt == {"crash": ("mart.prices",)}


def test_a_file_that_is_no_toml_is_named(tmp_path: Path) -> None:
    """With the parser's reason."""
    (tmp_path / "pyproject.toml").write_text("[tool.dagproof\n")
    with pytest.raises(ConfigError, match=r"pyproject\.toml is not valid TOML \(.*\); fix the file"):
        load_config(tmp_path)


@pytest.mark.parametrize("text", ["[tool]\ndagproof = 'x'\n", "[[tool.dagproof]]\n"])
def test_a_tool_table_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    """In a sentence, not with a traceback."""
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(ConfigError, match=r"^\[tool\.dagproof\] must be a table, not "):
        load_config(tmp_path)


def test_a_pyproject_whose_tool_is_no_table_is_not_ours(tmp_path: Path) -> None:
    """It is passed over like any other without our table."""
    (tmp_path / "pyproject.toml").write_text("tool = 1\n")
    assert load_config(tmp_path) == Config(root=tmp_path)


def test_the_nearest_file_with_our_table_counts(tmp_path: Path) -> None:
    """A pyproject.toml without it in between does not, and paths count from where the file is."""
    (tmp_path / "pyproject.toml").write_text("[tool.dagproof]\ndags = 'flows'\n")
    inner = tmp_path / "package" / "deep"
    inner.mkdir(parents=True)
    (tmp_path / "package" / "pyproject.toml").write_text("[tool.other]\n")
    assert find_pyproject(inner) == tmp_path / "pyproject.toml"
    config = load_config(inner)
    assert (config.root, config.dags_folder) == (tmp_path, tmp_path / "flows")
    assert config.source == tmp_path / "pyproject.toml"


@given(st.text(string.ascii_lowercase + "_", min_size=1))
def test_a_key_is_known_or_refused(key: str) -> None:
    """There is no third way, whatever it is called."""
    known = {f.name for f in fields(WorldConfig)}
    with pytest.raises(ConfigError) as raised:  # an object is no value of any key
        parse({"world": {key: object()}})
    assert ("has no key" in str(raised.value)) == (key not in known)
    assert "\n" not in str(raised.value)


@given(st.text(), st.lists(st.text(string.ascii_lowercase, min_size=1), max_size=15))
def test_the_name_that_is_offered_exists(name: str, valid: list[str]) -> None:
    """Either one that is near, or a list of what there is."""
    offered = nearest(name, valid)
    if offered.startswith("; did you mean"):
        assert offered.split("'")[1] in valid
    elif valid:
        assert offered.removeprefix(" (choose from: ").split(", ")[0].rstrip(")") == min(valid)
    else:
        assert offered == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            "[tool.dagproof.world]\ntimeout = inf",
            "tool.dagproof.world.timeout must be a number above 0 and at most 1,000,000,000, not inf",
            id="timeout-inf",
        ),
        pytest.param(
            f"[tool.dagproof.world]\ntimeout = 0x{'f' * 5000}",
            "tool.dagproof.world.timeout must be a number above 0 and at most 1,000,000,000, not a value that is too "
            "long to print",
            id="number-of-many-hexadecimal-digits",
        ),
        pytest.param(
            '[tool.dagproof.world.env]\n"A=B" = "x"',
            "tool.dagproof.world.env has the name 'A=B', which no environment can hold; write a name without '=' and "
            "NUL",
            id="equals-sign-in-a-name",
        ),
        pytest.param(
            '[tool.dagproof.world.variables]\n"A\\u0000B" = "x"',
            "tool.dagproof.world.variables has the name 'A\\x00B', which no environment can hold; write a name without "
            "'=' and NUL",
            id="NUL-in-a-name",
        ),
        pytest.param(
            '[tool.dagproof.world.connections]\n"" = "x"',
            "tool.dagproof.world.connections has the name '', which no environment can hold; write a name without '=' "
            "and NUL",
            id="no-name",
        ),
        pytest.param(
            '[tool.dagproof.world.env]\nA = "x\\u0000y"',
            "tool.dagproof.world.env.A has a NUL character in it; remove it",
            id="NUL-in-a-value",
        ),
        pytest.param(
            '[tool.dagproof]\npythonpath = ["a\\u0000"]',
            "tool.dagproof.pythonpath has a NUL character in it; remove it",
            id="NUL-in-a-path",
        ),
        pytest.param(
            '[tool.dagproof.world.services]\nmodel = "serve \'a {port}"',
            'tool.dagproof.world.services.model is "serve \'a {port}", which is not a valid command (No closing '
            "quotation); close the quote",
            id="open-quote",
        ),
    ],
)
def test_a_value_that_nothing_can_hold_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """Where it is written, before anything is started."""
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(ConfigError) as raised:
        load_config(tmp_path)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param(f"x = {'9' * 5000}", "Exceeds the limit", id="number-of-5000-digits"),
        pytest.param(f"x = {'[' * 5000}{']' * 5000}", "it is nested too deeply", id="deep-nesting"),
        pytest.param('x = "\\ud800"', "", id="surrogate"),
    ],
)
def test_a_file_that_python_cannot_read_is_not_valid(tmp_path: Path, text: str, reason: str) -> None:
    """In a sentence."""
    (tmp_path / "pyproject.toml").write_text(f"{text}\n[tool.dagproof]\n")
    with pytest.raises(ConfigError, match=rf"pyproject\.toml is not valid TOML \(.*{reason}.*\); fix the file"):
        load_config(tmp_path)
