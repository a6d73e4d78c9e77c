"""DP101 and DP102: what is done each time the file is parsed, and what is left to the tasks."""

from __future__ import annotations

import pytest

from tests.unit.rules.conftest import HEAD, Look

DAG = "with DAG('d', schedule=None) as d:\n    PythonOperator(task_id='t', python_callable=print)\n"
TOP = "import requests, subprocess, sqlite3\nfrom pathlib import Path\nfrom airflow.sdk import Variable, BaseHook\n"


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("X = requests.get('http://x').json()", "top-level-io"),
        ("X = requests.Session().post('http://x')", "top-level-io"),
        ("subprocess.run(['ls'])", "top-level-io"),
        ("X = sqlite3.connect('x')", "top-level-io"),
        ("X = PostgresHook('x').get_records('SELECT 1')", "top-level-io"),
        ("hook = PostgresHook('x')\nX = hook.get_conn()", "top-level-io"),
        ("with open('x', 'w') as f:\n    f.write('y')", "top-level-io"),
        ("Path('x').write_text('y')", "top-level-io"),
        ("def fetch(): return requests.get('http://x')\nX = fetch()", "top-level-io"),
        ("class Settings:\n    token = requests.get('http://x').text", "top-level-io"),
        ("def f(x=requests.get('http://x')): pass", "top-level-io"),
        ("X = Variable.get('x')", "top-level-variable"),
        ("X = BaseHook.get_connection('x').host", "top-level-variable"),
        ("import airflow.models\nX = airflow.models.Variable.get('x', default_var=None)", "top-level-variable"),
        ("X = [Variable.get(n) for n in 'ab']", "top-level-variable"),
        ("import helper", "top-level-variable"),
        ("from helper import NAME", "top-level-variable"),
    ],
)
def test_what_parsing_does_is_found(look: Look, code: str, rule: str) -> None:
    """At the top, in a function it calls, in a class, in a default, in a module it imports."""
    files = {"helper.py": "from airflow.models import Variable\nNAME = Variable.get('name')\n"}
    assert len(look(f"{HEAD}{TOP}{code}\n{DAG}", rule, files)) == 1


@pytest.mark.parametrize(
    "code",
    [
        "def fetch(): return requests.get('http://x')",
        "fetch = lambda: requests.get('http://x')",
        "X = open('x').read()",
        "X = Path(__file__).read_text()",
        "hook = PostgresHook('x')",
        "if __name__ == '__main__':\n    requests.get('http://x'); Variable.get('x')",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    X = Variable.get('x')",
        "@task\ndef work():\n    return Variable.get('x'), requests.get('http://x')\nwith DAG('e'):\n    work()",
        "class Loader:\n    def run(self): return Variable.get('x')\nloader = Loader()",
        "X = '{{ var.value.x }}'",
        "X = {'Variable': 1}.get('Variable')",
        "def later():\n    import helper",
    ],
)
def test_what_is_left_to_the_tasks_is_not_found(look: Look, code: str) -> None:
    """Nor what is only defined, read from beside the DAG, or for another way to run the file."""
    files = {"helper.py": "from airflow.models import Variable\nNAME = Variable.get('name')\n"}
    source = f"{HEAD}{TOP}{code}\n{DAG}"
    assert look(source, "top-level-io", files) == look(source, "top-level-variable", files) == []
