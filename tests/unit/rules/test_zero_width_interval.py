"""DP205: a filter between two ends that are the same moment is found, in every language and under every timetable."""

from __future__ import annotations

from textwrap import indent

import pytest

from tests.unit.rules.conftest import HEAD, Look

RULE = "zero-width-interval"
HALF_OPEN = "SELECT * FROM t WHERE ts >= '{{ data_interval_start }}' AND ts < '{{ data_interval_end }}'"


@pytest.mark.parametrize(
    ("schedule", "is_found"),
    [
        ("'@daily'", True),
        ("'0 6 * * *'", True),
        ("'@once'", True),
        ("EVERY_DAY", True),
        ("datetime.timedelta(days=1)", True),
        ("CronTriggerTimetable('@daily', timezone='UTC')", True),
        ("CronTriggerTimetable('@daily', timezone='UTC', interval=datetime.timedelta())", True),
        ("MultipleCronTriggerTimetable('@daily', '@hourly', timezone='UTC')", True),
        ("DeltaTriggerTimetable(datetime.timedelta(days=1))", True),
        ("CronTriggerTimetable('@daily', timezone='UTC', interval=datetime.timedelta(days=1))", False),
        ("CronTriggerTimetable('@daily', **os.environ)", False),
        ("CronDataIntervalTimetable('@daily', timezone='UTC')", False),
        ("'@continuous'", False),
        ("None", False),
        ("[Asset('x')]", False),
        ("os.environ['SCHEDULE']", False),
        ("MyTimetable()", False),
    ],
)
def test_the_timetable_decides(look: Look, schedule: str, is_found: bool) -> None:
    """Cron strings, presets and deltas make moments; data intervals do not, and what can't be told is left alone."""
    top = """
from airflow.sdk import Asset
from airflow.timetables.trigger import CronTriggerTimetable, DeltaTriggerTimetable, MultipleCronTriggerTimetable
from airflow.timetables.interval import CronDataIntervalTimetable
from shop import MyTimetable
EVERY_DAY = "@daily"
"""
    operator = f'    SQLExecuteQueryOperator(task_id="t", conn_id="x", sql="{HALF_OPEN}")'
    source = f'{HEAD}{top}\nwith DAG("d", schedule={schedule}, catchup=True) as d:\n{operator}\n'
    assert bool(look(source, RULE)) == is_found


@pytest.mark.parametrize(
    "where",
    [
        "ts >= '{{ data_interval_start }}' AND ts < '{{ data_interval_end }}'",
        "ts > '{{ data_interval_start }}' AND ts <= '{{ data_interval_end }}'",
        "'{{ data_interval_start }}' <= ts AND '{{ data_interval_end }}' > ts",
        "a = 1 AND (o.ts >= '{{ data_interval_start | ts }}' AND o.ts < '{{ data_interval_end | ts }}')",
        "DATE(ts) >= '{{ data_interval_start | ds }}' AND DATE(ts) < '{{ data_interval_end | ds }}'",
        "dt >= '{{ ds }}' AND dt < '{{ data_interval_end.strftime(\\'%Y-%m-%d\\') }}'",
        "ts >= CAST('{{ dag_run.data_interval_start }}' AS timestamp) AND ts < '{{ data_interval_end }}'::timestamp",
        "ts >= TIMESTAMP '{{ data_interval_start.isoformat() }}' AND ts < TIMESTAMP '{{ data_interval_end }}'",
        "ts >= {{ data_interval_start.int_timestamp }} AND ts < {{ data_interval_end.int_timestamp }}",
        "ts >= '{{ logical_date }}' AND ts < '{{ data_interval_end }}'",
    ],
)
def test_a_filter_in_sql_is_found(look_in_dag: Look, where: str) -> None:
    """In either order, with casts, filters and methods."""
    (finding,) = look_in_dag(f'SQLExecuteQueryOperator(task_id="t", sql="DELETE FROM t WHERE {where}")', RULE)
    assert (finding.certain, finding.task_id, finding.dag_id) == (True, "t", "orders")


