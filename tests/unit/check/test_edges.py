"""Folders that no one expects: each ends in findings or a sentence, in seconds, and never in a traceback."""

from __future__ import annotations

import json
import os
import time
import zipfile
from pathlib import Path

import pytest

from tests.unit.check.conftest import Project

REFUSED = [
    pytest.param(
        b"good.py\n!\n",
        2,
        "Airflow refuses this pattern (Invalid git pattern: '!'), and then finds no DAG of the folder; fix it or "
        "remove it",
        id="pattern",
    ),
    pytest.param(
        b"[z-a]\n",
        1,
        "Airflow refuses this pattern (bad character range z-a), and then finds no DAG of the folder; fix it or "
        "remove it",
        id="range",
    ),
    pytest.param(
        b"a\nb\xff\n",
        2,
        "byte 0xff is not UTF-8, so that Airflow cannot read the file, and finds no DAG of the folder; save it as "
        "UTF-8",
        id="no-UTF-8",
    ),
    pytest.param(
        b"*a" * 18 + b"b\n",
        1,
        "this pattern has 18 stars; Airflow may need minutes for one name, so write it simpler",
        id="18-stars",
    ),
]


@pytest.mark.parametrize(("content", "line", "message"), REFUSED)
def test_what_airflow_refuses_in_an_ignore_file_is_a_finding(
    project: Project, content: bytes, line: int, message: str
) -> None:
    """At its line, in time, and the files are checked all the same."""
    project.write(f"{'a' * 200}.py")
    (project.dags / ".airflowignore").write_bytes(content)
    started = time.monotonic()
    checked = project.check()
    assert time.monotonic() - started < 20
    of_file = [one for one in checked["findings"] if one["path"] == "dags/.airflowignore"]
    assert [(one["rule"], one["line"], one["message"]) for one in of_file] == [("import-error", line, message)]
    assert [one["rule"] for one in checked["findings"]] == ["poke-sensor", "import-error"]


