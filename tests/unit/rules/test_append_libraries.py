"""DP401 in libraries: each adds by its own name for it, and each has a way to add only once."""

from __future__ import annotations

import pytest

from tests.unit.rules.conftest import Look

RULE = "append-load"
TOP = """
import asyncio, io, tempfile, pymongo, sqlalchemy as sa, psycopg2, awswrangler as wr
import pandas as pd
from pathlib import Path
from deltalake import write_deltalake
from google.cloud import bigquery
from pyspark.sql import SparkSession
from snowflake.connector.pandas_tools import write_pandas
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.orm import Session, sessionmaker
from models import Row, table
from airflow.providers.mysql.hooks.mysql import MySqlHook
from airflow.providers.mongo.hooks.mongo import MongoHook
engine = sa.create_engine("postgresql://x")
Maker = sessionmaker(bind=engine)
def store(hook, name, rows): hook.insert_rows(name, rows)
def execute(sql): PostgresHook("x").run(sql)
def build(name): return f"INSERT INTO {name} SELECT * FROM s"
class Loader:
    def __init__(self, name): self.name = name
    def load(self): PostgresHook("x").run(f"INSERT INTO {self.name} SELECT 1")
"""


@pytest.mark.parametrize(
    "body",
    [
        "with engine.begin() as conn:\n    conn.execute(sa.insert(table), [{'a': 1}])",
        "with engine.begin() as conn:\n    conn.execute(table.insert().values(a=1))",
        "stmt = sa.insert(Row).values(a=1)\nwith Session(engine) as session:\n    session.execute(stmt)",
        "session = Maker()\nsession.add(Row(a=1))\nsession.commit()",
        "with Session(engine) as s:\n    s.bulk_save_objects([Row(a=1)])",
        "pymongo.MongoClient('x').shop.orders.insert_one({'a': 1})",
        "orders = pymongo.MongoClient('x')['shop']['orders']\norders.insert_many([{'a': 1}])",
        "MongoHook('x').insert_many('orders', [{'a': 1}])",
        "bigquery.Client().insert_rows_json('d.t', [{'a': 1}])",
        "client = bigquery.Client()\nclient.load_table_from_dataframe(pd.DataFrame(), 'd.t').result()",
        "SparkSession.builder.getOrCreate().read.csv('a').write.mode('append').saveAsTable('t')",
        "df = ti.df\ndf.write.format('delta').mode('append').save('s3://b/t')",
        "ti.df.write.parquet('s3://b/t', mode='append')",
        "ti.df.write.insertInto('t')",
        "ti.df.writeTo('t').append()",
        "ti.df.write.jdbc('jdbc:x', 't', mode='append')",
        "write_pandas(ti.conn, ti.df, 'T')",
        "write_deltalake('s3://b/t', ti.df, mode='append')",
        "wr.s3.to_parquet(ti.df, 's3://b/t', dataset=True)",
        "wr.redshift.to_sql(ti.df, ti.con, table='t', schema='s')",
        "cur = ti.conn.cursor()\ncur.copy_from(io.StringIO(), 't')",
        "MySqlHook('x').bulk_load('t', '/data/x.tsv')",
        "pd.DataFrame().to_gbq('d.t', if_exists='append')",
        "pd.DataFrame().to_csv(f'/data/all.csv', mode='a')",
        "store(PostgresHook('x'), 't', [(1,)])",
        "execute('INSERT INTO t SELECT 1')",
        "execute(build('t'))",
        "execute(' '.join(['INSERT INTO t', 'SELECT * FROM s']))",
        "for sql in ['SELECT 1', 'INSERT INTO t SELECT 1']:\n    PostgresHook('x').run(sql)",
        "for name in ('a', 'b'):\n    PostgresHook('x').run(f'INSERT INTO {name} SELECT 1')",
        "execute('INSERT INTO {} SELECT 1'.format('t'))",
        "for sql in list({'t': 'INSERT INTO t SELECT 1'}.values()):\n    PostgresHook('x').run(sql)",
        "queries = {'t': 'INSERT INTO t SELECT 1'}\nfor name, sql in sorted(queries.items()):\n    execute(sql)",
        "execute('INSERT INTO %s SELECT 1' % 't')",
        "Loader('t').load()",
        "async def go():\n    await ti.conn.execute('INSERT INTO t SELECT 1')\nasyncio.run(go())",
        "hook = PostgresHook('x')\nrows = hook.get_records('SELECT 1')\nif rows:\n    hook.insert_rows('t', rows)",
        "df = pd.read_csv('x').merge(pd.read_csv('y'), on='id').reset_index()\ndf.to_sql('t', 'x', if_exists='append')",
        "import os\nexecute('INSERT INTO t SELECT 1')\nos.remove('x.csv')",
        "import subprocess\nsubprocess.run('psql -d x -c \"INSERT INTO t SELECT 1\"', shell=True)",
        "import subprocess\nsubprocess.run(['psql', '-d', 'x', '-c', 'INSERT INTO t SELECT 1'])",
    ],
)
def test_what_libraries_add_is_found(look_in_task: Look, body: str) -> None:
    """For sure, and once."""
    (finding,) = look_in_task(body, RULE, TOP)
    assert finding.certain


