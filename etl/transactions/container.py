"""Process a day's transactions as a program, for a container: `python -m etl.transactions.container 2026-01-31`.

It is told everything by the environment: the settings of `etl/settings.py`, and

| variable                         | meaning                                                              |
|----------------------------------|----------------------------------------------------------------------|
| `POSTGRES_CONNINFO`              | the database, as libpq takes it                                      |
| `MODEL_API_URL`                  | the model                                                            |
| `MODEL_API_TOKEN`                | what it asks for, if anything                                        |
| `S3_ACCESS_KEY`, `S3_SECRET_KEY` | who we are at the object store, where `LAKE_URL` is one of `s3://`   |
| `S3_ENDPOINT`, `S3_REGION`       | where it is; that of AWS, and us-east-1, unless told                 |

Its last line says what became of it. Its exit status is 0, 1 where another attempt may succeed, and 65 where none will.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.pq import Conninfo

from etl.errors import EtlError, PermanentError, SettingsError
from etl.model.client import ModelClient
from etl.settings import TransactionSettings, read_transaction_settings
from etl.storage import Credentials, open_storage
from etl.transactions.process import Processed, process

PERMANENT = 65  # EX_DATAERR


def told(
    settings: TransactionSettings, database: str, model: tuple[str, str], who: Credentials | None = None
) -> dict[str, str]:
    """Return the environment of a container, of which more than half is secret.

    Args:
        settings: What a day is processed with.
        database: What `conninfo` returns.
        model: The URL of the model's API, and the token that it asks for.
        who: Who we are at the object store, where the lake is there.
    """
    environ = settings.environment() | {"POSTGRES_CONNINFO": database, "MODEL_API_URL": model[0]}
    environ |= {"MODEL_API_TOKEN": model[1]}
    if who:
        environ |= {"S3_ACCESS_KEY": who.key, "S3_SECRET_KEY": who.secret}
        environ |= {"S3_ENDPOINT": who.endpoint, "S3_REGION": who.region}
    return environ


def conninfo(parts: Mapping[str, Any]) -> str:
    """Return how libpq is told where a database is; parts that it does not know are left out."""
    known = {option.keyword.decode() for option in Conninfo.get_defaults()}
    return make_conninfo(**{name: part for name, part in parts.items() if name in known and part is not None})


def main(arguments: Sequence[str], environ: Mapping[str, str] = os.environ) -> int:
    """Process the day that is named; return the exit status."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m etl.transactions.container YYYY-MM-DD\n")
        return PERMANENT
    try:
        done = _process(arguments[0], environ)
    except (EtlError, psycopg.Error) as error:
        sys.stderr.write(" ".join(str(error).split()) + "\n")
        return PERMANENT if isinstance(error, PermanentError) else 1
    sys.stdout.write(f"{done.sentence()}\n")
    return 0


def _process(day: str, environ: Mapping[str, str]) -> Processed:
    settings = read_transaction_settings(environ)
    lake = open_storage(settings.lake, _credentials(environ) if settings.lake.startswith("s3://") else None)
    model = ModelClient(
        _needed(environ, "MODEL_API_URL"),
        environ.get("MODEL_API_TOKEN", ""),
        timeout=settings.timeout,
        attempts=settings.attempts,
    )
    with model, contextlib.closing(psycopg.connect(_needed(environ, "POSTGRES_CONNINFO"))) as connection:
        return process(day, lake, model, connection, settings)


def _credentials(environ: Mapping[str, str]) -> Credentials:
    return Credentials(
        _needed(environ, "S3_ACCESS_KEY"),
        _needed(environ, "S3_SECRET_KEY"),
        environ.get("S3_ENDPOINT", ""),
        environ.get("S3_REGION", "us-east-1"),
    )


def _needed(environ: Mapping[str, str], name: str) -> str:
    if not environ.get(name):
        raise SettingsError(f"{name} is not set; etl/transactions/container.py says what a container is told.")
    return environ[name]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