def test_an_expression_that_never_ends_is_a_finding(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the other syntax, too."""
    monkeypatch.setenv("AIRFLOW__CORE__DAG_IGNORE_FILE_SYNTAX", "regexp")
    project.write(f"{'a' * 60}.py")
    (project.dags / ".airflowignore").write_text("(a+)+$\n")
    found = [one for one in project.check()["findings"] if one["rule"] == "import-error"]
    assert [one["line"] for one in found] == [1]
    assert found[0]["message"].startswith("this expression takes more than 1 s to match 'aaa")


def test_patterns_with_a_few_stars_are_fine(project: Project) -> None:
    """The healthy twin, with what it says."""
    project.write("a_b_c.py")
    project.write("other.py")
    (project.dags / ".airflowignore").write_text("a*_*_*.py\n")
    assert project.found() == [("dags/other.py", "poke-sensor", 6)]


@pytest.mark.parametrize("name", [".airflowignore", "pipe.py", "pipe.zip"])
def test_a_pipe_hangs_nothing(project: Project, name: str) -> None:
    """Airflow passes over one as well."""
    project.write("fine.py")
    os.mkfifo(project.dags / name)
    assert project.found() == [("dags/fine.py", "poke-sensor", 6)]


def test_a_name_that_is_not_utf8_is_checked(project: Project) -> None:
    """In each format, as an escape."""
    path = project.write("fine.py")
    os.rename(os.fsencode(path), os.fsencode(project.dags) + b"/f\xffne.py")
    for output_format in ("text", "json", "sarif", "github"):
        status, out, err = project.call("--output-format", output_format)
        assert (status, err) == (1, "")
        assert r"f\udcffne.py" in out or "f%FFne.py" in out
        out.encode()
    assert json.loads(project.call("--output-format", "json")[1])["findings"][0]["path"] == "dags/f\udcffne.py"
    assert project.call("--baseline", "known.json", "--update-baseline")[0] == 0
    assert project.call("--baseline", "known.json")[0] == 0


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        pytest.param(b"# coding: undefined\n# airflow dag\n", "it cannot be decoded", id="undefined"),
        pytest.param(b"# coding: rot13\n# airflow dag\n", "it cannot be decoded", id="no-text-encoding"),
        pytest.param(b"# coding: idna\n# airflow dag\n" + b"\xff" * 9, "it cannot be decoded", id="idna"),
        pytest.param(b"# airflow dag\nx = " + b"9" * 5_000 + b"\n", "", id="number-of-5000-digits"),
        pytest.param(b"# airflow dag\nx = " + b"(" * 10_000 + b")" * 10_000 + b"\n", "", id="deep-brackets"),
        pytest.param(b"# airflow dag\nx = " + b"-" * 20_000 + b"1\n", "", id="deep-signs"),
        pytest.param(b"# airflow dag\nx = a" + b".a" * 20_000 + b"\n", "", id="deep-attributes"),
        pytest.param(b"# airflow dag\nx = 'a'" + b" + 'a'" * 20_000 + b"\n", "", id="long-sum"),
        pytest.param(b"# airflow dag\n\0\n", "", id="NUL"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(project: Project, source: bytes, reason: str) -> None:
    """As not checked, with the reason; its neighbours are checked."""
    project.write("fine.py")
    (project.dags / "odd.py").write_bytes(source)
    checked = project.check("--no-cache")
    assert [one["path"] for one in checked["findings"]] == ["dags/fine.py"]
    assert all(one["path"] == "dags/odd.py" for one in checked["unreadable"])
    if reason:
        assert reason in checked["unreadable"][0]["reason"]


def test_an_archive_that_unpacks_without_end_is_told(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its directory, before anything is unpacked."""
    monkeypatch.setattr("dagproof.source.files.MOST_IN_ARCHIVE", 1_000)
    with zipfile.ZipFile(project.dags / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.py", "#" * 100_000)
    assert project.check()["unreadable"] == [
        {
            "path": "dags/bomb.zip",
            "reason": "the archive cannot be read: its modules have more than 1,000 bytes, unpacked",
        }
    ]


def test_names_in_reports_control_nothing(project: Project) -> None:
    """Ids and paths with escapes, line feeds and commands of GitHub's, in each format for people."""
    nasty = "a\x1b[2J\n::error::x\u202e"
    project.write("fine.py").rename(project.dags / f"{nasty}.py")
    path = project.dags / f"{nasty}.py"
    path.write_text(path.read_text().replace('"fine"', '"\\x1b[31mred\\n::warning::y"'))
    for output_format in ("text", "github"):
        out = project.call("--output-format", output_format, "--all")[1]
        assert "\x1b" not in out
        assert "\u202e" not in out
        lines = out.split("\n")
        assert not [line for line in lines if line.lstrip().startswith(("::error::x", "::warning::y"))]
        assert output_format == "text" or all(line.startswith("::") for line in lines if line)


def test_a_name_that_is_too_long_is_a_sentence(project: Project) -> None:
    """On the command line and in the configuration."""
    long = "x" * 5_000
    status, _, err = project.call(long)
    assert (status, err) == (2, f"dagproof: {'x' * 300}… cannot be used (File name too long)\n")
    project.configure(f'dags = "{long}"\n')
    assert project.call()[0] == 2


def test_a_baseline_replaces_nothing_that_is_none(project: Project) -> None:
    """Not without force; and no device, whatever is forced."""
    project.write("fine.py")
    notes = Path("notes.json")
    notes.write_text("mine")
    status, _, err = project.call("--baseline", "notes.json", "--update-baseline")
    assert (status, notes.read_text()) == (2, "mine")
    assert err == (
        "dagproof: notes.json is not a baseline (Expecting value: line 1 column 1 (char 0)); name another file, or "
        "replace it with --update-baseline --force\n"
    )
    assert project.call("--baseline", "notes.json", "--update-baseline", "--force")[0] == 0
    assert project.call("--baseline", "notes.json")[0] == 0
    status, _, err = project.call("--baseline", "/dev/null", "--update-baseline", "--force")
    assert (status, err) == (
        2,
        "dagproof: /dev/null is a device, not a regular file; name another file for the baseline\n",
    )
