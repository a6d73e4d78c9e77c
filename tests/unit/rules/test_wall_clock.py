"""DP201: every way to read the clock in a task is found, and nothing that looks like it."""

from __future__ import annotations

import pytest

from tests.unit.rules.conftest import Look

RULE = "wall-clock"


@pytest.mark.parametrize(
    "body",
    [
        "return datetime.datetime.now()",
        "return datetime.datetime.utcnow().date().isoformat()",
        "return datetime.date.today() - datetime.timedelta(days=1)",
        "return time.time()",
        "return time.strftime('%Y')",
        "return time.localtime()",
        "return pendulum.now('UTC').to_date_string()",
        "return pendulum.yesterday()",
        "return f'{datetime.date.today():%Y}/x.csv'",
        "return [datetime.date.today() for _ in range(3)]",
        "return (lambda: time.time())()",
        "import datetime as dt\nreturn dt.datetime.now()",
        "from datetime import datetime as d\nreturn d.now()",
        "from time import time\nreturn time()",
        "from airflow.utils import timezone\nreturn timezone.utcnow()",
        "from airflow.sdk import timezone as tz\nreturn tz.utcnow()",
        "import pandas as pd\nreturn pd.Timestamp.now()",
        "import pandas as pd\nreturn pd.Timestamp('now')",
        "import pandas as pd\nreturn pd.to_datetime('today')",
        "import numpy as np\nreturn np.datetime64('now')",
        "now = datetime.datetime.now\nreturn now()",
        "from sqlalchemy import func\nreturn func.now()",
        "import sqlalchemy as sa\nreturn sa.func.current_date()",
        "from pyspark.sql import functions as F\nreturn F.current_timestamp()",
        "import email.utils\nreturn email.utils.formatdate()",
        "import functools\nnow = functools.partial(datetime.datetime.now, datetime.timezone.utc)\nreturn now()",
        "return getattr(datetime.datetime, 'now')()",
        "try:\n    from pendulum import now\nexcept ImportError:\n    from arrow import now\nreturn now()",
        "if ds is None:\n    ds = datetime.date.today()\nreturn ds",
        "day = datetime.date.today()\nprint(day)\nreturn day",
        "cutoff = time.time() - 3600\nreturn cutoff",
        "PostgresHook('x').run('DELETE FROM t WHERE dt = %s', parameters=[datetime.date.today()])",
        "PostgresHook('x').run('DELETE FROM t WHERE dt < now()')",
        "PostgresHook('x').run(['DELETE FROM t', 'INSERT INTO t SELECT a, CURRENT_DATE FROM s'])",
        "PostgresHook('x').run(\"DELETE FROM t WHERE dt = 'yesterday'::date\")",
        "PostgresHook('x').run(\"DELETE FROM t WHERE dt = date 'today'\")",
        "sql = f'''\n  SELECT *\n  FROM t WHERE ts < GETDATE() AND ds = '{ds}'\n'''\nPostgresHook('x').run(sql)",
        "PostgresHook('x').run('SELECT * FROM {} WHERE d = current_date - 1'.format('t'))",
        "PostgresHook('x').run('SELECT extract(year FROM age(born)) AS years FROM people')",
        "PostgresHook('x').run(\"SELECT AGE(greatest(born, '2000-01-01')) FROM people\")",
        "PostgresHook('x').run('SELECT timeofday()')",
        "os.system('touch /data/$(date +%F)')",
        "import subprocess\nsubprocess.run('cp a b-`date +%s`', shell=True)",
        "import subprocess\nsubprocess.run(['bash', '-c', 'cp a b-$(date +%s)'])",
    ],
)
def test_a_clock_in_a_task_is_found(look_in_task: Look, body: str) -> None:
    """Once, at its place, for the task."""
    (finding,) = look_in_task(body, RULE)
    assert (finding.dag_id, finding.task_id, finding.via, finding.certain) == ("orders", "load", (), True)


