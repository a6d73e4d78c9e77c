"""The plugin in somebody else's project: a test for each DAG and law, and the fixture ``prove``."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import pytest

from dagproof.laws import all_laws
from tests.support.pages import parsed

pytestmark = pytest.mark.slow

HEALTHY = """
    import pendulum
    from airflow.sdk import dag, task


    @dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
    def healthy():
        @task
        def write(ds=None):
            with open(f"{ds}.txt", "w") as file:
                file.write(ds)

        write()


    healthy()
"""
APPENDS = HEALTHY.replace("healthy", "appends").replace('f"{ds}.txt", "w"', '"all.txt", "a"')
BROKEN = "from airflow.sdk import dag\nimport no_such_module\n"
THREE_LAWS = "effect or deterministic or rerun or loads or append-load or test_mine"
DEFAULT_DATES = "2026-01-01, 2026-01-02, 2026-02-01"
FAILURE = """\
appends is not idempotent

- Rows differ after a rerun

    all.txt   changed: line 1: '2026-01-01' became '2026-01-012026-01-01'

Minimal failing history (2 steps):

    1  run    2026-01-01      10 bytes
    2  rerun  2026-01-01      20 bytes  ~

Written by task write, at dags/appends.py:8
Replay:  dagproof replay """


LEFT_OUT = "not compared: 2026-01-01.txt (exempt.rerun)"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a healthy DAG, a broken one, and one that appends."""
    root = tmp_path_factory.mktemp("project")
    (root / "dags").mkdir()
    for name, source in (("healthy", HEALTHY), ("appends", APPENDS), ("broken", BROKEN)):
        (root / "dags" / f"{name}.py").write_text(textwrap.dedent(source))
    (root / "pyproject.toml").write_text(
        "[tool.pytest.ini_options]\naddopts = '-ra -p no:cacheprovider --strict-markers'\n[tool.dagproof]\n"
        "dags = 'dags'\n[tool.dagproof.world]\nenv = {}\n"
        "[tool.dagproof.proofs.healthy]\nexempt = { rerun = ['2026-01-01.txt'] }\n"
    )
    (root / "test_mine.py").write_text(
        textwrap.dedent(
            """
            import pytest

            def test_rerun_is_identical(prove):
                prove("healthy", dates=["2026-01-01", "2026-01-02"]).rerun()

            def test_a_rerun_that_appends_fails(prove):
                prove("appends", dates=["2026-01-01"]).rerun()

            def test_something_else():
                pass

            def test_unknown_names_get_the_nearest(prove):
                with pytest.raises(AttributeError, match="did you mean 'rerun'"):
                    prove("healthy").rerunn()
                with pytest.raises(AssertionError, match="did you mean 'healthy'"):
                    prove("helthy").rerun()
            """
        )
    )
    return root


