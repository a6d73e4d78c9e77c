"""Cases that people met in strangers' folders: right place, right word, no noise."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dagproof.cli import main

CASES = Path(__file__).parents[2] / "cases" / "check"
Check = Callable[..., dict[str, Any]]


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    """What `dagproof check` prints as JSON, called in a folder."""

    def checking(folder: Path, *arguments: str) -> dict[str, Any]:
        monkeypatch.chdir(folder)
        main(["check", "--no-import", "--no-cache", "--output-format", "json", *arguments])
        return dict(json.loads(capsys.readouterr().out))

    return checking


@pytest.fixture
def case(tmp_path: Path) -> Callable[[str], Path]:
    """A copy of a case's folder, away from this repository."""

    def copying(name: str) -> Path:
        source = CASES / name
        shutil.copytree(source if source.is_dir() else source.parent, tmp_path / "case")
        return tmp_path / "case"

    return copying


def lines(told: dict[str, Any], rule: str = "") -> list[tuple[str, str, int]]:
    """Rule, path and line of each finding."""
    return [(one["rule"], one["path"], one["line"]) for one in told["findings"] if rule in ("", one["rule"])]


def test_a_request_with_a_time_limit_of_its_own_is_not_endless(case: Any, check: Check) -> None:
    """By the operator's parameter, and by the hook's."""
    folder = case("false_alarms/fa10_http_operator_timeout.py")
    assert lines(check(folder, "fa10_http_operator_timeout.py"), "endless-task") == []


def test_tasks_of_a_mapped_group_are_looked_at(case: Any, check: Check) -> None:
    """`group.partial(…).expand(…)`."""
    told = check(case("missed/mf09_group_expanded.py"), "mf09_group_expanded.py")
    assert lines(told) == [("wall-clock", "mf09_group_expanded.py", 16)]


def test_a_package_below_src_is_followed_from_everywhere(case: Any, check: Check) -> None:
    """From the root and from `src/`; and the header says which folder that took."""
    folder = case("missed/mf10")
    above, below = check(folder, "."), check(folder / "src", ".")
    assert [(rule, line) for rule, _, line in lines(above)] == [("dynamic-start-date", 6), ("implicit-catchup", 6)]
    assert [(rule, f"src/{path}", line) for rule, path, line in lines(below)] == lines(above)
    assert above["roots"] == ["src"]
    assert above["unfollowed"] == []


def test_operators_that_providers_dropped_are_found(case: Any, check: Check) -> None:
    """Each with the release that lacks it, and what to use."""
    told = check(case("missed/mf11_operators_that_providers_dropped.py"), "mf11_operators_that_providers_dropped.py")
    found = [one for one in told["findings"] if one["rule"] == "removed-api"]
    assert [(one["line"], one["confidence"]) for one in found] == [(n, "certain") for n in range(3, 8)]
    ways = [one["message"].rpartition("use airflow.providers.")[2] for one in found]
    sql = "common.sql.operators.sql.SQLExecuteQueryOperator"
    pod = "cncf.kubernetes.operators.pod.KubernetesPodOperator"
    assert ways == [pod, "http.operators.http.HttpOperator", sql, sql, sql]
    assert "removed in apache-airflow-providers-http 5.0.0" in found[1]["message"]


def test_xcoms_of_no_task_by_name_are_found(case: Any, check: Check) -> None:
    """In Python and in templates."""
    told = check(case("missed/mf12_xcom_pull_without_task.py"), "mf12_xcom_pull_without_task.py")
    assert [line for _, _, line in lines(told, "removed-api")] == [14, 16]
    assert all("task_ids" in one["message"] for one in told["findings"] if one["rule"] == "removed-api")


def test_the_date_of_a_task_instance_is_found(case: Any, check: Check) -> None:
    """Of the instance, and of its run."""
    told = check(case("missed/mf13_execution_date_of_ti.py"), "mf13_execution_date_of_ti.py")
    assert [line for _, _, line in lines(told, "removed-api")] == [9, 13]


