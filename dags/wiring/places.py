"""Where tasks reach the outside: each opens what a connection names, inside the task that needs it."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, cast

from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import BaseHook

if TYPE_CHECKING:
    import psycopg

    from etl.model.client import ModelClient
    from etl.storage import Storage


def database() -> closing[psycopg.Connection[Any]]:
    """Open the warehouse, by the connection `postgres_default`."""
    hook = PostgresHook(postgres_conn_id="postgres_default")
    return closing(cast("psycopg.Connection[Any]", hook.get_conn()))


def storage(url: str) -> Storage:
    """Open the storage at a URL; one of `s3://` with the credentials of the connection `minio_default`."""
    from etl.storage import Credentials, open_storage

    if not url.startswith("s3://"):
        return open_storage(url)
    connection = BaseHook.get_connection("minio_default")
    return open_storage(url, Credentials.of_connection(connection.login, connection.password, connection.extra_dejson))


def model(timeout: float, attempts: int) -> ModelClient:
    """Open the model's API, by the connection `ml_api_default`; its password is the bearer token."""
    from etl.model.client import ModelClient

    connection = BaseHook.get_connection("ml_api_default")
    host = connection.host or "localhost"
    url = host if "://" in host else f"{connection.schema or 'http'}://{host}"
    url += f":{connection.port}" if connection.port else ""
    return ModelClient(url, connection.password or "", timeout=timeout, attempts=attempts)
