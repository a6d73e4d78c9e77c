"""DP402: a deletion and an insertion that are committed apart are found, and what is one transaction is not."""

from __future__ import annotations

import pytest

from tests.unit.rules.conftest import Look

RULE = "split-transaction"
TOP = """
import psycopg, psycopg2, sqlalchemy
from contextlib import closing
from psycopg2.extras import execute_values
import pandas as pd
DELETE = "DELETE FROM shop.t WHERE dt = '{{ ds }}'"
INSERT = "INSERT INTO shop.t SELECT * FROM s WHERE dt = '{{ ds }}'"
ENGINE = sqlalchemy.create_engine("postgresql://")
"""


@pytest.mark.parametrize(
    "body",
    [
        "hook = PostgresHook('x')\nhook.run(DELETE)\nhook.run(INSERT)",
        "PostgresHook('x').run('TRUNCATE t')\nPostgresHook('x').run(INSERT)",
        "PostgresHook('x').run(DELETE)\nPostgresHook('x').insert_rows('shop.t', [(1,)])",
        "PostgresHook('x').run([DELETE, INSERT], autocommit=True)",
        "PostgresHook('x').run([DELETE, INSERT], True)",
        "PostgresHook('x').run(f'{DELETE}; {INSERT}', autocommit=True, split_statements=True)",
        "PostgresHook('x').run('DELETE FROM t; COMMIT; INSERT INTO t SELECT 1')",
        "PostgresHook('x').run(DELETE)\npd.read_csv('x').to_sql('t', ENGINE, if_exists='append')",
        "def clear(): PostgresHook('x').run(DELETE)\nclear()\nPostgresHook('x').run(INSERT)",
        "conn = PostgresHook('x').get_conn()\ncur = conn.cursor()\ncur.execute(DELETE)\nconn.commit()\n"
        "cur.execute(INSERT)\nconn.commit()",
        "conn = psycopg2.connect('x')\nconn.autocommit = True\ncur = conn.cursor()\ncur.execute(DELETE)\n"
        "cur.execute(INSERT)",
        "with psycopg.connect('x', autocommit=True) as conn:\n    conn.execute(DELETE)\n    conn.execute(INSERT)",
        "hook = PostgresHook('x')\nwith closing(hook.get_conn()) as conn:\n    hook.set_autocommit(conn, True)\n"
        "    with conn.cursor() as cur:\n        cur.execute(DELETE)\n"
        "        execute_values(cur, 'INSERT INTO t VALUES %s', [])",
        "conn = psycopg2.connect('x')\nwith conn:\n    conn.cursor().execute(DELETE)\nwith conn:\n"
        "    conn.cursor().execute(INSERT)",
        "with ENGINE.begin() as conn:\n    conn.execute(sqlalchemy.text(DELETE))\nwith ENGINE.begin() as conn:\n"
        "    conn.execute(sqlalchemy.text(INSERT))",
        "a = psycopg2.connect('x')\nb = psycopg2.connect('x')\na.cursor().execute(DELETE)\nb.cursor().execute(INSERT)\n"
        "a.commit()\nb.commit()",
    ],
)
def test_a_commit_between_deleting_and_inserting_is_found(look_in_task: Look, body: str) -> None:
    """By hooks, connections, engines and SQL itself."""
    (finding,) = look_in_task(body, RULE, TOP)
    assert (finding.certain, finding.task_id) == (True, "load")


