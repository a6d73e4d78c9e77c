"""What a worker leaves out when it starts, because nobody waits for it gladly."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
from dagproof.airflow import engine

engine.import_jsonschema()
import airflow.sdk
assert "jsonschema" in sys.modules
assert "rfc3987_syntax" not in sys.modules
import rfc3987_syntax
"""


def test_the_grammar_of_iris_is_not_built(tmp_path: Path) -> None:
    """With Airflow comes jsonschema, and with that the grammar; a task that imports it itself gets it."""
    (tmp_path / "rfc3987_syntax.py").write_text("print('built')\ndef is_valid_syntax(term, value): return True\n")
    env = {**os.environ, "PYTHONPATH": str(tmp_path), "AIRFLOW_HOME": str(tmp_path)}
    told = subprocess.run([sys.executable, "-c", PROGRAM], env=env, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    assert told.stdout.splitlines()[-1] == "built"

    plain = "import sys, jsonschema; assert 'rfc3987_syntax' in sys.modules"
    told = subprocess.run([sys.executable, "-c", plain], env=env, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr  # or there would be nothing to leave out