@pytest.mark.parametrize(
    ("folder", "name", "rule", "line", "cause"),
    [
        ("mislocated", "orders.py", "dynamic-start-date", 4, ("common/__init__.py", 18)),
        ("mislocated", "in_task.py", "dynamic-start-date", 8, ("common/__init__.py", 18)),
        ("mislocated/sqlmod", "load.py", "wall-clock", 11, ("queries.py", 21)),
        ("mislocated/sqlmod", "load.py", "wall-clock", 12, ("queries.py", 25)),
        ("mislocated/taskmod", "alarm.py", "endless-task", 7, ("common/alerts.py", 17)),
        ("mislocated/taskmod", "alarm.py", "no-retries", 7, ("common/alerts.py", 17)),
    ],
)
def test_path_and_line_are_of_one_place(
    case: Any, check: Check, folder: str, name: str, rule: str, line: int, cause: tuple[str, int]
) -> None:
    """The DAG file's, with the way to the cause; a comment at either end allows it."""
    root = case(folder)
    found = [one for one in check(root, name)["findings"] if (one["rule"], one["line"]) == (rule, line)]
    assert [(one["path"], one["via"][-1]) for one in found] == [(name, {"path": cause[0], "line": cause[1]})]
    for path, number in ((name, line), cause):
        text = (root / path).read_text()
        rows = text.split("\n")
        indent = rows[number - 1][: len(rows[number - 1]) - len(rows[number - 1].lstrip())]
        rows.insert(number - 1, f"{indent}# dagproof: allow {rule} (a test)")
        (root / path).write_text("\n".join(rows))
        left = [one for one in check(root, name)["findings"] if one["rule"] == rule]
        assert cause not in [(one["via"][-1]["path"], one["via"][-1]["line"]) for one in left if one["via"]]
        (root / path).write_text(text)


def test_every_line_of_a_finding_is_in_its_file(check: Check) -> None:
    """Of all cases: no line beyond the end."""
    for folder in sorted({path.parent for path in CASES.rglob("*.py")}):
        for one in check(folder, ".")["findings"]:
            for place in (one, *one["via"], *one["places"]):
                assert 0 < place["line"] <= len((folder / place["path"]).read_text().split("\n")), (folder, one)


def test_a_module_named_as_a_package_is_not_taken_for_it(case: Any, check: Check) -> None:
    """`utils/redis.py` imports `redis`, absolutely: that is not itself."""
    told = check(case("unreadable"), "orders.py")
    assert (told["findings"], told["unreadable"]) == ([], [])


CONFIG = """import datetime
import requests
def stamp():
    return datetime.datetime.now()
ARGS = {"owner": "x"}
"""
DAG = """import pendulum
from airflow.sdk import dag, task
from shared.config import ARGS, stamp
from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator

@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True, default_args=ARGS)
def NAME():
    @task
    def load():
        return stamp()
    load()
    SQLExecuteQueryOperator(task_id="clean", conn_id="shop", sql="DELETE FROM t WHERE dt = '{{ ds }}'")
NAME()
"""


@pytest.fixture
def hundred(tmp_path: Path) -> Path:
    """100 DAGs that share a clock and their `default_args`."""
    (tmp_path / "dags" / "shared").mkdir(parents=True)
    (tmp_path / "dags" / "shared" / "config.py").write_text(CONFIG)
    for number in range(100):
        (tmp_path / "dags" / f"d{number:03}.py").write_text(DAG.replace("NAME", f"d{number:03}"))
    return tmp_path


def test_one_cause_in_a_shared_module_is_one_finding(hundred: Path, check: Check) -> None:
    """Told at the cause, with all that it reaches; and `default_args` without a setting are one, too."""
    found = {one["rule"]: one for one in check(hundred, "dags")["findings"]}
    clock = found["wall-clock"]
    assert (clock["path"], clock["line"], clock["count"]) == ("dags/shared/config.py", 4, 100)
    assert clock["dags"] == [f"d{number:03}" for number in range(100)]
    assert [place["path"] for place in clock["places"]] == [f"dags/d{number:03}.py" for number in range(100)]
    for rule in ("no-retries", "endless-task"):
        assert (found[rule]["path"], found[rule]["line"], found[rule]["count"]) == ("dags/shared/config.py", 5, 100)
        assert found[rule]["message"].startswith("100 tasks reach other systems")
    assert len(found) == 3


