"""DP002 and DP003: what the files of a folder tell of each other, as far as their source goes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from dagproof.check.checking import check
from dagproof.rules import all_rules

DAG = "import pendulum\nfrom airflow.sdk import DAG, dag\nSTART = pendulum.datetime(2026, 1, 1)\n"
DECORATED = f"{DAG}@dag(schedule=None)\ndef orders():\n    pass\n"
FACTORY = f"{DAG}def make(name):\n    with DAG(name, schedule=None) as made:\n        return made\n"
MADE = f"{DAG}with DAG('orders', schedule=None):\n    pass\n"


def told(folder: Path, rule: str, files: Mapping[str, str]) -> list[str]:
    """Where a rule finds something in some files."""
    for name, text in files.items():
        path = folder / "dags" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
    found = check([folder / "dags"], all_rules(), base=folder / "dags", roots=[folder / "dags"]).findings
    return [f"{finding.path}:{finding.line}" for finding in found if finding.rule == rule]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({"a.py": DECORATED}, ["a.py:5"], id="never called"),
        pytest.param({"a.py": f"{DECORATED}orders()\n"}, [], id="called"),
        pytest.param({"a.py": f"{DECORATED}made = [f() for f in [orders]]\n"}, [], id="spoken of"),
        pytest.param({"a.py": f"{DECORATED}globals()['orders']()\n"}, [], id="spoken of as a text"),
        pytest.param({"a.py": DECORATED, "b.py": "from a import orders  # airflow dag\norders()\n"}, [], id="imported"),
        pytest.param({"a.py": FACTORY}, ["a.py:4"], id="a factory left alone"),
        pytest.param({"a.py": f"{FACTORY}d = make('x')\n"}, [], id="a factory that is used"),
        pytest.param({"a.py": FACTORY, "b.py": "from a import make\nd = make('airflow')\n"}, [], id="a helper"),
        pytest.param(
            {"a.py": FACTORY, "b.py": "import pendulum\nfrom a import DAG\nwith DAG('x', schedule=None):\n    pass\n"},
            ["b.py:3"],
            id="skipped without the word",
        ),
        pytest.param({"a.py": MADE}, [], id="made"),
        pytest.param({"a.py": f"{DAG}def f(d: DAG):\n    return d\n"}, [], id="a helper that makes none"),
    ],
)
def test_a_file_that_yields_no_dag_is_found(tmp_path: Path, files: dict[str, str], expected: list[str]) -> None:
    """DP002: a function that nobody speaks of, in this file or another, and a file that Airflow skips."""
    assert told(tmp_path, "no-dag-found", files) == expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({"a.py": MADE, "b.py": MADE}, ["b.py:4"], id="two files"),
        pytest.param({"a.py": MADE + MADE}, ["a.py:9"], id="one file"),
        pytest.param({"a.py": MADE, "b.py": MADE.replace("orders", "items")}, [], id="two ids"),
        pytest.param(
            {"a.py": f"{DAG}if START:\n    with DAG('x'): pass\nelse:\n    with DAG('x'): pass\n"}, [], id="either or"
        ),
        pytest.param({"a.py": f"{FACTORY}one = make('x')\ntwo = make('y')\n"}, [], id="a factory"),
    ],
)
def test_an_id_that_two_dags_have_is_found(tmp_path: Path, files: dict[str, str], expected: list[str]) -> None:
    """DP003: surely, and not where just one of them is ever made."""
    assert told(tmp_path, "duplicate-dag-id", files) == expected
