"""What an organisation decides: how grave a rule is, until when something is allowed, what each DAG must say."""

from __future__ import annotations

import json

import pytest

from dagproof.explain.text import examples
from dagproof.rules import rule_named
from tests.unit.check.conftest import Project

PAST, FUTURE = "2020-01-31", "2999-12-31"


def test_a_rule_that_only_warns_fails_nothing(project: Project) -> None:
    """Its findings are there, in each format, and the exit status is 0."""
    project.write("a.py")
    project.configure('[tool.dagproof.rules.poke-sensor]\nseverity = "warning"\n')
    status, text, _ = project.call("--select", "poke-sensor")
    assert status == 0
    assert "poke-sensor (warning)" in text
    (found,) = project.check("--select", "poke-sensor")["findings"]
    assert (found["confidence"], found["severity"]) == ("certain", "warning")
    assert project.call("--select", "poke-sensor", "--output-format", "github")[1].startswith("::warning")
    assert '"level": "warning"' in project.call("--select", "poke-sensor", "--output-format", "sarif")[1]


def test_a_rule_is_an_error_unless_it_is_told_otherwise(project: Project) -> None:
    """A table may say so, too."""
    project.write("a.py")
    for table in ("", '[tool.dagproof.rules.poke-sensor]\nseverity = "error"\n'):
        project.configure(table)
        assert project.call("--select", "poke-sensor")[0] == 1
        assert project.check("--select", "poke-sensor")["findings"][0]["severity"] == "error"


@pytest.mark.parametrize(
    ("comment", "rules"),
    [
        (f"allow poke-sensor until {FUTURE} (the API forbids it)", []),
        (f"allow poke-sensor (the API forbids it) until {FUTURE}", []),
        (f"allow poke-sensor until {PAST} (the API forbids it)", ["poke-sensor", "unused-suppression"]),
        ("allow poke-sensor until 2027-13-01 (the API forbids it)", ["unused-suppression"]),
        ("allow poke-sensor (until the API allows it)", []),
    ],
)
def test_a_suppression_may_end(project: Project, comment: str, rules: list[str]) -> None:
    """From then on the finding is back, and the comment is told to be over."""
    text = (
        project.write("a.py").read_text(encoding="utf-8").replace("timeout=60)", f"timeout=60)  # dagproof: {comment}")
    )
    (project.dags / "a.py").write_text(text, encoding="utf-8")
    found = project.check("--select", "poke-sensor,DP9")["findings"]
    assert sorted(one["rule"] for one in found) == rules
    if PAST in comment:
        assert any(f"until {PAST}, and that day has passed" in one["message"] for one in found)


def test_a_baseline_may_end(project: Project) -> None:
    """What is new in it gets the date; what was there keeps its own; afterwards it is found again."""
    select = ("--select", "poke-sensor", "--baseline", "known.json")
    project.write("a.py")
    assert project.call(*select, "--update-baseline", "--until", FUTURE)[0] == 0
    project.write("b.py")
    assert [one["path"] for one in project.check(*select)["findings"]] == ["dags/b.py"]
    project.call(*select, "--update-baseline", "--until", "2998-01-01")
    entries = json.loads((project.root / "known.json").read_text(encoding="utf-8"))["findings"]
    assert [(one["path"], one["until"]) for one in entries] == [("dags/a.py", FUTURE), ("dags/b.py", "2998-01-01")]
    text = (project.root / "known.json").read_text(encoding="utf-8").replace(FUTURE, PAST)
    (project.root / "known.json").write_text(text, encoding="utf-8")
    assert [one["path"] for one in project.check(*select)["findings"]] == ["dags/a.py"]


def test_the_end_of_a_baseline_is_a_date(project: Project) -> None:
    """Anything else is refused."""
    project.write("a.py")
    status, _, error = project.call("--baseline", "known.json", "--update-baseline", "--until", "soon")
    assert status == 2
    assert "YYYY-MM-DD" in error
    status, _, error = project.call("--baseline", "known.json", "--update-baseline", "--until", PAST)
    assert (status, error) == (2, f"dagproof: --until is {PAST}, which is in the past; give today or a later day\n")
    status, _, error = project.call("--baseline", "known.json", "--until", FUTURE)
    assert (status, error.count("add --update-baseline, or remove --until")) == (2, 1)
    assert not (project.root / "known.json").exists()


ASKED = """
[tool.dagproof.rules.missing-metadata]
dag_id = "[a-z]+_[a-z_]+"
owner = "team-.*"
tags = ["tier:[123]"]
min_retries = 1
max_retries = 5
present = ["doc_md"]
"""


def test_what_all_dags_must_say_is_configuration(project: Project) -> None:
    """The examples of the page, with the table that stands above them."""
    bad, good = examples(rule_named("missing-metadata"))
    project.write("bad.py", bad)
    project.write("good.py", good)
    project.configure(ASKED)
    found = project.check("--select", "missing-metadata")["findings"]
    assert {one["path"] for one in found} == {"dags/bad.py"}
    told = " ".join(one["message"] for one in found)
    for part in ("dag_id 'Orders'", "no owner", "no tag", "retries is 0", "lacks doc_md"):
        assert part in told
    project.configure("")
    assert project.check("--select", "missing-metadata")["findings"] == []


def test_what_can_not_be_told_is_left_alone(project: Project) -> None:
    """Arguments of elsewhere may hold anything."""
    project.write(
        "a.py",
        "from airflow.sdk import DAG\nfrom elsewhere import ARGS, KWARGS, OWNER\n"
        "with DAG('shop_a', **KWARGS):\n    pass\n"
        "with DAG('shop_b', default_args=ARGS, tags=[OWNER], doc_md='x'):\n    pass\n",
    )
    project.configure(ASKED)
    assert project.check("--select", "missing-metadata")["findings"] == []
