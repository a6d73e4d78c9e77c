"""The file of a metadata database: one that a run has spoilt is an error in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagproof.errors import WorkerError
from dagproof.worlds.metadata import variables_in


def test_a_spoilt_database_is_told(tmp_path: Path) -> None:
    """With what to do."""
    path = tmp_path / "airflow.db"
    path.write_bytes(b"not SQLite " * 1_000)
    with pytest.raises(WorkerError) as caught:
        variables_in(path)
    assert str(caught.value) == (
        "the run corrupted Airflow's metadata database (file is not a database); tasks must not write to it"
    )
