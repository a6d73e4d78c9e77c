"""Sequences that begin elsewhere: what a run writes there, and whether anything but the keys themselves depends on it.

Each sequence of a column gets a start of its own, so that a key that is found somewhere else tells whose it is. An
event trigger does the same to those that a run makes itself.
"""

from __future__ import annotations

import contextlib

#: How far from where they are sequences begin, by the largest number that they have: each at another place.
_FUNCTIONS = """
CREATE SCHEMA IF NOT EXISTS dagproof;
CREATE OR REPLACE FUNCTION dagproof.renumber(which oid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  s record;
  start bigint;
  away bigint;
BEGIN
  SELECT q.*, q.seqrelid::regclass::text AS name INTO s FROM pg_sequence q
  WHERE q.seqrelid = which AND q.seqincrement > 0
    AND EXISTS (SELECT FROM pg_class c WHERE c.oid = q.seqrelid AND c.relpersistence <> 't');
  IF NOT FOUND THEN RETURN; END IF;
  away := least(s.seqmax / 4, 1100000000) + which::bigint % 997 * least(s.seqmax / 40000, 100003);
  -- What a run computes from a key, such as id % 2, has to be another value there.
  WHILE away % 2 = 0 OR away % 3 = 0 OR away % 5 = 0 OR away % 7 = 0 LOOP
    away := away + 1;
  END LOOP;
  start := coalesce(pg_sequence_last_value(which) + s.seqincrement, s.seqstart) + away;
  IF start < s.seqmax THEN
    EXECUTE format('ALTER SEQUENCE %s START %s RESTART', s.name, start);
  END IF;
END $$;
"""
_TRIGGER = """
CREATE OR REPLACE FUNCTION dagproof.renumber_new() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE
  made record;
BEGIN
  FOR made IN SELECT DISTINCT objid FROM pg_event_trigger_ddl_commands()
              WHERE object_type = 'sequence' AND command_tag = 'CREATE SEQUENCE' LOOP
    PERFORM dagproof.renumber(made.objid);
  END LOOP;
END $$;
DROP EVENT TRIGGER IF EXISTS dagproof_renumbers;
CREATE EVENT TRIGGER dagproof_renumbers ON ddl_command_end
WHEN TAG IN ('CREATE TABLE', 'CREATE SEQUENCE', 'CREATE SCHEMA', 'ALTER TABLE')
EXECUTE FUNCTION dagproof.renumber_new();
"""
_ALL = """
SELECT dagproof.renumber(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'S' AND n.nspname !~ '^pg_' AND n.nspname <> 'dagproof'
  AND (EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
               AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i'))
       OR EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_attrdef'::regclass
                  AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid))
"""


def renumber(conninfo: str) -> None:
    """Let the sequences of columns begin elsewhere, and those that are made from now on.

    Where that may not be done, they begin where they did: keys then look as if the runs chose them.
    """
    import psycopg

    with psycopg.connect(conninfo, autocommit=True) as connection:
        for statements in (_FUNCTIONS, _ALL, _TRIGGER):  # only the superuser may make event triggers
            with contextlib.suppress(psycopg.errors.InsufficientPrivilege):
                connection.execute(statements)