@pytest.mark.parametrize(
    "body",
    [
        "PostgresHook('x').run([DELETE, INSERT])",
        "PostgresHook('x').run([DELETE, INSERT], autocommit=False)",
        "PostgresHook('x').run([DELETE, INSERT], autocommit=ti.x)",
        "PostgresHook('x').run(f'{DELETE}; {INSERT}')",
        "PostgresHook('x').run(['BEGIN', DELETE, INSERT, 'COMMIT'], autocommit=True)",
        "hook = PostgresHook('x')\nhook.run(DELETE)\nhook.run('INSERT INTO other SELECT 1')",
        "hook = PostgresHook('x')\nhook.run('TRUNCATE stg_t')\nhook.run('INSERT INTO stg_t SELECT 1')",
        "hook = PostgresHook('x')\nhook.run('CREATE TEMP TABLE t (a int)')\nhook.run(DELETE)\nhook.run(INSERT)",
        "hook = PostgresHook('x')\nhook.run(\"DELETE FROM t WHERE dt < '2020-01-01'\")\nhook.run(INSERT)",
        "hook = PostgresHook('x')\nhook.run(f'DELETE FROM {ti.x}')\nhook.run(INSERT)",
        "hook = PostgresHook('x')\nhook.run(DELETE)\nhook.run('INSERT INTO t SELECT 1 ON CONFLICT (id) DO NOTHING')",
        "conn = PostgresHook('x').get_conn()\ncur = conn.cursor()\ncur.execute(DELETE)\n"
        "cur.execute(INSERT)\nconn.commit()",
        "with closing(PostgresHook('x').get_conn()) as conn, conn.cursor() as cur:\n    cur.execute(DELETE)\n"
        "    execute_values(cur, 'INSERT INTO t VALUES %s', [])\n    conn.commit()",
        "with psycopg.connect('x', autocommit=True) as conn, conn.transaction():\n    conn.execute(DELETE)\n"
        "    conn.execute(INSERT)",
        "with ENGINE.begin() as conn:\n    conn.execute(sqlalchemy.text(DELETE))\n"
        "    pd.read_csv('x').to_sql('t', conn, if_exists='append')",
        "with ENGINE.connect() as conn, conn.begin():\n    conn.execute(sqlalchemy.text(DELETE))\n"
        "    conn.execute(sqlalchemy.text(INSERT))",
        "def clear(cur): cur.execute(DELETE)\ndef fill(cur): cur.execute(INSERT)\n"
        "with psycopg.connect('x') as conn:\n    clear(conn)\n    fill(conn)",
        "print(DELETE)\nprint(INSERT)\nPostgresHook('x').run(INSERT)",
        "for day in [1, 2]:\n    with psycopg.connect('x') as conn:\n"
        "        conn.execute(DELETE)\n        conn.execute(INSERT)",
    ],
)
def test_one_transaction_is_not_found(look_in_task: Look, body: str) -> None:
    """Nor staging tables, old rows, upserts, other tables, and what can't be told."""
    assert look_in_task(body, RULE, TOP) == []


@pytest.mark.parametrize(
    "body",
    [
        "hook.run('DROP TABLE IF EXISTS p')\nhook.run('ALTER TABLE p_new RENAME TO p')",
        "hook.run(['DROP TABLE p', 'ALTER TABLE IF EXISTS shop.p_new RENAME TO p'], autocommit=True)",
        "hook.run('DROP TABLE p; COMMIT; alter table p_new rename to p')",
        "hook.run('CREATE TABLE p_new AS SELECT 1 AS a')\nhook.run('DROP TABLE p')\n"
        "hook.run('ALTER TABLE p_new RENAME TO p')",
    ],
)
def test_a_swap_of_tables_with_a_commit_in_it_is_found(look_in_task: Look, body: str) -> None:
    """For a moment, or for ever, there is no table of that name."""
    (finding,) = look_in_task(f"hook = PostgresHook('x')\n{body}", RULE)
    assert (finding.certain, "renames" in finding.message) == (True, True)