def test_the_default_output_of_a_hundred_dags_fits_on_two_screens(
    hundred: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And names what causes it, how many DAGs that reaches, and nothing for each DAG."""
    monkeypatch.chdir(hundred)
    main(["check", "--no-import", "--no-cache", "dags"])
    text = capsys.readouterr().out
    assert text.count("\n") < 60
    assert "reaches 100 DAGs: d000, d001, d002 and 97 more DAGs" in text.replace("100 tasks of ", "")
    assert "dags/shared/config.py:4 causes wall-clock at 100 places in 100 DAGs" in text


def test_other_formats_know_the_number_too(
    hundred: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """SARIF counts, and annotations say it."""
    monkeypatch.chdir(hundred)
    main(["check", "--no-import", "--no-cache", "--select", "wall-clock", "--output-format", "sarif", "dags"])
    (result,) = json.loads(capsys.readouterr().out)["runs"][0]["results"]
    assert result["occurrenceCount"] == 100
    assert len(result["properties"]["dags"]) == 100
    main(["check", "--no-import", "--no-cache", "--select", "wall-clock", "--output-format", "github", "dags"])
    text = capsys.readouterr().out
    assert text.count("::error") == 1
    assert "reaches 100 tasks of 100 DAGs" in text


def test_what_is_much_is_shortened_and_all_of_it_can_be_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """60 files with a mistake of their own each: two screens, the way to see all, and a baseline to begin with."""
    for number in range(60):
        text = 'from airflow.sdk import DAG\nwith DAG("NAME", schedule="@daily"):\n    pass\n'
        (tmp_path / f"a{number}.py").write_text(text.replace("NAME", f"a{number}"))
    monkeypatch.chdir(tmp_path)
    assert main(["check", "--no-import", "--no-cache", "."]) == 1
    short = capsys.readouterr().out
    assert short.count("\n") < 90
    assert "more of implicit-catchup in" in short
    assert "--baseline" in short
    main(["check", "--no-import", "--no-cache", "--all", "."])
    assert capsys.readouterr().out.count("implicit-catchup: ") == 60
    main(["check", "--no-import", "--no-cache", "--group-by", "cause", "."])
    assert "a0.py:2: 1 finding in 1 DAG: a0" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("allow poke-sensor: the vendor forbids more", []),
        ("allow poke-sensor -- the vendor forbids more", []),
        ("allow poke-sensor - the vendor forbids more", []),
        ("allow poke-sensor — the vendor: forbids", []),
        ("allow poke-sensor the vendor forbids more", []),
        ("allow poke-sensor, DP302: both are meant", ["unused-suppression"]),
        ("allow poke-sensor:", ["unexplained-suppression"]),
        ("ignore poke-sensor (why)", ["poke-sensor", "unused-suppression"]),
        ("allow poke-sensor endless-senso (typo)", ["unused-suppression"]),
    ],
)
def test_a_reason_may_stand_behind_a_colon_or_a_dash(
    tmp_path: Path, check: Check, comment: str, expected: list[str]
) -> None:
    """Whatever people write is taken, or reported; nothing is silent."""
    (tmp_path / "a.py").write_text(
        "from airflow.providers.standard.sensors.filesystem import FileSensor\nfrom airflow.sdk import DAG\n"
        'with DAG("a", schedule=None):\n'
        f'    FileSensor(task_id="w", filepath="x", timeout=60)  # dagproof: {comment}\n'
    )
    assert [one["rule"] for one in check(tmp_path, "a.py")["findings"]] == expected


COPY = 'from airflow.sdk import DAG\nwith DAG("{name}", schedule=None):\n    pass\n'


@pytest.mark.parametrize(
    ("folders", "confidence"), [(("dev", "stage", "prod"), "doubtful"), (("north", "south", "west"), "certain")]
)
def test_copies_of_a_folder_are_one_finding_a_pair(
    tmp_path: Path, check: Check, folders: tuple[str, ...], confidence: str
) -> None:
    """And doubtful where they are named as environments."""
    for folder in folders:
        (tmp_path / folder / "dags").mkdir(parents=True)
        for name in "abcde":
            (tmp_path / folder / "dags" / f"{name}.py").write_text(COPY.format(name=name))
    found = [one for one in check(tmp_path, ".")["findings"] if one["rule"] == "duplicate-dag-id"]
    assert [(one["confidence"], one["count"], one["dags"]) for one in found] == [(confidence, 5, list("abcde"))] * 2


NEWER = """type Rows[T] = list[T]
def first[T](rows: list[T]) -> T:
    return rows[0]
def name(d):
    return f"{d["bucket"]}/{"\\n".join(d["keys"])}"
import datetime
def stamp():
    return f"{datetime.datetime.now():%Y} {name({"a": 1})}"
"""


def test_newer_syntax_is_read_and_its_lines_hold(tmp_path: Path, check: Check) -> None:
    """A shared module of Python 3.12 hides nothing of the DAG file that imports it."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "config.py").write_text(NEWER)
    (tmp_path / "a.py").write_text(DAG.replace("NAME", "a").replace("ARGS, stamp", "stamp").replace("ARGS", "{}"))
    told = check(tmp_path, "a.py")
    assert told["unreadable"] == []
    (found,) = [one for one in told["findings"] if one["rule"] == "wall-clock"]
    assert found["via"][-1] == {"path": "shared/config.py", "line": 8}


def test_what_cannot_be_read_says_what_needs_it(tmp_path: Path, check: Check) -> None:
    """Also where it lies outside of what was looked at; and the exit status is no success."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "config.py").write_text("def stamp(:\n")
    (tmp_path / "a.py").write_text(DAG.replace("NAME", "a"))
    for _ in range(2):
        (one,) = check(tmp_path, "a.py")["unreadable"]
        assert (one["path"], one["needed_by"]) == ("shared/config.py", ["a.py"])


def test_an_import_of_the_project_that_leads_nowhere_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], check: Check
) -> None:
    """In the header, with the first place and what to configure."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "other.py").write_text("X = 1\n")
    (tmp_path / "a.py").write_text('from airflow.sdk import DAG\nfrom shop.made import X\nDAG("a", schedule=None)\n')
    assert check(tmp_path, "a.py")["unfollowed"] == [{"path": "a.py", "line": 2, "module": "shop.made.X"}]
    main(["check", "--no-import", "--no-cache", "a.py"])
    assert "1 import of the project's own modules could not be followed: shop.made.X, first at a.py:2" in (
        capsys.readouterr().out
    )


TASKS = """from datetime import datetime
from airflow.sdk import DAG, asset, task, task_group, Variable
from airflow.providers.http.hooks.http import HttpHook
from airflow.providers.http.operators.http import HttpOperator
from airflow.providers.ssh.operators.ssh import SSHOperator
from airflow.utils.session import create_session, provide_session
from airflow import settings
from airflow.models import DagRun
import ftplib, requests, socket, urllib.request
OPTIONS = {"timeout": 5}
ARGS = {"retries": 2}
with DAG("a", schedule="@daily", start_date=datetime(2026, 1, 1), catchup=True, default_args=ARGS):
    @task
    def work(ti=None, **context):
        BODY
    work()
"""


def of_body(check: Check, tmp_path: Path, body: str, rule: str) -> list[str]:
    """The messages of a rule about a task with a body."""
    (tmp_path / "a.py").write_text(TASKS.replace("BODY", body.replace("\n", "\n        ")))
    told = check(tmp_path, "a.py")
    assert not told["unreadable"]
    return [one["message"] for one in told["findings"] if one["rule"] == rule]


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ('requests.get("http://x")', 1),
        ('requests.get("http://x", timeout=None)', 1),
        ('requests.get("http://x", timeout=3)', 0),
        ('requests.get("http://x", **OPTIONS)', 0),
        ('HttpHook(method="GET").run("/x")', 1),
        ('HttpHook(method="GET").run("/x", extra_options=OPTIONS)', 0),
        ('HttpHook(method="GET").run("/x", None, None, {"timeout": 1})', 0),
        ('HttpHook(method="GET").run("/x", extra_options={"verify": False})', 1),
        ('urllib.request.urlopen("http://x", None, 3)', 0),
        ('ftplib.FTP("x", timeout=3).retrlines("LIST")', 0),
        ('socket.setdefaulttimeout(3)\nrequests.get("http://x")', 0),
    ],
)
def test_a_call_that_gives_up_by_itself_is_not_endless(check: Check, tmp_path: Path, body: str, count: int) -> None:
    """By a limit of its own, wherever it is written."""
    assert len(of_body(check, tmp_path, body, "endless-task")) == count


