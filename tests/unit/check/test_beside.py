"""What lies beside DAG files: models of dbt, SQL for Airflow, scripts and notebooks of Spark."""

from __future__ import annotations

import json

import pytest

from tests.unit.check.conftest import Project

DBT = "name: shop\nmodels:\n  shop:\n    marts:\n      +materialized: table\n"
TABLE = "{{ config(materialized='table') }}\n"
INCREMENTAL = "{{ config(materialized='incremental'%s) }}\nselect * from {{ ref('orders') }}\n%s"
NEWER = "{%% if is_incremental() %%} where at %s (select max(at) from {{ this }}) {%% endif %%}\n"
SPARK = "from pyspark.sql import SparkSession, functions as F\nimport sys\nspark = SparkSession.builder.getOrCreate()\n"


def look(project: Project, name: str, text: str) -> list[tuple[str, str]]:
    """Rule and confidence of what is found in one file beside a DAG file."""
    project.write("orders.py", "x = 1\n")
    project.write("dbt/dbt_project.yml", DBT)
    project.write(name, text)
    return [(one["rule"], one["confidence"]) for one in project.check("dags")["findings"]]


@pytest.mark.parametrize(
    ("text", "confidence"),
    [
        pytest.param(TABLE + "select * from x where d = '{{ run_started_at }}'", "certain", id="run_started_at"),
        pytest.param(TABLE + "select *, current_timestamp as day from x", "certain", id="a column of data"),
        pytest.param(TABLE + "select * from x where at > now() - interval '3 days'", "certain", id="now()"),
        pytest.param(TABLE + "select {{ dbt.current_timestamp() }} as day", "certain", id="a macro of dbt"),
        pytest.param(
            TABLE + "select '{{ modules.datetime.date.today() }}' as day", "certain", id="the clock of Python"
        ),
        pytest.param(TABLE + "select current_timestamp as loaded_at from x", "doubtful", id="audit"),
        pytest.param(TABLE + "select cast(current_timestamp as date) as updated_at", "doubtful", id="audit, cast"),
        pytest.param(TABLE + "select '{{ run_started_at }}'::date as dbt_loaded_at", "doubtful", id="audit, jinja"),
        pytest.param(TABLE + "select coalesce(a, now()) as updated_at, b from x", "doubtful", id="audit, a function"),
        pytest.param("select * from x where at > now() - interval '3 days'", "doubtful", id="perhaps a view"),
        pytest.param(
            TABLE + "select * from x {% if target.name == 'dev' %} where d > current_date - 3 {% endif %}",
            "doubtful",
            id="in a branch",
        ),
    ],
)
def test_a_model_that_asks_the_clock_is_found(project: Project, text: str, confidence: str) -> None:
    """Certain where it leaves rows of data, doubtful for audit columns, views, branches."""
    assert look(project, "dbt/models/a.sql", text) == [("wall-clock", confidence)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("dbt/models/a.sql", TABLE + "-- current_timestamp\nselect 1 {# run_started_at #}", id="comment"),
        pytest.param("dbt/models/a.sql", TABLE + "select '{{ var(\"day\") }}' as day", id="a variable"),
        pytest.param("dbt/models/a.sql", TABLE + "select x.now, 'now()' as t from x", id="a name and a text"),
        pytest.param("dbt/snapshots/a.sql", "{% snapshot s %} select now() as day {% endsnapshot %}", id="snapshot"),
        pytest.param("dbt/tests/a.sql", "select * from x where d > now()", id="a test"),
        pytest.param("dbt/target/compiled/a.sql", "select now() as day", id="what dbt made"),
        pytest.param("dbt/macros/a.sql", "{% macro day() %} current_date {% endmacro %}", id="a macro"),
        pytest.param("ddl.sql", "create table t (at timestamp default now())", id="no model"),
    ],
)
def test_what_asks_no_clock_is_fine(project: Project, name: str, text: str) -> None:
    """Neither is what is no model."""
    assert look(project, name, text) == []


def test_the_project_says_what_is_a_table(project: Project) -> None:
    """Without a word in the model itself."""
    assert look(project, "dbt/models/marts/a.sql", "select now() as day") == [("wall-clock", "certain")]


