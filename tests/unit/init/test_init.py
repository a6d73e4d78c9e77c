"""`dagproof init` writes what it read in the code: whole files for small projects in odd layouts."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from dagproof.cli import main
from dagproof.config import load_config

HEAD = "# Written by dagproof init, which read the code and ran none of it. Correct what it got wrong.\n"
FLAT = {
    "sales.py": """
        import os
        import psycopg
        from airflow.sdk import dag, task
        from helpers import api

        raise SystemExit("nobody runs this")

        @dag(schedule="@daily")
        def sales():
            @task
            def load():
                with psycopg.connect(os.environ["WAREHOUSE"]) as connection:
                    connection.execute(api.rows(os.getenv("LOG_LEVEL", "info")))
            load()
        sales()
    """,
    "helpers/__init__.py": "",
    "helpers/api.py": '''
        """See https://docs.example.org and /opt/airflow/notes/x."""
        import os, requests
        def rows(level):
            open("/opt/airflow/data/%s.txt" % level), open(f"/opt/airflow/data/part-{level}.txt")
            return requests.get("https://api.example.com/v1/data/rows", os.environ["API_TOKEN"])
    ''',
}
SRC = {
    "pyproject.toml": '[project]\nname = "acme"   # kept\n',
    "airflow/dags/team/etl.py": """
        from acme.load import load
        from airflow.sdk import DAG
        from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
        from airflow.providers.standard.operators.bash import BashOperator
        from airflow.providers.standard.sensors.filesystem import FileSensor
        from airflow.providers.amazon.aws.hooks.s3 import S3Hook

        with DAG("acme.etl", default_args={"postgres_conn_id": "core"}):
            FileSensor(task_id="wait", filepath="in/x", fs_conn_id="landing")
            SQLExecuteQueryOperator(task_id="q", sql="q.sql", conn_id="main")
            BashOperator(task_id="copy", bash_command="cp /mnt/share/in/{{ ds }}.csv {{ var.value.out_dir }}/x")
            BashOperator(task_id="list", bash_command="ls /opt/airflow/dags/team")
            S3Hook(aws_conn_id="lake")
    """,
    "airflow/dags/team/q.sql": "select {{ var.json.limits.rows }}, {{ conn.http_api.host }} from x",
    "src/acme/__init__.py": "",
    "src/acme/load.py": """
        import os
        from airflow.models import Variable
        from airflow.hooks.base import BaseHook
        def load(name):
            BaseHook.get_connection("snowflake_main")
            BaseHook.get_connection(f"shop_{name}")
            Variable.get("batch", default_var=1)
            Variable.get("region")
            os.environ["AIRFLOW_CONN_MYSQL_SHOP"]
            os.environ["PGHOST"], os.environ["HOME"]
            os.environ["WRITTEN"] = "no need"
    """,
    "alembic.ini": "[alembic]",
    "sql/schema.sql": "create table x (a int)",
    "sql/schema.down.sql": "create table x (a int)",
}
PACKAGE = {
    "pyproject.toml": "[tool.black]\r\nline-length = 99",
    "company/__init__.py": "",
    "company/settings.py": 'CONN = "finance-db"',
    "company/pipelines/__init__.py": "",
    "company/pipelines/daily.py": """
        from airflow import DAG
        from company.settings import CONN
        from airflow.providers.postgres.operators.postgres import PostgresOperator
        with DAG(dag_id="daily"):
            PostgresOperator(task_id="x", postgres_conn_id=CONN, sql="select 1")
    """,
    "tests/dags/other.py": 'from airflow import DAG\ndag = DAG("other")',
    "migrations/1_x.sql": "create table x (a int)",
}
ENVIRONMENTS = {
    "envs/dev/dags/one.py": 'from airflow import DAG\ndag = DAG("one")',
    "envs/prod/dags/one.py": 'from airflow import DAG\ndag = DAG("one")',
    "sql/schema.sql": "CREATE TABLE x (a int)",
    "sql/old/schema.sql": "CREATE TABLE x (a int)",
    "sql/schema_template.sql": "CREATE TABLE {{ x }} (a int)",
    "envs/prod/dags/two.py": 'from airflow import DAG\ndag = DAG("two")',
}
WANTED = {
    "flat": (
        FLAT,
        """
        [tool.dagproof]
        dags = "."  # 1 DAG file, such as sales.py

        [tool.dagproof.world]
        # The code names these hosts, which no run reaches. Let a service stand in, or replace tasks:
        #   api.example.com  (helpers/api.py:5)

        [tool.dagproof.world.paths]
        "/opt/airflow/data" = "{files}/data"  # helpers/api.py:4

        [tool.dagproof.world.env]
        API_TOKEN = "FILL-IN"  # helpers/api.py:5; fill in a value
        # LOG_LEVEL = "FILL-IN"  # sales.py:13: it has a default
        WAREHOUSE = "{postgres}"  # sales.py:12
        """,
    ),
    "package": (
        PACKAGE,
        """
        [tool.dagproof]
        dags = "company/pipelines"  # 1 DAG file, such as company/pipelines/daily.py

        [tool.dagproof.world]
        schema = [
            "migrations",  # migrations/1_x.sql: a folder of migrations
        ]

        [tool.dagproof.world.connections]
        finance-db = "{postgres}"  # company/pipelines/daily.py:5
        """,
    ),
    "environments": (
        ENVIRONMENTS,
        """
        [tool.dagproof]
        dags = "envs/prod/dags"  # 2 DAG files, such as envs/prod/dags/one.py
        # dags = "envs/dev/dags"  # 1 DAG file here

        [tool.dagproof.world]
        schema = [
            "sql/schema.sql",  # it creates tables
            # "sql/old/schema.sql",  # another schema
        ]
        """,
    ),
    "src": (
        SRC,
        """
        [tool.dagproof]
        dags = "airflow/dags"  # 1 DAG file, such as airflow/dags/team/etl.py
        pythonpath = [".", "src"]  # folders that the DAG files import from

        [tool.dagproof.world]
        schema = [
            "alembic upgrade head",  # alembic.ini: migrations
            # "sql/schema.sql",  # beside migrations
        ]

        [tool.dagproof.world.paths]
        "/mnt/share/in" = "{files}/in"  # airflow/dags/team/etl.py:11
        # /opt/airflow/dags/team  # airflow/dags/team/etl.py:12: code or settings of this project; take the path from an environment variable, with {project} in env

        [tool.dagproof.world.connections]
        core = "{postgres}"  # airflow/dags/team/etl.py:8
        # http_api  # airflow/dags/team/q.sql:1: kind http: start a server as a service, and write "http://{SERVICE}"
        # lake  # airflow/dags/team/etl.py:13: kind aws: start a server that speaks S3 as a service, and name it as endpoint_url in extra
        landing = "file:{files}"  # airflow/dags/team/etl.py:9
        main = "{postgres}"  # airflow/dags/team/etl.py:10: a guess: no kind is written there
        # mysql_shop  # src/acme/load.py:9: kind MySQL: a world has no server for it; start one as a service, or take its tasks out with tasks
        # snowflake_main  # src/acme/load.py:5: kind Snowflake: a world has no server for it; start one as a service, or take its tasks out with tasks

        [tool.dagproof.world.variables]
        # batch = "FILL-IN"  # src/acme/load.py:7: it has a default
        limits = "{}"  # airflow/dags/team/q.sql:1: JSON; fill in a value
        out_dir = "{files}/out_dir"  # airflow/dags/team/etl.py:11
        region = "FILL-IN"  # src/acme/load.py:8; fill in a value

        [tool.dagproof.world.env]
        PGHOST = "{postgres.host}"  # src/acme/load.py:10
        """,  # noqa: E501
    ),
}


def lay(folder: Path, files: dict[str, str]) -> None:
    """Write a small project."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(textwrap.dedent(text).lstrip("\n").encode())


@pytest.mark.parametrize("layout", WANTED)
def test_the_whole_table(layout: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the file held stays byte for byte, and the configuration can be read."""
    files, wanted = WANTED[layout]
    lay(tmp_path, files)
    monkeypatch.chdir(tmp_path)
    assert main(["init"]) == 0
    old = files.get("pyproject.toml", "").encode()
    new = (tmp_path / "pyproject.toml").read_bytes()
    assert new.startswith(old)
    assert new[len(old) :].decode().replace("\r\n", "\n").lstrip("\n") == HEAD + textwrap.dedent(wanted).lstrip("\n")
    assert b"\r\n" not in old or new.count(b"\n") == new.count(b"\r\n")
    assert load_config(tmp_path).source == tmp_path / "pyproject.toml"


def test_the_summary_says_what_to_fill_in_and_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A few lines, and the next command last."""
    lay(tmp_path, FLAT)
    monkeypatch.chdir(tmp_path)
    assert main(["init"]) == 0
    assert capsys.readouterr().out == (
        "wrote [tool.dagproof] to pyproject.toml: 1 DAG file in .\n"
        "  paths        /opt/airflow/data\n"
        "  env          API_TOKEN, WAREHOUSE; as comments: LOG_LEVEL\n"
        "  hosts        api.example.com: no run reaches them, see the comments\n"
        "fill in: env.API_TOKEN\n"
        "next: dagproof prove sales\n"
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[tool.dagproof]\n", "pyproject.toml has a [tool.dagproof] already, and init changes none; print the table"),
        ("[tool]\ndagproof.dags = 'd'\n", "pyproject.toml has a [tool.dagproof] already"),
        ("tool = { black = {} }\n", "a table at the end of pyproject.toml would not be valid"),
        ("[tool\n", "is not valid TOML"),
    ],
)
def test_what_is_there_stays(
    text: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that cannot take the table is refused and left alone; the table can be printed all the same."""
    lay(tmp_path, {**ENVIRONMENTS, "pyproject.toml": text})
    monkeypatch.chdir(tmp_path)
    assert main(["init"]) == 2
    assert says in capsys.readouterr().err
    assert (tmp_path / "pyproject.toml").read_text() == text
    assert main(["init", "--stdout"]) == 0
    assert capsys.readouterr().out.startswith(HEAD + "[tool.dagproof]\n")


def test_no_dag_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is written, and the way out is named."""
    lay(tmp_path, {"a.py": "x = 1"})
    monkeypatch.chdir(tmp_path)
    for arguments, says in ([], "makes a DAG"), (["--dags", "."], "makes a DAG"), (["--dags", "no"], "no folder no"):
        assert main(["init", *arguments]) == 2
        told = capsys.readouterr().err
        assert says in told
        assert "--dags DIR" in told
    assert not (tmp_path / "pyproject.toml").exists()
