"""DP401: a load that adds rows without making room is found, and one that makes room in any way is not."""

from __future__ import annotations

import pytest

from tests.unit.rules.conftest import HEAD, Look

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
        HOOK + "hook.run('INSERT INTO t_new SELECT 1')\nhook.run('ALTER TABLE t_new RENAME TO t')",
        HOOK + "hook.run('INSERT INTO t_new SELECT 1')\nhook.run('ALTER TABLE t_new SWITCH TO t')",
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


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE t SET n = n + 1 WHERE id = 3",
        "update only shop.t as a set n = a.n - s.n from s where s.id = a.id",
        "UPDATE t SET m = s.m, n = coalesce(n, 0) + s.m FROM s",
        "UPDATE t SET n = (round(n * 1.1))::int",
        "UPDATE t SET n = n || '; late' WHERE id = 3",
        "UPDATE t SET n += 1",
        "UPDATE t JOIN s ON t.id = s.id SET t.n = t.n + s.n",
        "UPDATE t SET n = n - 1 WHERE n >= 1",
        "INSERT INTO t SELECT id, n FROM s ON CONFLICT (id) DO UPDATE SET n = t.n + excluded.n",
        "INSERT INTO t AS a SELECT id, n FROM s ON CONFLICT (id) DO UPDATE SET n = excluded.n + a.n, m = excluded.m",
        "insert into t select id, n from s on conflict (id) do update set n = n + excluded.n where excluded.n > 0",
        "INSERT INTO t VALUES (1, 2) ON DUPLICATE KEY UPDATE n = n + VALUES(n)",
        "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET n = t.n + s.n",
        "WITH s AS (SELECT 1 AS n) UPDATE t SET n = t.n + s.n FROM s",
    ],
)
def test_what_is_added_to_an_old_value_is_found(look_in_task: Look, sql: str) -> None:
    """A rerun adds it again, whatever the statement is."""
    (finding,) = look_in_task(f'{HOOK}hook.run("{sql}")', RULE)
    assert (finding.certain, "again" in finding.message) == (True, True)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE t SET n = s.n + 1 FROM s",
        "UPDATE t SET n = -n WHERE n < 0",
        "UPDATE t SET n = m + 1",
        "UPDATE t SET n = %(n)s + 1, m = 'n' || m2",
        "UPDATE t SET n = (SELECT n + 1 FROM s)",
        "UPDATE t SET n = CASE WHEN n < 5 THEN n + 1 ELSE n END",
        "UPDATE t SET n = n - last + 5, last = 5",
        "UPDATE t SET n = n + 1, day = '{{ ds }}' WHERE day < '{{ ds }}'",
        "UPDATE t SET version = version + 1 WHERE version = 4",
        "UPDATE t SET data = data || '{}'::jsonb",
        "UPDATE t SET n = n + 1 WHERE NOT EXISTS (SELECT 1 FROM done)",
        "UPDATE t SET n = 0; UPDATE t SET n = n + 1",
        "UPDATE t SET n = t.n - o.n FROM o; UPDATE t SET n = t.n + s.n FROM s",
        "UPDATE t SET n = t.n + s.n FROM s WHERE NOT s.booked; UPDATE s SET booked = true",
        "UPDATE t SET n = t.n + s.n FROM s; DELETE FROM s",
        "DELETE FROM t; INSERT INTO t SELECT 1; UPDATE t SET n = n + 1",
        "WITH s AS (DELETE FROM inbox RETURNING *) UPDATE t SET n = t.n + s.n FROM s",
        "INSERT INTO t VALUES (1) ON CONFLICT (id) DO UPDATE SET n = excluded.n + excluded.m",
        "INSERT INTO t SELECT 1 ON CONFLICT (id) DO UPDATE SET n = coalesce(excluded.n, t.n), m = greatest(t.m, 2)",
        "INSERT INTO t SELECT 1 ON CONFLICT (id) DO UPDATE SET n = t.n + excluded.n, m = 5 WHERE t.m < 5",
        "INSERT INTO t VALUES (1) ON DUPLICATE KEY UPDATE n = VALUES(n) + 1",
        "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED AND t.dt < s.dt THEN UPDATE SET n = t.n + s.n, dt = s.dt",
        "SELECT n + 1 FROM t FOR UPDATE",
    ],
)
def test_a_value_that_a_rerun_leaves_alone_is_not_found(look_in_task: Look, sql: str) -> None:
    """It is made of other columns, or something tells that it has been done already."""
    assert look_in_task(f'{HOOK}hook.run("{sql}")', RULE) == []


@pytest.mark.parametrize(
    ("body", "is_found"),
    [
        ("cur.execute(MARK)\nif cur.rowcount:\n    cur.execute(ADD)", False),
        ("cur.execute(MARK)\nnew = cur.rowcount\nif not new:\n    return\ncur.execute(ADD)", False),
        ("def add(): cur.execute(ADD)\nif not is_known(ds):\n    add()", False),
        ("(known,) = hook.get_first('SELECT 1')\nif known:\n    return\nhook.run(ADD)", False),
        ("cur.execute(MARK)\ncur.execute(ADD)", True),
        ("if not ti:\n    return\ncur.execute(ADD)", True),
        ("cur.execute(ADD)\nif cur.rowcount:\n    print('added')", True),
    ],
)
def test_a_task_may_ask_whether_it_has_added_already(look_in_task: Look, body: str, is_found: bool) -> None:
    """A marker that nobody asks for guards nothing."""
    top = """
    MARK = "INSERT INTO done VALUES (%s) ON CONFLICT DO NOTHING"
    ADD = "UPDATE t SET n = n + 1"
    hook = PostgresHook("x")
    cur = hook.get_conn().cursor()
    def is_known(ds): return ds in open("/data/done").read()
    """
    assert [finding.certain for finding in look_in_task(body, RULE, top)] == [True] * is_found


def test_counts_and_documents_are_doubtful(look_in_task: Look) -> None:
    """They may be meant to change with each run, or to be merged."""
    for sql in ("UPDATE t SET version = version + 1", "UPDATE job_attempts SET n = n + 1", "UPDATE t SET a = a || b"):
        assert [finding.certain for finding in look_in_task(f"PostgresHook('x').run('{sql}')", RULE)] == [False]


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


def test_a_text_of_a_builder_that_is_filled_in_later_is_read(look: Look) -> None:
    """Whichever of the texts it is given."""
    source = (
        f"{HEAD}def build(name, sql):\n    with DAG(name, schedule='@daily', start_date=START, catchup=True):\n"
        "        SQLExecuteQueryOperator(task_id='t', conn_id='c', sql=sql.format(day='1'))\n"
        "build('x', 'INSERT INTO t VALUES ({day})')\nbuild('y', 'INSERT INTO u VALUES ({day})')\n"
    )
    assert len(look(source, "append-load")) == 2


def test_a_function_of_ones_own_with_the_name_of_a_method_is_looked_into(look_in_task: Look) -> None:
    """What `run` does is known: it hides nothing."""
    top = "def run(sql):\n    return 1\n"
    body = "run(ds)\nPostgresHook('c').run('INSERT INTO t SELECT 1')"
    assert look_in_task(body, "append-load", top)