@pytest.mark.parametrize(
    ("config", "rest", "confidence"),
    [
        pytest.param("", "", "certain", id="each run adds all"),
        pytest.param("", "where dt = '{{ var(\"day\") }}'", "certain", id="a date's rows"),
        pytest.param(", incremental_strategy='append'", "", "certain", id="append"),
        pytest.param("", NEWER % ">=", "certain", id="the newest again"),
        pytest.param("", NEWER % ">", "doubtful", id="newer ones only"),
    ],
)
def test_an_incremental_model_without_a_key_is_found(project: Project, config: str, rest: str, confidence: str) -> None:
    """Certain where a second run adds rows that are there."""
    assert look(project, "dbt/models/a.sql", INCREMENTAL % (config, rest)) == [("append-load", confidence)]


@pytest.mark.parametrize(
    ("config", "rest"),
    [
        pytest.param(", unique_key='id'", NEWER % ">=", id="a key"),
        pytest.param(", unique_key=['id', 'dt']", "", id="a key of two"),
        pytest.param(", incremental_strategy='insert_overwrite', partition_by='dt'", "", id="insert_overwrite"),
        pytest.param(", incremental_strategy='delete+insert', unique_key='dt'", "", id="delete+insert"),
        pytest.param(", incremental_strategy='microbatch', event_time='at', begin='2026-01-01'", "", id="microbatch"),
        pytest.param(", pre_hook='delete from {{ this }} where dt = current_date'", "", id="makes room"),
        pytest.param(", **common", "", id="not known"),
        pytest.param(", incremental_strategy=var('strategy')", "", id="a variable"),
        pytest.param("", "where id not in (select id from {{ this }})", id="what is not there"),
        pytest.param(", partitioned_by=['dt']", "", id="athena"),
        pytest.param(", enabled=false", "", id="switched off"),
    ],
)
def test_an_incremental_model_that_replaces_is_fine(project: Project, config: str, rest: str) -> None:
    """By a key, by partitions, by a condition; and one of which that can't be told."""
    assert look(project, "dbt/models/a.sql", INCREMENTAL % (config, rest)) == []


def test_properties_give_a_key(project: Project) -> None:
    """In a YAML file beside the model."""
    project.write("dbt/models/schema.yml", "models:\n  - name: a\n    config:\n      unique_key: id\n")
    assert look(project, "dbt/models/a.sql", INCREMENTAL % ("", "")) == []


def test_sql_that_airflow_renders_is_read_once(project: Project) -> None:
    """By itself where no DAG file names it; one that a DAG names is found there."""
    text = "insert into t select * from s where d = '{{ ds }}' and at < now()"
    assert look(project, "sql/load.sql", text) == [("wall-clock", "certain")]
    project.write("names.py", 'import airflow  # dag\nSQL = "sql/load.sql"\n')
    assert project.check("dags")["findings"] == []


@pytest.mark.parametrize(
    "body",
    [
        pytest.param('df = spark.read.json("x")\ndf.write.mode("append").parquet("s3://a/b")', id="at the top"),
        pytest.param(
            'def main():\n    spark.table("a").write.mode("append").saveAsTable("b")\n'
            'if __name__ == "__main__":\n    main()',
            id="in main",
        ),
        pytest.param('spark.table("a").writeTo("b").append()', id="writeTo"),
        pytest.param('spark.table("a").write.insertInto("b")', id="insertInto"),
    ],
)
def test_a_script_that_appends_is_found(project: Project, body: str) -> None:
    """Wherever in it."""
    assert look(project, "jobs/load.py", f"{SPARK}{body}\n") == [("append-load", "certain")]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param('spark.table("a").write.mode("overwrite").saveAsTable("b")', id="a full refresh"),
        pytest.param(
            "spark.sql(f\"DELETE FROM b WHERE dt = '{sys.argv[1]}'\")\n"
            'spark.table("a").write.mode("append").saveAsTable("b")',
            id="deleted before",
        ),
        pytest.param(
            'spark.table("a").join(spark.table("b"), "id", "left_anti").write.mode("append").saveAsTable("b")',
            id="what is not there",
        ),
        pytest.param('spark.readStream.table("a").writeStream.outputMode("append").start()', id="a stream"),
        pytest.param('def unused():\n    spark.table("a").write.mode("append").saveAsTable("b")', id="never called"),
        pytest.param('spark.table("a").write.mode("append").saveAsTable("audit_log")', id="a journal"),
    ],
)
def test_a_script_that_surely_appends_nothing_twice_is_fine(project: Project, body: str) -> None:
    """And so is one of which that is not certain."""
    assert look(project, "jobs/load.py", f"{SPARK}{body}\n") == []


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ('df = spark.table("a").where(F.col("dt") == sys.argv[1])\n{}.parquet("s3://x/y")', 1),
        ('dt = sys.argv[1]\ndf = spark.table("a").filter(f"dt = \'{{dt}}\'")\n{}.saveAsTable("b")', 1),
        ('dt = sys.argv[1]\ndf = spark.table("a")\ndf = df.withColumn("dt", F.lit(dt))\n{}.saveAsTable("b")', 1),
        ('df = spark.table("a")\n{}.parquet("s3://x/y")', 0),
        ('df = spark.table("a").where(F.col("dt") > "2020")\n{}.parquet("s3://x/y")', 0),
        (
            'df = spark.table("a").where(F.col("dt") == sys.argv[1])\n{}.option("replaceWhere", "x").parquet("s3://x")',
            0,
        ),
        (
            'spark.conf.set("spark.sql.sources.partitionOverwriteMode", "dynamic")\n'
            'df = spark.table("a").where(F.col("dt") == sys.argv[1])\n{}.parquet("s3://x/y")',
            0,
        ),
        ('df = spark.table("a").where(F.col("dt") == sys.argv[1])\n{}.parquet(f"s3://x/{{sys.argv[1]}}")', 0),
    ],
)
def test_one_date_that_replaces_all_dates_is_found(project: Project, body: str, count: int) -> None:
    """Where the rows are those of one partition, and nothing limits what is replaced."""
    text = SPARK + body.format('df.write.mode("overwrite").partitionBy("dt")')
    assert look(project, "jobs/load.py", f"{text}\n") == [("unscoped-overwrite", "certain")] * count


