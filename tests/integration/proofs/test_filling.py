"""What fills the databases of a world: scripts, dumps, migrations, commands; and what is said where it cannot."""

from __future__ import annotations

import hashlib
import hmac
import subprocess
import uuid
from contextlib import AbstractContextManager
from pathlib import Path

import psycopg
import pytest

from dagproof.config import parse_config
from dagproof.errors import ConfigError
from dagproof.inside.machine import HERE
from dagproof.postgres.embedded import program
from dagproof.postgres.server import PostgresServer
from dagproof.worlds.worlds import Worlds, open_worlds

pytestmark = pytest.mark.one_server


def rows(worlds: Worlds, query: str, database: str = "postgres") -> list[tuple[object, ...]]:
    """What a query finds in a template, which is what each world begins with."""
    assert worlds.databases is not None
    with psycopg.connect(worlds.databases.server.url(worlds.databases._templates[database])) as connection:
        return connection.execute(query.encode()).fetchall()


def filled(server: PostgresServer, root: Path, *schema: str, **databases: list[str]) -> AbstractContextManager[Worlds]:
    """Worlds whose first database the entries fill."""
    world = {
        "schema": list(schema),
        "databases": databases,
        "env": {"URL": "{postgres}", "OTHER": "postgres://x.invalid"},
    }
    return open_worlds(parse_config({"world": world}, root=root), server)


def test_a_database_is_filled_by_files_folders_dumps_and_commands(
    embedded_server: PostgresServer, tmp_path: Path
) -> None:
    """In the order in which they are named; a command reaches it by what the world's environment has."""
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "10_b.sql").write_text("INSERT INTO t SELECT max(n) + 10 FROM t;")
    (tmp_path / "migrations" / "9_a.sql").write_text(
        "CREATE TABLE t (n integer, at date DEFAULT CURRENT_DATE);\nINSERT INTO t VALUES (1);"
    )
    (tmp_path / "fill.py").write_text(
        "import os, psycopg\n"
        "with psycopg.connect(os.environ['URL']) as c:\n"
        "    c.execute('INSERT INTO t SELECT max(n) + 100 FROM t')\n"
        "    c.execute('CREATE TABLE of_command (at date DEFAULT CURRENT_DATE)')\n"
    )  # fmt: skip
    (tmp_path / "audit.sql").write_text("CREATE TABLE log (id integer);")
    (tmp_path / "add.py").write_text(
        "import os, psycopg\n"
        "psycopg.connect(os.environ['URL'], autocommit=True).execute('INSERT INTO t VALUES (1111)')\n"
    )
    (tmp_path / "more.sh").write_text("#!/bin/sh\nexec python add.py\n")
    (tmp_path / "more.sh").chmod(0o755)
    entries = ["migrations", "python fill.py", "more.sh"]
    with filled(embedded_server, tmp_path, *entries, audit=["audit.sql"]) as worlds:
        assert rows(worlds, "SELECT n FROM t ORDER BY n") == [(1,), (11,), (111,), (1111,)]
        assert rows(worlds, "SELECT count(*) FROM log", "audit") == [(0,)]
        defaults = rows(worlds, "SELECT column_default FROM information_schema.columns WHERE column_name = 'at'")
        assert defaults == [('dagproof."current_date"()',)] * 2, "the clock is the world's, whoever made the table"
        assert set(worlds.addresses(HERE)) == {"postgres", "audit"}


