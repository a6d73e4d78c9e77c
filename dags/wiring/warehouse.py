"""The warehouse's database: the connection `postgres_default`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import psycopg


def connect() -> psycopg.Connection[Any]:
    """Connect to the warehouse; whoever does so closes the connection."""
    from airflow.providers.postgres.hooks.postgres import PostgresHook

    return cast("psycopg.Connection[Any]", PostgresHook(postgres_conn_id="postgres_default").get_conn())