@pytest.mark.parametrize(
    "body",
    [
        "with engine.begin() as conn:\n    conn.execute(pg_insert(table).values(a=1).on_conflict_do_nothing())",
        "stmt = pg_insert(Row).values(a=1)\nstmt = stmt.on_conflict_do_update(set_={})\nengine.execute(stmt)",
        "with engine.begin() as c:\n    c.execute(sa.delete(Row))\n    c.execute(sa.insert(Row), [])",
        "with Session(engine) as s:\n    s.query(Row).filter_by(day=ds).delete()\n    s.add_all([Row(a=1)])",
        "with Session(engine) as s:\n    s.merge(Row(a=1))",
        "with Session(engine) as s:\n    if not s.query(Row).filter_by(day=ds).first():\n        s.add(Row(a=1))",
        "c = pymongo.MongoClient('x').shop.orders\nc.delete_many({'day': ds})\nc.insert_many([{}])",
        "c = pymongo.MongoClient('x').shop.orders\nc.update_one({'_id': 1}, {'$set': {}}, upsert=True)",
        "c = pymongo.MongoClient('x').shop.orders\n"
        "try:\n    c.insert_one({'_id': 1})\nexcept pymongo.errors.DuplicateKeyError:\n    pass",
        "job = bigquery.LoadJobConfig(write_disposition='WRITE_TRUNCATE')\n"
        "bigquery.Client().load_table_from_dataframe(pd.DataFrame(), 'd.t', job_config=job)",
        "ti.df.write.mode('overwrite').parquet('s3://b/t')",
        "ti.df.write.mode(ti.mode).parquet('s3://b/t')",
        "ti.df.write.insertInto('t', overwrite=True)",
        "ti.df.write.csv('s3://b/t')",
        "write_pandas(ti.conn, ti.df, 'T', overwrite=True)",
        "write_deltalake('s3://b/t', ti.df, mode='overwrite')",
        "wr.s3.to_parquet(ti.df, 's3://b/t.parquet')",
        "wr.s3.to_parquet(ti.df, 's3://b/t', dataset=True, mode='overwrite_partitions')",
        "rows = []\nrows.append(1)\nrows.insert(0, 2)\nseen = set()\nseen.add(3)",
        "pd.DataFrame().to_csv('/data/a.csv', mode='w')\npd.DataFrame().to_csv('/data/a.csv', mode='a')",
        "path = f'/data/{ds}.csv'\nopen(path, 'w').write('head')\nwith open(path, 'a') as f:\n    f.write('x')",
        "folder = tempfile.mkdtemp()\nopen(Path(folder) / 'x', 'a').write('x')",
        "def add(path):\n    open(path, 'a').write('x')\nwith tempfile.TemporaryDirectory() as t:\n    add(f'{t}/x')",
        "with tempfile.NamedTemporaryFile() as t:\n    pd.DataFrame().to_csv(t.name, mode='a')",
        "with tempfile.TemporaryDirectory() as t:\n    ti.df.write.mode('append').parquet(t)",
        "execute('DELETE FROM t')\nexecute(build('t'))",
        "for sql in ['DELETE FROM t', 'INSERT INTO t SELECT 1']:\n    PostgresHook('x').run(sql)",
        "PostgresHook('x').run('CREATE TEMP TABLE n AS SELECT * FROM s WHERE NOT EXISTS (SELECT 1 FROM t)')\n"
        "PostgresHook('x').run('INSERT INTO t SELECT * FROM n')",
        "hook = PostgresHook('x')\nknown = {r[0] for r in hook.get_records('SELECT id FROM t')}\n"
        "rows = [r for r in ti.rows if r[0] not in known]\nhook.insert_rows('t', rows)",
        "hook = PostgresHook('x')\nif hook.get_first('SELECT 1 FROM t'):\n    return\nhook.insert_rows('t', [])",
        "from contextlib import suppress\n"
        "with suppress(psycopg2.errors.UniqueViolation):\n    execute('INSERT INTO t SELECT 1')",
    ],
)
def test_what_adds_only_once_is_not_found(look_in_task: Look, body: str) -> None:
    """An upsert, a clearing, a look-up of the same table, a unique key, a temporary folder, what is no table."""
    assert look_in_task(body, RULE, TOP) == []


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("if not already_loaded(ds):\n    execute('INSERT INTO t SELECT 1')", "condition before it"),
        ("execute('INSERT INTO load_errors SELECT 1')", "journal"),
        ("ti.session.add(Row(a=1))", "by the name"),
        ("rows = ti.df[~ti.df.id.isin(ti.old)]\nrows.to_sql('t', 'x', if_exists='append')", "condition before it"),
    ],
)
def test_what_a_person_has_to_decide_is_doubtful(look_in_task: Look, body: str, why: str) -> None:
    """And the message says what it depends on."""
    (finding,) = look_in_task(body, RULE, f"{TOP}from checks import already_loaded")
    assert not finding.certain
    assert why in finding.message


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("f'INSERT INTO {TABLE_OF[ds]} SELECT 1'", "the table that {TABLE_OF[ds]} names"),
        ("'INSERT INTO {{ params.t }} SELECT 1'", "the table that {{ params.t }} names"),
        ("'INSERT INTO {} SELECT 1'.format(ds)", "the table that {} names"),
        ("'INSERT INTO shop.orders SELECT 1'", "rows to orders"),
    ],
)
def test_the_table_is_told_as_it_is_written(look_in_task: Look, code: str, told: str) -> None:
    """Also where it is a placeholder."""
    (finding,) = look_in_task(f"PostgresHook('x').run({code})", RULE, "TABLE_OF = {}")
    assert told in finding.message


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("GenericTransfer(task_id='t', sql='SELECT 1', destination_table='t', source_conn_id='a')", 1),
        ("GenericTransfer(task_id='t', sql='SELECT 1', destination_table='t', preoperator='DELETE FROM t')", 0),
        ("GenericTransfer(task_id='t', sql='SELECT 1', destination_table='t', preoperator=ANY)", 0),
        ("S3ToRedshiftOperator(task_id='t', table='t', s3_bucket='b', schema='s')", 1),
        ("S3ToRedshiftOperator(task_id='t', table='t', s3_bucket='b', schema='s', method='UPSERT')", 0),
        ("SQLInsertRowsOperator(task_id='t', table_name='t', rows=[(1,)])", 1),
        ("PythonOperator(task_id='t', python_callable=run_sql, op_kwargs={'sql': 'INSERT INTO t SELECT 1'})", 1),
        ("PythonOperator(task_id='t', python_callable=run_sql, op_args=['INSERT INTO t SELECT 1'])", 1),
        ("PythonOperator(task_id='t', python_callable=run_sql, op_kwargs={'sql': 'SELECT 1'})", 0),
        ("BashOperator(task_id='t', bash_command='psql <<EOF\\nINSERT INTO t SELECT 1;\\nEOF')", 1),
        ("BashOperator(task_id='t', bash_command='echo \"INSERT INTO t SELECT 1\" | psql')", 1),
        ("BashOperator(task_id='t', bash_command='mysql shop -e \"TRUNCATE t; INSERT INTO t SELECT 1\"')", 0),
        ("BashOperator(task_id='t', bash_command='echo \"INSERT INTO t SELECT 1\"')", 0),
        ("BashOperator(task_id='t', bash_command='psql -c \"COPY t TO STDOUT\"')", 0),
        ("for n in ('a', 'b'):\n    step(n, 'INSERT INTO ' + n + ' SELECT 1')", 1),
    ],
)  # fmt: skip
def test_operators_that_add(look_in_dag: Look, body: str, count: int) -> None:
    """Transfers, functions that are given SQL, commands of a shell, builders."""
    top = """
from airflow.providers.common.sql.operators.generic_transfer import GenericTransfer
from airflow.providers.common.sql.operators.sql import SQLInsertRowsOperator
from airflow.providers.amazon.aws.transfers.s3_to_redshift import S3ToRedshiftOperator
from somewhere import ANY
def run_sql(sql): PostgresHook("x").run(sql)
def step(name, sql): return SQLExecuteQueryOperator(task_id=name, conn_id="x", sql=sql)
"""
    assert len(look_in_dag(body, RULE, top)) == count


