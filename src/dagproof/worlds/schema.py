"""SQL files of the configuration, run on a database of ours."""

from __future__ import annotations

from pathlib import Path

from dagproof.errors import ConfigError
from dagproof.postgres.wire import moved_sql


def execute(conninfo: str, path: Path, name: str, where: str, *, moves_clock: bool = False, **values: str) -> None:
    """Run the SQL file `path` (called `name`, configured at `where`), ``{key}`` in it standing for a value.

    Where the clock of SQL is moved, the defaults and functions that the file makes go by that.

    Raises:
        ConfigError: it cannot be read, or PostgreSQL refuses it.
    """
    import psycopg

    try:
        statements = path.read_bytes()
        for key, value in values.items():
            statements = statements.replace(f"{{{key}}}".encode(), value.encode())
        with psycopg.connect(conninfo, autocommit=True) as connection:
            connection.execute(moved_sql(statements) if moves_clock else statements)
    except OSError as error:
        raise ConfigError(f"{where}: cannot read {name} ({error.strerror})") from error
    except psycopg.Error as error:
        first = str(error).strip().splitlines()[0]
        raise ConfigError(f"{where}: PostgreSQL refuses {name}: {first}") from error
