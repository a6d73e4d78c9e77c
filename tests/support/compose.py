"""Compose, version 2 or 1, as tests call it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def compose_program() -> list[str]:
    """Return how Compose is called here, or skip the test where it is not there."""
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0:
        return ["docker", "compose"]
    if not shutil.which("docker-compose"):
        pytest.skip("there is a Docker engine, but neither `docker compose` nor `docker-compose`")
    return ["docker-compose"]
