"""``dagproof check`` as people call it: what it prints, and its exit status."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dagproof.cli import main

ROOT = Path(__file__).parents[3]
POKES = """import pendulum
from airflow.providers.standard.sensors.filesystem import FileSensor
from airflow.sdk import DAG

with DAG("orders", schedule=None, start_date=pendulum.datetime(2026, 1, 1)):
    é = FileSensor(task_id="wait", filepath="orders.csv", timeout=60)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of its own, with one file that breaks one rule."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "orders.py").write_text(POKES, encoding="utf-8")
    return tmp_path


def check(*arguments: str) -> int:
    """The exit status of ``dagproof check --no-import``."""
    return main(["check", "--no-import", *arguments])


def test_a_finding_is_told_with_its_code(capsys: pytest.CaptureFixture[str]) -> None:
    """Where, what, the lines around it, and a count by rule."""
    assert check("dags") == 1
    assert capsys.readouterr().out == (
        "dags/orders.py:6:9: DP301 poke-sensor: "
        "the sensor 'wait' holds a worker slot while it waits; set mode=\"reschedule\"\n"
        "  |\n"
        '5 | with DAG("orders", schedule=None, start_date=pendulum.datetime(2026, 1, 1)):\n'
        '6 |     é = FileSensor(task_id="wait", filepath="orders.csv", timeout=60)\n'
        "  |         ^\n"
        "7 |\n"
        "  |\n"
        "  = in task wait of DAG orders\n"
        "\n"
        "1  DP301  poke-sensor\n"
        "\n"
        "1 finding in 1 file\n"
    )


def test_json_is_the_contract(capsys: pytest.CaptureFixture[str]) -> None:
    """Each key, and what it holds."""
    assert check("--output-format", "json") == 1
    told = json.loads(capsys.readouterr().out)
    assert told == {
        "findings": [
            {
                "rule": "poke-sensor",
                "code": "DP301",
                "path": "dags/orders.py",
                "line": 6,
                "column": 9,
                "end_line": 6,
                "message": "the sensor 'wait' holds a worker slot while it waits; set mode=\"reschedule\"",
                "dag_id": "orders",
                "task_id": "wait",
                "via": [],
                "confidence": "certain",
                "severity": "error",
                "count": 1,
                "dags": ["orders"],
                "places": [{"path": "dags/orders.py", "line": 6, "dag_id": "orders", "task_id": "wait"}],
            }
        ],
        "files": 1,
        "unreadable": [],
        "roots": [],
        "beside": {"models": 0, "sql": 0, "scripts": 0, "notebooks": 0},
        "unfollowed": [],
    }


def test_github_gets_annotations(capsys: pytest.CaptureFixture[str]) -> None:
    """One line a finding."""
    assert check("--output-format", "github") == 1
    assert capsys.readouterr().out == (
        "::error file=dags/orders.py,line=6,endLine=6,col=9,title=DP301 poke-sensor::"
        "the sensor 'wait' holds a worker slot while it waits; set mode=\"reschedule\"\n"
    )


def test_nothing_found_is_success(capsys: pytest.CaptureFixture[str]) -> None:
    """And says how much was looked at."""
    assert check("--ignore", "poke-sensor") == 0
    assert capsys.readouterr().out == "0 findings in 1 file\n"


def test_the_configuration_chooses_rules(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``--select`` takes its place; what it names must exist."""
    (folder / "pyproject.toml").write_text('[tool.dagproof]\nignore = ["poke-sensor"]\nextend-select = ["DP201"]\n')
    assert check() == 0
    assert check("--select", "DP3") == 1
    (folder / "pyproject.toml").write_text('[tool.dagproof]\nselect = ["poke-sensr"]\n')
    assert check() == 2
    assert "did you mean 'poke-sensor'?" in capsys.readouterr().err


def test_a_doubtful_finding_fails_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is a warning."""
    (folder / "dags" / "orders.py").write_text(
        "from airflow.sdk import dag, task\nimport time\n@dag(schedule=None)\ndef d():\n    @task\n    def t():\n"
        "        started = time.time()\n        return time.time() - started\n    t()\nd()\n"
    )
    assert check() == 0
    assert "(doubtful)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--select", "poke-sensr"], "did you mean 'poke-sensor'?"),
        (["--baseline", "old.json"], "there is no baseline old.json; --update-baseline writes one"),
        (["--update-baseline"], "--update-baseline has no file to update"),
        (["--select", "import-error"], "can only check loaded DAGs; remove --no-import"),
        (["nowhere"], "nowhere does not exist"),
        (["empty"], "no Python file in empty"),
    ],
)
def test_what_leads_nowhere_is_told_in_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    """With exit status 2, and nothing on standard output."""
    (folder / "empty").mkdir()
    assert check(*arguments) == 2
    told = capsys.readouterr()
    assert sentence in told.err
    assert (told.out, told.err.count("\n")) == ("", 1)