@pytest.mark.parametrize(
    ("operator", "count"),
    [
        ('HttpOperator(task_id="t")', 1),
        ('HttpOperator(task_id="t", extra_options=OPTIONS)', 0),
        ('HttpOperator(task_id="t", extra_options={"timeout": None})', 1),
        ('HttpOperator(task_id="t", extra_options=dict(timeout=3))', 0),
        ('HttpOperator.partial(task_id="t", extra_options=OPTIONS).expand(endpoint=["a"])', 0),
        ('SSHOperator(task_id="t", command="ls")', 0),
        ('SSHOperator(task_id="t", command="ls", cmd_timeout=None)', 1),
    ],
)
def test_the_parameters_of_an_operator_are_read(check: Check, tmp_path: Path, operator: str, count: int) -> None:
    """It may give up by itself."""
    text = TASKS.replace("        BODY", "        pass").replace("    work()", f"    work()\n    {operator}")
    (tmp_path / "a.py").write_text(text)
    found = [one for one in check(tmp_path, "a.py")["findings"] if one["rule"] == "endless-task"]
    assert len(found) == count


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ('ti.xcom_pull(key="a")', 1),
        ("ti.xcom_pull()", 1),
        ('context["ti"].xcom_pull(key="a")', 1),
        ('this = context["task_instance"]\nthis.xcom_pull(key="a")', 1),
        ('ti.xcom_pull("push")', 0),
        ('ti.xcom_pull(task_ids="push", key="a")', 0),
        ('ti.xcom_push(key="a", value=1)\nti.xcom_pull(key="a")', 0),
        ('ti.xcom_pull(key="a", include_prior_dates=True)', 0),
        ('context["other"].xcom_pull(key="a")', 0),
        ("print(ti.execution_date)", 1),
        ('run = context["dag_run"]\nprint(run.execution_date)', 1),
        ("print(context.execution_date)", 0),
        ('print(context["dag_run"].logical_date)', 0),
        ("with create_session() as session:\n    pass", 1),
        ("settings.Session()", 1),
        ('DagRun.find(dag_id="x")', 1),
        ("@provide_session\ndef ask(session=None):\n    pass\nask()", 1),
        ('Variable.get("a", default_var=1)', 1),
        ('Variable.get("a", default=1)', 0),
    ],
)
def test_what_tasks_do_not_get_any_more_is_found(check: Check, tmp_path: Path, body: str, count: int) -> None:
    """And its healthy twin is not."""
    assert len(of_body(check, tmp_path, body, "removed-api")) == count


