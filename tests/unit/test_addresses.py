"""What a value of the configuration leads to, in the ways in which people write addresses; and what is just text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dagproof.config import WorldConfig, load_config
from dagproof.errors import ConfigError
from dagproof.worlds.addresses import allowed_endpoints, check_addresses, literal_addresses
from dagproof.worlds.settings import beside

SERVICES = {"s3": "server {port}"}


def of_connection(value: Any) -> list[str]:
    """The addresses of one connection."""
    world = WorldConfig(connections={"c": value}, services=SERVICES)
    return [address for _, address in literal_addresses(world)]


def of_env(value: str, name: str = "X") -> list[str]:
    """The addresses of one environment variable."""
    return [address for _, address in literal_addresses(WorldConfig(env={name: value}, services=SERVICES))]


@pytest.mark.parametrize(
    ("value", "addresses"),
    [
        ("postgresql://u:p@db:6543/x", ["db:6543"]),
        ("postgres+psycopg2://db/x", ["db:5432"]),
        ("postgresql://[::1]/x", ["::1:5432"]),
        ("postgresql:///x?host=/var/run/postgresql", ["/var/run/postgresql"]),
        ("postgresql://%2Fvar%2Frun%2Fpg/x", ["/var/run/pg"]),
        ("jdbc:postgresql://db:5432/x", ["db:5432"]),
        ("jdbc:oracle:thin:@db:1521:sid", ["db:1521"]),
        ("jdbc:sqlserver://db:1433;databaseName=x", ["db:1433"]),
        ("Server=tcp:db.windows.net,1433;Database=x", ["db.windows.net:1433"]),
        ("host=db port=5433 dbname=x", ["db:5433"]),
        ("mongodb://a:1,b:2/x", ["a:1", "b:2"]),
        ("http://api.x.com", ["api.x.com:80"]),
        ("localhost:5432", ["localhost:5432"]),
        ("[::1]:5432", ["[::1]:5432"]),
        ("unix:///var/run/docker.sock", ["/var/run/docker.sock"]),
        ('{"conn_type": "postgres", "host": "db"}', ["db:5432"]),
        ({"conn_type": "postgres", "host": "db", "port": 5}, ["db:5"]),
        ({"conn_type": "postgres", "extra": {"replica": {"host": "r", "port": 5}}}, ["r:5"]),
        ({"conn_type": "aws", "extra": '{"endpoint_url": "http://minio:9000"}'}, ["minio:9000"]),
        ({"conn_type": "kafka", "extra": {"bootstrap.servers": "k:9092,l:9092"}}, ["k:9092", "l:9092"]),
        ("aws://key:secret@/?endpoint_url=http%3A%2F%2Fminio%3A9000", ["minio:9000"]),
        ("ssh://u@h", ["h:22"]),
        ("{postgres}", []),
        ("file:{files}/in", []),
        ("http://:proof@{s3}", []),
        ("aws://key:secret@/?endpoint_url=http%3A%2F%2F{s3}", []),
        ({"conn_type": "http", "extra": {"url": "http://{s3}/"}}, []),
        ({"conn_type": "sqlite", "host": "/data/x.db"}, []),
        ({"conn_type": "spark", "host": "local[*]"}, []),
        ("sqlite:////data/x.db", []),
        ("aws://", []),
        ("snowflake://u:p@/db?account=xy", []),
        ("https://hooks.invalid/services/x", []),
    ],
)
def test_a_connection_leads_to_addresses(value: Any, addresses: list[str]) -> None:
    """Whichever of the forms that Airflow and the drivers read it has."""
    assert of_connection(value) == addresses


@pytest.mark.parametrize(
    ("name", "value", "addresses"),
    [
        ("X", "postgresql://db/x", ["db:5432"]),
        ("X", "http://127.0.0.1:8080", ["127.0.0.1:8080"]),
        ("X", "http://minio:9000", ["minio:9000"]),
        ("X", "db.example.com:5432", ["db.example.com:5432"]),
        ("X", "host=db port=1 user=x", ["db:1"]),
        ("X", "redis://cache", ["cache:6379"]),
        ("X", '{"host": "db", "port": 5432}', ["db:5432"]),
        ("PGHOST", "db", ["db:"]),
        ("PGHOST", "/var/run/postgresql", ["/var/run/postgresql"]),
        ("DB_HOST", "localhost", ["localhost:"]),
        ("KAFKA_BROKERS", "k:9092,l:9092", ["k:9092", "l:9092"]),
        ("DATABASE_URL", "mysql://db/x", ["db:3306"]),
        ("S3_ENDPOINT", "http://minio:9000", ["minio:9000"]),
        ("AIRFLOW_CONN_API", "http://api.x.com/", ["api.x.com:80"]),
        ("DOCKER_HOST", "unix:///var/run/docker.sock", ["/var/run/docker.sock"]),
        *(
            ("X", text, [])
            for text in (
                "generator:200", "generator:0.004", "1:2", "12:30", "a@b.c", "mainApp,timeApp", "/data/x:1",
                "https://example.com/x", "report.csv:3", "s3://bucket/x", "{postgres}", "{files}/x", "v1.2:3",
                "2026-01-01T00:00:00", "postgres:16", "sha256:123", "git@github.com:org/r", "Europe/Berlin",
                "0 5 * * *", "pkg.mod:func", '["https://a.b/c"]', "hello, world", "http://{s3}/x", "",
            )
        ),
        ("X", "127.1:8080", ["127.1:8080"]),
        ("X", "0x7f.1:8080", ["0x7f.1:8080"]),
        ("X", "127.0.0.1", ["127.0.0.1:"]),
        ("X", "127.5", []),
        ("X", "1.2.3.4", []),
        ("PGPORT", "5432", []),
        ("ENDPOINT", "/v1/users", []),
        ("HOST", "{s3}", []),
        ("MY_DSN", "{postgres}", []),
        ("DB_HOST", "nobody.invalid", []),
    ],
)  # fmt: skip
def test_an_environment_variable_leads_to_addresses(name: str, value: str, addresses: list[str]) -> None:
    """Where it cannot well be anything else: most values are text."""
    assert of_env(value, name) == addresses


def refused(**settings: Any) -> str:
    """What is said of a world's settings; an empty text where nothing is."""
    try:
        check_addresses(WorldConfig(services=SERVICES, **settings))
    except ConfigError as error:
        return str(error)
    return ""


