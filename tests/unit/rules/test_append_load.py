"""DP401: a load that adds rows without making room is found, and one that makes room in any way is not."""

from __future__ import annotations

import pytest

from tests.unit.rules.conftest import Look

RULE = "append-load"
HOOK = "hook = PostgresHook('x')\n"


@pytest.mark.parametrize(
    "body",
    [
        HOOK + "hook.run('INSERT INTO t SELECT * FROM s')",
        HOOK + "hook.run(f\"INSERT INTO shop.t VALUES ('{ds}')\")",
        HOOK + "hook.run('DELETE FROM other')\nhook.run('INSERT INTO t SELECT 1')",
        HOOK + "hook.run(['CREATE TABLE IF NOT EXISTS t (a int)', 'INSERT INTO t SELECT 1'])",
        HOOK + "hook.run('INSERT INTO t SELECT n FROM s WHERE n >= (SELECT max(n) FROM t)')",
        HOOK + "hook.run('INSERT INTO t SELECT n FROM s WHERE n > (SELECT max(n) FROM u)')",
        HOOK + "hook.run('INSERT INTO t SELECT max(n) + 1 FROM t WHERE n > 0')",
        HOOK + "hook.run('WITH n AS (SELECT 1) INSERT INTO t SELECT * FROM n')",
        HOOK + "hook.insert_rows('t', [(1,)])",
        HOOK + "hook.copy_expert('COPY t FROM STDIN', 'x.csv')",
        "import pandas as pd\npd.read_csv('x').to_sql('t', 'sqlite://', if_exists='append')",
        "HOW = 'append'\nimport pandas as pd\npd.read_csv('x').to_sql(name='t', con='x', if_exists=HOW)",
        "with open(f'/data/{ds}.csv', 'a') as file:\n    file.write('x')",
        "from pathlib import Path\nwith Path('/data/x.csv').open(mode='a') as file:\n    file.write('x')",
        "def insert(): PostgresHook('x').run('INSERT INTO t SELECT 1')\ninsert()",
    ],
)
def test_a_load_that_only_adds_is_found(look_in_task: Look, body: str) -> None:
    """In SQL, pandas, hooks and files."""
    (finding,) = look_in_task(body, RULE)
    assert finding.certain