def test_retries_of_none_that_somebody_wrote_are_doubtful(check: Check, tmp_path: Path) -> None:
    """`default_args` say so; the message says that, too."""
    text = TASKS.replace('"retries": 2', '"retries": 0').replace("BODY", 'requests.get("http://x", timeout=3)')
    (tmp_path / "a.py").write_text(text)
    (one,) = [one for one in check(tmp_path, "a.py")["findings"] if one["rule"] == "no-retries"]
    assert one["confidence"] == "doubtful"
    assert "default_args say retries=0" in one["message"]


def test_many_tasks_of_a_dag_are_one_finding(check: Check, tmp_path: Path) -> None:
    """At `default_args`, with their number; a comment at one of them leaves that one out."""
    more = "".join(f'\n    HttpOperator(task_id="t{n}")' for n in range(9))
    (tmp_path / "a.py").write_text(TASKS.replace("BODY", "pass") + more[1:] + "\n")
    (one,) = [one for one in check(tmp_path, "a.py")["findings"] if one["rule"] == "endless-task"]
    assert (one["line"], one["count"], one["dags"], len(one["places"])) == (11, 9, ["a"], 9)
    assert one["message"].startswith("9 tasks reach other systems and have no time limit")
    text = (tmp_path / "a.py").read_text().replace('"t3")', '"t3")  # dagproof: allow endless-task (quick)')
    (tmp_path / "a.py").write_text(text)
    (one,) = [one for one in check(tmp_path, "a.py")["findings"] if one["rule"] == "endless-task"]
    assert one["count"] == 8
    (tmp_path / "a.py").write_text(text.replace("2}", "2}  # dagproof: allow endless-task (quick)"))
    assert [one for one in check(tmp_path, "a.py")["findings"] if one["rule"] == "endless-task"] == []