def test_an_address_is_refused_with_each_way_out() -> None:
    """The setting, the address without any password, and what to write instead."""
    told = refused(connections={"warehouse": "postgresql://u:secret@127.0.0.1:55432/x"})
    assert told.startswith("tool.dagproof.world.connections.warehouse contains the address 127.0.0.1:55432, ")
    for way in ("{postgres}", "[tool.dagproof.world.services]", "list '127.0.0.1:55432' under allow", ".invalid"):
        assert way in told
    assert "secret" not in told
    assert refused(variables={"api": "redis://cache"}).startswith(
        "tool.dagproof.world.variables.api contains the address"
    )
    assert "the socket /run/pg" in refused(env={"PGHOST": "/run/pg"})
    assert "PGSERVICE is 'prod'" in refused(env={"PGSERVICE": "prod"})


@pytest.mark.parametrize(
    ("value", "allow"),
    [
        ("postgresql://127.0.0.1:55432/x", "127.0.0.1:55432"),
        ("postgresql://localhost:55432/x", "127.0.0.1:55432"),
        ("postgresql://db/x", "db:5432"),
        ("postgresql://DB/x", "db:5432"),
        ("http://[::1]:80/", "[::1]:80"),
        ("https://api.x.com/", "https://api.x.com"),
        ("unix:///run/docker.sock", "/run/docker.sock"),
        ({"conn_type": "unheard", "host": "db"}, "db:7"),
    ],
)
def test_what_is_allowed_may_be_written(value: Any, allow: str) -> None:
    """In whichever way it is written."""
    assert refused(connections={"c": value}, allow=(allow,)) == ""
    assert refused(connections={"c": value}, allow=("other:1",)) != ""


@pytest.mark.parametrize("entry", ["db", "db:x", "db:99999", "relative/path", ""])
def test_an_entry_of_allow_is_a_place(entry: str) -> None:
    """Else it would open nothing, without a word."""
    with pytest.raises(ConfigError, match="which is neither HOST:PORT nor an absolute path"):
        allowed_endpoints(WorldConfig(allow=(entry,)))


def test_what_may_be_reached_has_a_name() -> None:
    """An address with the connections that lead to it, a service without its port, a folder."""
    world = WorldConfig(
        connections={"warehouse": "postgresql://db/x", "api": "http://{s3}"},
        services=SERVICES,
        allow=("db:5432", "/out"),
    )
    assert beside(world, {"s3": "127.0.0.1:4711"}, [("db", 5432)]) == {
        "/out": ("wrote", "/out"),
        "db:5432": ("reached", "db:5432 (connection warehouse)"),
        "127.0.0.1:4711": ("served", "service s3"),
    }


@pytest.mark.parametrize("folder", sorted((Path(__file__).parents[1] / "cases" / "proofs").glob("*/pyproject.toml")))
def test_the_cases_hold_no_address_but_one(folder: Path) -> None:
    """And neither does our own configuration."""
    root = Path(__file__).parents[2]
    for path in (folder.parent, root):
        world = load_config(path).world
        if path.name == "literal_address":
            continue
        check_addresses(world)
