"""What a server gives, whatever its kind."""

from __future__ import annotations

import re
import socket

import psycopg
import pytest

from dagproof.postgres.server import PostgresServer, ServerError, unique_name
from dagproof.postgres.servers import start_server

pytestmark = pytest.mark.each_server


def test_it_listens_on_tcp_with_a_password(postgres_server: PostgresServer) -> None:
    """A proxy can stand in between, and a stranger who knows the port does not get in."""
    with socket.create_connection((postgres_server.host, postgres_server.port), timeout=5):
        pass
    wrong = postgres_server.url("postgres").replace(postgres_server.password, "wrong")
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(wrong)


def test_it_is_utf8_and_utc_and_sorts_by_code_point(postgres_server: PostgresServer) -> None:
    """On every machine alike."""
    with postgres_server.connect() as connection:
        row = connection.execute("""
            SELECT current_setting('server_encoding'), current_setting('TimeZone'), upper('é'),
                   (SELECT string_agg(x, '' ORDER BY x) FROM unnest(ARRAY['b', 'A', 'a', 'B', 'é', 'Z']) x)
        """).fetchone()
    assert row == ("UTF8", "UTC", "É", "ABZabé")


def test_a_database_is_cloned_from_a_template(postgres_server: PostgresServer) -> None:
    """Each world is such a copy."""
    template, copy = unique_name("template"), unique_name("world")
    postgres_server.create_database(template)
    with postgres_server.connect(template) as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS x")
    postgres_server.create_database(copy, template=template)
    with psycopg.connect(postgres_server.url(copy)) as connection:
        assert connection.execute("SELECT x FROM t").fetchall() == [(1,)]
    postgres_server.drop_database(copy)
    postgres_server.drop_database(template)


def test_a_database_in_use_is_dropped_only_by_force(postgres_server: PostgresServer) -> None:
    """Without force the answer says what to do."""
    name = unique_name()
    postgres_server.create_database(name)
    with postgres_server.connect(name):
        with pytest.raises(ServerError, match="in use; close its connections, or force"):
            postgres_server.drop_database(name, force=False)
        postgres_server.drop_database(name)
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        postgres_server.connect(name)


def test_only_what_was_created_here_is_dropped(postgres_server: PostgresServer) -> None:
    """Not even a database with our prefix, if somebody else made it."""
    name = unique_name("theirs")
    with postgres_server.connect() as connection:
        connection.execute(f"CREATE DATABASE {name}")
        with pytest.raises(ServerError, match="was not created here"):
            postgres_server.drop_database(name)
        with pytest.raises(ServerError, match="exists already and is not ours"):
            postgres_server.create_database(name)
        connection.execute(f"DROP DATABASE {name}")


def test_a_name_without_our_prefix_is_refused(postgres_server: PostgresServer) -> None:
    """So that nothing that looks like somebody's is ever made or dropped."""
    with pytest.raises(ServerError, match=re.escape("is called 'dagproof_…', and 'sales' is not")):
        postgres_server.create_database("sales")


def test_a_missing_template_is_named(postgres_server: PostgresServer) -> None:
    """The server's own words, in one sentence."""
    with pytest.raises(ServerError, match=r"could not be created.*nowhere"):
        postgres_server.create_database(unique_name(), template="nowhere")


def test_its_print_hides_the_password(postgres_server: PostgresServer) -> None:
    """It ends up in logs."""
    assert postgres_server.password not in repr(postgres_server)


def test_a_url_can_lead_through_a_proxy(postgres_server: PostgresServer) -> None:
    """Another host and port, and the rest as before."""
    assert postgres_server.url("x", host="::1", port=7).endswith("@[::1]:7/x")


def test_a_client_of_pytest_postgresql_has_a_database_of_its_own(
    postgresql: psycopg.Connection, postgres_server: PostgresServer
) -> None:
    """Its `depends_on` takes our server as it is."""
    assert postgresql.info.port == postgres_server.port
    postgresql.execute("CREATE TABLE once (x int)")
    postgresql.commit()


def test_and_the_next_test_has_another(postgresql: psycopg.Connection) -> None:
    """The table of the test before is not there."""
    assert postgresql.execute("SELECT to_regclass('once')").fetchone() == (None,)


def test_a_server_is_used_by_its_address(postgres_server: PostgresServer) -> None:
    """What we made there is dropped at the end, and nothing else."""
    name, theirs = unique_name(), unique_name("theirs")
    with postgres_server.connect() as connection:
        connection.execute(f"CREATE DATABASE {theirs}")
        with start_server(postgres_server.url("postgres")) as visited:
            visited.create_database(name)
            assert visited.url(name) == postgres_server.url(name)
        left = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
        connection.execute(f"DROP DATABASE {theirs}")
    assert theirs in left
    assert name not in left


def test_parameters_of_an_address_are_kept(postgres_server: PostgresServer) -> None:
    """Such as options that each connection is to have."""
    with start_server(postgres_server.url("postgres") + "?options=-c%20work_mem%3D5MB&application_name=me") as visited:
        assert visited.options == "-c work_mem=5MB"
        with visited.connect() as connection:
            row = connection.execute("SELECT current_setting('work_mem'), current_setting('application_name')")
            assert row.fetchone() == ("5MB", "me")


def test_a_user_who_may_not_create_databases_is_told_so(postgres_server: PostgresServer) -> None:
    """Before anything runs, with the statement that would help."""
    user = unique_name("user")
    with postgres_server.connect() as connection:
        connection.execute(f"CREATE ROLE {user} LOGIN PASSWORD 'x'")
        try:
            with pytest.raises(ServerError, match=f'ALTER ROLE "{user}" CREATEDB'):
                start_server(
                    f"postgresql://{user}:x@{postgres_server.host}:{postgres_server.port}/postgres"
                ).__enter__()
        finally:
            connection.execute(f"DROP ROLE {user}")