@pytest.mark.parametrize(
    "body",
    [
        "return datetime.datetime(2026, 1, 1)",
        "from pendulum import datetime\nreturn datetime(2026, 1, 1)",
        "return datetime.datetime.fromisoformat(ds)",
        "return datetime.datetime.fromtimestamp(1700000000)",
        "return time.strftime('%Y', time.gmtime(0))",
        "import pandas as pd\nreturn pd.Timestamp(ds)",
        "started = time.monotonic()\nreturn time.monotonic() - started",
        "return time.perf_counter()",
        "return time.clock_gettime(time.CLOCK_MONOTONIC)",
        "print('it is', datetime.datetime.now())",
        "import logging\nlogging.getLogger(__name__).info('%s', time.time())",
        "started = time.time()\nwork = 1\nprint(f'{work} took {time.time() - started:.1f} s')\nreturn work",
        "started = datetime.datetime.now()\ntook = (datetime.datetime.now() - started).total_seconds()\nprint(took)",
        "deadline = time.time() + 60\nwhile time.time() < deadline:\n    time.sleep(1)",
        "from airflow.sdk import get_current_context\nreturn get_current_context()['ds']",
        "class Clock:\n    def now(self): return 1\nreturn Clock().now()",
        "datetime = ti\nreturn datetime.datetime.now()",
        "def never():\n    return time.time()\nreturn 1",
        "PostgresHook('x').run('SELECT now_utc, t.now, \"current_date\" FROM t -- now()')",
        "PostgresHook('x').run(\"SELECT 'now()' AS text\")",
        "PostgresHook('x').run('SELECT dt AS current_date FROM t')",
        "PostgresHook('x').run(\"SELECT 'today' AS day FROM t WHERE state = 'now'\")",
        "PostgresHook('x').run('SELECT \"today\"::date FROM t')",
        "PostgresHook('x').run(\"SELECT age('{{ ds }}', born), p.age, age(least(a, b), ',') FROM people p\")",
        "PostgresHook('x').run('INSERT INTO age (years) SELECT age FROM people')",
        "PostgresHook('x').run('WITH age (n) AS (SELECT 1) SELECT n FROM age')",
        "print('SELECT now()')",
        "return 'the time now() is CURRENT_DATE'",
        "os.system('echo started at $(date)')",
        "os.system('date -d \"$DAY\" +%F > day')",
    ],
)
def test_what_only_looks_like_a_clock_is_not_found(look_in_task: Look, body: str) -> None:
    """Static dates, counters, log lines, durations, strings, and what is never called."""
    assert look_in_task(body, RULE) == []


@pytest.mark.parametrize(
    "operator",
    [
        "BashOperator(task_id='load', bash_command='load $(date +%F)')",
        "BashOperator(task_id='load', bash_command='d=`date`; load $d')",
        "BashOperator(task_id='load', bash_command='load $(date -d yesterday +%F)')",
        "BashOperator(task_id='load', bash_command='load {{ macros.datetime.now() }}')",
        "BashOperator(task_id='load', bash_command=f'load {datetime.date.today()}')",
        "BashOperator(task_id='load', bash_command='load', env={'DAY': '{{ macros.datetime.utcnow().date() }}'})",
        "BashOperator(task_id='load', bash_command='load ' + TODAY)",
        "BashOperator.partial(task_id='load').expand(bash_command=[TODAY])",
        "SQLExecuteQueryOperator(task_id='load', sql='DELETE FROM t WHERE dt = CURRENT_DATE')",
        "SQLExecuteQueryOperator(task_id='load', sql=['SELECT 1', 'SELECT now()'])",
        "PythonOperator(task_id='load', python_callable=lambda: time.time())",
        "PythonOperator(task_id='load', python_callable=time_of_day)",
        "PythonOperator(task_id='load', python_callable=Loader().run)",
        "PythonOperator(task_id='load', python_callable=print, op_kwargs={'day': datetime.date.today()})",
        "PythonOperator(task_id='load', python_callable=uses_constant)",
        "PythonOperator(task_id='load', python_callable=with_default)",
        "MyOperator(task_id='load')",
    ],
)
def test_a_clock_in_an_operator_is_found(look_in_dag: Look, operator: str) -> None:
    """In what it is given, in what it calls, in what it is made of."""
    top = """
    from airflow.sdk import BaseOperator
    TODAY = str(datetime.date.today())
    def time_of_day(): return datetime.datetime.now().time()
    def uses_constant(): return [TODAY]
    def with_default(clock=time.time): return clock()
    class Loader:
        clock = staticmethod(datetime.datetime.now)
        def __init__(self): self.days = []
        def run(self): return self.day()
        def day(self): return datetime.date.today()
    class MyOperator(BaseOperator):
        def execute(self, context): return self.day()
        def day(self): return datetime.date.today()
    """
    (finding,) = look_in_dag(operator, RULE, top)
    assert (finding.dag_id, finding.task_id, finding.certain) == ("orders", "load", True)


