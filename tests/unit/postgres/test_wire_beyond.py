"""Statements by which the server would act outside of a world are replaced; all others pass as they are."""

from __future__ import annotations

import pytest

from dagproof.postgres.wire.beyond import held_sql


@pytest.mark.parametrize(
    "sql",
    [
        "COPY orders TO '/tmp/orders.csv'",
        "copy orders (id, dt) to '/tmp/orders.csv' with csv",
        "COPY (SELECT * FROM src WHERE dt = '2026-01-01') TO PROGRAM 'cat >> /tmp/escaped.csv'",
        "COPY public.orders FROM PROGRAM 'curl http://example.org'",
        "COPY orders TO PROGRAM $$cat$$",
        "/* export */ COPY\n orders\n TO E'/tmp/x'",
        "DELETE FROM a; COPY a TO '/tmp/a'",
        "SELECT lo_export(42, '/tmp/x')",
        "ALTER SYSTEM SET work_mem = '1GB'",
        "create role r_1",
        "SELECT 1; ALTER ROLE postgres SET search_path = x",
        "DROP USER somebody",
        "CREATE DATABASE other",
        "CREATE TABLESPACE t LOCATION '/tmp/t'",
    ],
)
def test_what_leaves_the_world_is_refused(sql: str) -> None:
    """With the reason."""
    held = held_sql(sql.encode())
    assert held.startswith(b"DO $dagproof$ BEGIN RAISE EXCEPTION")
    assert b"refused: " in held


@pytest.mark.parametrize(
    "sql",
    [
        "COPY orders FROM STDIN WITH (FORMAT csv, NULL '')",
        "COPY (SELECT substring(a from '[0-9]+') FROM t) TO STDOUT",
        "COPY orders FROM '/data/orders.csv'",
        "COPY (SELECT 1) TO STDOUT WITH (NULL 'x')",
        "INSERT INTO log VALUES ('copied orders to a')",
        'CREATE TABLE role (user_name text, "group" text)',
        "SELECT * FROM t -- copy t to '/tmp/x'",
        "CREATE USER MAPPING FOR CURRENT_USER SERVER s",
        "GRANT SELECT ON orders TO reader",
        "SELECT user, current_database() GROUP BY 1",
        "ALTER TABLE orders OWNER TO postgres",
    ],
)
def test_what_stays_in_the_world_passes(sql: str) -> None:
    """Word for word."""
    assert held_sql(sql.encode()) == sql.encode()