def test_a_dump_of_each_format_is_taken_as_it_is(embedded_server: PostgresServer, tmp_path: Path) -> None:
    """Plain, custom, tar, and a folder."""
    (tmp_path / "made.sql").write_text(
        "CREATE TABLE t (n integer PRIMARY KEY, s text); INSERT INTO t VALUES (1, 'a;b\\c');"
    )
    dump = program("pg_dump")
    assert dump is not None
    with filled(embedded_server, tmp_path, "made.sql") as worlds:
        assert worlds.databases is not None
        url = embedded_server.url(worlds.databases._templates["postgres"])
        for letter in "pctd":
            command = [str(dump), url, "-F", letter, "-n", "public", "-f", str(tmp_path / f"dump.{letter}")]
            subprocess.run(command, check=True)
    for letter in "pctd":
        with filled(embedded_server, tmp_path, f"dump.{letter}") as worlds:
            assert rows(worlds, "SELECT * FROM t") == [(1, "a;b\\c")], letter


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        pytest.param(
            "postgis.sql",
            'tool.dagproof.world.schema: PostgreSQL refuses postgis.sql: extension "postgis" is not available; use '
            "--postgres testcontainers with DAGPROOF_POSTGRES_IMAGE naming an image that has it, or --postgres "
            "postgresql://… with a server that has it",
            id="extension",
        ),
        pytest.param(
            "empty",
            "tool.dagproof.world.schema: empty has no .sql file; name a file, or write the command that fills the "
            "database, such as 'alembic upgrade head'",
            id="folder",
        ),
        pytest.param(
            "missing.sql",
            "tool.dagproof.world.schema: cannot read missing.sql (No such file or directory)",
            id="file",
        ),
        pytest.param(
            "alembik upgrade head",
            "tool.dagproof.world.schema has 'alembik upgrade head', which is neither a file, nor a folder of "
            "migrations, nor a command whose program is installed",
            id="program",
        ),
        pytest.param(
            "python -c 'import sys; sys.exit(print(12) or 3)'",
            "tool.dagproof.world.schema: `python -c 'import sys; sys.exit(print(12) or 3)'` ended with exit status 3; "
            "it printed:\n    12",
            id="status",
        ),
        pytest.param(
            "create.sql",
            "tool.dagproof.world.schema: create.sql cannot be run: \\connect is a command of psql; dump without "
            "--create",
            id="psql",
        ),
        pytest.param(
            "including.sql",
            "tool.dagproof.world.schema: including.sql includes ROOT/nowhere.sql, which cannot be read (No such file "
            "or directory)",
            id="include",
        ),
        pytest.param(
            "broken.dump",
            "tool.dagproof.world.schema: pg_restore cannot read broken.dump (pg_restore: error: could not read from "
            "input file: end of file)",
            id="dump",
        ),
    ],
)
def test_what_cannot_be_applied_is_refused(
    embedded_server: PostgresServer, tmp_path: Path, entry: str, message: str
) -> None:
    """In one sentence, with the way out."""
    (tmp_path / "postgis.sql").write_text("CREATE EXTENSION postgis;")
    (tmp_path / "create.sql").write_text("\\connect shop\n")
    (tmp_path / "including.sql").write_text("\\i nowhere.sql\n")
    (tmp_path / "broken.dump").write_bytes(b"PGDMP")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError) as raised, filled(embedded_server, tmp_path, entry):
        pass
    assert str(raised.value).replace(str(tmp_path), "ROOT") == message


def test_a_command_does_not_reach_what_its_settings_name(embedded_server: PostgresServer, tmp_path: Path) -> None:
    """A server that is not of the world: here the very one that we run on, by its own port."""
    url = embedded_server.url("postgres")
    (tmp_path / "leave.py").write_text(f"import psycopg\npsycopg.connect({url!r}).execute('SELECT 1')\n")
    with pytest.raises(ConfigError) as raised, filled(embedded_server, tmp_path, "python leave.py"):
        pass
    first = str(raised.value).partition("; it printed")[0]
    place = f"127.0.0.1:{embedded_server.port}"
    assert first == (
        f"tool.dagproof.world.schema: `python leave.py` ended with exit status 1; it tried to connect "
        f"to {place}, which is not part of its world; map it to {{postgres}} or to a service in [tool.dagproof.world], "
        f"or list {place} under allow"
    )


def test_stand_ins_give_the_values_of_the_real_extensions(embedded_server: PostgresServer, tmp_path: Path) -> None:
    """Where these follow from what goes in; what SQL cannot do says so."""
    (tmp_path / "made.sql").write_text(
        'CREATE SCHEMA ext; CREATE EXTENSION IF NOT EXISTS "uuid-ossp" WITH SCHEMA ext; CREATE EXTENSION pgcrypto;'
    )
    with filled(embedded_server, tmp_path, "made.sql") as worlds:
        assert worlds.databases is not None
        with psycopg.connect(embedded_server.url(worlds.databases._templates["postgres"])) as connection:
            named = (
                "SELECT ext.uuid_generate_v5(ext.uuid_ns_dns(), 'x.org'), ext.uuid_generate_v3(ext.uuid_ns_url(), 'y')"
            )
            expected = uuid.uuid5(uuid.NAMESPACE_DNS, "x.org"), uuid.uuid3(uuid.NAMESPACE_URL, "y")
            assert connection.execute(named.encode()).fetchone() == expected
            for data in (b"", b"abc", b"x" * 55, b"y" * 56, b"z" * 200):
                for kind in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512"):
                    query = b"SELECT digest(%s::bytea, %s), hmac(%s::bytea, %s::bytea, %s)"
                    key = b"k" * 130
                    digest, signed = connection.execute(query, [data, kind, data, key, kind]).fetchone() or ()
                    assert (digest, signed) == (hashlib.new(kind, data).digest(), hmac.digest(key, data, kind))
            random = connection.execute(b"SELECT length(gen_random_bytes(33)), ext.uuid_generate_v4()").fetchone() or ()
            assert random[0] == 33
            assert random[1].version == 4
            with pytest.raises(psycopg.errors.FeatureNotSupported, match="crypt.. needs the real pgcrypto"):
                connection.execute(b"SELECT crypt('a', 'b')")