@pytest.mark.parametrize(
    "body",
    [
        "hook.run(['DROP TABLE p', 'ALTER TABLE p_new RENAME TO p'])",
        "hook.run('DROP TABLE p; ALTER TABLE p_new RENAME TO p')",
        "hook.run('DROP TABLE IF EXISTS p_new')\nhook.run('CREATE TABLE p_new AS SELECT 1 AS a')\n"
        "hook.run(['DROP TABLE p', 'ALTER TABLE p_new RENAME TO p'])",
        "hook.run('DROP TABLE IF EXISTS p_old')\n"
        "hook.run(['ALTER TABLE p RENAME TO p_old', 'ALTER TABLE p_new RENAME TO p'])\nhook.run('DROP TABLE p_old')",
        "hook.run('DROP TABLE IF EXISTS q')\nhook.run(['ALTER TABLE p RENAME TO q', 'ALTER TABLE p_new RENAME TO p'])",
        "hook.run('DROP TABLE p')\nhook.run('ALTER TABLE q RENAME COLUMN a TO p')",
        "hook.run('ALTER TABLE p RENAME TO q')\nhook.run('DROP TABLE q')",
        "conn = hook.get_conn()\ncur = conn.cursor()\ncur.execute('DROP TABLE p')\n"
        "cur.execute('ALTER TABLE p_new RENAME TO p')\nconn.commit()",
    ],
)
def test_a_swap_of_tables_at_once_is_not_found(look_in_task: Look, body: str) -> None:
    """Nor what is set aside, or dropped afterwards."""
    assert look_in_task(f"hook = PostgresHook('x')\n{body}", RULE) == []


@pytest.mark.parametrize(
    ("given", "certain"),
    [
        ("sql=[DELETE, INSERT], autocommit=True", [True]),
        ("sql=DELETE + '; ' + INSERT, autocommit=True, split_statements=True", [True]),
        ("sql=DELETE + '; ' + INSERT, autocommit=True", [False]),
        ("sql='load.sql', autocommit=True", [False]),
        ("sql=[DELETE, INSERT]", []),
        ("sql=DELETE + '; ' + INSERT", []),
        ("sql=[DELETE, INSERT], **unknown()", []),
    ],
)
def test_an_operator_is_judged_by_its_autocommit(look_in_dag: Look, given: str, certain: list[bool]) -> None:
    """One text of several statements is one transaction for some databases."""
    files = {"load.sql": "DELETE FROM t;\nINSERT INTO t SELECT 1;\n"}
    body = f"SQLExecuteQueryOperator(task_id='t', conn_id='x', {given})"
    found = look_in_dag(body, RULE, f"{TOP}\ndef unknown(): return os.environ\n", files)
    assert [finding.certain for finding in found] == certain


def test_a_hook_that_is_only_known_by_its_name_is_doubtful(look_in_task: Look) -> None:
    """A parameter may be anything."""
    body = "def load(a_hook):\n    a_hook.run(DELETE)\n    a_hook.run(INSERT)\nload(ti.x)"
    assert [finding.certain for finding in look_in_task(body, RULE, TOP)] == [False]
    assert look_in_task(body.replace("a_hook", "process"), RULE, TOP) == []


@pytest.mark.parametrize(
    ("order", "is_found"),
    [
        ("clear >> fill", True),
        ("fill << clear", True),
        ("clear >> [other, between] >> fill", True),
        ("clear.set_downstream(between); between >> fill", True),
        ("from airflow.sdk import chain; chain(clear, between, fill)", True),
        ("fill >> clear", False),
        ("other >> [clear, fill]", False),
    ],
)
def test_two_tasks_are_doubtful_in_their_order(look_in_dag: Look, order: str, is_found: bool) -> None:
    """What deletes afterwards is no part of the load."""
    body = f"""
clear = SQLExecuteQueryOperator(task_id="clear", conn_id="x", sql=DELETE)
fill = SQLExecuteQueryOperator(task_id="fill", conn_id="x", sql=INSERT)
other = BashOperator(task_id="other", bash_command="ls")
between = BashOperator(task_id="between", bash_command="ls")
{order}
"""
    found = look_in_dag(body, RULE, TOP)
    assert [(finding.task_id, finding.certain) for finding in found] == [("fill", False)] * is_found
