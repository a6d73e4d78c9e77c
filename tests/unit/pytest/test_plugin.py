"""The pytest plugin's own options, in a small project of their own."""

from __future__ import annotations

import pytest

from dagproof.laws import Verdict
from dagproof.laws.verdict import PROVEN
from dagproof.pytest.report import Proved, proofs_of

pytest_plugins = ["pytester"]


@pytest.mark.parametrize("where", ["command line", "ini file"])
def test_a_wrong_kind_of_server_stops_the_run(pytester: pytest.Pytester, where: str) -> None:
    """Before any test, with the nearest valid name, and without a traceback."""
    arguments = ["--postgres", "embeded"] if where == "command line" else ["-o", "dagproof_postgres=embeded"]
    result = pytester.runpytest_subprocess(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: 'embeded' is not a PostgreSQL server*'embedded'*"])
    assert "Traceback" not in result.stderr.str() + result.stdout.str()


def test_a_server_that_cannot_be_had_is_one_sentence(pytester: pytest.Pytester) -> None:
    """Not a traceback of ours."""
    pytester.makepyfile("def test_it(postgres_server): pass")
    result = pytester.runpytest_subprocess("--postgres", "postgresql://u:p@127.0.0.1:9/postgres")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*cannot connect to the PostgreSQL server*"])
    assert "Traceback" not in result.stdout.str()


def test_a_page_that_cannot_be_written_stops_the_run(pytester: pytest.Pytester) -> None:
    """Before any test, in one sentence."""
    result = pytester.runpytest_subprocess("--dagproof-html", "nowhere/proof.html")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: there is no folder */nowhere for the report proof.html; create it, or name*"])
    assert "Traceback" not in result.stderr.str() + result.stdout.str()


def test_a_session_without_proofs_has_a_page_that_says_so(pytester: pytest.Pytester) -> None:
    """It replaces the one of the session before."""
    pytester.makepyfile("def test_it(): pass")
    result = pytester.runpytest_subprocess("--dagproof-html", "proof.html")
    result.stdout.fnmatch_lines(["dagproof: 0 verdicts in */proof.html"])
    assert "0 DAGs, 0 laws" in (pytester.path / "proof.html").read_text()


def test_a_worker_that_crashed_is_told_on_the_page(pytester: pytest.Pytester) -> None:
    """Its verdicts are gone, and nobody takes the page for all there is."""
    pytester.makepyfile("import os\ndef test_it(): os._exit(1)")
    result = pytester.runpytest_subprocess("-n", "1", "--dagproof-html", "proof.html")
    result.stdout.fnmatch_lines(["dagproof: 0 verdicts in */proof.html"])
    assert "the verdicts of worker gw0, which crashed" in (pytester.path / "proof.html").read_text()


def proved(dag_id: str, law: str, histories: int) -> Proved:
    """A verdict of a session."""
    return Proved(dag_id, ("2026-01-01",), 0, (), Verdict(law, PROVEN, histories=histories, seconds=1.5))


def test_verdicts_come_together_in_the_same_order() -> None:
    """Whichever worker they come from, and the same law just once, over most histories."""
    one = [proved("b", "rerun", 2), proved("a", "rerun", 3), proved("a", "effect", 1), proved("a", "rerun", 6)]
    assert proofs_of(one) == proofs_of(one[::-1])
    told = [(proof.dag_id, [(v.law, v.histories) for v in proof.verdicts], proof.seconds) for proof in proofs_of(one)]
    assert told == [("a", [("effect", 1), ("rerun", 6)], 3.0), ("b", [("rerun", 2)], 1.5)]


def test_the_options_are_in_the_help(pytester: pytest.Pytester) -> None:
    """With their kinds."""
    result = pytester.runpytest_subprocess("--help")
    result.stdout.fnmatch_lines(["*--postgres*KIND*", "*--dagproof-html*FILE*", "*dagproof_postgres*"])
