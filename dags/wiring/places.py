"""Where tasks reach the outside: each opens what a connection names, inside the task that needs it."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, cast

from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import BaseHook

if TYPE_CHECKING:
    import psycopg

    from etl.model.client import ModelClient
    from etl.storage import Credentials, Storage


def database() -> closing[psycopg.Connection[Any]]:
    """Open the warehouse, by the connection `postgres_default`."""
    hook = PostgresHook(postgres_conn_id="postgres_default")
    return closing(cast("psycopg.Connection[Any]", hook.get_conn()))


def database_parts() -> dict[str, Any]:
    """Look up where the warehouse is, and who we are there: what `database` opens, for somebody else to open."""
    connection = BaseHook.get_connection("postgres_default")
    parts = {"host": connection.host, "port": connection.port, "user": connection.login}
    return {**connection.extra_dejson, **parts, "password": connection.password, "dbname": connection.schema}


def credentials() -> Credentials:
    """Look up who we are at the object store, by the connection `minio_default`."""
    from etl.storage import Credentials

    connection = BaseHook.get_connection("minio_default")
    return Credentials.of_connection(connection.login, connection.password, connection.extra_dejson)


def storage(url: str) -> Storage:
    """Open the storage at a URL; one of `s3://` with the credentials of the connection `minio_default`."""
    from etl.storage import open_storage

    return open_storage(url, credentials() if url.startswith("s3://") else None)


def model_api() -> tuple[str, str]:
    """Look up the URL of the model's API and the token that it asks for, by the connection `ml_api_default`."""
    connection = BaseHook.get_connection("ml_api_default")
    host = connection.host or "localhost"
    url = host if "://" in host else f"{connection.schema or 'http'}://{host}"
    return url + (f":{connection.port}" if connection.port else ""), connection.password or ""


def model(timeout: float, attempts: int) -> ModelClient:
    """Open the model's API, by the connection `ml_api_default`; its password is the bearer token."""
    from etl.model.client import ModelClient

    return ModelClient(*model_api(), timeout=timeout, attempts=attempts)
