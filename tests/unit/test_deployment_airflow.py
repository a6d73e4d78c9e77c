"""Which Airflow is installed, and what is said of one that is too new."""

from __future__ import annotations

import pytest

from dagproof import cli
from dagproof.loaded import deployment


@pytest.mark.parametrize("version", ["3.1.8", "3.3.2", "3.4.0b2", "3.4.7", None])
def test_a_supported_airflow_needs_no_note(version: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pre-releases of the newest line are supported, too; and one that is not installed is another matter."""
    monkeypatch.setattr(deployment, "airflow_version", lambda: version)
    assert deployment.airflow_note() is None


@pytest.mark.parametrize("version", ["3.5.0", "3.5.0b1", "3.10.1", "4.0.0"])
def test_a_newer_airflow_gets_a_note(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no refusal: most of the time it works."""
    monkeypatch.setattr(deployment, "airflow_version", lambda: version)
    assert deployment.airflow_note() == (
        f"Airflow {version} is newer than the versions that dagproof is tested with (3.1 to 3.4)"
    )


def test_the_command_prints_the_note_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On standard error, before it says what else there is to say; not where no DAG is imported."""
    monkeypatch.setattr(deployment, "airflow_version", lambda: "3.5.0")
    assert cli.main(["replay", "no-such-history"]) == 2
    note, reason = capsys.readouterr().err.splitlines()
    assert note.startswith("dagproof: note: Airflow 3.5.0 is newer")
    assert "no-such-history" in reason
    assert cli.main(["rules"]) == 0
    assert capsys.readouterr().err == ""