@pytest.mark.parametrize(
    "operator",
    [
        "BashOperator(task_id='load', bash_command='load {{ ds }}')",
        "BashOperator(task_id='load', bash_command='date')",
        "BashOperator(task_id='load', bash_command='echo $(date); load')",
        "BashOperator(task_id='load', bash_command='load --date {{ ds }} # $(date)')",
        "BashOperator(task_id='load', bash_command=\"load $(date -d '{{ ds }}' +%s)\")",
        "BashOperator(task_id='load', bash_command='load {{ macros.ds_add(ds, 1) }}')",
        "BashOperator(task_id='load', bash_command='load', doc_md='uses {{ macros.datetime.now() }}')",
        "PythonOperator(task_id='load', python_callable=print, params={'start_date': datetime.date.today()})",
        "PythonOperator(task_id='load', python_callable=fine)",
        "print(datetime.datetime.now())",
        "BashOperator(task_id='load', bash_command='load', on_failure_callback=clock)",
    ],
)
def test_what_only_looks_like_a_clock_in_an_operator_is_not_found(look_in_dag: Look, operator: str) -> None:
    """Given dates, printed ones, documentation, parameters of people, callbacks."""
    top = "def fine(ds): return ds\ndef clock(context): return time.time()\ndef main():\n    return time.time()\n"
    top += "if __name__ == '__main__':\n    main()\n"
    assert look_in_dag(operator, RULE, top) == []


def test_a_clock_three_calls_away_is_told_at_the_dags_line(look_in_task: Look) -> None:
    """With the way to it, through packages, re-exports and relative imports."""
    files = {
        "lib/__init__.py": "from .rows import rows as build",
        "lib/rows.py": "from . import stamps\n\ndef rows(ds):\n    return [stamps.stamp(ds)]\n",
        "lib/stamps.py": "from lib.clock import *\n\n\ndef stamp(ds):\n    return (ds, today())\n",
        "lib/clock.py": "from datetime import date as d\n\ndef today():\n    return d.today().isoformat()\n",
    }
    (finding,) = look_in_task("from lib import build\nreturn build(ds)", RULE, files=files)
    assert finding.path == "dags/dag.py"
    ways = [(step.path, step.line) for step in finding.via]
    assert ways == [("dags/lib/rows.py", 4), ("dags/lib/stamps.py", 5), ("dags/lib/clock.py", 4)]


def test_a_constant_of_a_helper_is_followed(look_in_task: Look) -> None:
    """It is as old as the last parsing."""
    files = {"settings.py": "import datetime\n\nTODAY = datetime.date.today()\nTAG = f'{TODAY:%Y}'\nFIXED = 1\n"}
    found = look_in_task("return [settings.FIXED, TAG]", RULE, "import settings\nfrom settings import TAG", files)
    assert [[step.line for step in finding.via] for finding in found] in ([[3]], [[3], [3]])


def test_sql_files_are_read(look_in_dag: Look) -> None:
    """The line of the file is told."""
    files = {"sql/load.sql": "DELETE FROM t;\nINSERT INTO t\nSELECT *, now() FROM s\n"}
    (finding,) = look_in_dag("SQLExecuteQueryOperator(task_id='load', sql='sql/load.sql')", RULE, files=files)
    assert [(step.path, step.line) for step in finding.via] == [("dags/sql/load.sql", 3)]


def test_a_duration_that_leaves_the_task_is_doubtful(look_in_task: Look) -> None:
    """It may be a metric, or a column."""
    found = look_in_task("started = time.time()\nreturn time.time() - started", RULE)
    assert found
    assert not any(finding.certain for finding in found)


def test_the_default_of_a_column_matters_where_rows_are_written(look_in_task: Look) -> None:
    """Doubtful then, since rows may well give another value; a table that is only made gets no row."""
    sql = "CREATE TABLE IF NOT EXISTS t (id int, at timestamptz DEFAULT now())"
    assert look_in_task(f"PostgresHook('x').run('{sql}')", RULE) == []
    (finding,) = look_in_task(f"PostgresHook('x').run('{sql}; INSERT INTO t (id) SELECT 1')", RULE)
    assert not finding.certain
    assert "default of a column" in finding.message


def test_a_task_that_is_never_made_is_not_looked_at(look: Look) -> None:
    """Nor a helper that is imported and never called, nor what is for type checkers."""
    source = """
    from typing import TYPE_CHECKING
    from airflow.sdk import DAG, task
    from helpers import clock
    if TYPE_CHECKING:
        import datetime
        NOW = datetime.datetime.now()
    @task
    def never():
        return clock()
    with DAG("d", schedule=None):
        pass
    """
    assert look(source, files={"helpers.py": "import time\ndef clock(): return time.time()\n"}) == []


