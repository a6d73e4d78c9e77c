"""The forbidding sentences of ARCHITECTURE.md that import-linter cannot hold (its contracts are in pyproject.toml)."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "dagproof"


def modules(*folders: Path) -> list[Path]:
    """The Python files below some folders."""
    return [path for folder in folders for path in sorted(folder.rglob("*.py"))]


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of each thing that a file imports, at whatever level, also by name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(
            ("import_module", "__import__", "importorskip")
        ):
            names = [argument.value for argument in node.args[:1] if isinstance(argument, ast.Constant)]
            yield from ((node.lineno, str(name)) for name in names)


def of_typing_only(path: Path) -> set[int]:
    """The lines below `if TYPE_CHECKING:`, which never run."""
    blocks = (node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.If))
    bodies = (node.body for node in blocks if ast.unparse(node.test).endswith("TYPE_CHECKING"))
    return {
        line for body in bodies for part in body for line in range(part.lineno, (part.end_lineno or part.lineno) + 1)
    }


def breaches(files: list[Path], *forbidden: str) -> list[str]:
    """Where files import something forbidden, or from it."""
    assert files, "nothing was looked at: is the folder still there?"
    return [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in files
        for line, name in imports(path)
        if any(name == other or name.startswith(f"{other}.") for other in forbidden)
        if line not in of_typing_only(path)
    ]


def test_dags_never_import_dagproof() -> None:
    """A DAG does not know that it is proven."""
    assert breaches(modules(ROOT / "dags"), "dagproof", "tests") == []


def test_dags_import_airflow_and_etl_only() -> None:
    """Wiring needs nothing else, but for the standard library."""
    # Airflow's dates are pendulum's, its threads asgiref's; `wiring` is the package in dags/ of what DAG files share.
    allowed = {"airflow", "asgiref", "etl", "pendulum", "wiring", *sys.stdlib_module_names}
    strangers = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in modules(ROOT / "dags")
        for line, name in imports(path)
        if name.partition(".")[0] not in allowed and line not in of_typing_only(path)
    ]
    assert strangers == []


def test_a_law_never_asks_for_source_code() -> None:
    """It judges what is left, never how it was written."""
    assert [path.name for path in modules(SOURCE / "laws") if "getsource" in path.read_text(encoding="utf-8")] == []


def test_a_rule_starts_no_process() -> None:
    """It looks at source, or at the object that it makes; ruff is asked in one place, and reads files as well."""
    files = modules(SOURCE / "rules", SOURCE / "source", SOURCE / "loaded")
    assert breaches([path for path in files if path.name != "ruffing.py"], "subprocess") == []


def test_the_top_of_the_package_is_short() -> None:
    """Everything else lies in a room."""
    assert {path.stem for path in SOURCE.glob("*.py")} == {"__init__", "cli", "errors", "reaper"}


def test_the_reaper_starts_with_the_standard_library_alone() -> None:
    """It also runs as a script, when we are gone; what one action needs is imported there."""
    tree = ast.parse((SOURCE / "reaper.py").read_text(encoding="utf-8"))
    top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {alias.name for node in top if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in top if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} <= set(sys.stdlib_module_names)


def test_the_architecture_fits_on_a_page() -> None:
    """At most 60 lines."""
    assert len((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines()) <= 60


def test_an_import_is_found_wherever_it_hides(tmp_path: Path) -> None:
    """At the top, in a function, in a condition, by name; not in a comment, a string or for typing only."""
    hidden = tmp_path / "hidden.py"
    hidden.write_text(
        "import airflow.sdk as a\n"
        "def f():\n    from airflow import DAG\n"
        "if a:\n    import importlib; importlib.import_module('airflow.models')\n"
        "# import airflow\nx = 'import airflow'\n"
        "import airflowish\n"
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import airflow\n"
    )
    found = [
        line for line, name in imports(hidden) if name.split(".")[0] == "airflow" and line not in of_typing_only(hidden)
    ]
    assert sorted(found) == [1, 3, 5]


COSTLY = ("airflow", "hypothesis", "psycopg", "docker", "testcontainers", "sqlalchemy", "pandas")


def imported_by(program: str, cwd: Path) -> set[str]:
    """The modules that a Python program has imported when it ends."""
    program += "\nimport sys; print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=cwd, check=True)
    return set(done.stderr.split())


@pytest.mark.parametrize("module", ["dagproof", "dagproof.pytest.plugin", "dagproof.postgres.servers"])
def test_an_import_costs_nothing(tmp_path: Path, module: str) -> None:
    """Neither Airflow nor anything else that takes long."""
    assert imported_by(f"import {module}", cwd=tmp_path) & set(COSTLY) == set()


@pytest.mark.parametrize("option", ["--help", "--co"])
def test_the_plugin_starts_without_airflow(tmp_path: Path, option: str) -> None:
    """Also in a project that has nothing to do with it."""
    (tmp_path / "test_nothing.py").write_text("def test_nothing(): pass\n")
    program = f"import pytest; pytest.main(['-p', 'no:cacheprovider', '{option}'])"
    found = imported_by(program, cwd=tmp_path)
    assert "dagproof.pytest.plugin" in found, "the plugin is not installed: pip install the project first"
    assert "airflow" not in found


def test_no_rule_imports_another_rule() -> None:
    """What several rules need lies in `source/`, or in `rules/base.py`."""
    rules = [path for path in modules(SOURCE / "rules") if path.stem not in ("__init__", "base")]
    assert breaches(rules, *(f"dagproof.rules.{path.stem}" for path in rules)) == []