UNREADABLE = {
    "syntax": (b"def f(:\n    pass\n", "line 1: "),
    "python2": (b"print 'airflow dag'\n", "Python 3"),
    "encoding": (b"# coding: latin-1000\n", "encoding"),
    "bytes": (b"x = '\xff'\n", "encoding"),
    "null": (b"x = 1\0\n", "null bytes"),
    "deep": (b"x = " + b"(" * 5000 + b")" * 5000 + b"\n", ""),
}


@pytest.mark.parametrize(("data", "reason"), UNREADABLE.values(), ids=UNREADABLE)
def test_an_unreadable_file_is_told_and_the_others_are_looked_at(
    folder: Path, capsys: pytest.CaptureFixture[str], data: bytes, reason: str
) -> None:
    """With its reason."""
    (folder / "dags" / "broken.py").write_bytes(data)
    assert check("--output-format", "json") == 1
    told = json.loads(capsys.readouterr().out)
    assert len(told["findings"]) == 1
    ((path, why),) = [tuple(one.values()) for one in told["unreadable"]]
    assert path == "dags/broken.py"
    assert reason in why
    assert check("--ignore", "DP301") == 2


READABLE = {
    "bom": b"\xef\xbb\xbf" + POKES.encode(),
    "crlf": POKES.replace("\n", "\r\n").encode(),
    "cr": POKES.replace("\n", "\r").encode(),
    "latin-1": b"# -*- coding: latin-1 -*-\n" + POKES.encode("latin-1"),
    "form feed": b"\x0c\n" + POKES.encode(),
    "large": POKES.encode() + b"x = 1\n" * 200_000,
}


@pytest.mark.parametrize("data", READABLE.values(), ids=READABLE)
def test_files_are_read_as_python_reads_them(folder: Path, data: bytes) -> None:
    """Whatever their encoding and line ends."""
    (folder / "dags" / "orders.py").write_bytes(data)
    assert check("--select", "poke-sensor") == 1


def test_odd_folders_are_walked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Loops of links, folders named as files, files that are not there, hidden ones, environments."""
    dags = folder / "dags"
    (dags / "loop").symlink_to(dags)
    (dags / "gone.py").symlink_to(folder / "nowhere.py")
    (dags / "folder.py").mkdir()
    for hidden in (".git", "__pycache__", "env"):
        (dags / hidden).mkdir()
        (dags / hidden / "orders.py").write_text(POKES, encoding="utf-8")
    (dags / "env" / "pyvenv.cfg").touch()
    (dags / "folder.py" / "again.py").write_text(POKES.replace("orders", "again"), encoding="utf-8")
    assert check() == 1
    assert capsys.readouterr().out.endswith("2 findings in 2 files\n")


def test_our_own_dags_are_clean(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With no suppression."""
    monkeypatch.chdir(ROOT)
    assert check("dags") == 0
    assert capsys.readouterr().out.startswith("0 findings in ")
    assert not any("dagproof: allow" in path.read_text(encoding="utf-8") for path in (ROOT / "dags").rglob("*.py"))


def test_rules_lists_each_rule_and_law(capsys: pytest.CaptureFixture[str]) -> None:
    """One line each."""
    assert main(["rules"]) == 0
    told = capsys.readouterr().out
    assert "DP201  wall-clock" in told
    assert "\nrerun " in told


def test_explain_takes_rules_and_laws(capsys: pytest.CaptureFixture[str]) -> None:
    """Rules by name and code; the nearest name is offered."""
    assert main(["explain", "DP301"]) == main(["explain", "poke-sensor"]) == main(["explain", "rerun"]) == 0
    assert "## Why is this bad" in capsys.readouterr().out
    assert main(["explain", "poke-sensors"]) == 2
    assert "did you mean 'poke-sensor'?" in capsys.readouterr().err


def test_a_check_needs_no_airflow_and_runs_none_of_the_files(folder: Path) -> None:
    """Nor does it import what costs much."""
    (folder / "dags" / "orders.py").write_text(POKES + "open('ran', 'w')\nraise SystemExit(7)\n", encoding="utf-8")
    program = (
        "import sys\nfrom dagproof.cli import main\nstatus = main(['check', '--no-import', 'dags'])\n"
        "print(*sys.modules, file=sys.stderr)\nsys.exit(status)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=folder, env=environment, check=False
    )
    assert done.returncode == 1, done.stderr
    assert not (folder / "ran").exists()
    costly = {"airflow", "hypothesis", "psycopg", "sqlalchemy", "pandas", "pytest", "dagproof.laws", "dagproof.worlds"}
    assert set(done.stderr.split()) & costly == set()
