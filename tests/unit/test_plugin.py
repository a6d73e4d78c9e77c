"""The pytest plugin's own options, in a small project of their own."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]


@pytest.mark.parametrize("where", ["command line", "ini file"])
def test_a_wrong_kind_of_server_stops_the_run(pytester: pytest.Pytester, where: str) -> None:
    """Before any test, with the nearest valid name, and without a traceback."""
    arguments = ["--postgres", "embeded"] if where == "command line" else ["-o", "dagproof_postgres=embeded"]
    result = pytester.runpytest_subprocess(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: 'embeded' is no kind of PostgreSQL server*'embedded'*"])
    assert "Traceback" not in result.stderr.str() + result.stdout.str()


def test_a_server_that_cannot_be_had_is_one_sentence(pytester: pytest.Pytester) -> None:
    """Not a traceback of ours."""
    pytester.makepyfile("def test_it(postgres_server): pass")
    result = pytester.runpytest_subprocess("--postgres", "postgresql://u:p@127.0.0.1:9/postgres")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*The PostgreSQL server at the address given refused us*"])
    assert "Traceback" not in result.stdout.str()


def test_the_options_are_in_the_help(pytester: pytest.Pytester) -> None:
    """With their kinds."""
    result = pytester.runpytest_subprocess("--help")
    result.stdout.fnmatch_lines(["*--postgres*KIND*", "*dagproof_postgres*"])