@pytest.mark.parametrize(
    "where",
    [
        "ts >= '{{ data_interval_start }}' AND ts < '{{ data_interval_end }}'::timestamp + interval '1 day'",
        "ts >= '{{ data_interval_start }}' AND ts < '{{ data_interval_end + macros.timedelta(days=1) }}'",
        "ts >= '{{ data_interval_start }}' AND ts < '{{ data_interval_end.add(days=1) }}'",
        "ts >= '{{ data_interval_start.subtract(days=1) }}' AND ts < '{{ data_interval_end }}'",
        "ts >= '{{ data_interval_start - macros.timedelta(1) }}' AND ts < '{{ data_interval_end }}'",
        "ts >= DATEADD(day, -1, '{{ data_interval_start }}') AND ts < '{{ data_interval_end }}'",
        "ts >= '{{ data_interval_start }}' - interval 1 day AND ts < '{{ data_interval_end }}'",
        "ts >= '{{ ds }}' AND ts < '{{ macros.ds_add(ds, 1) }}'",
        "ts >= '{{ ds }}' AND ts < '{{ data_interval_end }}'",
        "valid_from <= '{{ data_interval_end }}' AND valid_to > '{{ data_interval_start }}'",
        "created >= '{{ data_interval_start }}' AND updated < '{{ data_interval_end }}'",
        "dt BETWEEN '{{ data_interval_start | ds }}' AND '{{ data_interval_end | ds }}'",
        "ts >= '{{ data_interval_start | ds }} 00:00' AND ts < '{{ data_interval_end | ds }} 24:00'",
        "ts < '{{ data_interval_end }}'",
        "ts >= '{{ prev_data_interval_start_success }}' AND ts < '{{ data_interval_end }}'",
        "dt = '{{ data_interval_start | ds }}'",
        "ts >= '{{ data_interval_start }}' AND ts < '{{ data_interval_end | a_filter_of_ours }}'",
        "ts >= '{{ data_interval_start ' AND ts < '{{ data_interval_end }}'",
    ],
)
def test_what_only_looks_like_such_a_filter_is_not_found(look_in_dag: Look, where: str) -> None:
    """Ends that are moved, other columns, days with both ends, other variables."""
    operator = f'SQLExecuteQueryOperator(task_id="t", sql="DELETE FROM t WHERE {where}")'
    assert look_in_dag(operator, RULE) == []


@pytest.mark.parametrize(
    "where",
    [
        "ts BETWEEN '{{ data_interval_start }}' AND '{{ data_interval_end }}'",
        "ts >= '{{ data_interval_start }}' AND ts <= '{{ data_interval_end }}'",
    ],
)
def test_a_filter_that_takes_both_ends_is_doubtful(look_in_dag: Look, where: str) -> None:
    """It selects what is exactly there."""
    found = look_in_dag(f'SQLExecuteQueryOperator(task_id="t", sql="DELETE FROM t WHERE {where}")', RULE)
    assert [finding.certain for finding in found] == [False]


SQL = "'SELECT * FROM t WHERE ts >= %s AND ts < %s'"


@pytest.mark.parametrize(
    "body",
    [
        "return [r for r in rows if data_interval_start <= r.ts < data_interval_end]",
        "return [r for r in rows if r.ts >= data_interval_start if r.ts < data_interval_end]",
        "return [r for r in rows if r.ts >= data_interval_start and r.ts < data_interval_end]",
        "return rows[(rows.ts >= data_interval_start) & (rows['ok']) & (rows.ts < data_interval_end)]",
        "return rows[rows.ts.between(data_interval_start, data_interval_end, inclusive='left')]",
        "start, end = data_interval_start, data_interval_end\nreturn [r for r in rows if start <= r < end]",
        "start, end = str(data_interval_start), data_interval_end.isoformat()\nreturn start < rows <= end",
        "return [r for r in rows if context['data_interval_start'] <= r < context['data_interval_end']]",
        "run = context['dag_run']\nreturn [r for r in rows if run.data_interval_start <= r < run.data_interval_end]",
        "start = context.get('data_interval_start')\n"
        "end = context.get('data_interval_end')\nreturn start <= rows < end",
        f"PostgresHook('x').run({SQL}, parameters=(data_interval_start, data_interval_end))",
        f"PostgresHook('x').run({SQL} % (data_interval_start, data_interval_end))",
        "PostgresHook('x').run('SELECT 1 FROM t WHERE ts >= %(a)s AND ts < %(b)s', "
        "parameters={'a': data_interval_start, 'b': data_interval_end})",
        "PostgresHook('x').run(f\"DELETE FROM t WHERE ts >= '{data_interval_start}' AND ts < '{data_interval_end}'\")",
        "PostgresHook('x').run(\"DELETE FROM t WHERE ts >= '{}' AND ts < '{}'\""
        ".format(data_interval_start, data_interval_end))",
        "PostgresHook('x').run(\"DELETE FROM t WHERE ts >= '{a}' AND ts < '{b}'\""
        ".format(a=data_interval_start, b=data_interval_end))",
        "return select(data_interval_start, data_interval_end)",
        "return select(end=data_interval_end, start=data_interval_start)",
    ],
)
def test_a_filter_in_python_is_found(look: Look, body: str) -> None:
    """Comparisons, pandas, parameters, formatted texts, helpers."""
    source = f"""{HEAD}
def select(start, end):
    return PostgresHook("x").get_records("SELECT 1 FROM t WHERE ts >= %s AND ts < %s", (start, end))
@task
def load(rows, data_interval_start=None, data_interval_end=None, **context):
{indent(body, "    ")}
with DAG("d", schedule="@daily", catchup=True):
    load([])
"""
    (finding,) = look(source, RULE)
    assert (finding.certain, finding.task_id) == (True, "load")


