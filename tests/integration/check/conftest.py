"""How these tests let ``dagproof check`` load a folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest


class Project:
    """A project of its own, with a DAG folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "dags").mkdir()

    def write(self, files: Mapping[str, str], settings: str = "") -> Project:
        """Put files into the DAG folder, and settings into the configuration."""
        for name, text in files.items():
            path = self.root / "dags" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        (self.root / "pyproject.toml").write_text(f"[tool.dagproof]\n{settings}", encoding="utf-8")
        return self

    def run(self, *arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Call ``dagproof check`` as people do."""
        command = [sys.executable, "-m", "dagproof.cli", "check", *arguments]
        environment = {**os.environ, **(env or {})}
        return subprocess.run(
            command, cwd=self.root, capture_output=True, text=True, check=False, env=environment, timeout=300
        )

    def check(self, *arguments: str, env: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return the JSON that it prints."""
        done = self.run("--output-format", "json", *arguments, env=env)
        assert done.stdout, done.stderr
        return dict(json.loads(done.stdout))

    def found(self, *arguments: str, env: Mapping[str, str] | None = None) -> set[tuple[str, str, int]]:
        """Return the file, rule and line of each finding."""
        findings = self.check(*arguments, env=env)["findings"]
        return {(Path(one["path"]).name, one["rule"], one["line"]) for one in findings}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project of this test's own."""
    return Project(tmp_path)