def notebook(*cells: str) -> str:
    """A notebook with some cells."""
    code = [{"cell_type": "code", "source": cell.splitlines(keepends=True), "outputs": []} for cell in cells]
    return json.dumps({"cells": code, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1)


def test_a_notebook_is_read_cell_by_cell(project: Project) -> None:
    """The line is that of the file; magics do nothing."""
    text = notebook(
        "%pip install x\n!ls",
        SPARK,
        "%%sql\nselect 1",
        'df = spark.table("a")\ndf.write.mode("append").saveAsTable("b")',
    )
    project.write("orders.py", "x = 1\n")
    path = project.write("jobs/load.ipynb", text)
    (found,) = project.check("dags")["findings"]
    assert (found["rule"], found["path"]) == ("append-load", "dags/jobs/load.ipynb")
    assert "saveAsTable" in path.read_text().split("\n")[found["line"] - 1]


def test_the_head_says_what_was_read_and_an_option_leaves_it_out(project: Project) -> None:
    """On the command line, and in the configuration."""
    look(project, "dbt/models/a.sql", TABLE + "select now() as day")
    project.write("jobs/load.py", f'{SPARK}spark.table("a").write.mode("append").saveAsTable("b")\n')
    status, out, _ = project.call("dags")
    assert status == 1
    assert "beside DAG files, these were read: 1 dbt model, 1 PySpark script (--dags-only leaves them out)" in out
    assert project.check("dags")["beside"] == {"models": 1, "sql": 0, "scripts": 1, "notebooks": 0}
    assert project.call("dags", "--dags-only")[0] == 0
    project.configure("[tool.dagproof.check]\nothers = false\n")
    assert project.check("dags")["findings"] == []


def test_a_folder_of_models_alone_is_read(project: Project) -> None:
    """Without any Python file, by its path."""
    look(project, "dbt/models/a.sql", TABLE + "select now() as day")
    assert [one["rule"] for one in project.check("dags/dbt")["findings"]] == ["wall-clock"]


def test_comments_and_baselines_work_beside_dag_files(project: Project) -> None:
    """As in DAG files."""
    text = TABLE + "select now() as day  -- dagproof: allow wall-clock (an audit column)\n"
    assert look(project, "dbt/models/a.sql", text) == []
    look(project, "dbt/models/a.sql", TABLE + "select now() as day")
    project.call("dags", "--baseline", "known.json", "--update-baseline")
    assert project.call("dags", "--baseline", "known.json")[0] == 0


def test_a_script_that_is_unchanged_is_found_again_from_the_cache(project: Project) -> None:
    """The second run finds the same."""
    expected = look(project, "jobs/load.py", f'{SPARK}spark.table("a").write.mode("append").saveAsTable("b")\n')
    assert [(one["rule"], one["confidence"]) for one in project.check("dags")["findings"]] == expected != []