@pytest.mark.parametrize(
    ("task", "is_found"),
    [
        ("BranchDayOfWeekOperator(task_id='t', week_day='Monday', **BRANCHES)", True),
        ("BranchDayOfWeekOperator(task_id='t', week_day='Monday', use_task_logical_date=False, **BRANCHES)", True),
        ("old.BranchDayOfWeekOperator(task_id='t', week_day='Monday', **BRANCHES)", True),
        ("BranchDateTimeOperator(task_id='t', target_lower=START, target_upper=None, **BRANCHES)", True),
        ("DayOfWeekSensor(task_id='t', week_day={'Monday'}, timeout=60)", True),
        ("DayOfWeekSensor.partial(task_id='t').expand(week_day=['Monday'])", True),
        ("BranchDayOfWeekOperator(task_id='t', week_day='Monday', use_task_logical_date=True, **BRANCHES)", False),
        ("BranchDayOfWeekOperator(task_id='t', week_day='Monday', use_task_execution_day=True, **BRANCHES)", False),
        ("BranchDateTimeOperator(task_id='t', use_task_logical_date=os.environ['X'], **BRANCHES)", False),
        ("DayOfWeekSensor(task_id='t', week_day='Monday', **os.environ)", False),
        ("DayOfWeekSensor(task_id='t', week_day='Monday', **YES)", False),
        ("DayOfWeekSensor.partial(task_id='t', week_day='Monday').expand(use_task_logical_date=[True])", False),
        ("DayOfWeekSensor.partial(task_id='t').expand_kwargs([{'week_day': 'Monday'}])", False),
        ("Own(task_id='t', week_day='Monday')", False),
    ],
)
def test_an_operator_that_goes_by_the_clock_is_found(look_in_dag: Look, task: str, is_found: bool) -> None:
    """Unless it is told to go by the date of its run, or may be."""
    top = """
    from airflow.operators import weekday as old
    from airflow.providers.standard.operators.datetime import BranchDateTimeOperator
    from airflow.providers.standard.operators.weekday import BranchDayOfWeekOperator
    from airflow.providers.standard.sensors.weekday import DayOfWeekSensor
    BRANCHES = {"follow_task_ids_if_true": "a", "follow_task_ids_if_false": "b"}
    YES = {"use_task_logical_date": True}
    class Own(BranchDayOfWeekOperator):
        def __init__(self, **given): super().__init__(use_task_logical_date=True, **BRANCHES, **given)
    """
    assert [finding.task_id for finding in look_in_dag(task, RULE, top)] == ["t"] * is_found


def test_the_default_arguments_of_a_dag_count(look: Look) -> None:
    """One line there is enough for all."""
    source = """
    from airflow.sdk import DAG
    from airflow.providers.standard.sensors.weekday import DayOfWeekSensor
    from elsewhere import ARGUMENTS
    with DAG("d", schedule=None, default_args=GIVEN):
        DayOfWeekSensor(task_id="t", week_day="Monday")
    """
    given = ("{'use_task_logical_date': True}", "{'use_task_logical_date': False}", "ARGUMENTS")
    found = [[finding.certain for finding in look(source.replace("GIVEN", one), RULE)] for one in given]
    assert found == [[], [True], [False]]


@pytest.mark.parametrize(
    ("operator", "is_found"),
    [
        ("SQLExecuteQueryOperator(task_id='t', sql=\"INSERT INTO t SELECT '{{ ti.start_date }}'\")", True),
        ("SQLExecuteQueryOperator(task_id='t', sql='INSERT INTO t\\rSELECT {{ ti.start_date }}')", True),
        ("SQLExecuteQueryOperator(task_id='t', sql=['UPDATE t SET a = {{ dag_run.start_date | ds }}'])", True),
        ("SQLExecuteQueryOperator(task_id='t', sql=\"SELECT '{{ dag_run.start_date }}'\")", False),
        (
            "SQLExecuteQueryOperator(task_id='t', sql=\"INSERT INTO t SELECT '{{ dag.start_date }}', start_date\")",
            False,
        ),
        ("BashOperator(task_id='t', bash_command='echo INSERT {{ ti.start_date }}')", False),
    ],
)
def test_when_a_try_began_is_doubtful_where_it_is_written(look_in_dag: Look, operator: str, is_found: bool) -> None:
    """Each try begins at another time; a journal may mean that."""
    found = look_in_dag(operator, RULE)
    assert [(finding.certain, "start_date }}" in finding.message) for finding in found] == [(False, True)] * is_found


def test_code_that_tasks_share_is_found_of_the_task_that_gives_the_text(look_in_dag: Look) -> None:
    """And not of the first one that runs it."""
    top = "def run_sql(sql): PostgresHook('c').run(sql)\n"
    task = "PythonOperator(task_id='{}', python_callable=run_sql, op_kwargs={{'sql': '{}'}})\n"
    body = task.format("good", "DELETE FROM t") + task.format("bad", "INSERT INTO u SELECT now()")
    found = look_in_dag(body, "wall-clock", top)
    assert [one.subjects for one in found] == [(("orders", "bad"),)]
