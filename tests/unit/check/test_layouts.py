"""Folders as teams lay them out: the same findings from every sensible working directory."""

# ruff: noqa: E501 - a table of folders reads best with a file a line

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dagproof.cli import main

CLOCK = "import datetime\n\n\ndef stamp():\n    return datetime.datetime.now()\n"
HEAD = "import pendulum\nfrom airflow.sdk import DAG, dag, task\n"
BODY = """

@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True)
def orders():
    @task
    def load():
        return stamp()

    load()


orders()
"""
OWN = CLOCK + HEAD + BODY
YAML = """
import yaml
from pathlib import Path

for path in sorted(Path(__file__).parent.glob("*.yml")):
    given = yaml.safe_load(path.read_text())
    with DAG(given["id"], schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True):
        @task
        def load():
            return stamp()
        load()
"""


def using(line: str, body: str = BODY) -> str:
    """A DAG file that gets its clock by an import."""
    return f"{HEAD}{line}\n{body}"


Files = dict[str, str]
GIT, PROJECT = {".git/HEAD": "ref"}, {"pyproject.toml": "[project]\nname = 'x'\nversion = '1'\n"}
#: By name: files, the folders to stand in with what to name there, and how many findings of the clock there are.
LAYOUTS: dict[str, tuple[Files, dict[str, str], int]] = {}


def add(name: str, files: Files, *calls: tuple[str, str], count: int = 1, marks: Iterator[Any] | None = None) -> None:
    """Add a layout in several guises: bare, as a repository, as a project, with packages declared by `__init__.py`."""
    for guise, more in {"bare": {}, "git": GIT, "project": PROJECT}.items():
        LAYOUTS[f"{name}-{guise}"] = ({**files, **more}, dict(calls), count)