def run_pytest(root: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in `root`, as a person would."""
    command = [sys.executable, "-m", "pytest", *arguments]
    env = os.environ | environment
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, env=env)


def name_of(case: ElementTree.Element) -> str:
    """Return the last two parts of a test's name."""
    return f"{(case.get('classname') or '').rpartition('.')[2]}::{case.get('name')}"


@pytest.fixture(scope="module")
def whole_run(project: Path) -> tuple[str, ElementTree.Element]:
    """What one run of everything prints, and its JUnit file."""
    done = run_pytest(
        project, "--dagproof-dags=dags", "-k", THREE_LAWS, "--junitxml=junit.xml", "--dagproof-html=proofs.html"
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout, ElementTree.parse(project / "junit.xml").getroot()


def test_there_is_a_test_for_each_dag_and_law(whole_run: tuple[str, ElementTree.Element]) -> None:
    """Named after file, DAG and law; the healthy DAG passes each."""
    output, junit = whole_run
    names = {name_of(case) for case in junit.iter("testcase")}
    for dag_id in ("healthy", "appends"):
        assert {f"{dag_id}::{law}" for law in ("effect", "deterministic", "rerun")} <= names
    failed = {name_of(case) for case in junit.iter("testcase") if case.find("failure") is not None}
    proofs = {"appends::rerun", "broken::loads", "test_mine::test_a_rerun_that_appends_fails"}
    assert failed == {*proofs, "dags::appends.py::append-load"} or failed == {*proofs, "appends::append-load"}
    assert "FAILED dags/appends.py::appends::rerun - appends is not idempotent" in output


def test_the_header_says_which_folder_and_from_where(whole_run: tuple[str, ElementTree.Element], project: Path) -> None:
    """And what kind of PostgreSQL there is."""
    assert f"dagproof: DAGs in {project / 'dags'} (--dagproof-dags), postgres: embedded" in whole_run[0]


def test_a_failing_proof_prints_its_report_and_nothing_of_our_internals(
    whole_run: tuple[str, ElementTree.Element],
) -> None:
    """The same text for the item, for the fixture, and in the JUnit file."""
    output, junit = whole_run
    assert FAILURE in output
    indented = textwrap.indent(FAILURE, "E       ", lambda line: True)
    assert indented.removeprefix("E       ") in output  # behind the name of the exception
    assert "site-packages" not in output
    assert "prover.py" not in output
    texts = [failure.text or "" for failure in junit.iter("failure")]
    assert any(FAILURE in text for text in texts)


def test_what_was_left_out_is_said_at_the_end(whole_run: tuple[str, ElementTree.Element]) -> None:
    """Once, with the laws, also of proofs that succeed; in the JUnit file it is a property of each test."""
    output, junit = whole_run
    assert output.partition("dagproof: left out of the verdicts")[2].count(f"\nhealthy (rerun): {LEFT_OUT}\n") == 1
    properties = {
        name_of(case): [p.get("value") for p in case.iter("property") if p.get("name") == "left out"]
        for case in junit.iter("testcase")
    }
    for name in ("healthy::rerun", "test_mine::test_rerun_is_identical"):
        assert properties[name] == [f"healthy rerun: {LEFT_OUT}"]
    assert not properties["healthy::effect"]


def test_the_report_is_the_same_where_ci_runs_it(project: Path) -> None:
    """There pytest shortens nothing, and neither do we."""
    done = run_pytest(project, "--dagproof-dags=dags", "-k", "appends::rerun", CI="1")
    assert FAILURE in done.stdout
    assert "FAILED dags/appends.py::appends::rerun - appends is not idempotent" in done.stdout


RETRIED = """\
appends is not safe to retry

- Rows differ after a task was retried

    all.txt   changed: line 1: '2026-01-01' became '2026-01-012026-01-01'

Minimal failing history (1 step):

    1  retry  2026-01-01      20 bytes

Written by task write, at dags/appends.py:8
Replay:  dagproof replay """
TORN = """\
appends is not atomic

- After a crash, a reader sees only part of the rows

    all.txt   changed: 1 line, then 0

Minimal failing history (1 step):

    1  crash  2026-01-01  at file 1      0 bytes

    (file 1: open all.txt, in task write)

Written by task write, at dags/appends.py:8
Replay:  dagproof replay """


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [((), {}), ((), {"CI": "1"}), (("-n", "2"), {})],
    ids=["terminal", "CI", "xdist"],
)
def test_each_law_reports_alike_everywhere(
    project: Path, tmp_path: Path, arguments: tuple[str, ...], environment: dict[str, str]
) -> None:
    """A retry and a crash: the whole text on the screen and in the JUnit file, however pytest is run."""
    junit = tmp_path / "junit.xml"
    chosen = ("-k", "appends and (retry or crash)", f"--junitxml={junit}")
    done = run_pytest(project, "--dagproof-dags=dags", *chosen, *arguments, **environment)
    texts = [failure.text or "" for failure in ElementTree.parse(junit).getroot().iter("failure")]
    assert len(texts) == 2, done.stdout
    for expected in (RETRIED, TORN):
        assert expected in done.stdout
        assert any(expected in text for text in texts)


def test_a_file_that_does_not_load_fails_with_its_reason(whole_run: tuple[str, ElementTree.Element]) -> None:
    """And the other files are proven all the same."""
    assert "broken.py does not load: the module 'no_such_module' is not installed here; install it, or " in whole_run[0]


@pytest.mark.parametrize(
    ("arguments", "collected"),
    [
        pytest.param(["-m", "laws", "-k", "healthy"], len(all_laws()), id="marker and name"),
        pytest.param(["-k", "appends and rerun"], 2, id="name"),
        pytest.param(["test_mine.py", "-k", "something_else"], 1, id="another path"),
    ],
)
def test_tests_are_chosen_as_any_other(project: Path, arguments: list[str], collected: int) -> None:
    """With -k and -m; a run of another path has none of them when the folder is named in the ini file."""
    done = run_pytest(project, "-o", "dagproof_dags=dags", "--collect-only", "-q", *arguments)
    lines = [line for line in done.stdout.splitlines() if "::" in line]
    assert len(lines) == collected, done.stdout


def test_all_verdicts_stand_on_one_page(whole_run: tuple[str, ElementTree.Element], project: Path) -> None:
    """A line for each DAG and its dates, and what could not be proven."""
    verdicts = 2 * 3 + 2
    assert re.search(rf"^dagproof: {verdicts} verdicts in .*/proofs\.html$", whole_run[0], re.MULTILINE)
    page = unescape((project / "proofs.html").read_text())
    assert FAILURE in page
    assert matrix(project / "proofs.html") == [
        ["appends over 2026-01-01", "not tried", "not tried", "✗ falsified: non-idempotent"],
        [f"appends over {DEFAULT_DATES}", "✓ proven", "✓ proven", "✗ falsified: non-idempotent"],
        ["healthy over 2026-01-01, 2026-01-02", "not tried", "not tried", "✓ proven"],
        [f"healthy over {DEFAULT_DATES}", "✓ proven", "✓ proven", "✓ proven"],
    ]
    assert "broken.py does not load: the module 'no_such_module' is not installed here" in page
    assert "helthy" in page


def matrix(path: Path) -> list[list[str]]:
    """The rows of DAGs × laws on a page: the DAG, and what became of three of the laws."""
    table = parsed(path.read_text()).of_class("matrix")[0]
    titles, *rows = [[cell.words for cell in row.all("th", "td")] for row in table.all("tr")]
    columns = [titles.index(title) for title in ("DAG", "effect", "deterministic", "rerun")]
    return [[row[column] for column in columns] for row in rows]


def test_xdist_gives_the_same_outcome(project: Path) -> None:
    """With two workers, each with a driver of its own; their verdicts come together on one page."""
    chosen = ("-m", "laws", "-k", THREE_LAWS)
    done = run_pytest(project, "--dagproof-dags=dags", "-n", "2", *chosen, "--dagproof-html=xdist.html")
    assert FAILURE in done.stdout
    assert "2 failed, 5 passed" in done.stdout
    assert "dagproof: 6 verdicts in " in done.stdout
    assert f"\nhealthy (rerun): {LEFT_OUT}\n" in done.stdout
    assert matrix(project / "xdist.html") == [
        ["appends", "✓ proven", "✓ proven", "✗ falsified: non-idempotent"],
        ["healthy", "✓ proven", "✓ proven", "✓ proven"],
    ]
    assert "broken.py does not load" in (project / "xdist.html").read_text()


def test_a_project_without_dags_never_imports_airflow(tmp_path: Path) -> None:
    """Neither for --help nor to collect."""
    (tmp_path / "test_it.py").write_text("def test_it():\n    pass\n")
    spy = (
        "import sys; import pytest; pytest.main(sys.argv[1:]); print('AIRFLOW' if 'airflow' in sys.modules else 'NONE')"
    )
    for arguments in (["--help"], ["--co"]):
        done = subprocess.run(
            [sys.executable, "-c", spy, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert done.stdout.splitlines()[-1] == "NONE"


def test_a_folder_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    """In one sentence."""
    done = run_pytest(tmp_path, "--dagproof-dags=dogs")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "there is no DAG folder" in done.stderr
    assert "INTERNALERROR" not in done.stdout + done.stderr
