"""A DAG under proof may call the helper servers that its configuration names, and nobody else's."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.integration.proofs.conftest import NOTHING, Project
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

HEAD = """\
import os
import pathlib
import urllib.request

import pendulum
from airflow.sdk import BaseHook, dag, task


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read()


"""
DAG = """\
@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def {name}():
    @task(retries=0)
    def ask(ds=None):
        pathlib.Path(os.environ["DATA_ROOT"], ds).write_bytes(get({url}))

    ask()


{name}()
"""
URLS = {
    "by_connection": "BaseHook.get_connection('clerk').extra_dejson['url'] + ds",
    "by_env": "os.environ['CLERK'] + ds",
    "of_strangers": "'http://127.0.0.1:' + os.environ['OTHER_PORT']",
}
SETTINGS = """
[tool.dagproof.world]
services = { clerk = "python -m http.server --bind 127.0.0.1 -d answers {port}" }
connections.clerk = { conn_type = "http", extra = { url = "http://{clerk}/" } }
env = { DATA_ROOT = "{files}", CLERK = "http://{clerk}/", OTHER_PORT = "%d" }
"""


@pytest.fixture(scope="module")
def project(make_project: Callable[..., Project], tmp_path_factory: pytest.TempPathFactory) -> Project:
    """DAGs that ask a clerk, which is a folder of files behind a web server."""
    dags = tmp_path_factory.mktemp("dags")
    for name, url in URLS.items():
        (dags / f"{name}.py").write_text(HEAD + DAG.format(name=name, url=url))
    project = make_project(dags=dags)
    (project.root / "answers").mkdir()
    for date in ("2026-01-01", "2026-01-02"):
        (project.root / "answers" / date).write_text(f"the answer of {date}")
    settings = SETTINGS % project.listener.getsockname()[1]
    (project.root / "pyproject.toml").write_text(f"[tool.dagproof]\ndags = '{dags}'\n{settings}")
    return project


@pytest.mark.parametrize("name", ["by_connection", "by_env"])
def test_a_dag_reaches_the_services_of_its_world(name: str, project: Project) -> None:
    """By the address that the placeholder stands for, on each machine and in each world; nothing is left of them."""
    dates = [option for day in ("01", "02") for option in ("--date", f"2026-01-{day}")]
    laws = ("--law", "deterministic", "--law", "rerun") if name == "by_env" else ("--law", "effect")
    ended = project.run("prove", name, *dates, *laws, "--output-format", "json")
    assert {verdict["outcome"] for verdict in ended.json["verdicts"]} == {"proven"}, ended
    assert ended.status == 0
    assert eventually(lambda: project.left() == NOTHING), project.left()


def test_a_service_opens_no_way_to_others(project: Project) -> None:
    """The port beside it is refused as ever."""
    ended = project.run("prove", "of_strangers", "--date", "2026-01-01", "--law", "effect")
    assert ended.status == 2
    assert "which is not part of its world" in ended.out + ended.err
    assert project.connections() == 0


def test_a_service_that_does_not_come_up_is_told_and_nothing_is_left(make_project: Callable[..., Project]) -> None:
    """With status 2 and one sentence; what it printed follows."""
    project = make_project(services="""clerk = "python -c 'raise SystemExit(\\"no stamp\\")' {port}" """)
    ended = project.run("prove", "dag_waits", "--law", "effect")
    assert ended.status == 2
    assert "tool.dagproof.world.services.clerk: `python -c 'raise SystemExit(\"no stamp\")' " in ended.err
    assert "` ended with exit status 1; it printed:\n    no stamp" in ended.err
    assert eventually(lambda: project.left() == NOTHING), project.left()


def test_a_misspelt_service_in_a_connection_is_refused(project: Project) -> None:
    """With the nearest name."""
    pyproject = project.root / "pyproject.toml"
    before = pyproject.read_text()
    pyproject.write_text(before + 'connections.other = "http://{clark}"\n')
    ended = project.run("prove", "by_env", "--law", "effect")
    pyproject.write_text(before)
    assert ended.status == 2
    assert "tool.dagproof.world.connections.other has the placeholder {clark}; did you mean 'clerk'?" in ended.err
