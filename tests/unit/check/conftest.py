"""A project of its own for each test of ``dagproof check``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dagproof.cli import main

POKES = """import pendulum
from airflow.providers.standard.sensors.filesystem import FileSensor
from airflow.sdk import DAG

with DAG("{name}", schedule=None, start_date=pendulum.datetime(2026, 1, 1)):
    FileSensor(task_id="wait", filepath="orders.csv", timeout=60)
"""


class Project:
    """A project with a DAG folder, in which the command is called."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self.dags = root / "dags"
        self.dags.mkdir()
        self._capsys = capsys

    def write(self, name: str, text: str = POKES) -> Path:
        """Write a file of the DAG folder; ``{name}`` in it becomes its name."""
        path = self.dags / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("{name}", path.stem), encoding="utf-8")
        return path

    def configure(self, text: str) -> None:
        """Write the configuration."""
        (self.root / "pyproject.toml").write_text(f"[tool.dagproof]\n{text}", encoding="utf-8")

    def call(self, *arguments: str) -> tuple[int, str, str]:
        """Return exit status, output and errors of ``dagproof check --no-import``."""
        status = main(["check", "--no-import", *arguments])
        told = self._capsys.readouterr()
        return status, told.out, told.err

    def check(self, *arguments: str) -> dict[str, Any]:
        """Return the JSON that it prints."""
        return dict(json.loads(self.call("--output-format", "json", *arguments)[1]))

    def found(self, *arguments: str) -> list[tuple[str, str, int]]:
        """Return path, rule and line of each finding."""
        return [(one["path"], one["rule"], one["line"]) for one in self.check(*arguments)["findings"]]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Project:
    """A project, and the current folder in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AIRFLOW_HOME", raising=False)
    return Project(tmp_path, capsys)
