"""DP201 where a person decides: what the time is for stands in the message, and builders and macros hide no clock."""

from __future__ import annotations

import pytest

from tests.unit.rules.conftest import HEAD, Look

RULE = "wall-clock"
TOP = "from datetime import datetime, date, timedelta\nimport pandas as pd\nfrom somewhere import save, F\n"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("return {'id': 1, 'loaded_at': datetime.now()}", "loaded_at"),
        ("save({'timestamp': datetime.now().isoformat()})", "timestamp"),
        ("df = pd.read_csv('x')\ndf['updated_at'] = datetime.now()\ndf.to_csv(ds)", "updated_at"),
        ("save(pd.read_csv('x').assign(created_at=datetime.utcnow()))", "created_at"),
        ("save(ti.df.withColumn('ingested_at', F.lit(datetime.now())))", "ingested_at"),
        ("ti.row.modified_at = datetime.now()", "modified_at"),
        ("PostgresHook('x').run('UPDATE t SET a = 1, updated_at = now() WHERE id = 1')", "updated_at"),
        ("PostgresHook('x').run('INSERT INTO t (id, loaded_at) SELECT id, current_timestamp FROM s')", "loaded_at"),
        ("PostgresHook('x').run('INSERT INTO t (id, created_at) VALUES (1, now())')", "created_at"),
        ("PostgresHook('x').run('CREATE TABLE t AS SELECT id, now() AS etl_timestamp FROM s')", "etl_timestamp"),
        ("PostgresHook('x').run(\"DELETE FROM t WHERE dt < now() - interval '90 days'\")", "retention"),
        ("began = time.time()\nsave(time.time() - began)", "how long something took"),
    ],
)
def test_a_person_is_told_what_it_depends_on(look_in_task: Look, body: str, why: str) -> None:
    """Audit columns, retention, durations: doubtful."""
    found = look_in_task(body, RULE, TOP)
    assert found
    assert not any(finding.certain for finding in found)
    assert all(why in finding.message for finding in found)


@pytest.mark.parametrize(
    "body",
    [
        "return {'day': datetime.now()}",
        "save({'load_date': date.today()})",
        "PostgresHook('x').run('UPDATE t SET day = now()')",
        "PostgresHook('x').run('INSERT INTO t (id, day) SELECT id, current_date FROM s')",
        "PostgresHook('x').run('INSERT INTO t (updated_at, day) VALUES (1, now())')",
        "PostgresHook('x').run('SELECT * FROM t WHERE updated_at = now()')",
        "PostgresHook('x').run('DELETE FROM t WHERE day = current_date')",
        "PostgresHook('x').run(\"DELETE FROM t WHERE day >= now() - interval '1 day'\")",
        "hours, minutes = divmod(time.time(), 60)\nsave(hours)",
    ],
)
def test_what_goes_into_data_is_certain(look_in_task: Look, body: str) -> None:
    """A day is no audit column, and a condition sets none."""
    (finding,) = look_in_task(body, RULE, TOP)
    assert finding.certain


@pytest.mark.parametrize(
    "body",
    [
        "began = time.time()\nminutes, seconds = divmod(int(time.time() - began), 60)\nprint(f'{minutes}:{seconds}')",
        "PostgresHook('x').run('ALTER TABLE t ALTER COLUMN at SET DEFAULT now()')",
        "PostgresHook('x').run('CREATE TABLE t (at timestamp DEFAULT CURRENT_TIMESTAMP, id int)')",
        "path = f'/tmp/{datetime.now()}.csv'\nopen(path, 'w').write('x')\nos.remove(path)",
        "from pathlib import Path\npath = Path(f'/tmp/{datetime.now()}')\npath.write_text('x')\npath.unlink()",
    ],
)
def test_what_leaves_nothing_behind_is_not_found(look_in_task: Look, body: str) -> None:
    """Printed parts of a duration, tables that are only made, files that are gone in the end."""
    assert look_in_task(body, RULE, TOP) == []


BUILDERS = """
def shell(name, parts): return BashOperator(task_id=name, bash_command=" ".join(parts))
def args(day): return ["load", f"--day={day}"]
def make(**options): return BashOperator(**options)
def wrap(name, *parts): return shell(name, list(parts))
class Builder:
    def __init__(self, day): self.day = day
    def step(self, name): return BashOperator(task_id=name, bash_command=f"load {self.day}")
RUN = datetime.now()
"""


@pytest.mark.parametrize(
    "body",
    [
        "shell('a', ['load', str(datetime.now())])",
        "shell('a', args(RUN.date()))",
        "make(task_id='a', bash_command=f'load {RUN}')",
        "options = {'task_id': 'a', 'bash_command': f'load {RUN}'}\nmake(**options)",
        "wrap('a', 'load', f'{RUN:%Y}')",
        "Builder(RUN).step('a')",
        "for day in [RUN, RUN - timedelta(days=1)]:\n    shell(f'a{day}', args(day))",
        "for name, day in {'a': RUN}.items():\n    shell(name, args(day))",
        "shell('a', ['load %s' % RUN])",
        "shell('a', ['load {}'.format(RUN)])",
    ],
)
def test_builders_hide_no_clock(look_in_dag: Look, body: str) -> None:
    """Through lists, joins, ``**options``, ``*parts``, classes, loops."""
    (finding,) = look_in_dag(body, RULE, TOP + BUILDERS)
    assert finding.certain