@pytest.mark.parametrize(
    "body",
    [
        HOOK + "hook.run(['DELETE FROM t WHERE dt = 1', 'INSERT INTO t SELECT 1'])",
        HOOK + "hook.run('TRUNCATE TABLE shop.t; INSERT INTO shop.t SELECT 1')",
        HOOK + "hook.run('INSERT INTO t SELECT 1 ON CONFLICT (id) DO UPDATE SET a = 1')",
        HOOK + "hook.run('INSERT INTO t SELECT 1 ON DUPLICATE KEY UPDATE a = 1')",
        HOOK + "hook.run('INSERT OVERWRITE TABLE t SELECT 1')",
        HOOK + "hook.run('REPLACE INTO t SELECT 1')",
        HOOK + "hook.run('MERGE INTO t USING s ON t.a = s.a WHEN NOT MATCHED THEN INSERT VALUES (1)')",
        HOOK + "hook.run('INSERT INTO t SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM t)')",
        HOOK + "hook.run('INSERT INTO t SELECT n FROM s WHERE d > 1 AND n > (SELECT max(n) FROM t)')",
        HOOK + "hook.run('INSERT INTO a.t SELECT n FROM s WHERE n > coalesce((SELECT max(n) FROM a.t), 0)')",
        HOOK + "hook.run('CREATE TEMP TABLE IF NOT EXISTS t (a int)')\nhook.run('INSERT INTO t SELECT 1')",
        HOOK + "hook.run('DROP TABLE IF EXISTS t')\nhook.run('INSERT INTO t SELECT 1')",
        HOOK + "hook.run('WITH gone AS (DELETE FROM t RETURNING *) INSERT INTO t SELECT * FROM gone')",
        HOOK + "hook.run(open('room.sql').read())\nhook.run('INSERT INTO t SELECT 1')",
        HOOK + "hook.run(f'DELETE FROM {ti.x}')\nhook.run('INSERT INTO t SELECT 1')",
        HOOK + "hook.run('CALL make_room(1)')\nhook.run('INSERT INTO t SELECT 1')",
        HOOK + "hook.insert_rows('t', [(1,)], replace=True)",
        HOOK + "hook.run('DELETE FROM t')\nhook.insert_rows('shop.t', [(1,)])",
        HOOK + "hook.copy_expert('COPY t TO STDOUT', 'x.csv')",
        HOOK + "hook.run('COPY INTO t FROM @stage')",
        "def make(): PostgresHook('x').run('DELETE FROM t')\n"
        "import pandas as pd\nmake()\npd.read_csv('x').to_sql('t', 'x', if_exists='append')",
        "import pandas as pd\npd.read_csv('x').to_sql('t', 'x', if_exists='replace')",
        "import pandas as pd\npd.read_csv('x').to_sql('t', 'x', if_exists=ti.how)",
        "import helpers\nhelpers.delete_day(ds)\nPostgresHook('x').run('INSERT INTO t SELECT 1')",
        "schema = [{'name': 'a', 'mode': 'REQUIRED'}]\nreturn schema",
        "open('x', 'w').write('a')",
        "print('INSERT INTO t SELECT 1')",
        "return 'please INSERT INTO t'",
        "open('/var/log/x', 'a').write('a')",
    ],
)
def test_a_load_that_makes_room_is_not_found(look_in_task: Look, body: str) -> None:
    """Nor one of which it can't be told, nor what is no load."""
    assert look_in_task(body, RULE) == []


def test_tasks_that_share_a_helper_are_judged_each(look_in_dag: Look) -> None:
    """The second one makes room first, with the first one's helpers."""
    top = """
    def insert(): PostgresHook("x").run("INSERT INTO t SELECT 1")
    def make_room(): PostgresHook("x").run("DELETE FROM t")
    def bad(): insert()
    def good():
        make_room()
        insert()
    """
    body = "PythonOperator(task_id='bad', python_callable=bad)\nPythonOperator(task_id='good', python_callable=good)"
    assert [finding.task_id for finding in look_in_dag(body, RULE, top)] == ["bad"]
    turned = "\n".join(reversed(body.splitlines()))
    assert [finding.task_id for finding in look_in_dag(turned, RULE, top)] == ["bad"]


def test_operators_that_append_are_found(look_in_dag: Look) -> None:
    """By their SQL, its file, or what they are told."""
    body = """
    SQLExecuteQueryOperator(task_id='a', sql='sql/add.sql')
    SQLExecuteQueryOperator(task_id='b', sql='sql/room.sql')
    BigQueryInsertJobOperator(task_id='c', configuration={'query': {'writeDisposition': 'WRITE_APPEND'}})
    BigQueryInsertJobOperator(task_id='d', configuration={'query': {'writeDisposition': 'WRITE_TRUNCATE'}})
    SQLExecuteQueryOperator(task_id='e', sql='sql/elsewhere.sql')
    """
    files = {"sql/add.sql": "INSERT INTO t SELECT 1;\n", "sql/room.sql": "DELETE FROM t;\nINSERT INTO t SELECT 1;\n"}
    top = "from airflow.providers.google.cloud.operators.bigquery import BigQueryInsertJobOperator\n"
    assert [finding.task_id for finding in look_in_dag(body, RULE, top, files)] == ["a", "c"]


def test_a_journal_is_doubtful(look_in_task: Look) -> None:
    """Some tables are there to grow."""
    found = look_in_task("PostgresHook('x').run('INSERT INTO audit_log SELECT 1')", RULE)
    assert [finding.certain for finding in found] == [False]