@pytest.mark.parametrize(
    ("order", "found"),
    [
        ("clear >> fill", [("split-transaction", False)]),
        ("chain(clear, fill)", [("split-transaction", False)]),
        ("fill << clear", [("split-transaction", False)]),
        ("fill >> clear", [("append-load", True)]),
        ("unknown >> fill", [("append-load", False)]),
    ],
)
def test_a_task_before_that_empties_the_table_gives_one_finding(
    look_in_dag: Look, order: str, found: list[tuple[str, bool]]
) -> None:
    """Never two that contradict each other."""
    body = f"""
clear = SQLExecuteQueryOperator(task_id="clear", conn_id="x", sql="TRUNCATE TABLE t")
unknown = SQLExecuteQueryOperator(task_id="truncate_t", conn_id="x", sql=ANY)
fill = SQLExecuteQueryOperator(task_id="fill", conn_id="x", sql="INSERT INTO t SELECT 1")
{order}
"""
    top = "from airflow.sdk import chain\nfrom somewhere import ANY"
    findings = [one for rule in (RULE, "split-transaction") for one in look_in_dag(body, rule, top)]
    assert [(one.rule, one.certain) for one in findings] == found


@pytest.mark.parametrize(
    ("given", "count"),
    [
        ("on_success_callback=note", 1),
        ("on_success_callback=[note]", 1),
        ("default_args={'on_success_callback': note}", 1),
        ("on_failure_callback=note", 0),
        ("description='note'", 0),
    ],
)
def test_what_is_called_on_success_is_looked_at(look: Look, given: str, count: int) -> None:
    """A rerun calls it again; what is called on a failure records that it failed."""
    source = (
        "import pendulum\nfrom airflow.sdk import DAG\n"
        "from airflow.providers.postgres.hooks.postgres import PostgresHook\n"
        "def note(context): PostgresHook('x').run('INSERT INTO loads VALUES (1)')\n"
        f"with DAG('d', schedule=None, {given}):\n    pass\n"
    )
    assert len(look(source, RULE)) == count