add("flat", {"orders.py": using("from clock import stamp"), "clock.py": CLOCK}, (".", "."), ("..", "repo"))
add(
    "dags-and-helper-package",
    {"dags/orders.py": using("from lib.clock import stamp"), "dags/lib/__init__.py": "", "dags/lib/clock.py": CLOCK},
    (".", "."), (".", "dags"), ("dags", "."), ("dags", "orders.py"),
)  # fmt: skip
add(
    "src",
    {
        "src/shop/__init__.py": "", "src/shop/dags/orders.py": using("from shop.lib.clock import stamp"),
        "src/shop/lib/__init__.py": "", "src/shop/lib/clock.py": CLOCK,
    },
    (".", "."), ("src", "."), ("src/shop", "dags"), ("src/shop/dags", "."), ("src/shop/dags", "orders.py"),
)  # fmt: skip
add(
    "src-beside-dags",
    {"dags/team/orders.py": using("from shop.clock import stamp"), "src/shop/__init__.py": "", "src/shop/clock.py": CLOCK},
    (".", "."), (".", "dags"), ("dags", "."), ("dags/team", "."),
)  # fmt: skip
add(
    "repository-is-the-package",
    {"__init__.py": "", "dags/orders.py": using("from repo.lib.clock import stamp"), "lib/clock.py": CLOCK},
    (".", "."), (".", "dags"), ("dags", "."), ("..", "repo"),
)  # fmt: skip
add(
    "mounted-under-another-name",
    {"dags/orders.py": using("from warehouse.lib.clock import stamp"), "lib/__init__.py": "", "lib/clock.py": CLOCK},
    (".", "."), (".", "dags"), ("dags", "."), ("dags", "orders.py"),
)  # fmt: skip
add(
    "environments",
    {
        f"{one}/{path}": text
        for one in ("dev", "prod")
        for path, text in {"dags/orders.py": using("from lib.clock import stamp"), "dags/lib/clock.py": CLOCK}.items()
    },
    (".", "dev"), ("dev", "."), ("dev", "dags"), ("dev/dags", "."),
)  # fmt: skip
add(
    "astronomer",
    {"dags/orders.py": using("from include.tools.clock import stamp"), "include/tools/clock.py": CLOCK, "Dockerfile": ""},
    (".", "."), (".", "dags"), ("dags", "."), ("include", "../dags"),
)  # fmt: skip
add(
    "plugins",
    {"dags/orders.py": using("from tools.clock import stamp"), "plugins/tools/__init__.py": "", "plugins/tools/clock.py": CLOCK},
    (".", "."), (".", "dags"), ("dags", "."), ("plugins", "../dags"),
)  # fmt: skip
add(
    "relative",
    {"dags/shop/orders.py": using("from .lib.clock import stamp"), "dags/shop/__init__.py": "", "dags/shop/lib/clock.py": CLOCK},
    (".", "."), ("dags", "."), ("dags/shop", "."), ("dags/shop", "orders.py"),
)  # fmt: skip
add(
    "factory-of-yaml",
    {"dags/make.py": using("from lib.clock import stamp", YAML), "dags/a.yml": "id: a", "dags/b.yml": "id: b", "lib/clock.py": CLOCK},
    (".", "."), (".", "dags"), ("dags", "."),
)  # fmt: skip
add(
    "named-as-a-package",
    {"dags/orders.py": using("from utils.redis import stamp"), "dags/utils/redis.py": "from redis import Redis\n" + CLOCK},
    (".", "."), ("dags", "."), ("dags", "orders.py"),
)  # fmt: skip
LAYOUTS["monorepo-git"] = (
    {
        "services/a/dags/orders.py": using("from common.clock import stamp"), "libs/common/src/common/__init__.py": "",
        "libs/common/src/common/clock.py": CLOCK, **GIT,
    },
    {".": "services", "services/a": "dags", "services/a/dags": ".", "services": "a"}, 1,
)  # fmt: skip
LAYOUTS["poetry-project"] = (
    {
        "airflow/dags/orders.py": using("from shop.clock import stamp"), "python/shop/clock.py": CLOCK,
        "pyproject.toml": '[tool.poetry]\nname = "x"\npackages = [{ include = "shop", from = "python" }]\n',
    },
    {".": "airflow", "airflow": "dags", "airflow/dags": "."}, 1,
)  # fmt: skip
LAYOUTS["zip"] = ({"dags/orders.zip!orders.py": OWN}, {".": "dags", "dags": "."}, 1)
LAYOUTS["zip-beside-files"] = ({"dags/orders.zip!orders.py": OWN, "dags/other.py": OWN}, {".": "dags", "dags": "."}, 2)


@pytest.mark.parametrize("name", LAYOUTS)
def test_findings_do_not_depend_on_where_one_stands(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor on which folder around a DAG file is named; and there are as many as there should be."""
    files, calls, count = LAYOUTS[name]
    root = tmp_path / "repo"
    for path, text in files.items():
        _write(root, path, text)
    monkeypatch.delenv("AIRFLOW_HOME", raising=False)
    seen = []
    for folder, argument in calls.items():
        monkeypatch.chdir(root / folder)
        main(["check", "--no-import", "--no-cache", "--output-format", "json", argument])
        told = json.loads(capsys.readouterr().out)
        assert not told["unreadable"]
        assert not told["unfollowed"]
        seen.append(sorted(map(_place, told["findings"])))
    assert seen == [seen[0]] * len(seen)
    assert len([one for one in seen[0] if one[0] == "wall-clock"]) == count


def test_there_are_forty_layouts() -> None:
    """At least."""
    assert len(LAYOUTS) >= 40


def _write(root: Path, path: str, text: str) -> None:
    archive, _, inside = path.partition("!")
    file = root / archive
    file.parent.mkdir(parents=True, exist_ok=True)
    if inside:
        with zipfile.ZipFile(file, "w") as writer:
            writer.writestr(inside, text)
    else:
        file.write_text(text)


def _place(finding: dict[str, Any]) -> tuple[str, ...]:
    """What is found where: paths are told relative to where one stands, but lead to the same file."""
    paths = [finding["path"], *(step["path"] for step in finding["via"])]
    lines = [finding["line"], *(step["line"] for step in finding["via"])]
    return (finding["rule"], *(str(Path(path).resolve()) for path in paths), *map(str, lines))
