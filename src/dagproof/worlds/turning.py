"""Rows in another physical order: a database in which every table has its rows the other way round, and no other rows.

A table promises no order, and tomorrow's plan, a vacuum or a restored dump gives another one. Whatever a query takes by
place, and not by value, comes out differently here: the first of several that tie, a number that is counted up without
an order, a LIMIT. Each table's rows are deleted and written again, last first, without triggers and foreign keys
noticing; ids, sequences and what is computed stay as they are. Of what a task has written, the next one finds the last
rows first, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

#: A table that is larger stays as it is: it would take longer than the run.
MOST_BYTES = 64 * 2**20
#: Ways to get at rows that a planner may choose, and here does not: each of them gives rows in an order of its own.
_OTHER_PLANS = ("enable_hashagg", "enable_hashjoin", "enable_indexscan", "enable_indexonlyscan")

#: Tables with rows; whether something would notice that they are written again, whatever we ask for, or unless we do.
_TABLES = """
SELECT n.nspname, c.relname,
       ARRAY(SELECT a.attname::text FROM pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''),
       pg_relation_size(c.oid) AS bytes,
       EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = c.oid AND g.tgenabled IN ('A', 'R'))
         OR EXISTS (SELECT FROM pg_rewrite w WHERE w.ev_class = c.oid AND w.ev_enabled IN ('A', 'R')),
       EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = c.oid AND g.tgenabled = 'O')
         OR EXISTS (SELECT FROM pg_rewrite w WHERE w.ev_class = c.oid AND w.ev_enabled = 'O')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND c.oid >= 16384 AND pg_relation_size(c.oid) > 0
  AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'dagproof')
  AND NOT EXISTS (SELECT FROM pg_depend d
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY n.nspname, c.relname
"""


#: Materialized views with rows: they are made again, from rows that are turned.
_MATERIALIZED = """
SELECT n.nspname, c.relname, pg_relation_size(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'm' AND c.relispopulated AND pg_relation_size(c.oid) > 0
  AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'dagproof')
ORDER BY c.oid
"""
#: A run's own tasks may still hold a lock: then its rows stay as they are.
_PATIENCE = "SET lock_timeout = '1s'"


def turn_rows(conninfo: str, since: str = "") -> list[str]:
    """Turn the rows of all tables of the database `conninfo`, and let its next sessions plan in other ways.

    With `since`, from :func:`moment`, turn only what was written after it: those rows come before the others then, and
    the last of them first.

    Return the tables that stay as they are, each with the reason.
    """
    import psycopg

    left = []
    with psycopg.connect(conninfo, autocommit=True) as connection:
        if not since:
            _plan_in_other_ways(connection)
        connection.execute("SET row_security = off")
        connection.execute(_PATIENCE)
        is_unnoticed = _become_unnoticed(connection)
        try:
            tables = connection.execute(_TABLES).fetchall()
        except psycopg.errors.LockNotAvailable as error:
            return [f"all tables ({str(error).strip().splitlines()[0]})"]
        for schema, name, columns, size, always_notices, notices in tables:
            shown = name if schema == "public" else f"{schema}.{name}"
            if size > MOST_BYTES:
                left.append(f"{shown} (larger than {MOST_BYTES // 2**20} MB)")
            elif always_notices or (notices and not is_unnoticed):
                left.append(f"{shown} (it has triggers, rules or foreign keys)")
            elif columns:
                try:
                    _turn(connection, schema, name, columns, since)
                except psycopg.Error as error:
                    left.append(f"{shown} ({str(error).strip().splitlines()[0]})")
        if not since:
            left += _make_again(connection)
    return left


def moment(conninfo: str) -> str:
    """Return what tells rows that are in a database now from those that are written later."""
    import psycopg

    with psycopg.connect(conninfo, autocommit=True) as connection:
        row = connection.execute("SELECT pg_current_xact_id()::xid::text").fetchone()
        return str(row[0]) if row else ""


def _turn(connection: psycopg.Connection[Any], schema: str, name: str, columns: list[str], since: str) -> None:
    """Write the rows again in one statement, so that nothing is lost where the table refuses one of them."""
    from psycopg import sql

    table = sql.Identifier(schema, name)
    is_new = sql.SQL("age(xmin) < age({}::xid)").format(sql.Literal(since)) if since else sql.SQL("true")
    query = sql.SQL("SELECT EXISTS (SELECT FROM ONLY {} WHERE {})").format(table, is_new)
    if connection.execute(query).fetchone() == (False,):
        return
    statement = sql.SQL(
        'WITH gone AS (DELETE FROM ONLY {table} RETURNING ctid AS "place of dagproof", {is_new} AS "new to dagproof", '
        "{columns}) INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM gone "
        'ORDER BY CASE WHEN "new to dagproof" THEN "place of dagproof" END DESC NULLS LAST, "place of dagproof"'
    )
    names = sql.SQL(", ").join(sql.Identifier(column) for column in columns)
    connection.execute(statement.format(table=table, is_new=is_new, columns=names))


def _make_again(connection: psycopg.Connection[Any]) -> list[str]:
    """Make materialized views from the turned rows, where they have the same rows then; return the others."""
    import psycopg
    from psycopg import sql

    left = []
    for schema, name, size in connection.execute(_MATERIALIZED).fetchall():
        shown = name if schema == "public" else f"{schema}.{name}"
        if size > MOST_BYTES:
            left.append(f"{shown} (larger than {MOST_BYTES // 2**20} MB)")
            continue
        view = sql.Identifier(schema, name)
        rows = sql.SQL("SELECT md5(string_agg(v::text, ' ' ORDER BY v::text)) FROM {} v").format(view)
        try:
            with connection.transaction():
                before = connection.execute(rows).fetchone()
                connection.execute(sql.SQL("REFRESH MATERIALIZED VIEW {}").format(view))
                if connection.execute(rows).fetchone() != before:
                    left.append(f"{shown} (it is not up to date)")
                    raise psycopg.Rollback
        except psycopg.Error as error:
            left.append(f"{shown} ({str(error).strip().splitlines()[0]})")
    return left


def _become_unnoticed(connection: psycopg.Connection[Any]) -> bool:
    """Switch off triggers, rules and foreign keys for this session, where its user may."""
    import psycopg

    try:
        connection.execute("SET session_replication_role = replica")
    except psycopg.errors.InsufficientPrivilege:
        return False
    return True


def _plan_in_other_ways(connection: psycopg.Connection[Any]) -> None:
    from psycopg import sql

    database = sql.Identifier(connection.info.dbname)
    for setting in _OTHER_PLANS:
        connection.execute(sql.SQL("ALTER DATABASE {} SET {} = off").format(database, sql.SQL(setting)))