@pytest.mark.parametrize(
    ("asset", "count"),
    [
        ('@asset(schedule="@daily")', 2),
        ('@asset(schedule="@daily")\n@task(retries=3)', 1),
        ('@asset(schedule="@daily")\n@task(retries=3, execution_timeout=timedelta(minutes=1))', 0),
        ('@asset(name="x", schedule=None)', 2),
        ("@asset.multi(schedule=None, outlets=[Asset('a')])", 2),
    ],
)
@pytest.mark.parametrize("alone", [True, False])
def test_functions_of_assets_are_looked_at(check: Check, tmp_path: Path, asset: str, count: int, alone: bool) -> None:
    """By no-retries and endless-task; `@task(…)` below gives what they want."""
    head = "from datetime import timedelta\nimport requests\nfrom airflow.sdk import Asset, DAG, asset, task\n"
    other = "" if alone else '\nwith DAG("other", schedule=None):\n    pass\n'
    (tmp_path / "a.py").write_text(f'{head}{asset}\ndef orders():\n    requests.get("http://x")\n{other}')
    found = [one for one in check(tmp_path, "a.py")["findings"] if one["rule"] in ("no-retries", "endless-task")]
    assert len(found) == count
    assert all("below @asset" in one["message"] for one in found)


@pytest.mark.parametrize(
    "call",
    [
        "group.expand(name=[1, 2])",
        "group.partial(other=1).expand(name=[1, 2])",
        'group.expand_kwargs([{"name": 1}])',
        '[group.override(group_id="x").expand(name=[1])]',
        "mapped = group.partial(other=1)\nmapped.expand(name=[1])",
        "group(name=1)",
    ],
)
def test_groups_are_entered_however_they_are_called(check: Check, tmp_path: Path, call: str) -> None:
    """The clock of a task in them is found once."""
    head = "import datetime\nimport pendulum\nfrom airflow.sdk import dag, task, task_group\n"
    body = (
        '@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True)\ndef orders():\n'
        "    @task_group\n    def group(name, other=None):\n        @task\n        def pull(name):\n"
        "            return datetime.datetime.now()\n        pull(name)\n    CALL\norders()\n"
    )
    (tmp_path / "a.py").write_text(head + body.replace("CALL", call.replace("\n", "\n    ")))
    assert lines(check(tmp_path, "a.py")) == [("wall-clock", "a.py", 10)]


def test_what_only_the_head_of_is_read_is_no_error(tmp_path: Path) -> None:
    """`dagproof check … | head -1`: no traceback."""
    for number in range(300):
        (tmp_path / f"a{number}.py").write_text('from airflow.sdk import DAG\nDAG("x", schedule="@daily")\n')
    command = f"{sys.executable} -m dagproof.cli check --no-import --no-cache --all . | head -1"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1


def test_a_dag_that_only_a_script_makes_does_not_exist(case: Any, check: Check) -> None:
    """`if __name__ == "__main__"` is nothing that Airflow runs."""
    told = check(case("missed/mf18_called_only_as_script.py"), "mf18_called_only_as_script.py")
    assert lines(told) == [("no-dag-found", "mf18_called_only_as_script.py", 6)]