@pytest.mark.parametrize(
    "body",
    [
        "shell('a', ['load', '{{ ds }}'])",
        "shell(f'a_{RUN:%Y}', ['load'])\nprint(RUN)",
        "make(task_id='a', bash_command='load', start_date=RUN)",
        "shell('a', args('{{ ds }}'))",
    ],
)
def test_builders_that_are_given_the_runs_own_dates_are_fine(look_in_dag: Look, body: str) -> None:
    """Whatever other builders in the file get."""
    found = [one for one in look_in_dag(body, RULE, TOP + BUILDERS) if "a_" not in body]
    assert found == []


@pytest.mark.parametrize(
    ("macros", "template", "count"),
    [
        ("{'now': datetime.now}", "{{ now() }}", 1),
        ("{'day': lambda: date.today().isoformat()}", "{{ day() }}", 1),
        ("{'day': ours}", "SELECT '{{ day() }}'", 1),
        ("{'day': date.today().isoformat()}", "{{ day }}", 1),
        ("{'day': ours}", "{{ ds }}", 0),
        ("{'day': lambda d: d.date()}", "{{ day(logical_date) }}", 0),
    ],
)
def test_macros_of_the_dag_are_looked_at(look: Look, macros: str, template: str, count: int) -> None:
    """Those that a template calls, or takes."""
    source = (
        f"{HEAD}{TOP}def ours(): return datetime.now().date()\n"
        f"with DAG('d', schedule='@daily', user_defined_macros={macros}):\n"
        f'    BashOperator(task_id="t", bash_command="load {template}")\n'
    )
    assert len(look(source, RULE)) == count


@pytest.mark.parametrize(
    ("given", "count"),
    [
        ("{'day': date.today().isoformat()}", 1),
        ("{'day': Param(str(date.today()), type='string')}", 1),
        ("{'day': Param(default=default_day())}", 1),
        ("{'day': Param(None, type=['null', 'string'])}", 0),
        ("{'day': Param('2026-01-01')}", 0),
    ],
)
def test_the_default_of_a_param_is_no_day_of_parsing(look: Look, given: str, count: int) -> None:
    """Given plainly, by position, by a function."""
    source = (
        f"{HEAD}{TOP}from airflow.sdk import Param\ndef default_day(): return date.today().isoformat()\n"
        f"with DAG('d', schedule='@daily', params={given}):\n    pass\n"
    )
    assert len(look(source, RULE)) == count


DISPATCH = """
from airflow.sdk import BaseOperator
class Shop(BaseOperator):
    def __init__(self, operation="save", **kwargs):
        super().__init__(**kwargs)
        self.operation = operation
    def execute(self, context):
        if self.operation == "count":
            return 1
        elif self.operation in ("save", "store"):
            return datetime.now()
def run(mode):
    match mode:
        case "save":
            return datetime.now()
        case _:
            return 1
"""


@pytest.mark.parametrize(
    ("body", "tasks"),
    [
        ("Shop(task_id='a', operation='count')", []),
        ("Shop(task_id='a', operation='store')", ["a"]),
        ("Shop(task_id='a')", ["a"]),
        ("Shop(task_id='a', operation=SOME)", ["a"]),
        ("Shop(task_id='a', operation='count')\nShop(task_id='b', operation='save')", ["b"]),
        ("PythonOperator(task_id='a', python_callable=run, op_kwargs={'mode': 'count'})", []),
        ("PythonOperator(task_id='a', python_callable=run, op_kwargs={'mode': 'save'})", ["a"]),
        ("PythonOperator(task_id='a', python_callable=run, op_args=['count'])", []),
    ],
)
def test_an_operator_that_does_what_it_is_told_takes_one_branch(look_in_dag: Look, body: str, tasks: list[str]) -> None:
    """The others belong to nobody, or to another task."""
    found = look_in_dag(body, RULE, f"{TOP}{DISPATCH}from somewhere import SOME")
    assert [finding.task_id for finding in found] == tasks


def test_a_clock_that_is_only_there_is_fine(look_in_dag: Look) -> None:
    """``IS NOT NULL`` holds at any time."""
    task = "SQLExecuteQueryOperator(task_id='x', conn_id='c', sql='SELECT 1 WHERE {} IS NOT NULL')"
    assert not look_in_dag(task.format("CURRENT_TIMESTAMP()"), "wall-clock")
    assert not look_in_dag(task.format("current_date"), "wall-clock")