@pytest.mark.parametrize(
    "body",
    [
        "return [r for r in rows if r.ts >= data_interval_start or r.ts < data_interval_end]",
        "return data_interval_end > data_interval_start",
        "end = data_interval_end or data_interval_start\nreturn [r for r in rows if data_interval_start <= r < end]",
        "end = data_interval_end\nif end == data_interval_start:\n    end = end.add(days=1)\n"
        "return [r for r in rows if data_interval_start <= r < end]",
        "end = data_interval_end + datetime.timedelta(1)\nreturn [r for r in rows if data_interval_start <= r < end]",
        f"PostgresHook('x').run({SQL}, parameters=(data_interval_end, data_interval_start))",
        f"print({SQL}, data_interval_start, data_interval_end)",
        f"PostgresHook('x').run({SQL}, parameters=(data_interval_start, data_interval_end.add(days=1)))",
        "return rows[rows.ts.between(data_interval_start.date(), data_interval_end.date())]",
    ],
)
def test_what_only_looks_like_such_a_filter_in_python_is_not_found(look: Look, body: str) -> None:
    """One side only, ends that are moved, other orders."""
    source = f"""{HEAD}
@task
def load(rows, data_interval_start=None, data_interval_end=None):
{indent(body, "    ")}
with DAG("d", schedule="@daily", catchup=True):
    load([])
"""
    assert look(source, RULE) == []


def test_templates_are_followed_into_functions_and_files(look_in_dag: Look) -> None:
    """``op_kwargs``, the arguments of a task, ``parameters`` beside SQL, and ``.sql`` files with their lines."""
    top = """
    def select(start, end): return [r for r in range(9) if start <= r < end]
    @task
    def load(start, end): return select(start, end)
    """
    ends = "'{{ data_interval_start }}', '{{ data_interval_end }}'"
    body = f"""
    PythonOperator(task_id='a', python_callable=select, op_kwargs=dict(zip('x', 'y')))
    PythonOperator(task_id='b', python_callable=select, op_kwargs={{
        'start': '{{{{ data_interval_start }}}}', 'end': '{{{{ data_interval_end }}}}'}})
    load.override(task_id='c')({ends})
    SQLExecuteQueryOperator(task_id='d', sql='load.sql')
    SQLExecuteQueryOperator(task_id='e', sql='SELECT 1 WHERE ts >= %s AND ts < %s', parameters=[{ends}])
    """
    files = {
        "load.sql": "DELETE FROM t\nWHERE ts >= '{{ data_interval_start }}'\n  AND ts < '{{ data_interval_end }}'\n"
    }
    found = {finding.task_id: finding for finding in look_in_dag(body, RULE, top, files)}
    assert set(found) == {"b", "d", "e"}
    assert [(step.path, step.line) for step in found["d"].via] == [("dags/load.sql", 2)]


def test_intervals_of_the_installation_count(look_in_dag: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the environment sets them."""
    operator = f'SQLExecuteQueryOperator(task_id="t", sql="{HALF_OPEN}")'
    assert look_in_dag(operator, RULE)
    monkeypatch.setenv("AIRFLOW__SCHEDULER__CREATE_CRON_DATA_INTERVALS", "True")
    assert look_in_dag(operator, RULE) == []
